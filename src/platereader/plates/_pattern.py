"""The pattern of a plate format: parsed from its string into all sequences of characters that it allows."""

from __future__ import annotations

import re
from itertools import product
from typing import NamedTuple

from platereader.errors import InvalidArgumentError

DIGITS = "0123456789"

_MIXED_NEEDS = "ldd"
"""What a text with a slot ``a`` has at least: words and plain numbers beside a plate are none."""

_GROUP = re.compile(r"\[[^\[\]]+\]|[^\[\]]+")
_SLOT = re.compile(r"([ldna]|[^\W_a-z])(?:\{([0-9]),([0-9])\})?")
_HELP = (
    "slots are l (letter), d (digit), n (digit but 0), a (letter or digit) and upper-case letters and digits for "
    "themselves, {1,3} behind a slot repeats it, spaces part groups, / parts two lines, [..] is the region code and "
    "| parts its forms: 'l ddd ll [dd|ndd]'"
)


class Cell(NamedTuple):
    """What may stand at one place of a text.

    Attributes:
        allowed: the characters.
        number: number of digits of the number that starts here and must not be zero; 0 where none starts.
        number_end: whether such a number ends here.
        in_region: whether it belongs to the region code.
    """

    allowed: str
    number: int
    number_end: bool
    in_region: bool


class Group(NamedTuple):
    """Characters that stand together.

    Attributes:
        forms: the slots of each form that it can have, such as ``("dd", "ndd")``.
        is_region: whether it is the region code.
    """

    forms: tuple[str, ...]
    is_region: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a number of a fixed length, which is never zero."""
        return len(self.forms) == 1 and set(self.forms[0]) == {"d"}


class Variant(NamedTuple):
    """One sequence of cells that a format allows.

    Attributes:
        cells: one for each character.
        lengths: number of characters of each group.
        region: where the region code stands; None without one.
        needs: ``l`` for each letter and ``d`` for each digit that the whole text has at least; empty for most.
    """

    cells: tuple[Cell, ...]
    lengths: tuple[int, ...]
    region: slice | None
    needs: str = ""

    @property
    def regex(self) -> str:
        """A regular expression that matches exactly the texts that fit."""
        cells = (f"(?!0{{{cell.number}}})" * (cell.number > 0) + f"[{re.escape(cell.allowed)}]" for cell in self.cells)
        needs = (f"(?=(?:.*{one}){{{self.needs.count(kind)}}})" for kind, one in (("l", "[^0-9]"), ("d", "[0-9]")))
        return "".join((*needs, *cells) if self.needs else cells)


def parse_pattern(pattern: str) -> tuple[tuple[Group, ...], ...]:
    """The groups of each line; a pattern without characters, with three lines or two region codes is refused."""
    lines = tuple(tuple(_group(word, pattern) for word in line.split()) for line in pattern.split("/"))
    regions = sum(group.is_region for line in lines for group in line)
    if not all(lines) or len(lines) > 2 or regions > 1:
        raise InvalidArgumentError(f"pattern is {pattern!r}, expected are one or two lines of groups: {_HELP}.")
    return lines


def variants_of(groups: tuple[Group, ...], *, letters: str) -> tuple[Variant, ...]:
    """All sequences of cells that the groups allow and a text can fill, in the order of their forms.

    One with ``a`` that has no room for a letter and two digits is none. ``letters`` may stand for ``l``.
    """
    variants = (_variant(forms, groups, letters) for forms in product(*(group.forms for group in groups)))
    return tuple(one for one in variants if not one.needs or _has_room(one))


def slot_characters(slot: str, *, letters: str) -> str:
    """What may stand for a slot of a form, where ``letters`` may stand for ``l``."""
    return {"l": letters, "d": DIGITS, "n": DIGITS[1:], "a": letters + DIGITS}.get(slot, slot)


def group_allows(group: Group, text: str, *, letters: str) -> bool:
    """Whether a text has one of the forms of a group, where ``letters`` may stand for ``l``."""
    cells = (_cells(form, group, letters) for form in group.forms if len(form) == len(text))
    return any(all(char in cell.allowed for char, cell in zip(text, some, strict=True)) for some in cells)


def _group(word: str, pattern: str) -> Group:
    if _GROUP.fullmatch(word) is None:
        raise InvalidArgumentError(f"pattern is {pattern!r} and {word!r} of it is no group: {_HELP}.")
    is_region = word.startswith("[")
    forms = [form for part in word.strip("[]").split("|") for form in _forms(part, pattern)]
    return Group(tuple(forms), is_region)


def _forms(part: str, pattern: str) -> list[str]:
    """The slots of a group without repetitions: ``l{1,2}`` has the forms ``l`` and ``ll``."""
    forms, end = [""], 0
    for slot in _SLOT.finditer(part):
        if slot.start() != end:
            break
        least, most = (int(slot[2]), int(slot[3])) if slot[2] else (1, 1)
        forms = [form + slot[1] * count for form in forms for count in range(least, most + 1)]
        end = slot.end()
    if end != len(part) or not forms or not all(forms):
        raise InvalidArgumentError(f"pattern is {pattern!r} and {part!r} of it cannot be read: {_HELP}.")
    return forms


def _variant(forms: tuple[str, ...], groups: tuple[Group, ...], letters: str) -> Variant:
    cells = tuple(cell for form, group in zip(forms, groups, strict=True) for cell in _cells(form, group, letters))
    places = [place for place, cell in enumerate(cells) if cell.in_region]
    region = slice(places[0], places[-1] + 1) if places else None
    needs = _MIXED_NEEDS if any("a" in form for form in forms) else ""
    return Variant(cells, tuple(map(len, forms)), region, needs)


def _has_room(variant: Variant) -> bool:
    """Whether a text can have all the letters and digits that it needs."""
    digits, letters = variant.needs.count("d"), variant.needs.count("l")
    with_digit = sum(any(char in DIGITS for char in cell.allowed) for cell in variant.cells)
    with_letter = sum(any(char not in DIGITS for char in cell.allowed) for cell in variant.cells)
    return with_digit >= digits and with_letter >= letters and len(variant.cells) >= digits + letters


def _cells(form: str, group: Group, letters: str) -> list[Cell]:
    number = len(form) if set(form) == {"d"} else 0
    return [
        Cell(slot_characters(slot, letters=letters), 0 if index else number, index + 1 == number, group.is_region)
        for index, slot in enumerate(form)
    ]
