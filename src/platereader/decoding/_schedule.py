"""Which time steps are worth a search: those where a character may be written, often fewer than half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader._arrays import LogProbs

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
        after_skipped: float64 ``(A, N)``, 1 where surely blank steps were left out just before, 0 elsewhere.
    """

    order: NDArray[np.int64]
    counts: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    after_skipped: NDArray[np.float64]

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
