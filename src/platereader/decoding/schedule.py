"""Which time steps are worth a search: those where a character may be written, often fewer than half."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader.arrays import LogProbs

__all__ = ["Schedule"]

# The characters at all steps that are left out are together this much less probable than blanks there: 7 nats, more
# than what any preference for a text should outweigh.
_LEFT_OUT = 1e-3
# What is impossible is only this improbable to the search, so that no beam dies; the exact scores tell afterwards.
_LEAST = 1e-30


@final
@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The steps of each plate without those that are surely blank, plates with most steps first.

    Attributes:
        order: int64 ``(N,)``, the plates in the order of the schedule.
        counts: int64 ``(N,)``, steps of each plate in that order, falling.
        probabilities: float64 ``(A, N, C)``, A the most steps of a plate.
        rested: float64 ``(A, N)``, 1 where surely blank steps were left out just before, 0 elsewhere.
    """

    order: NDArray[np.int64]
    counts: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    rested: NDArray[np.float64]

    @classmethod
    def of(cls, log_probs: LogProbs) -> Schedule:
        """Of posteriors float32 ``(N, T, C)``."""
        probabilities = np.maximum(np.exp(log_probs, dtype=np.float64), _LEAST)
        worth = _worth_a_search(probabilities)
        counts = np.count_nonzero(worth, axis=1)
        order = np.argsort(-counts, kind="stable")
        steps = np.argsort(~worth[order], axis=1, kind="stable")[:, : counts.max(initial=0)].T  # (A, N)
        rested = (np.diff(steps, axis=0, prepend=-1) > 1).astype(np.float64)
        return cls(order, counts[order], probabilities[order, steps], rested)

    def __iter__(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For each step the probabilities (n, C) of the n plates that have so many, and where they rested (n,)."""
        for index, (step, rested) in enumerate(zip(self.probabilities, self.rested, strict=True)):
            live = np.count_nonzero(self.counts > index)
            yield step[:live], rested[:live]


def _worth_a_search(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which steps (N, T) stay when the quietest are left out, as many as may be."""
    odds = probabilities[:, :, 1:].sum(axis=2) / probabilities[:, :, 0]
    quietest_first = np.sort(odds, axis=1)
    left_out = np.count_nonzero(np.cumsum(quietest_first, axis=1) <= _LEFT_OUT, axis=1)
    least = np.pad(quietest_first, ((0, 0), (0, 1)), constant_values=np.inf)[np.arange(len(odds)), left_out]
    kept: NDArray[np.bool_] = odds >= least[:, None]
    return kept
