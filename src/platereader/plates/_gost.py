"""Every plate type as data: GOST R 50577-2018, and what of GOST R 50577-93 is still on the road.

Sources: GOST R 50577-93 with its Amendments 1 to 4, descriptions of GOST R 50577-2018 (in force since 2020-08-04) in
the press, and photographs. The 2018 text itself could not be consulted: clause numbers are those of 1993, and what is
concluded from the 1993 text, the press or photographs says "inferred" in its `clause`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from platereader.plates._layout import Colour, Group, PlateFormat

WHITE: Final = Colour("white", (244, 244, 240))
BLACK: Final = Colour("black", (20, 20, 22))
YELLOW: Final = Colour("yellow", (245, 188, 20))
RED: Final = Colour("red", (188, 24, 36))
BLUE: Final = Colour("blue", (18, 74, 160))

RUS_HEIGHT_MM: Final = 20.0
"""Height of "RUS" below the region code (GOST R 50577-93, table 1, which knows the heights 20, 58 and 76 mm)."""

LONG_MM: Final = (520.0, 112.0)
SQUARE_MM: Final = (290.0, 170.0)
TRACTOR_MM: Final = (288.0, 206.0)
MOTORCYCLE_MM: Final = (245.0, 185.0)
SMALL_MM: Final = (190.0, 145.0)

# Ground, ink and ground of the boxed field.
_COLOURS = {
    "black on white": (WHITE, BLACK, WHITE),
    "black on white and yellow": (WHITE, BLACK, YELLOW),
    "black on yellow": (YELLOW, BLACK, YELLOW),
    "white on black": (BLACK, WHITE, BLACK),
    "white on red": (RED, WHITE, RED),
    "white on blue": (BLUE, WHITE, BLUE),
}


def _line(spec: str) -> tuple[Group, ...]:
    """Groups of one line from words ``slots:height``; those after ``|`` stand in the boxed field."""
    free, _, boxed = spec.partition("|")
    return tuple(
        Group(slots=slots, height_mm=float(height), boxed=is_boxed)
        for part, is_boxed in ((free, False), (boxed, True))
        for slots, height in (word.split(":") for word in part.split())
    )


def _type(
    name: str,
    *,
    code: str,
    layout: str,
    size_mm: tuple[float, float],
    colours: str = "black on white",
    below: Literal["RUS", "RUS flag"] = "RUS",
    about: tuple[str, str],
) -> PlateFormat:
    """One type; `layout` parts lines by ``/``, `below` stands under the region code, `about` is title and clause."""
    ground, ink, boxed_ground = _COLOURS[colours]
    return PlateFormat(
        name=name,
        type_code=code,
        title=about[0],
        clause=about[1],
        lines=tuple(_line(line) for line in layout.split("/")),
        size_mm=size_mm,
        ground=ground,
        ink=ink,
        boxed_ground=boxed_ground,
        rus=True,
        flag=below == "RUS flag",
    )


_CARS = (
    _type(
        "standard",
        code="1",
        layout="l:58 ddd:76 ll:58 | r:58",
        size_mm=LONG_MM,
        below="RUS flag",
        about=(
            "cars, lorries, buses",
            "GOST R 50577-93 and -2018, 3.2.1 and 3.3, figure A.1; the earliest plates lack the flag",
        ),
    ),
    _type(
        "standard_two_line",
        code="1A",
        layout="l:58 ddd:58 / ll:58 | r:46",
        size_mm=SQUARE_MM,
        below="RUS flag",
        about=(
            "cars with a non-standard place for the plate, rear only",
            "GOST R 50577-2018, 3.2.1 and 3.3, new in 2018; size from the press, heights inferred from photographs",
        ),
    ),
    _type(
        "taxi",
        code="1B",
        layout="ll:58 ddd:76 | r:58",
        size_mm=LONG_MM,
        colours="black on yellow",
        about=(
            "taxis, buses on regular routes",
            "GOST R 50577-93, Amendment 4 (2013-08-23): 3.2.1, 3.3, 4.8 and figure A.3; kept in 2018",
        ),
    ),
    _type(
        "trailer",
        code="2",
        layout="ll:58 dddd:76 | r:58",
        size_mm=LONG_MM,
        below="RUS flag",
        about=("trailers and semi-trailers", "GOST R 50577-93 and -2018, 3.2.1 and 3.3"),
    ),
)

_MACHINES = (
    _type(
        "motorcycle",
        code="4",
        layout="dddd:76 / ll:58 | r:58",
        size_mm=MOTORCYCLE_MM,
        about=(
            "motorcycles, the large plate",
            "GOST R 50577-93, 3.2.1 and 3.3; allowed beside the small one again after 2018; heights inferred",
        ),
    ),
    _type(
        "motorcycle_small",
        code="4",
        layout="dddd:58 / ll:58 | r:46",
        size_mm=SMALL_MM,
        about=(
            "motorcycles, the small plate",
            "GOST R 50577-2018, 3.2.1 and 3.3: type 4 made smaller; size from the press, heights inferred",
        ),
    ),
    _type(
        "tractor",
        code="3",
        layout="dddd:76 / ll:76 | r:58",
        size_mm=TRACTOR_MM,
        about=(
            "tractors, self-propelled machines and their trailers",
            "GOST R 50577-93 and -2018, 3.2.1 and 3.3; heights inferred",
        ),
    ),
    _type(
        "off_road",
        code="",
        layout="dddd:58 / ll:58 | r:46",
        size_mm=SMALL_MM,
        about=(
            "quad bikes, snow and swamp vehicles",
            "GOST R 50577-2018, 3.2.1, new in 2018; size from the press, pattern and heights inferred from type 4",
        ),
    ),
    _type(
        "moped",
        code="",
        layout="ll:58 dd:58 / ll:58 | r:46",
        size_mm=SMALL_MM,
        about=(
            "mopeds (in the standard; not known to be issued)",
            "GOST R 50577-2018, 3.2.1, new in 2018; size and pattern from the press, heights inferred",
        ),
    ),
)

_MILITARY = (
    _type(
        "military",
        code="5",
        layout="dddd:76 ll:58 | dd:58",
        size_mm=LONG_MM,
        colours="white on black",
        about=(
            "military cars, lorries, buses",
            "GOST R 50577-93 and -2018, 3.2.2, 3.3 and its note 3: a code of the Ministry of Defence, not a region",
        ),
    ),
    _type(
        "military_trailer",
        code="6",
        layout="ll:58 dddd:76 | dd:58",
        size_mm=LONG_MM,
        colours="white on black",
        about=("military trailers", "GOST R 50577-93 and -2018, 3.2.2 and 3.3"),
    ),
    _type(
        "military_tractor",
        code="7",
        layout="dddd:76 / ll:76 | dd:58",
        size_mm=TRACTOR_MM,
        colours="white on black",
        about=("military tractors and machines", "GOST R 50577-93 and -2018, 3.2.2 and 3.3; heights inferred"),
    ),
    _type(
        "military_motorcycle",
        code="8",
        layout="dddd:76 / ll:58 | dd:58",
        size_mm=MOTORCYCLE_MM,
        colours="white on black",
        about=("military motorcycles", "GOST R 50577-93, 3.2.2 and 3.3; heights inferred"),
    ),
)

_DIPLOMATIC = (
    _type(
        "diplomatic_head",
        code="9",
        layout="ddd:76 CD:58 d:58 | r:58",
        size_mm=LONG_MM,
        colours="white on red",
        about=(
            "heads of diplomatic missions",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs of type 10",
        ),
    ),
    _type(
        "diplomatic",
        code="10",
        layout="ddd:76 D:58 ddd:58 | r:58",
        size_mm=LONG_MM,
        colours="white on red",
        about=(
            "missions, consulates, international organisations, diplomatic staff",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
        ),
    ),
    _type(
        "diplomatic_technical",
        code="10",
        layout="ddd:76 T:58 ddd:58 | r:58",
        size_mm=LONG_MM,
        colours="white on red",
        about=(
            "administrative and technical staff of missions",
            "GOST R 50577-93 and -2018, 3.2.3 and 3.3; heights inferred from photographs",
        ),
    ),
)

_TRANSIT = (
    _type(
        "transit",
        code="15",
        layout="ll:58 ddd:76 l:58 | r:58",
        size_mm=LONG_MM,
        colours="black on white and yellow",
        below="RUS flag",
        about=(
            "vehicles admitted for a time (transit), metal",
            "GOST R 50577-93 and -2018, 3.2.4 and 3.3; yellow field and heights inferred from photographs",
        ),
    ),
    _type(
        "transit_leaving",
        code="19",
        layout="T:58 ll:58 ddd:76 | r:58",
        size_mm=LONG_MM,
        colours="black on white and yellow",
        about=(
            "vehicles leaving Russia for good",
            "GOST R 50577-93 and -2018, 3.2.4 and 3.3; colours, heights and the missing flag inferred",
        ),
    ),
)

_POLICE = (
    _type(
        "police",
        code="20",
        layout="l:58 dddd:76 | r:58",
        size_mm=LONG_MM,
        colours="white on blue",
        about=("police cars, lorries, buses", "GOST R 50577-93 and -2018, 3.2.5 and 3.3"),
    ),
    _type(
        "police_trailer",
        code="21",
        layout="ddd:76 l:58 | r:58",
        size_mm=LONG_MM,
        colours="white on blue",
        about=("police trailers", "GOST R 50577-93 and -2018, 3.2.5 and 3.3"),
    ),
    _type(
        "police_motorcycle",
        code="22",
        layout="dddd:76 / l:58 | r:58",
        size_mm=MOTORCYCLE_MM,
        colours="white on blue",
        about=("police motorcycles", "GOST R 50577-93, 3.2.5 and 3.3; heights inferred"),
    ),
)

FORMATS: Final[tuple[PlateFormat, ...]] = (*_CARS, *_MACHINES, *_MILITARY, *_DIPLOMATIC, *_TRANSIT, *_POLICE)
"""All types. Where one text fits several, the earlier is preferred.

Not here, and why: Soviet plates and the types 11 to 14 of 1993 for foreign firms (other letters, or withdrawn), the
paper transit plates 16 to 18 (no longer issued, valid for days), and, of 2018, the sports (C), classic (K) and
diplomatic motorcycle types, whose patterns could not be checked and which are not known to be issued.
"""


def formats_of(text: str, *, lines: Literal[1, 2] | None = None) -> tuple[PlateFormat, ...]:
    """All types whose pattern the text fits, in the order of `FORMATS`.

    Several types share a pattern: motorcycles, tractors and military cars, or taxis with a three-digit region and
    trailers with a two-digit one. Shape or colour tells them apart, the text cannot.

    Args:
        text: Plate text in upper-case Latin look-alikes, without spaces.
        lines: Only types with so many lines; None for all.
    """
    return _fitting(text, lines)


@lru_cache(maxsize=1024)
def _fitting(text: str, lines: Literal[1, 2] | None) -> tuple[PlateFormat, ...]:
    """All types that a text fits; one reading asks several times."""
    if lines is not None:
        return tuple(one for one in _fitting(text, None) if one.line_count == lines)
    return tuple(plate_format for plate_format in FORMATS if plate_format.matches(text))
