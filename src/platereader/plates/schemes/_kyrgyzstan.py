"""The plates of Kyrgyzstan as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import RED, SQUARE_MM, YELLOW, Look, scheme
from platereader.plates.schemes._regions import Regions

_FORMATS = (
    PlateFormat(
        "standard",
        "[dd] ddd lll",
        title="cars, lorries, buses",
        since="2016-06-01",
        source="Wikipedia (en, de, ru), nomeroff-net, photographs; uncertain: since 2015-07 by Wikipedia (en)",
    ),
    PlateFormat(
        "standard_two_line",
        "[dd] / ddd lll",
        size_mm=SQUARE_MM,
        title="vehicles with a square place for the plate",
        since="2016-06-01",
        source="Wikipedia (en, de); uncertain: size, where the line is broken",
    ),
    PlateFormat("government", "[dd] ddd PT", title="government", since="2016", source="Wikipedia (en)"),
    PlateFormat(
        "motorcycle",
        "[dd] ddd ll",
        title="motorcycles",
        since="2016",
        source="Wikipedia (en); uncertain: size, number of lines",
    ),
    PlateFormat(
        "foreign",
        "[dd] dddd l",
        ground=YELLOW,
        title="vehicles of foreigners",
        since="2016",
        source="Wikipedia (en, de)",
    ),
    PlateFormat(
        "standard_1994",
        "l dddd l{1,2}",  # one last letter until about 2008
        title="cars, lorries, buses; the first letter names the region",
        since="1994",
        source="Wikipedia (en, de), photographs; issued until 2016; red band with a sun on the left",
    ),
)

_FLAG = Flag((RED,), disc=YELLOW)
_MARK = CountryStrip("KG", _FLAG, at="field", ink=RED)
_PLAIN = CountryStrip("KG", at="field")
_SQUARE = CountryStrip("KG", _FLAG, at="right", lines="upper", width_mm=90.0, ink=RED)
_BAND = CountryStrip("", _FLAG, width_mm=46.0, filled=True)
_CAR = Look("40 76 60", _MARK, "fe", boxed=1, boxed_at="left")

_LOOKS = {
    "standard": (_CAR,),
    "standard_two_line": (Look("70/70 56", _SQUARE, "fe", boxed=1, boxed_at="upper left"),),
    "government": (_CAR,),
    "motorcycle": (_CAR,),
    "foreign": (Look("40 76 60", _PLAIN, "fe", boxed=1, boxed_at="left"),),
    "standard_1994": (Look("70 70 70", _BAND, "din"),),
}

KYRGYZSTAN: Final = scheme("KG", _FORMATS, _LOOKS, regions=Regions("KG"))
"""Kyrgyz plates. Of the letters that named a region until 2016 only one is known (B, Bishkek): none is looked up."""
