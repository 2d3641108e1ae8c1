"""The measures themselves: pure functions of boxes, scores and texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from platereader._geometry import Box, Quad, iou, iou_matrix

COCO_IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The IoU thresholds of AP50-95: 0.50, 0.55, ... 0.95."""

Z_95 = 1.959964
"""How many standard deviations 95 % of a normal distribution lie within."""

_RECALL_POINTS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``n``, with its 95 % Wilson interval."""

    count: int
    n: int

    @classmethod
    def of(cls, marks: Iterable[bool]) -> Rate:
        """How many of some marks are true."""
        counted = list(marks)
        return cls(sum(counted), len(counted))

    @property
    def value(self) -> float | None:
        """``count / n``, or None of nothing."""
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % score interval of the rate (Wilson, JASA 22, 1927), within 0..1; all of it for nothing."""
        if self.n == 0:
            return 0.0, 1.0
        share, square = self.count / self.n, Z_95 * Z_95
        center = (share + square / (2 * self.n)) / (1 + square / self.n)
        half = Z_95 * math.sqrt(share * (1 - share) / self.n + square / (4 * self.n**2)) / (1 + square / self.n)
        # At the ends the formula is exact but for rounding.
        low, high = 0.0 if self.count == 0 else center - half, 1.0 if self.count == self.n else center + half
        return max(low, 0.0), min(high, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        low, high = self.interval
        return {"count": self.count, "n": self.n, "value": self.value, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class PictureBoxes:
    """Boxes of one picture, float64 ``(N, 4)`` of ``x1, y1, x2, y2`` in pixels.

    Each box ``found`` has a score, float64 ``(N,)``; those ``labelled`` have to be found; in ``ignored`` ones a found
    box is neither right nor wrong.
    """

    found: NDArray[np.float64]
    scores: NDArray[np.float64]
    labelled: NDArray[np.float64]
    ignored: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matches:
    """How the found boxes of one picture fared at one IoU threshold, ignored ones left out.

    ``scores``, float64 ``(N,)``, fall; ``right``, bool ``(N,)``, says whether the box matches a labelled one that no
    better-scored box matches; ``found``, bool ``(M,)``, whether each labelled box was found.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    found: NDArray[np.bool_]

    @property
    def labelled(self) -> int:
        """Number of labelled boxes."""
        return len(self.found)


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance: fewest insertions, deletions and substitutions of one character."""
    return sum(x != y for x, y in alignment(a, b))


def alignment(true: str, read: str) -> list[tuple[str, str]]:
    """Pairs (true, read) of characters along a shortest edit path; an empty string where one has no partner."""
    costs = [[0 if i and j else i + j for j in range(len(read) + 1)] for i in range(len(true) + 1)]
    for i, want in enumerate(true, 1):
        for j, got in enumerate(read, 1):
            costs[i][j] = min(costs[i - 1][j - 1] + (want != got), costs[i - 1][j] + 1, costs[i][j - 1] + 1)
    pairs: list[tuple[str, str]] = []
    i, j = len(true), len(read)
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (true[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((true[i], read[j]))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            pairs.append((true[i], ""))
        else:
            j -= 1
            pairs.append(("", read[j]))
    return pairs[::-1]


def character_error_rate(pairs: Sequence[tuple[str, str]]) -> float | None:
    """CER of pairs (label, reading): edits over the characters of the labels; None without any. It can exceed 1."""
    total = sum(len(label) for label, _ in pairs)
    return sum(edit_distance(label, reading) for label, reading in pairs) / total if total else None


def corner_error(found: Quad, labelled: Quad) -> float:
    """Mean distance of the four corners, in per cent of the labelled plate's width."""
    distances = [math.dist(a, b) for a, b in zip(found.points, labelled.points, strict=True)]
    return 100 * sum(distances) / 4 / max(labelled.width, 1e-9)


def best_overlap(box: Box, others: Iterable[Box]) -> tuple[int, float]:
    """Which of some boxes overlaps a box most, the first one of equals, and by what IoU; -1 and 0 without any."""
    overlaps = [iou(box, other) for other in others]
    best = max(overlaps, default=0.0)
    return (overlaps.index(best), best) if overlaps else (-1, 0.0)


def box_rows(boxes: Iterable[Box]) -> NDArray[np.float64]:
    """Boxes as float64 ``(N, 4)`` of ``x1, y1, x2, y2``, also of none."""
    return np.asarray([box.to_tuple() for box in boxes], dtype=np.float64).reshape(-1, 4)


def containment(inner: NDArray[np.float64], outer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each box of ``inner`` (N, 4) that lies in each box of ``outer`` (M, 4): float64 ``(N, M)`` in 0..1."""
    a, b = inner[:, None], outer[None]
    size = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    area = np.maximum(np.prod(a[..., 2:] - a[..., :2], axis=-1), 1e-9)
    return np.asarray(np.prod(size, axis=-1) / area, dtype=np.float64)


def match(picture: PictureBoxes, *, min_iou: float) -> Matches:
    """Give each found box, best score first, the free labelled box that it overlaps most, by ``min_iou`` at least.

    A found box without one is left out when it overlaps an ignored box by as much, or lies in one by half.
    """
    order = np.argsort(-picture.scores, kind="stable")
    overlap = iou_matrix(picture.found, picture.labelled)
    excused = _excused(picture, min_iou)
    free = np.ones(len(picture.labelled), dtype=bool)
    kept: list[int] = []
    right: list[bool] = []
    for index in order.tolist():
        candidates = np.where(free, overlap[index], 0.0)
        best = int(candidates.argmax()) if candidates.size else -1
        hit = best >= 0 and bool(candidates[best] >= min_iou)
        if hit:
            free[best] = False
        elif excused[index]:
            continue
        kept.append(index)
        right.append(hit)
    return Matches(picture.scores[kept], np.asarray(right, dtype=bool), ~free)


def _excused(picture: PictureBoxes, min_iou: float) -> NDArray[np.bool_]:
    """Which found boxes are on an ignored region."""
    if not len(picture.ignored):
        return np.zeros(len(picture.found), dtype=bool)
    near = iou_matrix(picture.found, picture.ignored) >= min_iou
    inside = containment(picture.found, picture.ignored) >= 0.5
    return np.asarray((near | inside).any(axis=1), dtype=bool)


@dataclass(frozen=True, slots=True)
class Ranking:
    """All D matches of a set of P pictures, best score first.

    ``scores`` and ``right`` are float64 and bool ``(D,)``, ``picture`` is the index of its picture, int64 ``(D,)``,
    ``labelled`` the labelled boxes of each picture, int64 ``(P,)``.
    """

    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    picture: NDArray[np.int64]
    labelled: NDArray[np.int64]


def rank(pictures: Sequence[Matches]) -> Ranking:
    """Put the matches of all pictures, one or more, in one order."""
    scores = np.concatenate([one.scores for one in pictures])
    order = np.argsort(-scores, kind="stable")
    owner = np.repeat(np.arange(len(pictures)), [len(one.scores) for one in pictures])
    labelled = np.asarray([one.labelled for one in pictures], dtype=np.int64)
    return Ranking(scores[order], np.concatenate([one.right for one in pictures])[order], owner[order], labelled)


def average_precision(ranking: Ranking, *, weights: NDArray[np.int64] | None = None) -> float | None:
    """AP as COCO has it: precision, made non-increasing, at 101 recall points; None without labelled boxes.

    ``weights``, int64 ``(P,)``, say how often each picture counts, for the bootstrap; None for once.
    """
    counts = np.ones(len(ranking.labelled), dtype=np.int64) if weights is None else weights
    labelled = int(counts @ ranking.labelled)
    if not labelled:
        return None
    copies = counts[ranking.picture]
    hits = np.cumsum(copies * ranking.right)
    precision = np.maximum.accumulate((hits / np.maximum(np.cumsum(copies), 1))[::-1])[::-1]
    position = np.searchsorted(hits / labelled, _RECALL_POINTS, side="left")
    return float(np.append(precision, 0.0)[position].mean())


def recall(pictures: Sequence[Matches]) -> Rate:
    """Labelled boxes that were found, of all labelled."""
    return Rate(sum(int(picture.right.sum()) for picture in pictures), sum(picture.labelled for picture in pictures))
