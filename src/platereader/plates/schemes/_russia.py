"""The plates of Russia as data: GOST R 50577-2018, and what of GOST R 50577-93 is still on the road.

Sources: GOST R 50577-93 with its Amendments 1 to 4, descriptions of GOST R 50577-2018 (in force since 2020-08-04) in
the press, and photographs. The 2018 text itself could not be consulted: clause numbers are those of 1993, and what is
concluded from the 1993 text, the press or photographs says "inferred" in its ``source``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

from platereader.plates._alphabet import Alphabet
from platereader.plates._formats import BLACK, WHITE, PlateFormat
from platereader.plates._layout import PlateLayout
from platereader.plates._regions import Region
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import BLUE, CYRILLIC, LOOK_ALIKES, RED, YELLOW

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


def _type(
    name: str,
    *,
    layout: str,
    size_mm: tuple[float, float],
    colours: str = "black on white",
    flag: bool = False,
    script: Literal["local", "latin"] = "local",
    described: tuple[str, ...],
) -> PlateLayout:
    """One type; ``layout`` has slots and height of each group, ``described`` are code, title, source and since."""
    ground, ink, boxed_ground = _COLOURS[colours]
    code, title, source, *since = described
    lines = [[word.split(":") for word in line.split()] for line in layout.split("/")]
    plate_format = PlateFormat(
        name,
        " / ".join(" ".join(slots for slots, _ in line) for line in lines).replace("R", _REGION),
        letters=LOOK_ALIKES,
        script=script,
        size_mm=size_mm,
        ground=ground,
        ink=ink,
        title=title,
        code=code,
        since="".join(since),
        source=source,
    )
    heights_mm = tuple(tuple(float(height) for _, height in line) for line in lines)
    return PlateLayout(plate_format, heights_mm, boxed=1, boxed_ground=boxed_ground, country_mark=True, flag=flag)


_CARS = (
    _type(
        "standard",
        layout="l:58 ddd:76 ll:58 R:58",
        size_mm=LONG_MM,
        flag=True,
        described=(
            "1",
            "cars, lorries, buses",
            "GOST R 50577-93 and -2018, 3.2.1 and 3.3, figure A.1; the earliest plates lack the flag",
        ),
    ),
    _type(
        "standard_two_line",
        layout="l:58 ddd:58 / ll:58 R:46",
        size_mm=SQUARE_MM,
        flag=True,
        described=(
            "1A",
            "cars with a non-standard place for the plate, rear only",
            "GOST R 50577-2018, 3.2.1 and 3.3, new in 2018; size from the press, heights inferred from photographs",
            "2020-08-04",
        ),
    ),
    _type(
        "taxi",
        layout="ll:58 ddd:76 R:58",
        size_mm=LONG_MM,
        colours="black on yellow",
        described=(
            "1B",
            "taxis, buses on regular routes",
            "GOST R 50577-93, Amendment 4 (2013-08-23): 3.2.1, 3.3, 4.8 and figure A.3; kept in 2018",
        ),
    ),
    _type(
        "trailer",
        layout="ll:58 dddd:76 R:58",
        size_mm=LONG_MM,
        flag=True,
        described=("2", "trailers and semi-trailers", "GOST R 50577-93 and -2018, 3.2.1 and 3.3"),
    ),
)

_MACHINES = (
    _type(
        "motorcycle",
        layout="dddd:76 / ll:58 R:58",
        size_mm=MOTORCYCLE_MM,
        described=(
            "4",
            "motorcycles, the large plate",
            "GOST R 50577-93, 3.2.1 and 3.3; allowed beside the small one again after 2018; heights inferred",
        ),
    ),
    _type(
        "motorcycle_small",
        layout="dddd:58 / ll:58 R:46",
        size_mm=SMALL_MM,
        described=(
            "4",
            "motorcycles, the small plate",
            "GOST R 50577-2018, 3.2.1 and 3.3: type 4 made smaller; size from the press, heights inferred",
            "2020-08-04",
        ),
    ),
    _type(
        "tractor",
        layout="dddd:76 / ll:76 R:58",
        size_mm=TRACTOR_MM,
        described=(
            "3",
            "tractors, self-propelled machines and their trailers",
            "GOST R 50577-93 and -2018, 3.2.1 and 3.3; heights inferred",
        ),
    ),
    _type(
        "off_road",
        layout="dddd:58 / ll:58 R:46",
        size_mm=SMALL_MM,
        described=(
            "",
            "quad bikes, snow and swamp vehicles",
            "GOST R 50577-2018, 3.2.1, new in 2018; size from the press, pattern and heights inferred from type 4",
            "2020-08-04",
        ),
    ),
    _type(
        "moped",
        layout="ll:58 dd:58 / ll:58 R:46",
        size_mm=SMALL_MM,
        described=(
            "",
            "mopeds (in the standard; not known to be issued)",
            "GOST R 50577-2018, 3.2.1, new in 2018; size and pattern from the press, heights inferred",
            "2020-08-04",
        ),
    ),
)

_MILITARY = (
    _type(
        "military",
        layout="dddd:76 ll:58 dd:58",
        size_mm=LONG_MM,
        colours="white on black",
        described=(
            "5",
            "military cars, lorries, buses",
            "GOST R 50577-93 and -2018, 3.2.2, 3.3 and its note 3: a code of the Ministry of Defence, not a region",
        ),
    ),
    _type(
        "military_trailer",
        layout="ll:58 dddd:76 dd:58",
        size_mm=LONG_MM,
        colours="white on black",
        described=("6", "military trailers", "GOST R 50577-93 and -2018, 3.2.2 and 3.3"),
    ),
    _type(
        "military_tractor",
        layout="dddd:76 / ll:76 dd:58",
        size_mm=TRACTOR_MM,
        colours="white on black",
        described=("7", "military tractors and machines", "GOST R 50577-93 and -2018, 3.2.2 and 3.3; heights inferred"),
    ),
    _type(
        "military_motorcycle",
        layout="dddd:76 / ll:58 dd:58",
        size_mm=MOTORCYCLE_MM,
        colours="white on black",
        described=("8", "military motorcycles", "GOST R 50577-93, 3.2.2 and 3.3; heights inferred"),
    ),
)

_DIPLOMATIC = (
    _type(
        "diplomatic_head",
        layout="ddd:76 CD:58 d:58 R:58",
        size_mm=LONG_MM,
        colours="white on red",
        script="latin",
        described=(
            "9",
            "heads of diplomatic missions",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs of type 10",
        ),
    ),
    _type(
        "diplomatic",
        layout="ddd:76 D:58 ddd:58 R:58",
        size_mm=LONG_MM,
        colours="white on red",
        script="latin",
        described=(
            "10",
            "missions, consulates, international organisations, diplomatic staff",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
        ),
    ),
    _type(
        "diplomatic_technical",
        layout="ddd:76 T:58 ddd:58 R:58",
        size_mm=LONG_MM,
        colours="white on red",
        script="latin",
        described=(
            "10",
            "administrative and technical staff of missions",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
        ),
    ),
)

_TRANSIT = (
    _type(
        "transit",
        layout="ll:58 ddd:76 l:58 R:58",
        size_mm=LONG_MM,
        colours="black on white and yellow",
        flag=True,
        described=(
            "15",
            "vehicles admitted for a time (transit), metal",
            "GOST R 50577-93 and -2018, 3.2.4 and 3.3; yellow field and heights inferred from photographs",
        ),
    ),
    _type(
        "transit_leaving",
        layout="T:58 ll:58 ddd:76 R:58",
        size_mm=LONG_MM,
        colours="black on white and yellow",
        described=(
            "19",
            "vehicles leaving Russia for good",
            "GOST R 50577-93 and -2018, 3.2.4 and 3.3; colours, heights and the missing flag inferred",
        ),
    ),
)

_POLICE = (
    _type(
        "police",
        layout="l:58 dddd:76 R:58",
        size_mm=LONG_MM,
        colours="white on blue",
        described=("20", "police cars, lorries, buses", "GOST R 50577-93 and -2018, 3.2.5 and 3.3"),
    ),
    _type(
        "police_trailer",
        layout="ddd:76 l:58 R:58",
        size_mm=LONG_MM,
        colours="white on blue",
        described=("21", "police trailers", "GOST R 50577-93 and -2018, 3.2.5 and 3.3"),
    ),
    _type(
        "police_motorcycle",
        layout="dddd:76 / l:58 R:58",
        size_mm=MOTORCYCLE_MM,
        colours="white on blue",
        described=("22", "police motorcycles", "GOST R 50577-93, 3.2.5 and 3.3; heights inferred"),
    ),
)


class _Regions(Mapping[str, Region]):
    """The table of region codes, read when it is first asked: the import of the library opens no file."""

    def __getitem__(self, code: str) -> Region:
        return _region_table()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(_region_table())

    def __len__(self) -> int:
        return len(_region_table())


@lru_cache(maxsize=1)
def _region_table() -> dict[str, Region]:
    """All rows by code, in the order of the file."""
    from importlib.resources import files  # slow to load, and not everyone asks for a region

    text = files("platereader.plates.schemes").joinpath("_russia_regions.csv").read_text(encoding="utf-8")
    return {row["code"]: Region(**row) for row in csv.DictReader(text.splitlines())}


_LAYOUTS = (*_CARS, *_MACHINES, *_MILITARY, *_DIPLOMATIC, *_TRANSIT, *_POLICE)

RUSSIA: Final = PlateScheme(
    "RU",
    formats=tuple(layout.plate_format for layout in _LAYOUTS),
    regions=_Regions(),
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
