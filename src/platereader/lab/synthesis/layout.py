"""Where everything stands on a plate, in millimetres from its top left corner.

Heights come from the plate's format. Pitches, gaps and the place of the region field were measured on photographs of
plates seen squarely from the front, and agree with the figures of GOST R 50577-93, appendix A, within about 3 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from platereader.lab.synthesis.fixtures import Fixtures, PlacedCharacter, Placement, Rect, Row, SlotGroup, Template
from platereader.lab.synthesis.glyphs import glyph_aspect
from platereader.lab.synthesis.placement import baseline, has_marks, place_all, place_group
from platereader.plates import DEFAULT_SCHEMES, PlateLayout, Schemes
from platereader.results import Lines

MIN_HEIGHT_PX = 16
"""Least height of a picture in which a plate can be laid out."""

_EDGE_MM = 6.0
_MARGIN = 0.3
"""Above and below the text of two lines, in parts of what they leave free."""

_WIDER = {"E": 1.22, "C": 1.08, "P": 1.08, "M": 1.05}
"""Letters that are wider on photographs than in their drawing, beyond the few per cent that blur adds to all."""


def layout_of(text: str, *, lines: Lines | None = None, schemes: Schemes = DEFAULT_SCHEMES) -> PlateLayout | None:
    """The layout of the likeliest type of a text; None if it fits no type, or one without a layout."""
    plate_format = schemes.fit(text, lines=lines).plate_format
    layouts = (layout for scheme in schemes for layout in reversed(scheme.layouts))  # the usual one comes last
    return next((layout for layout in layouts if layout.plate_format is plate_format), None)


def lay_out(text: str, *, layout: PlateLayout) -> tuple[tuple[PlacedCharacter, ...], Fixtures]:
    """Place the characters of a text, in its order, and the fixtures of the plate.

    Raises:
        InvalidArgumentError: the text does not fit the format.
    """
    parts = layout.plate_format.split(text)
    template = _template(layout, tuple(len(part.text) for part in parts))
    characters: list[PlacedCharacter] = []
    for char, (center, top, height, room) in zip(text, template.places, strict=True):
        wider = _WIDER.get(char, 1.0) if layout.face == "gost" else 1.0
        width = min(height * glyph_aspect(char, face=layout.face) * wider, room)
        characters.append(PlacedCharacter(char, center, top, width, height))
    return tuple(characters), template.fixtures


@lru_cache(maxsize=1024)
def _template(layout: PlateLayout, lengths: tuple[int, ...]) -> Template:
    """The places of a format whose groups have that many characters."""
    groups = _groups(layout, lengths)
    if has_marks(layout):
        return place_all(layout, groups)
    free = len(groups[-1]) - layout.boxed
    rows, boxed = [*groups[:-1], groups[-1][:free]], groups[-1][free:]
    field, region_top = _field(layout, rows, boxed) if boxed else (None, 0.0)
    height, places = layout.plate_format.size_mm[1], list[Placement]()
    for index, row in enumerate(rows):
        beside = field if index == len(rows) - 1 else None
        bottom = baseline(rows, index, height, margin=_MARGIN)
        places += _main_places(row, layout=layout, field=beside, bottom_mm=bottom)
    if field is not None:
        places += _boxed_places(boxed, field=field, top_mm=region_top, long=len(rows) == 1)
    return Template(tuple(places), _fixtures(layout, field, region_top, boxed))


def _groups(layout: PlateLayout, lengths: tuple[int, ...]) -> list[Row]:
    """The groups of each line as they are filled."""
    remaining = iter(lengths)
    return [
        tuple(
            SlotGroup(next(form for form in group.forms if len(form) == length), height)
            for group, height, length in zip(line, heights, islice(remaining, len(line)), strict=True)
        )
        for line, heights in zip(layout.plate_format.lines, layout.heights_mm, strict=True)
    ]


def _pitch(group: SlotGroup, *, long: bool) -> list[float]:
    """Distance kept for each slot of a group."""
    letter = 0.948 if long else 0.88
    digit = 0.724 if group.height_mm > 70.0 else 0.76
    return [group.height_mm * (digit if slot in "dn" else letter) for slot in group.slots]


def _field(layout: PlateLayout, rows: Sequence[Row], boxed: Row) -> tuple[Rect, float]:
    """The region field and the top of the characters in it."""
    width, height = layout.plate_format.size_mm
    count = sum(len(group.slots) for group in boxed)
    tall = max(group.height_mm for group in boxed)
    content = tall + (0.37 * tall if layout.country_mark else 0.0)
    if len(rows) == 1:
        left = width - (151.5 if count > 2 else 128.0)
        return (left, 0.0, width, height), 14.5 if layout.country_mark else (height - tall) / 2
    letters = sum(sum(_pitch(group, long=False)) for group in rows[-1])
    wanted = max(0.75 * tall * count + 20.0, 0.41 * width)
    left = width - _EDGE_MM - min(wanted, width - 2 * _EDGE_MM - 0.88 * letters)
    bottom = height - _EDGE_MM
    top = max(baseline(rows, 0, height, margin=_MARGIN) + 4.0, bottom - content - 13.0)
    return (left, top, width, height), top + max(2.0, 0.55 * (bottom - top - content))


def _main_places(groups: Row, *, layout: PlateLayout, field: Rect | None, bottom_mm: float) -> list[Placement]:
    """Places of the groups left of the region field, centred in what is free, all on one baseline."""
    long = layout.line_count == 1
    width = layout.plate_format.size_mm[0]
    end = field[0] if field else width
    start, end = (28.0, end - 6.5 if field else end - 28.0) if long else (9.0, end - 4.0 if field else end - 9.0)
    pitches = [_pitch(group, long=long) for group in groups]
    total = sum(map(sum, pitches))
    squeeze = min(1.0, (end - start) / total) if total else 1.0
    rest = max(0.0, end - start - total)
    gap = (0.58 if long else 0.3) * rest / max(1, len(groups) - 1)
    x = (start + end - total * squeeze - gap * (len(groups) - 1)) / 2
    places: list[Placement] = []
    for group, steps in zip(groups, pitches, strict=True):
        placed, x = place_group(group, steps, x=x, bottom_mm=bottom_mm, scale=squeeze)
        places += placed
        x += gap
    return places


def _boxed_places(groups: Row, *, field: Rect, top_mm: float, long: bool) -> list[Placement]:
    """Places of the characters in the region field."""
    count = sum(len(group.slots) for group in groups)
    left, right = field[0], field[2] - _EDGE_MM
    places: list[Placement] = []
    for group in groups:
        pitch = min(group.height_mm * (0.76 if count < 3 else 0.715), (right - left - 5.0) / count)
        # The hole at the right end of a long plate pushes the digits to the left.
        center = (left + right) / 2 - (10.0 if long and count < 3 else 8.5 if long else 0.0)
        for _ in group.slots:
            middle = center + (len(places) - (count - 1) / 2) * pitch
            places.append((middle, top_mm, group.height_mm, 0.95 * pitch))
    return places


def _fixtures(layout: PlateLayout, field: Rect | None, region_top: float, boxed: Row) -> Fixtures:
    """Field, RUS, flag and holes."""
    width, height = size = layout.plate_format.size_mm
    long = layout.line_count == 1
    bolts = ((21.5, height * 0.47), (width - 22.0, height * 0.47))
    if not long:
        # Beside the upper line where there is room, in the corners of the narrow plates of motorcycles.
        y = 0.27 * height if width > 1.6 * height else 0.07 * height
        bolts = ((0.14 * width, y), (0.86 * width, y))
    if field is None or not layout.country_mark:
        return Fixtures(size, field, None, None, bolts)
    tall = max(group.height_mm for group in boxed)
    top = region_top + 1.08 * tall
    word_height, word_width, flag_width = 0.335 * tall, 0.98 * tall, 0.76 * tall
    right = field[2] - 15.5 if long else field[2] - _EDGE_MM - 0.12 * tall
    if not layout.flag:
        middle = (field[0] + field[2] - _EDGE_MM) / 2 - (8.0 if long else 0.0)
        word = (middle - word_width / 2, top, middle + word_width / 2, top + word_height)
        return Fixtures(size, field, word, None, bolts)
    flag = (right - flag_width, top - 0.04 * tall, right, top + 1.08 * word_height)
    word = (flag[0] - 4.0 - word_width, top, flag[0] - 4.0, top + word_height)
    return Fixtures(size, field, word, flag, bolts)
