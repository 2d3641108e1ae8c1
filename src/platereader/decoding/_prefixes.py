"""Prefix beam search: the beams of all plates side by side, a time step a few dozen array operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader._arrays import LogProbs
from platereader.decoding._texts import Texts, gathered
from platereader.plates._grammar import PlateGrammar


@final
@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """The states that prefixes are in, with one start for each beam that a plate gets.

    The first beam is free: its only state leads back to itself. With a grammar there is a second one, in the states of
    the grammar, so that one search serves both.

    Attributes:
        starts: int64 ``(M,)``, state of the empty prefix in each beam.
        following: int64 ``(S, C)``, next state; the blank stays. What is not allowed has -1, which the search may look
            up like any state, for its probability is 0.
        label_masks: float64 ``(G, C)``, the different sets of labels that some state allows: 1 for a label that may
            come, 0 for any other and the blank. Grammars have many states and few of these.
        mask_of_state: int64 ``(S,)``, which of them each state allows.
        accepting: bool ``(S,)``, whether a text may end there.
    """

    starts: NDArray[np.int64]
    following: NDArray[np.int64]
    label_masks: NDArray[np.float64]
    mask_of_state: NDArray[np.int64]
    accepting: NDArray[np.bool_]

    @classmethod
    def build(cls, classes: int, grammar: PlateGrammar | None = None) -> Automaton:
        """Of so many classes, the blank included; None for the free beam alone."""
        starts = np.zeros(1, np.int64)
        following = np.zeros((1, classes), np.int64)
        accepting = np.ones(1, np.bool_)
        if grammar is not None:
            starts = np.array([0, grammar.start + 1])
            following = np.concatenate([following, np.where(grammar.transitions < 0, -1, grammar.transitions + 1)])
            accepting = np.array([True, *(bool(grammar.accepting(s)) for s in range(len(grammar.transitions)))])
        allowed = (following >= 0).astype(np.float64)
        allowed[:, 0] = 0.0
        following[:, 0] = np.arange(len(following))
        label_masks, mask_of_state = np.unique(allowed, axis=0, return_inverse=True)
        return cls(starts, following, label_masks, mask_of_state.reshape(-1), accepting)


# The characters at all steps that are left out are together this much less probable than blanks there: 7 nats, more
# than what any preference for a text should outweigh.
_LEFT_OUT = 1e-3
# What is impossible is only this improbable to the search, so that no beam dies; the exact scores tell afterwards.
_LEAST = 1e-30


@final
@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The steps of each plate without those that are surely blank, plates with most steps first."""

    order: NDArray[np.int64]  # (N,), the plates in the order of the schedule
    counts: NDArray[np.int64]  # (N,), steps of each plate in that order, falling
    probabilities: NDArray[np.float64]  # (A, N, C), A the most steps of a plate
    after_skipped: NDArray[np.float64]  # (A, N), 1 where surely blank steps were left out just before, 0 elsewhere

    @classmethod
    def of(cls, log_probs: LogProbs) -> Schedule:
        """Of posteriors float32 ``(N, T, C)``."""
        probabilities = np.maximum(np.exp(log_probs, dtype=np.float64), _LEAST)
        worth = _worth_a_search(probabilities)
        counts = worth.sum(axis=1)
        order = (-counts).argsort(kind="stable")
        steps = (~worth[order]).argsort(axis=1, kind="stable")[:, : counts.max(initial=0)].T  # (A, N)
        after_skipped = np.empty(steps.shape)
        after_skipped[:1] = steps[:1] > 0
        after_skipped[1:] = steps[1:] - steps[:-1] > 1
        return cls(order, counts[order], probabilities[order, steps], after_skipped)

    def live(self) -> list[int]:
        """For each step the number of plates that have so many."""
        live: list[int] = (self.counts > np.arange(len(self.after_skipped))[:, None]).sum(axis=1).tolist()
        return live


