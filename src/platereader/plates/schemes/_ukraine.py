"""The plates of Ukraine as data."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import (
    BLUE,
    CYRILLIC_WITH_I,
    FLAT_MM,
    GREEN,
    SQUARE_MM,
    YELLOW,
    Look,
    scheme,
)

_SOURCE = "nomeroff-net, openalpr, photographs; uncertain: size"
_OLD = "nomeroff-net, photographs; issued until 2015: trident in the strip; uncertain: size"

_plate = partial(PlateFormat, letters="ABCEHIKMOPTX")
_STANDARD = _plate("standard", "ll dddd ll", title="cars, lorries", since="2015", source=_SOURCE)
_TWO_LINES = _plate(
    "standard_two_line",
    "ll ll / dddd",
    size_mm=FLAT_MM,
    title="cars with a square place for the plate",
    since="2015",
    source=_SOURCE,
    number_order=(0, 2, 1),
)

_FORMATS = (
    _STANDARD,
    _TWO_LINES,
    _plate(
        "electric",
        "ll dddd Zl|Yl",
        script="latin",
        ink=GREEN,
        title="electric cars",
        since="2020",
        source="uamotors.com.ua and another news site; uncertain: size, colour",
    ),
    replace(
        _STANDARD,
        name="taxi",
        ground=YELLOW,
        title="buses, taxis",
        since="",
        source="Wikipedia (en, fr, ro); uncertain: size",
    ),
    _plate(
        "tractor",
        "ddddd / ll",
        size_mm=SQUARE_MM,
        title="tractors, on a hexagon",
        source="photographs; uncertain: size",
    ),
    replace(_STANDARD, name="standard_2004", since="2004", source=_OLD),
    replace(_TWO_LINES, name="standard_2004_two_line", since="2004", source=_OLD),
    _plate(
        "standard_1995",
        "ddd nd|0d ll",  # the second number may be 00
        title="cars, lorries; the number of the region stands under the flag and is no part of the text",
        since="1995",
        source="nomeroff-net, photographs; issued until 2004; uncertain: size",
    ),
)

_FLAG = Flag((BLUE, YELLOW))
_BLUE_STRIP = CountryStrip("UA", _FLAG, width_mm=44.0, ground=BLUE, ink=WHITE)
_HALVED_STRIP = CountryStrip("UA", _FLAG, width_mm=44.0, ink=BLUE, filled=True)
_NUMBERED_STRIPS = tuple(CountryStrip(number, _FLAG, width_mm=46.0) for number in ("07", "13", "25", "01"))

_LOOKS = {
    "standard": (Look("74 74 74", _BLUE_STRIP),),
    "standard_two_line": (Look("54 54/54", _BLUE_STRIP),),
    "electric": (Look("74 74 74", _BLUE_STRIP),),
    "taxi": (Look("74 74 74", _BLUE_STRIP),),
    "tractor": (Look("84/64"),),
    "standard_2004": (Look("74 74 74", _HALVED_STRIP),),
    "standard_2004_two_line": (Look("54 54/54", _HALVED_STRIP),),
    "standard_1995": tuple(Look("72 72 72", one, separators=("- ",)) for one in _NUMBERED_STRIPS),
}

UKRAINE: Final = scheme("UA", _FORMATS, _LOOKS, spelling=CYRILLIC_WITH_I)
"""Ukrainian plates: letters common to both alphabets, I among them; electric cars add the Latin Z and Y.

The first pair names the region, but new pairs are added and no complete list was found: any is accepted, none is named.
Not here, and why: vanity plates (free text), motorcycles (three lines), the police (six digits and no letter, as any
number on a vehicle), the armed forces and Soviet tractors (other Cyrillic letters), red transit plates and 1992 to 1995
(patterns could not be checked).
"""
