"""The texts of all plate types as one deterministic automaton, for decoding under a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader.plates._alphabet import Alphabet
from platereader.plates._characters import Region
from platereader.plates._pattern import DIGITS, Variant
from platereader.plates._schemes import PlateScheme, Schemes


class _Item(NamedTuple):
    """A place in one spelling of a type.

    ``zeros`` says that the number so far is all zeros; ``needs`` has the letters and digits that must still come.
    """

    spelling: int
    position: int
    zeros: bool
    needs: str


class Fit(NamedTuple):
    """What a legal text is.

    Attributes:
        format: name of its likeliest type: the first whose region code is in use, else the first that fits.
        region_known: whether the region code of that type is in use, or the type has none.
    """

    format: str
    region_known: bool


class _Spelling(NamedTuple):
    """One sequence of cells of a type, and the region codes in use; None where all are."""

    name: str
    variant: Variant
    regions: Mapping[str, Region] | None
    fallback: bool


@dataclass(frozen=True, slots=True, eq=False)
class PlateGrammar:
    """An automaton that accepts exactly the texts that fit at least one type.

    Any region code of the right shape is accepted, known or not: codes are added by decree.

    Attributes:
        schemes: whose types it accepts.
        alphabet: the characters it steps over.
        transitions: int32 (states, C), read-only: next state by state and CTC class, -1 where no text goes on. The
            column of the blank is -1 throughout.
    """

    start: ClassVar[int] = 0

    schemes: Schemes
    alphabet: Alphabet
    transitions: NDArray[np.int32]
    _endings: tuple[tuple[_Spelling, ...], ...] = field(repr=False)
    _steps: tuple[dict[str, int], ...] = field(repr=False)

    @classmethod
    def build(cls, schemes: Iterable[PlateScheme], *, alphabet: Alphabet) -> PlateGrammar:
        """The automaton of all types of these schemes, by subset construction; the same always give the same states.

        Types with a character that is not in the alphabet of the recognizer simply never match.
        """
        schemes = Schemes.of(schemes)
        spellings = [
            _Spelling(one.name, variant, scheme.regions or None, scheme.fallback)
            for scheme in schemes
            for one in scheme.formats
            for variant in one.variants
        ]
        start = frozenset(_Item(index, 0, False, one.variant.needs) for index, one in enumerate(spellings))
        states: dict[frozenset[_Item], int] = {start: cls.start}
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
        return cls(schemes, alphabet, _transition_table(steps, alphabet), endings, tuple(steps))

    def step(self, state: int, char: str) -> int | None:
        """The state after one more character, or None if no plate goes on like that; the first state is ``start``."""
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
            region = ending.variant.region
            if region is None or ending.regions is None or text[region] in ending.regions:
                return Fit(ending.name, region_known=True)
        return Fit(endings[0].name, region_known=False) if endings else None

    def _endings_of(self, text: str) -> tuple[_Spelling, ...]:
        state = self.start
        for char in text:
            following = self._steps[state].get(char)
            if following is None:
                return ()
            state = following
        return self._endings[state]


def _following(items: frozenset[_Item], character: str, spellings: Sequence[_Spelling]) -> frozenset[_Item]:
    """Where the items can be after one more character."""
    following: set[_Item] = set()
    for item in items:
        cells = spellings[item.spelling].variant.cells
        if item.position == len(cells) or character not in cells[item.position].allowed:
            continue
        cell = cells[item.position]
        zeros = character == "0" and (cell.number > 0 or item.zeros)
        needs = item.needs.replace("d" if character in DIGITS else "l", "", 1)
        if not (zeros and cell.number_end) and len(needs) < len(cells) - item.position:
            following.add(_Item(item.spelling, item.position + 1, zeros, needs))
    return frozenset(following)


def _endings(items: frozenset[_Item], spellings: Sequence[_Spelling]) -> tuple[_Spelling, ...]:
    """The types that end here, in the order of the types; those of a fallback scheme only where no other does."""
    places = sorted((item.spelling, item.position) for item in items)
    ended = [spellings[index] for index, position in places if position == len(spellings[index].variant.cells)]
    return tuple([one for one in ended if not one.fallback] or ended)


def _transition_table(steps: Sequence[dict[str, int]], alphabet: Alphabet) -> NDArray[np.int32]:
    """The steps as a read-only array (states, C)."""
    table = np.full((len(steps), alphabet.size), -1, dtype=np.int32)
    for state, step in enumerate(steps):
        table[state, alphabet.encode("".join(step))] = list(step.values())
    table.flags.writeable = False
    return table
