"""From the raw outputs of ``PlateNetwork`` to scored boxes with corners, in numpy and without any shared state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from platereader.detection.nms import suppress

STRIDES = (8, 16, 32)
"""Pixels per cell of the three output levels."""

BINS = 16
"""Bins of the distribution over each distance from a cell's centre to a side of the box, in cells."""

_MAX_CANDIDATES = 1000
# Beyond this a float32 probability is 0 or 1 anyway, and exp would overflow.
_MAX_LOGIT = 60.0

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Plates:
    """The plates of one network input, best first.

    Attributes:
        boxes: float32 ``(M, 4)``, ``x1, y1, x2, y2`` in pixels of the input.
        scores: float32 ``(M,)``, 0 to 1.
        lines: int64 ``(M,)``: 1 or 2.
        corners: float32 ``(M, 4, 2)`` in pixels of the input, in reading order.
    """

    boxes: FloatArray
    scores: FloatArray
    lines: NDArray[np.int64]
    corners: FloatArray


def decode_plates(
    outputs: tuple[FloatArray, FloatArray, FloatArray], *, size: tuple[int, int], min_score: float, max_iou: float
) -> Plates:
    """Decode and suppress the raw outputs of one picture.

    A box side is the mean of its distribution (generalised focal loss, Li et al. 2020); a score is the probability of
    either class. Cells with a number that is not finite are left out.

    Args:
        outputs: side logits ``(64, A)``, class logits ``(2, A)``, corner offsets ``(8, A)`` over the A cells.
        size: height and width of the network input in pixels.
        min_score: lowest score that is kept.
        max_iou: greatest IoU of two plates that are both kept.
    """
    sides, classes, offsets = outputs
    logits = np.clip(classes, -_MAX_LOGIT, _MAX_LOGIT)
    scores = 1 - np.prod(1 / (1 + np.exp(logits)), axis=0)
    picked = np.flatnonzero(scores >= min_score)
    picked = picked[np.isfinite(sides[:, picked]).all(axis=0) & np.isfinite(offsets[:, picked]).all(axis=0)]
    if len(picked) > _MAX_CANDIDATES:
        picked = picked[np.argsort(-scores[picked], kind="stable")[:_MAX_CANDIDATES]]
    centres, strides = cells(picked, size)
    boxes = _boxes(sides[:, picked], centres, strides)
    kept = suppress(boxes, scores[picked], max_iou=max_iou)
    cell = picked[kept]
    corners = offsets[:, cell].T.reshape(-1, 4, 2) * (2 * strides[kept, None]) + centres[kept, None]
    return Plates(boxes[kept], scores[cell], classes[:, cell].argmax(0) + 1, corners.astype(np.float32))


def cells(indices: NDArray[np.intp], size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(M, 2)`` and strides ``(M, 1)`` in pixels of some cells of a ``(height, width)`` px input.

    Args:
        indices: M places in the order of the network's outputs: finest level first, row by row.
        size: height and width of the input, multiples of the coarsest stride.
    """
    levels = np.array([(size[0] // stride) * (size[1] // stride) for stride in STRIDES])
    level = np.searchsorted(np.cumsum(levels), indices, side="right")
    stride = np.array(STRIDES)[level]
    row, column = np.divmod(indices - (np.cumsum(levels) - levels)[level], size[1] // stride)
    centres = (np.stack((column, row), -1) + 0.5) * stride[:, None]
    return centres.astype(np.float32), stride[:, None].astype(np.float32)


def cell_grid(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(A, 2)`` and strides ``(A, 1)`` of all cells of a ``(height, width)`` px input, in pixels."""
    count = sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)
    return cells(np.arange(count), size)


def _boxes(sides: FloatArray, centres: FloatArray, strides: FloatArray) -> FloatArray:
    """Boxes ``(M, 4)`` in pixels from side logits ``(64, M)``."""
    logits = sides.T.reshape(-1, 4, BINS)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    distances = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(-1) * strides
    boxes = np.concatenate((centres - distances[:, :2], centres + distances[:, 2:]), -1)
    return boxes.astype(np.float32)
