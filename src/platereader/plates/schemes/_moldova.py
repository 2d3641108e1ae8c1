"""The plates of Moldova as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._layouts import layouts_for

_SOURCE = "Wikipedia (en, it, ca), kennzeichen-guide.de, openalpr"

_FORMATS = (
    PlateFormat("standard", "lll ddd", title="cars, lorries, buses", since="2015", source=_SOURCE),
    PlateFormat(
        "standard_two_line",
        "lll / ddd",
        size_mm=(245.0, 134.0),
        title="vehicles with a square place for the plate",
        since="2015",
        source=f"{_SOURCE}; uncertain: where the line is broken",
    ),
    PlateFormat(
        "standard_1992",
        "C|K|ll ll d{1,3}",
        title="cars, lorries, buses; the first letters name the district, C and K are Chisinau",
        since="1992",
        source="Wikipedia (en), kennzeichen-guide.de, openalpr; issued until 2015",
    ),
)

MOLDOVA: Final = PlateScheme("MD", formats=_FORMATS, layouts=layouts_for("MD", _FORMATS))
"""Moldovan plates.

Since 2015 they name no region; of the older codes only those of Chisinau are known here: none is named.
"""
