"""The texts of all plate types as one deterministic automaton, for decoding under a grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader.plates._alphabet import RUSSIAN, Alphabet
from platereader.plates._gost import FORMATS
from platereader.plates._layout import LETTERS, Group, PlateFormat
from platereader.plates._regions import region_by_code

_DIGITS = "0123456789"
_CLASSES = {"l": LETTERS, "d": _DIGITS}


class _Cell(NamedTuple):
    """What may stand at one place; `first` and `last` mark the ends of a number that must not be zero."""

    allowed: str
    is_number: bool = False
    first: bool = False
    last: bool = False
    in_region: bool = False


class _Item(NamedTuple):
    """A place in one spelling of a type; `zeros` says that the number so far is all zeros."""

    spelling: int
    position: int
    zeros: bool


class _Ending(NamedTuple):
    """A type that is complete in a state, and where its region code stands; None for a type without one."""

    name: str
    region: slice | None


class Fit(NamedTuple):
    """What a legal text is.

    Attributes:
        format: Name of its likeliest type: the first whose region code is in use, else the first that fits.
        region_known: Whether the region code of that type is in use, or the type has none.
    """

    format: str
    region_known: bool


_Spelling = tuple[str, tuple[_Cell, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class PlateGrammar:
    """An automaton that accepts exactly the texts that fit at least one type.

    Any region code of the right shape is accepted, known or not: codes are added by decree.

    Attributes:
        alphabet: The characters it steps over.
        transitions: int32 (states, C), read-only: next state by state and CTC class, -1 where no text goes on. The
            column of the blank is -1 throughout.
    """

    start: ClassVar[int] = 0

    alphabet: Alphabet
    transitions: NDArray[np.int32]
    _endings: tuple[tuple[_Ending, ...], ...] = field(repr=False)
    _steps: tuple[dict[str, int], ...] = field(repr=False)

    @classmethod
    def build(cls, formats: Sequence[PlateFormat] = FORMATS, *, alphabet: Alphabet = RUSSIAN) -> PlateGrammar:
        """The automaton of these types, by subset construction; the same types always give the same states.

        Args:
            formats: The types to accept.
            alphabet: Characters of the recognizer; types with a character outside of it simply never match.
        """
        spellings = [
            (plate_format.name, cells) for plate_format in formats for cells in _spellings(plate_format.groups)
        ]
        states: dict[frozenset[_Item], int] = {frozenset(_Item(i, 0, False) for i in range(len(spellings))): cls.start}
        queue = list(states)
        steps: list[dict[str, int]] = []
        for items in queue:
            step: dict[str, int] = {}
            for character in alphabet.characters:
                following = _following(items, character, spellings)
                if following:
                    if following not in states:
                        states[following] = len(states)
                        queue.append(following)
                    step[character] = states[following]
            steps.append(step)
        endings = tuple(_endings(items, spellings) for items in states)
        return cls(alphabet, _transition_table(steps, alphabet), endings, tuple(steps))

    def step(self, state: int, char: str) -> int | None:
        """The state after one more character, or None if no plate goes on like that.

        Args:
            state: A state of this automaton; `start` before the first character.
            char: One character.
        """
        return self._steps[state].get(char)

    def accepting(self, state: int) -> tuple[str, ...]:
        """Names of the types that are complete in this state; empty if none is."""
        return tuple(ending.name for ending in self._endings[state])

    def accepts(self, text: str) -> bool:
        """Whether the text fits at least one type."""
        return bool(self._endings_of(text))

    def fit(self, text: str) -> Fit | None:
        """The likeliest type of a text and whether its region is known; None if the text fits no type."""
        endings = self._endings_of(text)
        for ending in endings:
            if ending.region is None or region_by_code(text[ending.region]) is not None:
                return Fit(ending.name, region_known=True)
        return Fit(endings[0].name, region_known=False) if endings else None

    def _endings_of(self, text: str) -> tuple[_Ending, ...]:
        state = self.start
        for char in text:
            following = self._steps[state].get(char)
            if following is None:
                return ()
            state = following
        return self._endings[state]


@lru_cache(maxsize=1)
def russian_grammar() -> PlateGrammar:
    """The grammar of all types over the alphabet of Russian plates, built once."""
    return PlateGrammar.build()


def _number_cells(slots: str, *, in_region: bool = False) -> tuple[_Cell, ...]:
    last = len(slots) - 1
    return tuple(_Cell(_DIGITS, True, first=i == 0, last=i == last, in_region=in_region) for i in range(len(slots)))


def _group_spellings(group: Group) -> tuple[tuple[_Cell, ...], ...]:
    """The ways to fill one group: a region code has two, everything else one."""
    if group.is_region:
        hundreds, digit = _Cell(_DIGITS[1:], in_region=True), _Cell(_DIGITS, in_region=True)
        return _number_cells("dd", in_region=True), (hundreds, digit, digit)
    if group.is_number:
        return (_number_cells(group.slots),)
    return (tuple(_Cell(_CLASSES.get(slot, slot)) for slot in group.slots),)


def _spellings(groups: Sequence[Group]) -> list[tuple[_Cell, ...]]:
    """All sequences of cells that the groups can have."""
    spellings: list[tuple[_Cell, ...]] = [()]
    for group in groups:
        spellings = [head + tail for head in spellings for tail in _group_spellings(group)]
    return spellings


def _following(items: frozenset[_Item], character: str, spellings: Sequence[_Spelling]) -> frozenset[_Item]:
    """Where the items can be after one more character."""
    following: set[_Item] = set()
    for item in items:
        cells = spellings[item.spelling][1]
        if item.position == len(cells) or character not in cells[item.position].allowed:
            continue
        cell = cells[item.position]
        zeros = cell.is_number and character == "0" and (cell.first or item.zeros)
        if not (zeros and cell.last):
            following.add(_Item(item.spelling, item.position + 1, zeros))
    return frozenset(following)


def _endings(items: frozenset[_Item], spellings: Sequence[_Spelling]) -> tuple[_Ending, ...]:
    """The types that end here, in the order of the types."""
    ended = sorted(item.spelling for item in items if item.position == len(spellings[item.spelling][1]))
    return tuple(_Ending(name, _region_slice(cells)) for name, cells in (spellings[spelling] for spelling in ended))


def _region_slice(cells: Sequence[_Cell]) -> slice | None:
    places = [place for place, cell in enumerate(cells) if cell.in_region]
    return slice(places[0], places[-1] + 1) if places else None


def _transition_table(steps: Sequence[dict[str, int]], alphabet: Alphabet) -> NDArray[np.int32]:
    """The steps as a read-only array (states, C)."""
    table = np.full((len(steps), alphabet.size), -1, dtype=np.int32)
    for state, step in enumerate(steps):
        for character, following in step.items():
            table[state, alphabet.encode(character)[0]] = following
    table.flags.writeable = False
    return table
