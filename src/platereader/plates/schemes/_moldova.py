"""The plates of Moldova as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import BLUE, ORANGE, RED, YELLOW, Look, scheme

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

_BLUE_STRIP = CountryStrip("MD", Flag((BLUE, YELLOW, RED), vertical=True), width_mm=56.0, ground=BLUE, ink=WHITE)
_OLD_BLUE_STRIP = CountryStrip("MD", Flag((ORANGE,), disc=RED), width_mm=46.0, ground=BLUE, ink=WHITE)
_OLD_WHITE_STRIP = CountryStrip("MD", Flag((ORANGE,), disc=RED), width_mm=46.0)

_LOOKS = {
    "standard": (Look("74 74", _BLUE_STRIP, "fe"), Look("74 74", _BLUE_STRIP, "fe", ("o",))),
    "standard_two_line": (Look("50/50", _BLUE_STRIP, "fe"),),
    "standard_1992": tuple(Look("72 72 72", one, "din") for one in (_OLD_BLUE_STRIP, _OLD_WHITE_STRIP)),
}

MOLDOVA: Final = scheme("MD", _FORMATS, _LOOKS)
"""Moldovan plates.

Since 2015 they name no region; of the older codes only those of Chisinau are known here: none is named.
"""
