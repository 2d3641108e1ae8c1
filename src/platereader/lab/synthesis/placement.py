"""Where everything stands on the plates of other countries: a strip at an end, hyphens, a field at the left.

Pitches were measured on photographs of Armenian, Azerbaijani, Kazakh, Ukrainian and Uzbek plates, within some 5 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from platereader.lab.synthesis.fixtures import Fixtures, Marks, Placement, Rect, Row, SlotGroup, Template
from platereader.plates import Colour, PlateLayout
from platereader.plates._layout import CountryStrip, Face

_RIM_MM = 5.5
_PAD_MM = 5.0
_RULE_MM = 2.6
_BAND_MM = 12.0
_END_SEAL_MM = 16.0
_BOLT_MM = 19.0
_BOLT_ROOM_MM = 14.0
_MARK_MM = 21.0
"""Height of flag and code below a region code."""

_PITCHES: dict[Face, tuple[float, float]] = {"gost": (0.84, 0.68), "fe": (0.735, 0.695), "din": (0.76, 0.69)}
"""Distance kept for a letter and for a digit, in parts of the height."""

_LEAST_GAPS = {" ": 0.14, "-": 0.36, "o": 0.44}
_GAPS = {" ": 0.34, "-": 0.48, "o": 0.62}
"""Width of what parts two groups, in parts of the height."""

_NOWHERE: Rect = (0.0, 0.0, 0.0, 0.0)
_MOST_SPREAD = 1.1
_OWN_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class _Plan:
    """The large areas of a plate: ``field_row`` is the line of the field."""

    layout: PlateLayout
    rows: tuple[Row, ...]
    strip: Rect | None
    field: Rect | None
    field_row: int

    def parted(self, row: int) -> tuple[Row, str, Row]:
        """The groups of a line outside the field, what stands between them, and the groups in the field."""
        groups, layout = self.rows[row], self.layout
        marks = layout.separators[row] if layout.separators else " " * (len(groups) - 1)
        count = layout.boxed if row == self.field_row else 0
        if layout.boxed_at == "right":
            free = len(groups) - count
            return groups[:free], marks[: max(0, free - 1)], groups[free:]
        return groups[count:], marks[count:], groups[:count]

    @property
    def field_groups(self) -> Row:
        """The groups in the field."""
        return self.parted(self.field_row)[2]

    def free_span(self, row: int) -> tuple[float, float]:
        """Left and right end of what a line has for its text."""
        strip = self.layout.strip
        left, right = _RIM_MM, self.layout.plate_format.size_mm[0] - _RIM_MM
        if strip is not None and self.strip is not None and _beside(self.layout, row):
            band = _BAND_MM if strip.hologram == "band" else 0.0
            left, right = (self.strip[2] + band, right) if self.strip[0] == 0 else (left, self.strip[0] - band)
        if self.field is not None and row == self.field_row:
            left, right = (left, self.field[0]) if self.layout.boxed_at == "right" else (self.field[2], right)
        if strip is not None and strip.hologram == "end" and len(self.rows) == 1:
            left, right = (left + _END_SEAL_MM, right) if strip.at == "right" else (left, right - _END_SEAL_MM)
        return left + _PAD_MM, right - _PAD_MM


def has_marks(layout: PlateLayout) -> bool:
    """Whether a layout has anything that Russian plates lack."""
    return layout.strip is not None or layout.boxed_at != "right" or bool(layout.separators) or layout.face != "gost"


def place_all(layout: PlateLayout, rows: Sequence[Row]) -> Template:
    """Place the characters of all lines, in groups as they are filled, and whatever else stands on the plate."""
    plan = _plan(layout, tuple(rows))
    rules, seals = _rules(plan), list[Rect]()
    places = tuple(place for row in range(len(rows)) for place in _write_row(plan, row, rules=rules, seals=seals))
    marks, size = _marks(plan, seals=tuple(seals)), layout.plate_format.size_mm
    return Template(places, Fixtures(size, None, None, None, _bolts(layout, places), tuple(rules), marks))


# ---------------------------------------------------------------- the large areas


def _plan(layout: PlateLayout, rows: tuple[Row, ...]) -> _Plan:
    width, height = layout.plate_format.size_mm
    border = height
    if len(rows) == 2:
        border = (baseline(rows, 0, height) + baseline(rows, 1, height) - _tall(rows[1])) / 2
    strip = _strip(layout, border)
    field_row = 0 if layout.boxed_at == "upper left" else len(rows) - 1
    plan = _Plan(layout, rows, strip, None, field_row)
    if not layout.boxed:
        return plan
    top, bottom = (0.0, border) if field_row == 0 else (border, height)
    left, right = 0.0, width
    if strip is not None and _beside(layout, field_row):
        left, right = (strip[2], width) if strip[0] == 0 else (0.0, strip[0])
    written = sum(sum(_pitches(group, layout.face)) for group in plan.field_groups)
    bolt = _BOLT_ROOM_MM if layout.line_count == 1 else 0.0
    wide = max(written, 4.0 * _MARK_MM if _marked_field(layout) else 0.0) + 2 * _PAD_MM + _RIM_MM + bolt
    field = (right - wide, top, right, bottom) if layout.boxed_at == "right" else (left, top, left + wide, bottom)
    return replace(plan, field=field)


def _beside(layout: PlateLayout, row: int) -> bool:
    """Whether the strip stands beside a line."""
    strip = layout.strip
    return strip is not None and (layout.line_count == 1 or strip.lines in {"all", ("upper", "lower")[row]})


def _marked_field(layout: PlateLayout) -> bool:
    return layout.strip is not None and layout.strip.at == "field"


def _strip(layout: PlateLayout, border: float) -> Rect | None:
    """The strip, from edge to edge of its lines."""
    strip = layout.strip
    if strip is None or strip.at == "field":
        return None
    width, height = layout.plate_format.size_mm
    top, bottom = 0.0, height
    if layout.line_count == 2 and strip.lines != "all":
        top, bottom = (0.0, border) if strip.lines == "upper" else (border, height)
    return (0.0, top, strip.width_mm, bottom) if strip.at == "left" else (width - strip.width_mm, top, width, bottom)


# ---------------------------------------------------------------- the text


def _tall(row: Row) -> float:
    return max((group.height_mm for group in row), default=0.0)


def baseline(rows: Sequence[Row], row: int, height: float, *, margin: float = 0.33) -> float:
    """Where the characters of a line end; two lines have a ``margin`` of that part of what they leave free."""
    tall = [_tall(one) for one in rows]
    if len(tall) == 1:
        return height / 2 + tall[0] / 2
    free = margin * (height - sum(tall))
    return free + tall[0] if row == 0 else height - free


def _pitches(group: SlotGroup, face: Face) -> list[float]:
    """Distance kept for each slot of a group."""
    letter, digit = _PITCHES[face]
    return [group.height_mm * (digit if slot in "dn0123456789" else letter) for slot in group.slots]


def _write_row(plan: _Plan, row: int, *, rules: list[Rect], seals: list[Rect]) -> list[Placement]:
    """One line: its groups in the field, and the others in the middle of what is left, all on one baseline.

    Hyphens and seals between its groups are added to ``rules`` and ``seals``.
    """
    free, marks, boxed = plan.parted(row)
    inside = _write_boxed(plan, boxed)
    if not free:
        return inside
    tall, (left, right) = _tall(free), plan.free_span(row)
    total = sum(sum(_pitches(group, plan.layout.face)) for group in free)
    gaps, scale = _spread(marks, total=total, room=right - left, tall=tall)
    x = (left + right - total * scale - sum(gaps)) / 2
    bottom = baseline(plan.rows, row, plan.layout.plate_format.size_mm[1])
    places: list[Placement] = []
    for group, gap, mark in zip(free, [*gaps, 0.0], [*marks, " "], strict=True):
        written, x = place_group(group, _pitches(group, plan.layout.face), x=x, bottom_mm=bottom, scale=scale)
        places += written
        middle = (x + gap / 2, bottom - tall / 2)
        if mark == "-":
            rules.append(_around(middle, min(0.27 * tall, 0.8 * gap), 0.13 * tall))
        elif mark == "o":
            seals.append(_around(middle, side := min(0.5 * tall, 0.8 * gap), side))
        x += gap
    return places + inside if plan.layout.boxed_at == "right" else inside + places


def place_group(
    group: SlotGroup, pitches: Sequence[float], *, x: float, bottom_mm: float, scale: float
) -> tuple[list[Placement], float]:
    """Places of the characters of a group that starts at ``x``, and where it ends."""
    places: list[Placement] = []
    for pitch in pitches:
        room = _OWN_SHARE * pitch * min(1.0, scale)
        places.append((x + pitch * scale / 2, bottom_mm - group.height_mm, group.height_mm, room))
        x += pitch * scale
    return places, x


def _spread(marks: str, *, total: float, room: float, tall: float) -> tuple[list[float], float]:
    """Width of each gap, and by how much the pitches are stretched or squeezed."""
    least, usual = ([tall * gaps[mark] for mark in marks] for gaps in (_LEAST_GAPS, _GAPS))
    if total + sum(usual) > room:
        slack = sum(usual) - sum(least)
        share = min(1.0, max(0.0, (room - total - sum(least)) / slack)) if slack > 0 else 0.0
        gaps = [low + (high - low) * share for low, high in zip(least, usual, strict=True)]
        return gaps, min(1.0, (room - sum(gaps)) / total)
    scale = min(_MOST_SPREAD, (room - sum(usual)) / total)
    rest = room - total * scale - sum(usual)
    return [gap + 0.5 * rest / (len(marks) + 1) for gap in usual], scale


def _write_boxed(plan: _Plan, groups: Row) -> list[Placement]:
    """Places of the characters in the field, above the mark of the country where that is there too."""
    if not groups:
        return []
    left, top, right, bottom = _inner_field(plan)
    base = (top + bottom + _tall(groups) - (1.25 * _MARK_MM if _marked_field(plan.layout) else 0.0)) / 2
    total = sum(pitch for group in groups for pitch in _pitches(group, plan.layout.face))
    scale = min(1.0, (right - left) / total)
    x = (left + right - total * scale) / 2
    written: list[Placement] = []
    for group in groups:
        places, x = place_group(group, _pitches(group, plan.layout.face), x=x, bottom_mm=base, scale=scale)
        written += places
    return written


def _inner_field(plan: _Plan) -> Rect:
    """The field without rim and the hole at the end of a long plate."""
    left, top, right, bottom = plan.field or _NOWHERE
    bolt = _BOLT_ROOM_MM if plan.layout.line_count == 1 else 0.0
    if plan.layout.boxed_at == "right":
        return left + _PAD_MM, top, right - _RIM_MM - bolt, bottom
    return left + _RIM_MM + bolt, top, right - _PAD_MM, bottom


def _around(center: tuple[float, float], width: float, height: float) -> Rect:
    return center[0] - width / 2, center[1] - height / 2, center[0] + width / 2, center[1] + height / 2


# ---------------------------------------------------------------- what is no text


def _rules(plan: _Plan) -> list[Rect]:
    """The lines around field and strip, as far as they are not the rim."""
    strip = plan.layout.strip
    areas = [plan.field] if plan.field is not None else []
    if plan.strip is not None and strip is not None and strip.divider:
        areas.append(plan.strip)
    width, height = plan.layout.plate_format.size_mm
    rules: list[Rect] = []
    for left, top, right, bottom in areas:
        rules += [(x - _RULE_MM / 2, top, x + _RULE_MM / 2, bottom) for x in (left, right) if 0 < x < width]
        rules += [(left, y - _RULE_MM / 2, right, y + _RULE_MM / 2) for y in (top, bottom) if 0 < y < height]
    return rules


def _marks(plan: _Plan, *, seals: tuple[Rect, ...]) -> Marks:
    layout, strip = plan.layout, plan.layout.strip
    grounds: list[tuple[Rect, Colour]] = []
    if plan.field is not None and layout.boxed_ground != layout.plate_format.ground:
        grounds.append((plan.field, layout.boxed_ground))
    if strip is None:
        return Marks(field=plan.field, seals=seals, grounds=tuple(grounds))
    if plan.strip is not None and strip.ground is not None:
        grounds.append((plan.strip, strip.ground))
    flag, code = _in_field(plan, strip) if strip.at == "field" else _in_strip(plan, strip)
    code_field = band = None
    if code is not None and strip.code_ground is not None:
        code_field = (code[0] - 3.0, code[1] - 4.0, code[2] + 3.0, code[3] + 4.0)
    if plan.strip is not None and strip.hologram == "band":  # silver, beside the strip
        left, top, right, bottom = plan.strip
        x = right + _BAND_MM / 2 if left == 0 else left - _BAND_MM / 2
        band = _around((x, (top + bottom) / 2 - 0.04 * (bottom - top)), 0.6 * _BAND_MM, 0.6 * (bottom - top))
    if strip.hologram == "end":  # round, at the other end of the plate
        width, height = layout.plate_format.size_mm
        far = _RIM_MM + _END_SEAL_MM / 2 + 1.0
        x = far if strip.at == "right" else width - far
        seals = (*seals, _around((x, 0.62 * height), 0.75 * _END_SEAL_MM, 0.75 * _END_SEAL_MM))
    return Marks(plan.strip, plan.field, flag, code, code_field, band, seals, tuple(grounds))


def _in_strip(plan: _Plan, strip: CountryStrip) -> tuple[Rect | None, Rect | None]:
    """Flag and code in a strip, the flag above."""
    left, top, right, bottom = plan.strip or _NOWHERE
    left, right = (left + 3.0, right) if strip.at == "left" else (left, right - 3.0)
    middle, wide, high = (left + right) / 2, right - left, bottom - top
    flag_wide = min(0.84 * wide, 0.66 * high)
    flag = None
    if strip.flag is not None:
        flag = plan.strip if strip.filled else _around((middle, top + 0.31 * high), flag_wide, 0.64 * flag_wide)
    if not strip.code:
        return flag, None
    tall = min(0.24 * high, wide / (0.72 * len(strip.code)))
    code_wide = min(0.8 * wide, 0.74 * tall * len(strip.code))
    place = 0.72 if strip.flag is not None else 0.6
    return flag, _around((middle, top + place * high), code_wide, tall)


def _in_field(plan: _Plan, strip: CountryStrip) -> tuple[Rect | None, Rect | None]:
    """Flag and code below the region code, side by side."""
    left, top, right, bottom = _inner_field(plan)
    middle_y = (top + bottom + _tall(plan.field_groups) + 0.1 * _MARK_MM) / 2
    tall = 0.8 * _MARK_MM
    flag_wide = 1.5 * _MARK_MM if strip.flag is not None else 0.0
    code_wide = min(0.74 * tall * len(strip.code), 0.5 * (right - left))
    gap = 4.0 if flag_wide and code_wide else 0.0
    x = (left + right - flag_wide - code_wide - gap) / 2
    flag = (x, middle_y - _MARK_MM / 2, x + flag_wide, middle_y + _MARK_MM / 2) if flag_wide else None
    x += flag_wide + gap
    return flag, (x, middle_y - tall / 2, x + code_wide, middle_y + tall / 2) if code_wide else None


def _bolts(layout: PlateLayout, places: Sequence[Placement]) -> tuple[tuple[float, float], ...]:
    """Centres of the holes: at the ends where the text leaves room there, else in the rim above it."""
    width, height = layout.plate_format.size_mm
    if layout.line_count == 2:
        return (0.14 * width, 0.05 * height), (0.86 * width, 0.05 * height)
    first = min(center - room / 2 for center, _, _, room in places)
    last = max(center + room / 2 for center, _, _, room in places)
    if min(first, width - last) < _BOLT_MM + 8.0:
        return (0.3 * width, 0.07 * height), (0.7 * width, 0.07 * height)
    return (_BOLT_MM, height * 0.47), (width - _BOLT_MM, height * 0.47)
