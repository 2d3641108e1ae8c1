"""Non-maximum suppression in numpy: no time limit, no classes, the same answer every time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from platereader.geometry import iou_matrix


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], *, max_iou: float) -> NDArray[np.intp]:
    """Which boxes stay when each may overlap a better one by at most ``max_iou``.

    Args:
        boxes: float32 ``(N, 4)``, ``x1, y1, x2, y2`` in pixels.
        scores: float32 ``(N,)``.
        max_iou: greatest IoU of two boxes that both stay, 0 to 1.

    Returns:
        Indices of those that stay, best first; equal scores in the order given.
    """
    order = np.argsort(-scores, kind="stable")
    overlapping = iou_matrix(boxes[order], boxes[order]) > max_iou
    hides = np.triu(overlapping, 1)  # row: a box, column: a worse one that it overlaps
    alive: NDArray[np.bool_] = np.ones(len(order), np.bool_)
    while True:
        # Right for one more box of a chain of overlaps each time, and for all when nothing changes any more.
        kept: NDArray[np.bool_] = np.logical_not(hides[alive].any(axis=0))
        if np.array_equal(kept, alive):
            return order[kept]
        alive = kept
