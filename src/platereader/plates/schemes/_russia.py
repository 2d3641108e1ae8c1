"""The plates of Russia as data: GOST R 50577-2018, and what of GOST R 50577-93 is still on the road.

Sources: GOST R 50577-93 with its Amendments 1 to 4, descriptions of GOST R 50577-2018 (in force since 2020-08-04) in
the press, and photographs. The 2018 text itself could not be consulted: clause numbers are those of 1993, and what is
concluded from the 1993 text, the press or photographs says "inferred" in its ``source``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from platereader.plates._alphabet import Alphabet
from platereader.plates._formats import BLACK, WHITE, PlateFormat
from platereader.plates._layout import PlateLayout
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import BLUE, CYRILLIC, LOOK_ALIKES, RED, YELLOW
from platereader.plates.schemes._regions import Regions

LONG_MM: Final = (520.0, 112.0)
SQUARE_MM: Final = (290.0, 170.0)
TRACTOR_MM: Final = (288.0, 206.0)
MOTORCYCLE_MM: Final = (245.0, 185.0)
SMALL_MM: Final = (190.0, 145.0)

_REGION = "[dd|ndd]"

# Ground, ink and ground of the boxed field.
_COLOURS = {
    "black on white": (WHITE, BLACK, WHITE),
    "black on white and yellow": (WHITE, BLACK, YELLOW),
    "black on yellow": (YELLOW, BLACK, YELLOW),
    "white on black": (BLACK, WHITE, BLACK),
    "white on red": (RED, WHITE, RED),
    "white on blue": (BLUE, WHITE, BLUE),
}


@dataclass(frozen=True)
class _Type:
    """A type of the standard; each group of ``groups`` has its slots and the height of its characters in mm."""

    name: str
    code: str
    groups: str
    size_mm: tuple[float, float]
    colours: str = "black on white"
    flag: bool = False
    script: Literal["local", "latin"] = "local"

    def layout(self, title: str, source: str, since: str = "") -> PlateLayout:
        """The layout of its format, with what carries it and where it comes from."""
        ground, ink, boxed_ground = _COLOURS[self.colours]
        lines = [[group.split(":") for group in line.split()] for line in self.groups.split("/")]
        plate_format = PlateFormat(
            self.name,
            " / ".join(" ".join(slots for slots, _ in line) for line in lines).replace("R", _REGION),
            letters=LOOK_ALIKES,
            script=self.script,
            size_mm=self.size_mm,
            ground=ground,
            ink=ink,
            title=title,
            code=self.code,
            since=since,
            source=source,
        )
        heights_mm = tuple(tuple(float(height) for _, height in line) for line in lines)
        return PlateLayout(
            plate_format, heights_mm, boxed=1, boxed_ground=boxed_ground, country_mark=True, flag=self.flag
        )


_LAYOUTS = (
    _Type("standard", "1", "l:58 ddd:76 ll:58 R:58", LONG_MM, flag=True).layout(
        title="cars, lorries, buses",
        source="GOST R 50577-93 and -2018, 3.2.1 and 3.3, figure A.1; the earliest plates lack the flag",
    ),
    _Type("standard_two_line", "1A", "l:58 ddd:58 / ll:58 R:46", SQUARE_MM, flag=True).layout(
        title="cars with a non-standard place for the plate, rear only",
        source="GOST R 50577-2018, 3.2.1 and 3.3, new in 2018; size from the press, heights inferred from photographs",
        since="2020-08-04",
    ),
    _Type("taxi", "1B", "ll:58 ddd:76 R:58", LONG_MM, "black on yellow").layout(
        title="taxis, buses on regular routes",
        source="GOST R 50577-93, Amendment 4 (2013-08-23): 3.2.1, 3.3, 4.8 and figure A.3; kept in 2018",
    ),
    _Type("trailer", "2", "ll:58 dddd:76 R:58", LONG_MM, flag=True).layout(
        title="trailers and semi-trailers", source="GOST R 50577-93 and -2018, 3.2.1 and 3.3"
    ),
    _Type("motorcycle", "4", "dddd:76 / ll:58 R:58", MOTORCYCLE_MM).layout(
        title="motorcycles, the large plate",
        source="GOST R 50577-93, 3.2.1 and 3.3; allowed beside the small one again after 2018; heights inferred",
    ),
    _Type("motorcycle_small", "4", "dddd:58 / ll:58 R:46", SMALL_MM).layout(
        title="motorcycles, the small plate",
        source="GOST R 50577-2018, 3.2.1 and 3.3: type 4 made smaller; size from the press, heights inferred",
        since="2020-08-04",
    ),
    _Type("tractor", "3", "dddd:76 / ll:76 R:58", TRACTOR_MM).layout(
        title="tractors, self-propelled machines and their trailers",
        source="GOST R 50577-93 and -2018, 3.2.1 and 3.3; heights inferred",
    ),
    _Type("off_road", "", "dddd:58 / ll:58 R:46", SMALL_MM).layout(
        title="quad bikes, snow and swamp vehicles",
        source="GOST R 50577-2018, 3.2.1, new in 2018; size from the press, pattern and heights inferred from type 4",
        since="2020-08-04",
    ),
    _Type("moped", "", "ll:58 dd:58 / ll:58 R:46", SMALL_MM).layout(
        title="mopeds (in the standard; not known to be issued)",
        source="GOST R 50577-2018, 3.2.1, new in 2018; size and pattern from the press, heights inferred",
        since="2020-08-04",
    ),
    _Type("military", "5", "dddd:76 ll:58 dd:58", LONG_MM, "white on black").layout(
        title="military cars, lorries, buses",
        source="GOST R 50577-93 and -2018, 3.2.2, 3.3 and its note 3: a code of the Ministry of Defence, not a region",
    ),
    _Type("military_trailer", "6", "ll:58 dddd:76 dd:58", LONG_MM, "white on black").layout(
        title="military trailers", source="GOST R 50577-93 and -2018, 3.2.2 and 3.3"
    ),
    _Type("military_tractor", "7", "dddd:76 / ll:76 dd:58", TRACTOR_MM, "white on black").layout(
        title="military tractors and machines", source="GOST R 50577-93 and -2018, 3.2.2 and 3.3; heights inferred"
    ),
    _Type("military_motorcycle", "8", "dddd:76 / ll:58 dd:58", MOTORCYCLE_MM, "white on black").layout(
        title="military motorcycles", source="GOST R 50577-93, 3.2.2 and 3.3; heights inferred"
    ),
    _Type("diplomatic_head", "9", "ddd:76 CD:58 d:58 R:58", LONG_MM, "white on red", script="latin").layout(
        title="heads of diplomatic missions",
        source="GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs of type 10",
    ),
    _Type("diplomatic", "10", "ddd:76 D:58 ddd:58 R:58", LONG_MM, "white on red", script="latin").layout(
        title="missions, consulates, international organisations, diplomatic staff",
        source="GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
    ),
    _Type("diplomatic_technical", "10", "ddd:76 T:58 ddd:58 R:58", LONG_MM, "white on red", script="latin").layout(
        title="administrative and technical staff of missions",
        source="GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
    ),
    _Type("transit", "15", "ll:58 ddd:76 l:58 R:58", LONG_MM, "black on white and yellow", flag=True).layout(
        title="vehicles admitted for a time (transit), metal",
        source="GOST R 50577-93 and -2018, 3.2.4 and 3.3; yellow field and heights inferred from photographs",
    ),
    _Type("transit_leaving", "19", "T:58 ll:58 ddd:76 R:58", LONG_MM, "black on white and yellow").layout(
        title="vehicles leaving Russia for good",
        source="GOST R 50577-93 and -2018, 3.2.4 and 3.3; colours, heights and the missing flag inferred",
    ),
    _Type("police", "20", "l:58 dddd:76 R:58", LONG_MM, "white on blue").layout(
        title="police cars, lorries, buses", source="GOST R 50577-93 and -2018, 3.2.5 and 3.3"
    ),
    _Type("police_trailer", "21", "ddd:76 l:58 R:58", LONG_MM, "white on blue").layout(
        title="police trailers", source="GOST R 50577-93 and -2018, 3.2.5 and 3.3"
    ),
    _Type("police_motorcycle", "22", "dddd:76 / l:58 R:58", MOTORCYCLE_MM, "white on blue").layout(
        title="police motorcycles", source="GOST R 50577-93, 3.2.5 and 3.3; heights inferred"
    ),
)


RUSSIA: Final = PlateScheme(
    "RU",
    formats=tuple(layout.plate_format for layout in _LAYOUTS),
    regions=Regions("RU"),
    spelling=CYRILLIC,
    layouts=_LAYOUTS,
)
"""Russian plates. Where one text fits several types, the earlier is preferred.

Not here, and why: Soviet plates and the types 11 to 14 of 1993 for foreign firms (other letters, or withdrawn), the
paper transit plates 16 to 18 (no longer issued, valid for days), and, of 2018, the sports (C), classic (K) and
diplomatic motorcycle types, whose patterns could not be checked and which are not known to be issued.
"""

RUSSIAN: Final = Alphabet("0123456789ABCEHKMOPTXYD")
"""Ten digits, the 12 letters of GOST R 50577-2018 and the D of diplomatic plates: C = 24."""
