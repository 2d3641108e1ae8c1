"""The plates of Kazakhstan as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import SKY, SQUARE_MM, YELLOW, Look, scheme
from platereader.plates.schemes._regions import Regions

_SOURCE = "Wikipedia (en), openalpr, caregnum-kz, photographs; uncertain: size"
_OLD = "Wikipedia (en, ru), photographs; issued until 2012, valid still; uncertain: size"

_STANDARD = PlateFormat("standard", "ddd lll [dd]", title="vehicles of persons", since="2012", source=_SOURCE)
_COMPANY = PlateFormat("company", "ddd ll [dd]", title="vehicles of companies", since="2012", source=_SOURCE)
_STANDARD_1993 = replace(_STANDARD, name="standard_1993", pattern="[l] ddd lll", since="1993", source=_OLD)
_COMPANY_1993 = replace(_COMPANY, name="company_1993", pattern="[l] ddd ll", since="1993", source=_OLD)

_FORMATS = (
    _STANDARD,
    replace(_STANDARD, name="standard_two_line", pattern="ddd / [dd] lll", size_mm=SQUARE_MM, number_order=(0, 2, 1)),
    _COMPANY,
    replace(
        _COMPANY,
        name="company_two_line",
        pattern="ddd / [dd] ll",
        size_mm=SQUARE_MM,
        source="Wikipedia (en); uncertain: size, lines as on the plates of persons",
        number_order=(0, 2, 1),
    ),
    _STANDARD_1993,
    replace(_STANDARD_1993, name="standard_1993_two_line", pattern="[l] ddd / lll", size_mm=SQUARE_MM),
    _COMPANY_1993,
    replace(_COMPANY_1993, name="company_1993_two_line", pattern="[l] ddd / ll", size_mm=SQUARE_MM),
)

_FLAG = Flag((SKY,), disc=YELLOW)
_STRIP = CountryStrip("KZ", _FLAG, width_mm=46.0)
_SQUARE = CountryStrip("KZ", _FLAG, lines="upper", width_mm=96.0)
_TWO_LINES = Look("76/72 62", _SQUARE, boxed=1, boxed_at="left")

_LOOKS = {
    "standard": (Look("76 63 76", _STRIP, boxed=1),),
    "standard_two_line": (_TWO_LINES,),
    "company": (Look("76 63 76", _STRIP, boxed=1),),
    "company_two_line": (_TWO_LINES,),
    "standard_1993": (Look("62 62 62"),),
    "standard_1993_two_line": (Look("64 64/64"),),
    "company_1993": (Look("62 62 62"),),
    "company_1993_two_line": (Look("64 64/64"),),
}

KAZAKHSTAN: Final = scheme("KZ", _FORMATS, _LOOKS, regions=Regions("KZ"))
"""Kazakh plates: the region is a number in a field of its own, until 2012 the first letter.

Not here, and why: the yellow plates of foreign persons and firms, whose pattern could not be checked.
"""
