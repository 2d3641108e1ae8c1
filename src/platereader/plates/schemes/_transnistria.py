"""The plates of Transnistria as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import CYRILLIC, GREEN, RED, SQUARE_MM, Look, scheme
from platereader.plates.schemes._regions import Regions

_LETTERS = "ABCEHKMPTXY"

_FORMATS = (
    PlateFormat("standard", "[l] ddd ll", letters=_LETTERS, title="cars, lorries, buses", source="Wikipedia (en, de)"),
    PlateFormat(
        "standard_two_line",
        "[l] ddd / ll",
        letters=_LETTERS,
        size_mm=SQUARE_MM,
        title="vehicles with a square place for the plate",
        source="Wikipedia (de); uncertain: size",
    ),
)

_FLAG = Flag((RED, RED, GREEN, RED, RED))
_STRIP = CountryStrip("", _FLAG, width_mm=50.0)
_UPPER = CountryStrip("", _FLAG, lines="upper", width_mm=60.0)

_LOOKS = {"standard": (Look("64 64 64", _STRIP),), "standard_two_line": (Look("68 68/72", _UPPER),)}

TRANSNISTRIA: Final = scheme("XT", _FORMATS, _LOOKS, regions=Regions("XT"), spelling=CYRILLIC)
"""Transnistrian plates: letters common to both alphabets; XT is a code that ISO 3166 leaves to users.

Not here, and why: authorities, motorcycles and mopeds (one source each), and the neutral plates of since 2018.
"""
