"""A plate format: which texts fit it, and how it looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Literal, NamedTuple, cast

from platereader.errors import InvalidArgumentError
from platereader.plates import _checks as check
from platereader.plates._pattern import Group, Variant, parse_pattern, variants_of

LATIN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of the plate by name, with the sRGB triple a renderer may start from.

    Attributes:
        name: the standard's word for it, in English.
        rgb: red, green, blue, 0 to 255. Standards give chromaticity regions, not sRGB: these are typical values.

    Raises:
        InvalidArgumentError: the name is no text, or ``rgb`` are not three such whole numbers.
    """

    name: str
    rgb: tuple[int, int, int]

    def __post_init__(self) -> None:
        check.texts(self, "name")
        given = cast(object, self.rgb)
        values = cast("tuple[object, ...]", given) if isinstance(given, tuple) else ()
        # By the class, as True is no part of a colour.
        if len(values) != 3 or not all(type(one) is int and 0 <= one <= 255 for one in values):
            raise InvalidArgumentError(
                f"rgb is {given!r}, expected are three whole numbers from 0 to 255: (18, 74, 160)."
            )


WHITE = Colour("white", (244, 244, 240))
BLACK = Colour("black", (20, 20, 22))


class Part(NamedTuple):
    """The characters of one text that fall to one group of its format.

    Attributes:
        text: the characters.
        line: 0 for the upper (or only) line, 1 for the lower one.
        group: the group they fill.
    """

    text: str
    line: Literal[0, 1]
    group: Group


