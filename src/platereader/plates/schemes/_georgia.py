"""The plates of Georgia as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import SQUARE_MM
from platereader.plates.schemes._layouts import layouts_for

_FORMATS = (
    PlateFormat(
        "standard",
        "ll ddd ll",
        title="cars, lorries, buses",
        since="2014-09-01",
        source="Wikipedia (en, de), kennzeichen-guide.de, autokennzeichen.de, photographs; uncertain: size",
    ),
    PlateFormat(
        "standard_two_line",
        "ll / ddd ll",
        size_mm=SQUARE_MM,
        title="vehicles with a square place for the plate",
        since="2014-09-01",
        source="kennzeichen-guide.de: a square one exists; uncertain: size, where the line is broken",
    ),
    PlateFormat(
        "standard_1993",
        "lll ddd",
        title="cars, lorries, buses",
        since="1993",
        source="Wikipedia (en), autokennzeichen.de; issued until 2014; uncertain: size, until when it is valid",
    ),
)

GEORGIA: Final = PlateScheme("GE", formats=_FORMATS, layouts=layouts_for("GE", _FORMATS))
"""Georgian plates, which name no region.

Not here, and why: trailers, of which one source gives a pattern (``ll ddd l``) that a car without its last letter has.
"""
