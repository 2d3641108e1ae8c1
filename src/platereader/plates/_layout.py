"""How a plate type is laid out: groups of characters on one or two lines, sizes in millimetres, colours.

The data for every type stands in `platereader.plates._formats`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from platereader.errors import InvalidArgumentError

LETTERS = "ABEKMHOPCTYX"
"""The 12 letters of GOST R 50577: those that look alike in Cyrillic and Latin."""


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of the plate by name, with the sRGB triple a renderer may start from.

    Attributes:
        name: The standard's word for it, in English.
        rgb: Red, green, blue, 0 to 255. The standard gives chromaticity regions, not sRGB: these are typical values.
    """

    name: str
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Characters that stand together, of one height.

    Attributes:
        slots: One symbol a character: ``l`` one of the 12 letters, ``d`` a digit; an upper-case letter stands for
            itself. ``r`` alone is a region code, two or three digits. A group of digits is never all zeros.
        height_mm: Height of the characters in millimetres.
        boxed: Whether it stands in the separate field at the right (or lower right), where the region code stands.
    """

    slots: str
    height_mm: float
    boxed: bool = False

    @property
    def is_number(self) -> bool:
        """Whether all characters are digits of a number, which is never zero."""
        return set(self.slots) == {"d"}

    @property
    def is_region(self) -> bool:
        """Whether this is the code of a federal subject (not the code of a military unit)."""
        return self.slots == "r"


@dataclass(frozen=True, slots=True)
class Part:
    """The characters of one text that fall to one group.

    Attributes:
        text: The characters, ``plate_text[start:stop]``.
        start: Index of the first character in the whole text.
        stop: Index after the last one.
        line: 0 for the upper (or only) line, 1 for the lower one.
        group: The group they fill.
    """

    text: str
    start: int
    stop: int
    line: Literal[0, 1]
    group: Group


@dataclass(frozen=True, slots=True)
class PlateFormat:
    """One type of plate. The text of a plate is its groups, upper line first, each line from the left.

    Attributes:
        name: Name used in this library, such as ``"standard"``.
        type_code: Number of the type in the standard, in Latin spelling (``"1B"`` for 1Б); empty where it is not known.
        title: What carries it, in English.
        clause: Where the type comes from, and what of it is inferred rather than read from the standard.
        lines: Groups of each line.
        size_mm: Width and height of the metal in millimetres.
        ground: Colour of the field.
        ink: Colour of characters and rim.
        boxed_ground: Colour of the field of the boxed groups.
        rus: Whether "RUS" stands below the region code.
        flag: Whether the flag stands beside "RUS".
    """

    name: str
    type_code: str
    title: str
    clause: str
    lines: tuple[tuple[Group, ...], ...]
    size_mm: tuple[float, float]
    ground: Colour
    ink: Colour
    boxed_ground: Colour
    rus: bool
    flag: bool
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _region: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern once, and find its bracket of the region: texts are matched against all types."""
        object.__setattr__(self, "_regex", re.compile("".join(_slot_regex(group) for group in self.groups)))
        region = next((i for i, group in enumerate(self.groups, start=1) if group.is_region), None)
        object.__setattr__(self, "_region", region)

    @property
    def line_count(self) -> Literal[1, 2]:
        """Number of lines, 1 or 2."""
        return 1 if len(self.lines) == 1 else 2

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups in reading order."""
        return tuple(group for line in self.lines for group in line)

    @property
    def pattern(self) -> str:
        """The groups as one string, lines parted by ``/``: ``"l ddd / ll r"``."""
        return " / ".join(" ".join(group.slots for group in line) for line in self.lines)

    def matches(self, text: str) -> bool:
        """Whether the text could stand on a plate of this type.

        Args:
            text: Plate text in upper-case Latin look-alikes, without spaces.
        """
        return self._regex.fullmatch(text) is not None

    def split(self, text: str) -> tuple[Part, ...]:
        """Cut the text into the groups of this type, in reading order.

        Args:
            text: Plate text in upper-case Latin look-alikes, without spaces.

        Raises:
            InvalidArgumentError: If the text does not fit this type.
        """
        match = self._match(text)
        upper = len(self.lines[0])
        return tuple(
            Part(text=match[i], start=match.start(i), stop=match.end(i), line=0 if i <= upper else 1, group=group)
            for i, group in enumerate(self.groups, start=1)
        )

    def region_code(self, text: str) -> str | None:
        """The region code in the text, or None for a type without one (military).

        Raises:
            InvalidArgumentError: If the text does not fit this type.
        """
        match = self._match(text)
        return None if self._region is None else match[self._region]

    def _match(self, text: str) -> re.Match[str]:
        match = self._regex.fullmatch(text)
        if match is None:
            fits = f"it is no {self.name} plate ({self.pattern})"
            message = f"text: got {text!r}; {fits}; formats_of(text) says which types it fits"
            raise InvalidArgumentError(message)
        return match


def _slot_regex(group: Group) -> str:
    """Regular expression of one group, in a capturing bracket."""
    if group.is_region:
        return "((?!00)[0-9]{2}|[1-9][0-9]{2})"
    classes = {"l": f"[{LETTERS}]", "d": "[0-9]"}
    body = "".join(classes.get(slot, slot) for slot in group.slots)
    return f"((?!{'0' * len(group.slots)}){body})" if group.is_number else f"({body})"
