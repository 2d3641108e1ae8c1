"""From the raw outputs of ``PlateNetwork`` to scored boxes with corners, without any shared state."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader._geometry import Point
from platereader.detection._nms import Bounds, suppress
from platereader.errors import ContractError
from platereader.results import Lines

STRIDES = (8, 16, 32)
"""Pixels per cell of the three output levels."""

BINS = 16
"""Bins of the distribution over each distance from a cell's centre to a side of the box, in cells."""

_MAX_CANDIDATES = 1000
# Beyond this a probability is 0 or 1 anyway, and exp would overflow.
_MAX_LOGIT = 60.0

FloatArray = NDArray[np.float32]


class Plate(NamedTuple):
    """A plate in a network input.

    Attributes:
        box: ``x1, y1, x2, y2`` in pixels of the input.
        score: 0 to 1.
        lines: 1 or 2.
        corners: four points in pixels of the input, in reading order.
    """

    box: Bounds
    score: float
    lines: Lines
    corners: list[Point]


def decode_plates(
    outputs: tuple[FloatArray, FloatArray, FloatArray], *, size: tuple[int, int], min_score: float, max_iou: float
) -> list[Plate]:
    """Decode and suppress the raw outputs of one picture, best plate first.

    A box side is the mean of its distribution (generalised focal loss, Li et al. 2020); a score is the probability of
    either class. Cells with a number that is not finite are left out.

    Args:
        outputs: side logits ``(64, A)``, class logits ``(2, A)``, corner offsets ``(8, A)`` over the A cells.
        size: height and width of the network input in pixels.
        min_score: lowest score that is kept.
        max_iou: greatest IoU of two plates that are both kept.

    Raises:
        ContractError: a plate lies in a cell that an input of this size does not have.
    """
    sides, classes, offsets = outputs
    picked = (classes.max(axis=0) >= _min_logit(min_score)).nonzero()[0]
    picked = picked[np.isfinite(sides[:, picked]).all(axis=0) & np.isfinite(offsets[:, picked]).all(axis=0)]
    # Plain numbers from here on: for the few cells that are left, arrays take longer.
    logits, shifts = classes[:, picked].T.tolist(), offsets[:, picked].T.tolist()
    places = [_place(index, size) for index in picked.tolist()]
    cells = map(_Cell, map(_score, logits), places, logits, _distances(sides[:, picked]).tolist(), shifts)
    scored = (cell for cell in cells if cell.score >= min_score)
    ranked = sorted(scored, key=attrgetter("score"), reverse=True)[:_MAX_CANDIDATES]
    kept = suppress([cell.box for cell in ranked], max_iou=max_iou)
    return [Plate(cell.box, cell.score, cell.lines, cell.corners) for cell in map(ranked.__getitem__, kept)]


def cell_grid(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(A, 2)`` and strides ``(A, 1)`` of all cells of a ``(height, width)`` px input, in pixels.

    They are in the order of the network's outputs: finest level first, row by row. Height and width are multiples of
    the coarsest stride.
    """
    count = sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)
    places = np.array([_place(index, size) for index in range(count)], np.float32)
    return np.ascontiguousarray(places[:, :2]), np.ascontiguousarray(places[:, 2:])


class _Cell(NamedTuple):
    """The network's outputs in one cell."""

    score: float
    place: tuple[float, float, int]
    logits: list[float]
    distances: list[float]
    shifts: list[float]

    @property
    def box(self) -> Bounds:
        x, y, stride = self.place
        left, top, right, bottom = self.distances
        return x - left * stride, y - top * stride, x + right * stride, y + bottom * stride

    @property
    def lines(self) -> Lines:
        one, two = self.logits
        return 2 if two > one else 1

    @property
    def corners(self) -> list[Point]:
        x, y, stride = self.place
        pairs = zip(self.shifts[::2], self.shifts[1::2], strict=True)
        return [(x + 2 * stride * dx, y + 2 * stride * dy) for dx, dy in pairs]


def _place(index: int, size: tuple[int, int]) -> tuple[float, float, int]:
    """Centre and stride in pixels of a cell: finest level first, row by row."""
    height, width = size
    for stride in STRIDES:
        rows, columns = height // stride, width // stride
        row, column = divmod(index, columns)
        if row < rows:
            return (column + 0.5) * stride, (row + 0.5) * stride, stride
        index -= rows * columns
    raise ContractError(
        f"the network gave more cells than a {width}x{height} px input has: run one with the outputs of PlateNetwork."
    )


def _min_logit(min_score: float) -> float:
    """A cell whose better class has less cannot reach the score, which is at most the sum of two probabilities."""
    return math.log(min_score / (2 - min_score)) if min_score > 0 else -math.inf


def _score(logits: list[float]) -> float:
    """Probability of either class."""
    one, two = logits
    return 1 - 1 / ((1 + math.exp(min(one, _MAX_LOGIT))) * (1 + math.exp(min(two, _MAX_LOGIT))))


def _distances(sides: FloatArray) -> FloatArray:
    """Distances ``(M, 4)`` of the sides from their cell's centre, in cells, from side logits ``(64, M)``."""
    logits = sides.T.reshape(-1, 4, BINS)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    distances: FloatArray = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(axis=-1)
    return distances
