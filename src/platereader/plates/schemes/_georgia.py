"""The plates of Georgia as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import BLUE, RED, SQUARE_MM, Look, scheme

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

_FLAG = Flag((WHITE,), cross=RED)
_BLUE_STRIP = CountryStrip("GE", _FLAG, width_mm=46.0, ground=BLUE, ink=WHITE, hologram="end")
_SQUARE = CountryStrip("GE", _FLAG, width_mm=44.0, ground=BLUE, ink=WHITE)

_LOOKS = {
    "standard": (Look("70 70 70", _BLUE_STRIP, "fe", ("--",)),),
    "standard_two_line": (Look("72/66 66", _SQUARE, "fe", ("", "-")),),
    "standard_1993": tuple(Look("72 72", CountryStrip(code, width_mm=48.0), "din", ("-",)) for code in ("GEO", "GE")),
}

GEORGIA: Final = scheme("GE", _FORMATS, _LOOKS)
"""Georgian plates, which name no region.

Not here, and why: trailers, of which one source gives a pattern (``ll ddd l``) that a car without its last letter has.
"""
