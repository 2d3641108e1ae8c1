"""Non-maximum suppression without a time limit and without classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2

Bounds: TypeAlias = tuple[float, float, float, float]
"""``x1, y1, x2, y2`` in pixels."""


def suppress(boxes: Sequence[Bounds], *, max_iou: float) -> list[int]:
    """Indices of the boxes that stay when each may overlap a better one that stays by an IoU of ``max_iou``, 0 to 1.

    The best box comes first.
    """
    sized = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes]
    alike = [1.0] * len(sized)  # OpenCV keeps the order of equal scores
    return [int(index) for index in cv2.dnn.NMSBoxes(sized, alike, 0.0, max_iou)]


def drop_parts(boxes: Sequence[Bounds], *, max_share: float) -> list[int]:
    """Indices of the boxes that stay when at most ``max_share`` of the area of each may lie inside of a better one.

    The best box comes first.
    """
    kept: list[int] = []
    for index, (x1, y1, x2, y2) in enumerate(boxes):
        most = max_share * ((x2 - x1) * (y2 - y1))
        for left, top, right, bottom in boxes[:index]:
            if x1 < right and left < x2 and y1 < bottom and top < y2:
                shared = (min(x2, right) - max(x1, left)) * (min(y2, bottom) - max(y1, top))
                if shared > most:
                    break
        else:
            kept.append(index)
    return kept
