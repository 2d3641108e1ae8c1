"""The plates of Uzbekistan as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import GREEN, SKY, YELLOW, Look, scheme
from platereader.plates.schemes._regions import Regions

_TWO_LINE_MM = (190.0, 145.0)
_TWO_LINE = "Wikipedia (it); uncertain: where the line is broken"

_STANDARD = PlateFormat(
    "standard",
    "[dd] l ddd ll",
    title="vehicles of persons",
    since="2008-10-01",
    source="Wikipedia (de, it), autokennzeichen.de, photographs",
)
_COMPANY = PlateFormat(
    "company", "[dd] ddd lll", title="vehicles of companies", since="2008", source="Wikipedia (de), autokennzeichen.de"
)

_FORMATS = (
    _STANDARD,
    replace(_STANDARD, name="standard_two_line", pattern="[dd] l / ddd ll", size_mm=_TWO_LINE_MM, source=_TWO_LINE),
    _COMPANY,
    replace(_COMPANY, name="company_two_line", pattern="[dd] ddd / lll", size_mm=_TWO_LINE_MM, source=_TWO_LINE),
    PlateFormat("trailer", "[dd] dddd ll", title="trailers", source="Wikipedia (de, it)"),
    PlateFormat("temporary", "T dddddd", title="vehicles admitted for a time", source="Wikipedia (de)"),
    PlateFormat("foreign", "H dddddd", ground=YELLOW, title="vehicles of foreigners", source="Wikipedia (de)"),
    PlateFormat(
        "diplomatic",
        "D|T|X dddddd",
        ground=GREEN,
        ink=WHITE,
        title="embassies, their staff, international organisations",
        source="Wikipedia (de)",
    ),
)

_FLAG = Flag((SKY, WHITE, GREEN))
_STRIP = CountryStrip("UZ", _FLAG, at="right", width_mm=48.0, ink=SKY)
_SMALL = CountryStrip("UZ", _FLAG, at="right", lines="lower", width_mm=32.0, ink=SKY)
_PLAIN = Look("74 74", _STRIP, "fe")

_LOOKS = {
    "standard": (Look("56 74 74 74", _STRIP, "fe", boxed=1, boxed_at="left"),),
    "standard_two_line": (Look("46 54/50 50", _SMALL, "fe", boxed=1, boxed_at="upper left"),),
    "company": (Look("56 74 74", _STRIP, "fe", boxed=1, boxed_at="left"),),
    "company_two_line": (Look("46 54/50", _SMALL, "fe", boxed=1, boxed_at="upper left"),),
    "trailer": (Look("56 74 74", _STRIP, "fe", boxed=1, boxed_at="left"),),
    "temporary": (_PLAIN,),
    "foreign": (_PLAIN,),
    "diplomatic": (Look("74 74", CountryStrip("UZ", _FLAG, at="right", width_mm=48.0, ink=WHITE), "fe"),),
}

UZBEKISTAN: Final = scheme("UZ", _FORMATS, _LOOKS, regions=Regions("UZ"))
"""Uzbek plates.

Not here, and why: motorcycles and the plates of 1998 to 2008, whose patterns could not be checked.
"""
