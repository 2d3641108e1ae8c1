"""The plates of Armenia as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import BLUE, FLAT_MM, ORANGE, RED, Look, scheme

_SOURCE = "Wikipedia (en, de), openalpr, photographs; uncertain: size"
_OLD = "Wikipedia (en, de), photographs; issued until 2014, letters smaller than digits; uncertain: size"
_COMPANY_LINES = "Wikipedia (de); uncertain: size, where the line is broken"

_STANDARD = PlateFormat("standard", "dd ll ddd", title="vehicles of persons", since="2014-08-06", source=_SOURCE)
_COMPANY = PlateFormat("company", "ddd ll dd", title="vehicles of companies", since="2014", source=_SOURCE)
_STANDARD_1996 = replace(_STANDARD, name="standard_1996", since="1996", source=_OLD)

_FORMATS = (
    _STANDARD,
    replace(_STANDARD, name="standard_two_line", pattern="dd ll / ddd", size_mm=FLAT_MM),
    _COMPANY,
    replace(_COMPANY, name="company_two_line", pattern="ddd / ll dd", size_mm=FLAT_MM, source=_COMPANY_LINES),
    _STANDARD_1996,
    replace(_STANDARD_1996, name="standard_1996_two_line", pattern="dd ll / ddd", size_mm=FLAT_MM),
    replace(_COMPANY, name="company_1996", since="1996", source=_OLD),
)

_FLAG = Flag((RED, BLUE, ORANGE))
_STRIP, _BANDED = (CountryStrip("AM", _FLAG, width_mm=76.0, hologram=kind) for kind in ("", "band"))
_OLD_STRIP = CountryStrip("AM", width_mm=48.0)
_NEW = tuple(Look("66 66 66", one, "fe") for one in (_STRIP, _BANDED))
_SMALL = CountryStrip("AM", _FLAG, width_mm=48.0)

_LOOKS = {
    "standard": _NEW,
    "company": _NEW,
    "standard_two_line": (Look("52 52/52", _SMALL, "fe"),),
    "company_two_line": (Look("52/52 52", _SMALL, "fe"),),
    "standard_1996": (Look("76 58 76", _OLD_STRIP),),
    "company_1996": (Look("76 58 76", _OLD_STRIP),),
    "standard_1996_two_line": (Look("54 46/54", _OLD_STRIP),),
}

ARMENIA: Final = scheme("AM", _FORMATS, _LOOKS)
"""Armenian plates. The two digits were a region once and are issued without a tie to one now: none is named.

Some of the letters are drawn like Armenian ones (O, S, T, U); they stand for the Latin ones.
"""
