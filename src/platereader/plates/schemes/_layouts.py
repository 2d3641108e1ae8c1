"""What the plates of Russia's neighbours look like, as far as a renderer has to know.

Measured on photographs: heights of characters, width of the strip, colours of Armenian, Azerbaijani, Kazakh, Kyrgyz,
Ukrainian and Uzbek plates, one photograph each of Belarusian and Georgian ones. The others, and all two-line plates
but the Kazakh ones, are drawn from descriptions: heights and widths inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from platereader.plates._formats import BLACK, WHITE, Colour, PlateFormat
from platereader.plates._layout import CountryStrip, Face, Flag, PlateLayout
from platereader.plates.schemes._appearance import BLUE, GREEN, RED, YELLOW

_SKY: Final = Colour("light blue", (0, 160, 205))
_ORANGE: Final = Colour("orange", (240, 165, 20))
_SILVER: Final = Colour("silver", (186, 190, 190))

_FLAGS: Final = {
    "AM": Flag((RED, BLUE, _ORANGE)),
    "AZ": Flag((_SKY, RED, GREEN), disc=WHITE),
    "BY": Flag((RED, RED, GREEN)),
    "GE": Flag((WHITE,), cross=RED),
    "KG": Flag((RED,), disc=YELLOW),
    "KZ": Flag((_SKY,), disc=YELLOW),
    "MD": Flag((BLUE, YELLOW, RED), vertical=True),
    "TJ": Flag((RED, RED, WHITE, WHITE, WHITE, GREEN, GREEN)),
    "UA": Flag((BLUE, YELLOW)),
    "UZ": Flag((_SKY, WHITE, GREEN)),
    "XA": Flag((GREEN, WHITE, GREEN, WHITE, GREEN, WHITE, GREEN)),
    "XD": Flag((BLACK, BLUE, RED)),
    "XL": Flag((_SKY, BLUE, RED)),
    "XO": Flag((WHITE, RED, YELLOW)),
    "XT": Flag((RED, RED, GREEN, RED, RED)),
}


@dataclass(frozen=True, slots=True)
class _Look:
    """A layout without its format; heights as ``"76 58 76"``, two lines parted by a slash."""

    heights: str
    strip: CountryStrip | None = None
    face: Face = "gost"
    separators: tuple[str, ...] = ()
    boxed: int = 0
    boxed_at: Literal["right", "left", "upper left"] = "right"

    def layout(self, plate_format: PlateFormat) -> PlateLayout:
        """The layout of a format; its field has the colour of the plate."""
        heights = tuple(tuple(float(one) for one in line.split()) for line in self.heights.split("/"))
        return PlateLayout(
            plate_format,
            heights,
            boxed=self.boxed,
            boxed_ground=plate_format.ground,
            boxed_at=self.boxed_at,
            strip=self.strip,
            face=self.face,
            separators=self.separators,
        )


def layouts_for(country: str, formats: Iterable[PlateFormat]) -> tuple[PlateLayout, ...]:
    """All layouts of the formats of a country; where a format has several, the usual one comes last.

    Args:
        country: code of its scheme.
        formats: its formats.
    """
    looks = _LOOKS[country]
    return tuple(look.layout(one) for one in formats for look in looks.get(one.name, ()))


def _armenia() -> Mapping[str, tuple[_Look, ...]]:
    strip, banded = (CountryStrip("AM", _FLAGS["AM"], width_mm=76.0, hologram=kind) for kind in ("", "band"))
    old = CountryStrip("AM", width_mm=48.0)
    new = tuple(_Look("66 66 66", one, "fe") for one in (strip, banded))
    small = CountryStrip("AM", _FLAGS["AM"], width_mm=48.0)
    return {
        "standard": new,
        "company": new,
        "standard_two_line": (_Look("52 52/52", small, "fe"),),
        "company_two_line": (_Look("52/52 52", small, "fe"),),
        "standard_1996": (_Look("76 58 76", old),),
        "company_1996": (_Look("76 58 76", old),),
        "standard_1996_two_line": (_Look("54 46/54", old),),
    }


def _azerbaijan() -> Mapping[str, tuple[_Look, ...]]:
    chip = CountryStrip("AZ", _FLAGS["AZ"], width_mm=62.0, code_ground=_SILVER)
    plain = CountryStrip("AZ", _FLAGS["AZ"], width_mm=62.0)
    square = CountryStrip("AZ", _FLAGS["AZ"], lines="upper", width_mm=56.0)
    return {
        "standard": (
            _Look("67 67 67", plain, "din"),
            _Look("67 67 67", plain, "din", ("--",)),
            _Look("67 67 67", chip, "din", ("--",)),
        ),
        "standard_two_line": (_Look("72 72/72", square, "din"),),
        "foreign": (_Look("67 67 67", plain, "din"), _Look("67 67 67", chip, "din", ("--",))),
    }


def _belarus() -> Mapping[str, tuple[_Look, ...]]:
    green = CountryStrip("BY", _FLAGS["BY"], width_mm=58.0, ink=GREEN)
    black = CountryStrip("BY", _FLAGS["BY"], width_mm=58.0)
    lower = CountryStrip("BY", _FLAGS["BY"], lines="lower", width_mm=62.0)
    upper = CountryStrip("BY", _FLAGS["BY"], lines="upper", width_mm=62.0)
    return {
        "standard": tuple(_Look("72 72 72", one, separators=(" -",)) for one in (green, black)),
        "standard_two_line": (_Look("76/72 72", lower, separators=("", "-")),),
        "electric": (_Look("72 72 72 72", green, separators=("  -",)),),
        "lorry": (_Look("72 72 72", black, separators=(" -",)),),
        "lorry_two_line": (_Look("72 72/76", upper, separators=("-", "")),),
        "trailer": (_Look("72 72 72 72", black, separators=("  -",)),),
        "taxi": (_Look("72 72 72", black),),
        "police": (_Look("72 72", CountryStrip("BY", _FLAGS["BY"], width_mm=58.0, ink=WHITE)),),
        "temporary": (_Look("66 66 66 66", black),),
        "standard_2000": (_Look("72 72", separators=("o",)),),
        "standard_1992": (_Look("72 72"),),
    }


def _georgia() -> Mapping[str, tuple[_Look, ...]]:
    blue = CountryStrip("GE", _FLAGS["GE"], width_mm=46.0, ground=BLUE, ink=WHITE, hologram="end")
    square = CountryStrip("GE", _FLAGS["GE"], width_mm=44.0, ground=BLUE, ink=WHITE)
    return {
        "standard": (_Look("70 70 70", blue, "fe", ("--",)),),
        "standard_two_line": (_Look("72/66 66", square, "fe", ("", "-")),),
        "standard_1993": tuple(
            _Look("72 72", CountryStrip(code, width_mm=48.0), "din", ("-",)) for code in ("GEO", "GE")
        ),
    }


def _kazakhstan() -> Mapping[str, tuple[_Look, ...]]:
    strip = CountryStrip("KZ", _FLAGS["KZ"], width_mm=46.0)
    square = CountryStrip("KZ", _FLAGS["KZ"], lines="upper", width_mm=96.0)
    two_lines = _Look("76/72 62", square, boxed=1, boxed_at="left")
    return {
        "standard": (_Look("76 63 76", strip, boxed=1),),
        "standard_two_line": (two_lines,),
        "company": (_Look("76 63 76", strip, boxed=1),),
        "company_two_line": (two_lines,),
        "standard_1993": (_Look("62 62 62"),),
        "standard_1993_two_line": (_Look("64 64/64"),),
        "company_1993": (_Look("62 62 62"),),
        "company_1993_two_line": (_Look("64 64/64"),),
    }


def _kyrgyzstan() -> Mapping[str, tuple[_Look, ...]]:
    mark = CountryStrip("KG", _FLAGS["KG"], at="field", ink=RED)
    plain = CountryStrip("KG", at="field")
    square = CountryStrip("KG", _FLAGS["KG"], at="right", lines="upper", width_mm=90.0, ink=RED)
    band = CountryStrip("", _FLAGS["KG"], width_mm=46.0, filled=True)
    car = _Look("40 76 60", mark, "fe", boxed=1, boxed_at="left")
    return {
        "standard": (car,),
        "standard_two_line": (_Look("70/70 56", square, "fe", boxed=1, boxed_at="upper left"),),
        "government": (car,),
        "motorcycle": (car,),
        "foreign": (_Look("40 76 60", plain, "fe", boxed=1, boxed_at="left"),),
        "standard_1994": (_Look("70 70 70", band, "din"),),
    }


def _moldova() -> Mapping[str, tuple[_Look, ...]]:
    blue = CountryStrip("MD", _FLAGS["MD"], width_mm=56.0, ground=BLUE, ink=WHITE)
    old_blue = CountryStrip("MD", Flag((_ORANGE,), disc=RED), width_mm=46.0, ground=BLUE, ink=WHITE)
    old_white = CountryStrip("MD", Flag((_ORANGE,), disc=RED), width_mm=46.0)
    return {
        "standard": (_Look("74 74", blue, "fe"), _Look("74 74", blue, "fe", ("o",))),
        "standard_two_line": (_Look("50/50", blue, "fe"),),
        "standard_1992": tuple(_Look("72 72 72", one, "din") for one in (old_blue, old_white)),
    }


def _tajikistan() -> Mapping[str, tuple[_Look, ...]]:
    strip = CountryStrip("TJ", _FLAGS["TJ"], width_mm=46.0)
    both = (_Look("76 58 76", strip), _Look("70 70 70", strip))
    return {"standard": both, "company": both}


def _ukraine() -> Mapping[str, tuple[_Look, ...]]:
    blue = CountryStrip("UA", _FLAGS["UA"], width_mm=44.0, ground=BLUE, ink=WHITE)
    halves = CountryStrip("UA", _FLAGS["UA"], width_mm=44.0, ink=BLUE, filled=True)
    numbered = (CountryStrip(number, _FLAGS["UA"], width_mm=46.0) for number in ("07", "13", "25", "01"))
    return {
        "standard": (_Look("74 74 74", blue),),
        "standard_two_line": (_Look("54 54/54", blue),),
        "electric": (_Look("74 74 74", blue),),
        "taxi": (_Look("74 74 74", blue),),
        "tractor": (_Look("84/64"),),
        "standard_2004": (_Look("74 74 74", halves),),
        "standard_2004_two_line": (_Look("54 54/54", halves),),
        "standard_1995": tuple(_Look("72 72 72", one, separators=("- ",)) for one in numbered),
    }


def _uzbekistan() -> Mapping[str, tuple[_Look, ...]]:
    strip = CountryStrip("UZ", _FLAGS["UZ"], at="right", width_mm=48.0, ink=_SKY)
    small = CountryStrip("UZ", _FLAGS["UZ"], at="right", lines="lower", width_mm=32.0, ink=_SKY)
    plain = _Look("74 74", strip, "fe")
    return {
        "standard": (_Look("56 74 74 74", strip, "fe", boxed=1, boxed_at="left"),),
        "standard_two_line": (_Look("46 54/50 50", small, "fe", boxed=1, boxed_at="upper left"),),
        "company": (_Look("56 74 74", strip, "fe", boxed=1, boxed_at="left"),),
        "company_two_line": (_Look("46 54/50", small, "fe", boxed=1, boxed_at="upper left"),),
        "trailer": (_Look("56 74 74", strip, "fe", boxed=1, boxed_at="left"),),
        "temporary": (plain,),
        "foreign": (plain,),
        "diplomatic": (_Look("74 74", CountryStrip("UZ", _FLAGS["UZ"], at="right", width_mm=48.0, ink=WHITE), "fe"),),
    }


def _as_russian(code: str, letters: str, *, at: Literal["left", "right"] = "right") -> Mapping[str, tuple[_Look, ...]]:
    """A plate as the Russian one, with flag and letters of its own in the region's field."""
    strip = CountryStrip(letters, _FLAGS[code], at=at, width_mm=116.0, divider=True)
    return {"standard": (_Look("58 76 58", strip),)}


def _transnistria() -> Mapping[str, tuple[_Look, ...]]:
    strip = CountryStrip("", _FLAGS["XT"], width_mm=50.0)
    upper = CountryStrip("", _FLAGS["XT"], lines="upper", width_mm=60.0)
    return {"standard": (_Look("64 64 64", strip),), "standard_two_line": (_Look("68 68/72", upper),)}


_LOOKS: Final[Mapping[str, Mapping[str, tuple[_Look, ...]]]] = {
    "AM": _armenia(),
    "AZ": _azerbaijan(),
    "BY": _belarus(),
    "GE": _georgia(),
    "KG": _kyrgyzstan(),
    "KZ": _kazakhstan(),
    "MD": _moldova(),
    "TJ": _tajikistan(),
    "UA": _ukraine(),
    "UZ": _uzbekistan(),
    "XA": _as_russian("XA", "ABH"),
    "XD": _as_russian("XD", "DPR"),
    "XL": _as_russian("XL", "LPR"),
    "XO": _as_russian("XO", "RSO", at="left"),
    "XT": _transnistria(),
}
