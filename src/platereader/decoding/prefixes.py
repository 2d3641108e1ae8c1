"""The prefix beam search itself: the beams of all plates side by side, a time step a few dozen array operations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader.arrays import LogProbs
from platereader.decoding.automaton import Automaton
from platereader.decoding.schedule import Schedule
from platereader.decoding.texts import Texts, gathered

__all__ = ["search"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# A prefix is known by a polynomial of its labels modulo 2^64: the factor, and the names of the empty prefix and of an
# empty place in the beam.
_FACTOR = 0x5851F42D4C957F2D
_EMPTY = 1
_NONE = 2
# Less than any score, for what must not be chosen.
_TAKEN = -1.0


def search(log_probs: LogProbs, *, width: int, automaton: Automaton) -> Texts:
    """The most probable texts as far as beams of prefixes find them, M beams a plate.

    Args:
        log_probs: float32 ``(N, T, C)``, natural logarithms, class 0 is the blank.
        width: K, prefixes kept in each beam after every step.
        automaton: what each beam may spell.

    Returns:
        int64 ``(N, M * K, L)``, classes, filled up with blanks; the empty text in the place of what is not accepted.
    """
    plates = len(log_probs)
    schedule = Schedule.of(log_probs)
    beams = _Beams.empty(plates, width, automaton)
    for step, rested in schedule:
        beams.extend(step, rested=rested)
    found = gathered(beams.written())
    texts = np.empty((plates, len(automaton.starts) * width, found.shape[1]), np.int64)
    texts[schedule.order] = found.reshape(texts.shape)
    return texts


@dataclass(slots=True)
class _Beams:
    """M beams of K prefixes for each of n plates, each with the probability of its ending in a blank or its last label.

    The arrays are (n, M, K); of all N plates, n have steps left.
    """

    automaton: Automaton
    blank: Floats
    label: Floats
    last: Ints
    name: Ints
    state: Ints
    rows: Ints  # where the classes of a beam begin in an array (n, M, C): (n, M, 1)
    cells: Ints  # and those of a prefix in one (n, M, K, C): (n, M, K)
    numbers: Ints  # of a prefix and a class within a beam: (K * C,)
    found: NDArray[np.bool_]  # which prefixes were possible and accepted when their plate had no more steps: (N, M, K)
    _trail: list[tuple[Ints, Ints]] = field(default_factory=list[tuple[Ints, Ints]])

    @classmethod
    def empty(cls, plates: int, width: int, automaton: Automaton) -> _Beams:
        """The empty prefix in the first place of each beam, and nothing in the others."""
        shape = (plates, len(automaton.starts), width)
        classes = int(automaton.following.shape[1])
        blank = np.zeros(shape)
        blank[..., 0] = 1.0
        name = np.full(shape, _NONE, np.int64)
        name[..., 0] = _EMPTY
        return cls(
            automaton,
            blank=blank,
            label=np.zeros(shape),
            last=np.zeros(shape, np.int64),
            name=name,
            state=np.broadcast_to(automaton.starts[:, None], shape).copy(),
            rows=np.arange(0, blank.size // width * classes, classes).reshape(*shape[:2], 1),
            cells=np.arange(0, blank.size * classes, classes).reshape(shape),
            numbers=np.arange(width * classes),
            found=np.zeros(shape, np.bool_),
        )

    def extend(self, step: Floats, *, rested: Floats) -> None:
        """Let every prefix stay or grow by one label, and keep the best.

        Args:
            step: ``(n, C)``, probabilities of the first n plates; the others have no more steps.
            rested: ``(n,)``, 1 where blanks came before this step, 0 elsewhere.
        """
        self._retire(len(step))
        total = self.blank + self.label
        ended = self.label * rested[:, None, None]
        step = step[:, None] / np.add.reduce(total, axis=2, keepdims=True)  # (n, M, C), so that nothing fades away
        again = step.take(self.rows + self.last)
        # What each prefix comes to with each class: (n, M, K, C); the column of the blank is for staying as it is.
        grown = total[..., None] * step[:, :, None]
        grown.put(self.cells + self.last, (self.blank + ended) * again)  # a repeated label needs a blank before it
        grown *= self.automaton.allowed.take(self.state, axis=0)
        stays_blank = grown[..., 0].copy()
        grown[..., 0] += (self.label - ended) * again
        child_names = self.name * _FACTOR
        self._merge(grown, child_names)
        self._keep(_best(grown, self.numbers), grown=grown, stays_blank=stays_blank, child_names=child_names)

    def _retire(self, live: int) -> None:
        """Take the plates from number ``live`` on out of the search."""
        count = len(self.blank)
        if live == count:
            return
        possible = self.blank[live:] + self.label[live:] > 0
        self.found[live:count] = possible & self.automaton.accepting[self.state[live:]]
        self.blank, self.label = self.blank[:live], self.label[:live]
        self.last, self.name, self.state = self.last[:live], self.name[:live], self.state[:live]
        self.rows, self.cells = self.rows[:live], self.cells[:live]

    def _merge(self, grown: Floats, child_names: Ints) -> None:
        """A prefix that grows into another one of its beam adds to it."""
        same = child_names[..., None, :] + self.last[..., None] == self.name[..., None]  # (n, M, K child, K parent)
        width, classes = int(grown.shape[2]), int(grown.shape[3])
        pairs = same.ravel().nonzero()[0]
        child: Ints = pairs // width
        parent: Ints = child // width * width + pairs % width
        flat = grown.reshape(-1)
        cell = parent * classes + self.last.take(child)
        flat[child * classes] += flat[cell]
        flat[cell] = _TAKEN

    def _keep(self, chosen: Ints, *, grown: Floats, stays_blank: Floats, child_names: Ints) -> None:
        """Replace the prefixes by the chosen ones (n, M, K), numbers of a prefix and a class within each beam."""
        chosen += self.cells[:, :, :1]
        classes = int(grown.shape[3])
        origin = chosen // classes  # faster than divmod
        added = chosen - origin * classes
        stays = added == 0
        self.blank = stays_blank.take(origin) * stays
        self.label = grown.take(chosen) - self.blank
        self.name = np.where(stays, self.name.take(origin), child_names.take(origin) + added)
        self.last = np.where(stays, self.last.take(origin), added)
        self.state = self.automaton.following.take(self.state.take(origin) * classes + added)
        self._trail.append((origin, added))

    def written(self) -> Texts:
        """The labels that each prefix got at each step, (steps, N * M * K); none for what is not accepted."""
        self._retire(0)
        written = np.zeros((len(self._trail), *self.found.shape), np.int64)
        place = np.arange(self.found.size).reshape(self.found.shape)
        for row, (origin, added) in zip(written[::-1], reversed(self._trail), strict=True):
            live = slice(len(added))
            row[live] = added.take(place[live])
            place[live] = origin.take(place[live])
        return (written * self.found).reshape(len(written), self.found.size)


def _best(grown: Floats, numbers: Ints) -> Ints:
    """The numbers of the K greatest of each beam in (n, M, K, C); the same on every machine, equals by number.

    The number takes the place of the lowest bits of its score and so moves with it when the scores are partitioned,
    which is many times faster than ``argpartition``. Floats that are not negative are ordered as their bits are.
    """
    width, size = grown.shape[2], len(numbers)
    mask = (1 << (size - 1).bit_length()) - 1
    scores = grown.reshape(*grown.shape[:2], size).view(np.int64) & ~mask
    scores |= numbers
    scores.partition(size - width, axis=-1)
    best = scores[..., size - width :]
    best.sort(axis=-1)
    return best & mask
