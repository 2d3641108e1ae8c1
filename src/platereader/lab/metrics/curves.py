"""Detection as curves: precision against recall, and recall against the width of the plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from platereader.lab.metrics.rates import Matches, Ranking, Rate

WIDTH_EDGES_PX = (0, 24, 32, 40, 60, 100, 200)
"""Lower ends of the groups of widths; the last one has no upper end."""


@dataclass(frozen=True, slots=True)
class PrecisionPoint:
    """What a detector finds at one threshold: precision and recall of the detections of this score and more."""

    score: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class WidthRecall:
    """How many plates of similar width are found at IoU 0.3 and 0.5; the last group has no upper end."""

    from_px: float
    below_px: float | None
    recall30: Rate
    recall50: Rate

    @property
    def name(self) -> str:
        """Such as ``24-32 px``."""
        if self.below_px is None:
            return f">= {self.from_px:g} px"
        return f"{self.from_px:g}-{self.below_px:g} px" if self.from_px else f"< {self.below_px:g} px"


def precision_recall(ranking: Ranking) -> tuple[PrecisionPoint, ...]:
    """One point for each plate found, the highest threshold first; empty without labelled plates."""
    labelled = int(ranking.labelled.sum())
    hits = np.cumsum(ranking.right)
    points = [
        PrecisionPoint(float(ranking.scores[index]), float(hits[index] / (index + 1)), float(hits[index] / labelled))
        for index in np.flatnonzero(ranking.right).tolist()
    ]
    return tuple(points)


def recall_by_width(
    widths_px: Sequence[NDArray[np.float64]], *, at30: Sequence[Matches], at50: Sequence[Matches]
) -> tuple[WidthRecall, ...]:
    """Recall in the groups of ``WIDTH_EDGES_PX`` that have plates.

    ``widths_px`` are of each picture the widths of its labelled boxes, float64 ``(M,)``, ``at30`` and ``at50`` its
    matches at IoU 0.3 and 0.5.
    """
    if not widths_px:
        return ()
    widths = np.concatenate(widths_px)
    found = [np.concatenate([one.found for one in some]) for some in (at30, at50)]
    groups: list[WidthRecall] = []
    for low, high in zip(WIDTH_EDGES_PX, (*WIDTH_EDGES_PX[1:], None), strict=True):
        inside = (widths >= low) & (widths < (np.inf if high is None else high))
        rates = [Rate(int(matched[inside].sum()), int(inside.sum())) for matched in found]
        if rates[0].n:
            groups.append(WidthRecall(low, high, *rates))
    return tuple(groups)
