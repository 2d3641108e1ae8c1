"""The plates of Ukraine as data."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import CYRILLIC_WITH_I, FLAT_MM, GREEN, SQUARE_MM, YELLOW
from platereader.plates.schemes._layouts import layouts_for

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

UKRAINE: Final = PlateScheme("UA", formats=_FORMATS, spelling=CYRILLIC_WITH_I, layouts=layouts_for("UA", _FORMATS))
"""Ukrainian plates: letters common to both alphabets, I among them; electric cars add the Latin Z and Y.

The first pair names the region, but new pairs are added and no complete list was found: any is accepted, none is named.
Not here, and why: vanity plates (free text), motorcycles (three lines), the police (six digits and no letter, as any
number on a vehicle), the armed forces and Soviet tractors (other Cyrillic letters), red transit plates and 1992 to 1995
(patterns could not be checked).
"""