def _worth_a_search(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which steps (N, T) stay when the quietest are left out, as many as may be."""
    odds = probabilities[:, :, 1:].sum(axis=2) / probabilities[:, :, 0]
    quietest_first = np.sort(odds, axis=1)
    left_out = (quietest_first.cumsum(axis=1) <= _LEFT_OUT).sum(axis=1)
    last = odds.shape[1] - 1
    least = np.where(left_out > last, np.inf, quietest_first[np.arange(len(odds)), np.minimum(left_out, last)])
    kept: NDArray[np.bool_] = odds >= least[:, None]
    return kept


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A prefix is known by a polynomial of its labels modulo 2^64: the factor and its inverse, and the names of the empty
# prefix and of an empty place in the beam.
_FACTOR = 0x5851F42D4C957F2D
_INVERSE = pow(_FACTOR, -1, 2**64) - 2**64
_EMPTY = 1
_NONE = 2
# By what the number that is added to a prefix says, 0 or a class: whether it stays, and the factor of its name.
_STAYS = np.array([1.0, 0.0])
_FACTORS = np.array([1, _FACTOR])
# Less than any score, for what must not be chosen.
_EXCLUDED = -1.0
# Beams fade by no more than 1e-30 a step, and must not fade away.
_STEPS_UNTIL_FADED = 8


def search(log_probs: LogProbs, *, width: int, automaton: Automaton) -> Texts:
    """The most probable texts as far as beams of ``width`` K prefixes find them, M beams a plate, in ``(N, T, C)``.

    Returns:
        int64 ``(N, M * K, L)``, classes, filled up with blanks; the empty text in the place of what is not accepted.
    """
    plates = len(log_probs)
    schedule = Schedule.of(log_probs)
    beams = _Beams.empty(plates, width, automaton)
    for number, step in enumerate(_steps(schedule, beams.total.shape, automaton)):
        beams.extend(step)
        if number % _STEPS_UNTIL_FADED == _STEPS_UNTIL_FADED - 1:
            beams.refresh()
    found = gathered(beams.emitted())
    texts = np.empty((plates, len(automaton.starts) * width, found.shape[1]), np.int64)
    texts[schedule.order] = found.reshape(texts.shape)
    return texts


class _Step(NamedTuple):
    """One time step of the n plates that have so many; relative to the most probable class of each plate."""

    label_masks: Floats  # (n * G, C), probabilities of the labels under each mask of the automaton, 0 for the blank
    repeat: (
        Floats  # (n, C), probabilities of the classes for a label that goes on: 0 where blanks came before this step
    )
    blank: Floats  # (n * M, K), probability of the blank for each prefix


def _steps(schedule: Schedule, shape: tuple[int, ...], automaton: Automaton) -> Iterator[_Step]:
    """The steps of a schedule for beams of the shape (N * M, K)."""
    relative = schedule.probabilities / schedule.probabilities.max(axis=2, keepdims=True)
    steps, plates, classes = relative.shape
    label_masks = (relative[:, :, None] * automaton.label_masks).reshape(
        steps, plates * len(automaton.label_masks), classes
    )
    repeat = relative * (1.0 - schedule.after_skipped)[:, :, None]
    blank = np.repeat(relative[:, :, 0], shape[0] // plates * shape[1], axis=1).reshape(steps, *shape)
    for live, *step in zip(schedule.live(), label_masks, repeat, blank, strict=True):
        yield _Step(*(part if live == plates else part[: len(part) // plates * live] for part in step))


class _Places(NamedTuple):
    """Where things lie for R beams of K prefixes."""

    classes: Ints  # where the classes of a prefix's plate begin in an array (n, C): (R, K)
    label_masks: Ints  # and its labels under each mask in one (n * G, C): (R, K)
    cells: Ints  # where the classes of a prefix begin in an array (R, K, C): (R, K)
    beams: Ints  # and those of its beam: (R, K)
    numbers: Ints  # of a prefix and a class within its beam: (R, K * C)
    one: Ints  # the first prefix of all pairs in a beam, in an array (R, K): (R, K * K)
    other: Ints  # and the second one

    @staticmethod
    @lru_cache(maxsize=16)
    def of(rows: int, width: int, *, each: int, label_masks: int, classes: int) -> _Places:
        """For so many beams, ``each`` of them of one plate, and sizes G and C; none of the arrays may be written to."""
        prefixes = np.arange(rows * width).reshape(rows, width)
        plates = np.repeat(np.arange(rows)[:, None] // each, width, axis=1)
        return _Places(
            classes=plates * classes,
            label_masks=plates * label_masks,
            cells=prefixes * classes,
            beams=np.repeat(prefixes[:, :1] * classes, width, axis=1),
            numbers=np.tile(np.arange(width * classes), (rows, 1)),
            one=np.repeat(prefixes, width, axis=1),
            other=np.tile(prefixes, width),
        )


@dataclass(slots=True)
class _Beams:
    """R = n * M beams of K prefixes: of all N plates, n have steps left, with M beams each. Arrays are (R, K)."""

    automaton: Automaton
    total: Floats  # probability of each prefix
    blank: Floats  # and of its ending in a blank
    last: Ints  # its last label
    name: Ints  # see _FACTOR
    state: Ints  # of the automaton
    places: _Places
    found: NDArray[np.bool_]  # which prefixes were possible and accepted when their plate had no more steps
    _trail: list[tuple[Ints, Ints]] = field(default_factory=list[tuple[Ints, Ints]])

    @classmethod
    def empty(cls, plates: int, width: int, automaton: Automaton) -> _Beams:
        """The empty prefix in the first place of each beam, and nothing in the others."""
        each, (label_masks, classes) = len(automaton.starts), automaton.label_masks.shape
        shape = (plates * each, width)
        blank = np.zeros(shape)
        blank[:, 0] = 1.0
        name = np.full(shape, _NONE, np.int64)
        name[:, 0] = _EMPTY
        return cls(
            automaton,
            total=blank,
            blank=blank,
            last=np.zeros(shape, np.int64),
            name=name,
            state=np.repeat(np.tile(automaton.starts, plates)[:, None], width, axis=1),
            places=_Places.of(*shape, each=each, label_masks=label_masks, classes=classes),
            found=np.zeros(shape, np.bool_),
        )

    def extend(self, step: _Step) -> None:
        """Let every prefix stay or grow by one label, and keep the best."""
        self._retire(len(step.blank))
        at, automaton = self.places, self.automaton
        # The last label goes on where no blank came in between; only what is left of the prefix may repeat it.
        goes_on = (self.total - self.blank) * step.repeat.take(at.classes + self.last)
        # What each prefix comes to with each class: (R, K, C); the column of the blank is for staying as it is.
        grown = step.label_masks.take(at.label_masks + automaton.mask_of_state.take(self.state), axis=0)
        grown *= self.total[:, :, None]
        repeated = at.cells + self.last
        grown.put(repeated, np.maximum(grown.take(repeated) - goes_on, 0.0))
        stays_blank = self.total * step.blank
        np.add(stays_blank, goes_on, grown[:, :, 0])
        self._merge(grown)
        self._keep(_best(grown, at.numbers) + at.beams, grown=grown, stays_blank=stays_blank)

    def refresh(self) -> None:
        """Make the best prefix of each beam certain, so that what is relative to it does not fade away."""
        most = self.total.max(axis=1, keepdims=True)
        self.total, self.blank = self.total / most, self.blank / most

    def _retire(self, live: int) -> None:
        """Take the beams from number ``live`` on out of the search."""
        count = len(self.total)
        if live == count:
            return
        self.found[live:count] = (self.total[live:] > 0) & self.automaton.accepting[self.state[live:]]
        self.total, self.blank = self.total[:live], self.blank[:live]
        self.last, self.name, self.state = self.last[:live], self.name[:live], self.state[:live]
        self.places = _Places(*(place[:live] for place in self.places))

    def _merge(self, grown: Floats) -> None:
        """A prefix that grows into another one of its beam adds to it."""
        at = self.places
        parents = (self.name - self.last) * _INVERSE  # the name of what each prefix grew from
        pairs: Ints = (parents.take(at.one) == self.name.take(at.other)).reshape(-1).nonzero()[0]
        if len(pairs):
            child, parent = at.one.take(pairs), at.other.take(pairs)
            cell = at.cells.take(parent) + self.last.take(child)
            flat = grown.reshape(-1)
            flat[at.cells.take(child)] += flat.take(cell)
            flat.put(cell, _EXCLUDED)

    def _keep(self, chosen: Ints, *, grown: Floats, stays_blank: Floats) -> None:
        """Replace the prefixes by the chosen cells (R, K) of what they have grown to."""
        classes = int(grown.shape[2])
        origin = chosen // classes  # faster than divmod
        added = chosen - origin * classes
        self.total = grown.take(chosen)
        self.blank = stays_blank.take(origin) * _STAYS.take(added, mode="clip")
        self.name = self.name.take(origin) * _FACTORS.take(added, mode="clip") + added
        self.last = np.where(added, added, self.last.take(origin))
        self.state = self.automaton.following.take(self.state.take(origin) * classes + added)
        self._trail.append((origin, added))

    def emitted(self) -> Texts:
        """The labels that each prefix got at each step, (steps, N * M * K); none for what is not accepted."""
        self._retire(0)
        emitted = np.zeros((len(self._trail), *self.found.shape), np.int64)
        place = np.arange(self.found.size).reshape(self.found.shape)
        for row, (origin, added) in zip(emitted[::-1], reversed(self._trail), strict=True):
            live = slice(len(added))
            row[live] = added.take(place[live])
            place[live] = origin.take(place[live])
        return (emitted * self.found).reshape(len(emitted), self.found.size)


def _best(grown: Floats, numbers: Ints) -> Ints:
    """The numbers (R, K) of the K greatest of each beam in (R, K, C); the same on every machine, equals by number.

    The number takes the place of the lowest bits of its score and so moves with it when the scores are partitioned,
    which is many times faster than ``argpartition``. Floats that are not negative are ordered as their bits are.
    """
    size, width = numbers.shape[1], grown.shape[1]
    mask = (1 << (size - 1).bit_length()) - 1
    scores = grown.view(np.int64).reshape(numbers.shape) & ~mask
    np.bitwise_or(scores, numbers, scores)
    scores.partition(size - width)
    best: Ints = scores[:, size - width :]
    best.sort()
    best &= mask
    return best
