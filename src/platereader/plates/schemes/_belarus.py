"""The plates of Belarus as data."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import BLUE, CYRILLIC_WITH_I, GREEN, RED, SQUARE_MM, YELLOW, Look, scheme
from platereader.plates.schemes._regions import Regions

_REGION = "[n|0]"
_SOURCE = "Wikipedia (en, de); uncertain: size"
_OLD = "Wikipedia (de, ru), licenseplatemania.com; red characters, issued until 2004, rare now; uncertain: size"

_plate = partial(PlateFormat, letters="ABEIKMHOPCTX")
_STANDARD = _plate(
    "standard",
    f"dddd ll {_REGION}",
    title="cars",
    since="2004-05",
    source="Wikipedia (en, de), licenseplatemania.com, openalpr, photographs; uncertain: size",
)
_LORRY = _plate("lorry", f"ll dddd {_REGION}", title="lorries, buses", since="2004", source=_SOURCE)

_FORMATS = (
    _STANDARD,
    replace(
        _STANDARD,
        name="standard_two_line",
        pattern=f"dddd / ll {_REGION}",
        size_mm=SQUARE_MM,
        title="cars with a square place for the plate",
        source=_SOURCE,
    ),
    _plate(
        "electric",
        f"E ddd ll {_REGION}",
        ink=GREEN,
        title="electric cars",
        since="2020-07-01",
        source="Wikipedia (en, ru); uncertain: size",
    ),
    _LORRY,
    replace(_LORRY, name="lorry_two_line", pattern=f"ll {_REGION} / dddd", size_mm=SQUARE_MM, number_order=(0, 2, 1)),
    replace(_LORRY, name="trailer", pattern=f"l dddd l {_REGION}", title="trailers"),
    _plate(
        "taxi",
        "[n] TAX dddd",
        script="latin",
        ground=YELLOW,
        title="taxis",
        source="Wikipedia (de); uncertain: size, colours",
    ),
    _plate(
        "police",
        "dddd ll",
        ground=BLUE,
        ink=WHITE,
        title="police, armed forces",
        source="Wikipedia (de); uncertain: size, colours",
    ),
    _plate(
        "temporary",
        "d ll T dddd",
        title="vehicles admitted for a time",
        source="Wikipedia (de); uncertain: size, what the first digit means",
    ),
    _plate("standard_2000", "dddd lll", ink=RED, title="cars, with a seal", since="2000", source=_OLD),
    _plate("standard_1992", "dddd ll", ink=RED, title="cars", since="1992", source=_OLD),
)

_FLAG = Flag((RED, RED, GREEN))
_GREEN_CODE = CountryStrip("BY", _FLAG, width_mm=58.0, ink=GREEN)
_BLACK_CODE = CountryStrip("BY", _FLAG, width_mm=58.0)
_LOWER = CountryStrip("BY", _FLAG, lines="lower", width_mm=62.0)
_UPPER = CountryStrip("BY", _FLAG, lines="upper", width_mm=62.0)

_LOOKS = {
    "standard": tuple(Look("72 72 72", one, separators=(" -",)) for one in (_GREEN_CODE, _BLACK_CODE)),
    "standard_two_line": (Look("76/72 72", _LOWER, separators=("", "-")),),
    "electric": (Look("72 72 72 72", _GREEN_CODE, separators=("  -",)),),
    "lorry": (Look("72 72 72", _BLACK_CODE, separators=(" -",)),),
    "lorry_two_line": (Look("72 72/76", _UPPER, separators=("-", "")),),
    "trailer": (Look("72 72 72 72", _BLACK_CODE, separators=("  -",)),),
    "taxi": (Look("72 72 72", _BLACK_CODE),),
    "police": (Look("72 72", CountryStrip("BY", _FLAG, width_mm=58.0, ink=WHITE)),),
    "temporary": (Look("66 66 66 66", _BLACK_CODE),),
    "standard_2000": (Look("72 72", separators=("o",)),),
    "standard_1992": (Look("72 72"),),
}

BELARUS: Final = scheme("BY", _FORMATS, _LOOKS, regions=Regions("BY"), spelling=CYRILLIC_WITH_I)
"""Belarusian plates: letters common to both alphabets, I among them.

Not here, and why: vanity plates (free text, most of the Cyrillic alphabet), two-line trailers (where the line is broken
could not be checked). A car's plate without its last digit reads as one of the police or of 1992.
"""
