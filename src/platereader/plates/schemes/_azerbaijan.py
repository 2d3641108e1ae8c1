"""The plates of Azerbaijan as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import GREEN, RED, SILVER, SKY, SQUARE_MM, YELLOW, Look, scheme

_FORMATS = (
    PlateFormat(
        "standard",
        "dd ll ddd",
        title="vehicles of every kind; hyphens on cars, none on trailers",
        since="1993",
        source="Wikipedia (de, it), kennzeichen-guide.de, openalpr, photographs; uncertain: size, 1993 or 1994",
    ),
    PlateFormat(
        "standard_two_line",
        "dd ll / ddd",
        size_mm=SQUARE_MM,
        title="vehicles with a square place for the plate",
        since="1993",
        source="Wikipedia (de, it); uncertain: size, where the line is broken",
    ),
    PlateFormat(
        "foreign",
        "H ddd ddd",
        ground=YELLOW,
        title="vehicles of foreigners",
        source="Wikipedia (de); uncertain: size, how the digits are grouped",
    ),
)

_FLAG = Flag((SKY, RED, GREEN), disc=WHITE)
_CHIP = CountryStrip("AZ", _FLAG, width_mm=62.0, code_ground=SILVER)
_PLAIN = CountryStrip("AZ", _FLAG, width_mm=62.0)
_SQUARE = CountryStrip("AZ", _FLAG, lines="upper", width_mm=56.0)

_LOOKS = {
    "standard": (
        Look("67 67 67", _PLAIN, "din"),
        Look("67 67 67", _PLAIN, "din", ("--",)),
        Look("67 67 67", _CHIP, "din", ("--",)),
    ),
    "standard_two_line": (Look("72 72/72", _SQUARE, "din"),),
    "foreign": (Look("67 67 67", _PLAIN, "din"), Look("67 67 67", _CHIP, "din", ("--",))),
}

AZERBAIJAN: Final = scheme("AZ", _FORMATS, _LOOKS)
"""Azerbaijani plates.

The first two digits name a district, but a code outside of the published list was seen on the road, and few names are
known here: any code is accepted, none is named.
"""