@dataclass(frozen=True, slots=True)
class PlateFormat:
    """One type of plate. The text of a plate is its groups, upper line first, each line from the left.

    Texts are in Latin spelling, without spaces.

    A pattern is made of slots: ``l`` is a letter, ``d`` a digit, ``n`` a digit but 0, ``a`` a letter or a digit;
    upper-case letters and digits stand for themselves; ``{1,3}`` behind a slot says how often it may stand there.
    Spaces part groups, ``/`` parts two lines. ``[...]`` is the region code, and ``|`` parts the forms that a group can
    have. A group of ``d`` alone is a number, which is never zero; a text with ``a`` in its pattern has a letter and two
    digits at least. ``"l ddd ll [dd|ndd]"`` is a Russian car, ``"[l{1,3}] l{1,2} nd{0,3}"`` a German one.

    Attributes:
        name: name used in this library, such as ``"standard"``; different from the other formats of its scheme.
        pattern: see above.
        letters: what ``l`` may be, in Latin spelling.
        script: ``"latin"`` where a country with a script of its own prints this type in Latin letters all the same.
        size_mm: width and height of the metal in millimetres.
        ground: colour of the field.
        ink: colour of characters and rim.
        title: what carries it, in English.
        code: number of the type in the standard; empty where it has none.
        since: ISO date, year-month or year since when it is issued; empty where no date is known.
        source: where the type comes from, and what of it is inferred rather than read there.
        number_order: where the groups are registered in another order than they are printed, their places in the
            pattern, from 0, in that order: ``(0, 2, 1)`` for ``"ll ll / dddd"``, which is registered as ``ll dddd ll``.
        lines: groups of each line, read from the pattern.
        variants: all sequences of characters that the pattern allows.

    Raises:
        InvalidArgumentError: the pattern cannot be read, and the message says how one is written; no text fits it;
            ``letters`` has something else than upper-case letters; ``number_order`` has not each group once; or
            another field is of another kind.
    """

    name: str
    pattern: str
    letters: str = LATIN_LETTERS
    script: Literal["local", "latin"] = "local"
    size_mm: tuple[float, float] = (520.0, 112.0)
    ground: Colour = WHITE
    ink: Colour = BLACK
    title: str = ""
    code: str = ""
    since: str = ""
    source: str = ""
    number_order: tuple[int, ...] = ()
    lines: tuple[tuple[Group, ...], ...] = field(init=False, repr=False, compare=False)
    variants: tuple[Variant, ...] = field(init=False, repr=False, compare=False)
    _regexes: dict[int, re.Pattern[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the pattern once: texts are matched against all formats."""
        _check_looks(self)
        letters = cast(object, self.letters)
        if not isinstance(letters, str) or letters != letters.upper() or not letters.isalpha():
            raise InvalidArgumentError(f"letters is {letters!r}, expected are upper-case letters, such as 'ABEKM'.")
        if not isinstance(cast(object, self.pattern), str):
            raise InvalidArgumentError(f"pattern is {self.pattern!r}, expected is a text such as 'l ddd ll [dd|ndd]'.")
        lines = parse_pattern(self.pattern)
        variants = variants_of(tuple(group for line in lines for group in line), letters=self.letters)
        if not variants:
            raise InvalidArgumentError(
                f"pattern is {self.pattern!r}, which no text fits: one with a has a letter and two digits at least."
            )
        places, order = list(range(sum(map(len, lines)))), cast(object, self.number_order)
        # By how they are written: True and 1.0 are no places.
        if order != () and (
            not isinstance(order, tuple)
            or sorted(map(repr, cast("tuple[object, ...]", order))) != sorted(map(repr, places))
        ):
            raise InvalidArgumentError(f"number_order is {order!r}, expected is a tuple: an order of {places}.")
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "variants", variants)
        object.__setattr__(self, "_regexes", {})

    @property
    def line_count(self) -> Literal[1, 2]:
        """Number of lines, 1 or 2."""
        return 1 if len(self.lines) == 1 else 2

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups in reading order."""
        return tuple(group for line in self.lines for group in line)

    @property
    def has_region(self) -> bool:
        """Whether a region code stands on it."""
        return self.variants[0].region is not None

    @property
    def characters(self) -> frozenset[str]:
        """All characters that may stand on it."""
        return frozenset(char for variant in self.variants for cell in variant.cells for char in cell.allowed)

    @property
    def lengths(self) -> frozenset[int]:
        """Numbers of characters that its texts have."""
        return frozenset(len(one.cells) for one in self.variants)

    def matches(self, text: str) -> bool:
        """Whether the text could stand on a plate of this type."""
        regex = self._regexes.get(len(text)) or self._compiled(len(text))
        return regex.fullmatch(text) is not None

    def region_codes(self, text: str) -> tuple[str, ...]:
        """The region code of the text; none where it has none or does not fit, several where it can be parted so."""
        codes = (text[one.region] for one in self._variants(text) if one.region is not None)
        return tuple(dict.fromkeys(codes))

    def split(self, text: str) -> tuple[Part, ...]:
        """Cut the text into the groups of this type, in reading order; where there are several ways, the first.

        Raises:
            InvalidArgumentError: the text does not fit this type.
        """
        variant = next(iter(self._variants(text)), None)
        if variant is None:
            raise InvalidArgumentError(
                f"text is {text!r}, which is no {self.name} plate ({self.pattern}): Schemes.fit says what it is."
            )
        parts: list[Part] = []
        start, upper = 0, len(self.lines[0])
        for index, (length, group) in enumerate(zip(variant.lengths, self.groups, strict=True)):
            parts.append(Part(text[start : start + length], 0 if index < upper else 1, group))
            start += length
        return tuple(parts)

    def number_places(self, text: str) -> tuple[int, ...]:
        """Places of the characters of a text in the order in which they are registered; none where they stand in it.

        Raises:
            InvalidArgumentError: the text does not fit this type.
        """
        if not self.number_order and self.matches(text):
            return ()
        ends = list(accumulate(len(part.text) for part in self.split(text)))
        places = [range(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
        return tuple(chain.from_iterable(places[group] for group in self.number_order))

    def to_number(self, text: str) -> str:
        """The text as it is registered; raises as ``number_places``."""
        return "".join(text[place] for place in self.number_places(text)) or text

    def _variants(self, text: str) -> list[Variant]:
        if not self.matches(text):
            return []
        some = [one for one in self.variants if len(one.cells) == len(text)]
        return some if len(some) == 1 else [one for one in some if re.fullmatch(one.regex, text)]

    def _compiled(self, length: int) -> re.Pattern[str]:
        """What matches texts of this length, made when one is first asked for: not every format meets a text."""
        some = [one.regex for one in self.variants if len(one.cells) == length]
        regex = re.compile("|".join(some) if some else "(?!)")
        if some:
            self._regexes[length] = regex
        return regex


def _check_looks(plate_format: PlateFormat) -> None:
    """Refuse fields that only a renderer or a reader of the table would stumble over."""
    check.texts(plate_format, "name", "title", "code", "since", "source")
    if not plate_format.name:
        raise InvalidArgumentError("name is empty: give the format a name of its own, such as 'standard'.")
    check.choices(plate_format, script=("local", "latin"))
    check.lengths(plate_format.size_mm, name="size_mm", count=2, example="(520.0, 112.0)")
    check.instances(plate_format, Colour, "ground", "ink")
