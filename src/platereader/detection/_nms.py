"""Non-maximum suppression: no time limit, no classes, the same answer every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Bounds: TypeAlias = tuple[float, float, float, float]
"""``x1, y1, x2, y2`` in pixels."""


def suppress(boxes: Sequence[Bounds], *, max_iou: float) -> list[int]:
    """Which boxes stay when each may overlap a better one that stays by at most ``max_iou``.

    Plain numbers: a frame has a few dozen boxes, for which arrays take longer.

    Args:
        boxes: the best one first.
        max_iou: greatest IoU of two boxes that both stay, 0 to 1.

    Returns:
        Indices of those that stay, in their order.
    """
    kept: list[int] = []
    kept_boxes: list[tuple[float, float, float, float, float]] = []
    for index, (x1, y1, x2, y2) in enumerate(boxes):
        area = (x2 - x1) * (y2 - y1)
        for left, top, right, bottom, other in kept_boxes:
            if x1 < right and left < x2 and y1 < bottom and top < y2:
                shared = (min(x2, right) - max(x1, left)) * (min(y2, bottom) - max(y1, top))
                if shared > max_iou * (area + other - shared):
                    break
        else:
            kept.append(index)
            kept_boxes.append((x1, y1, x2, y2, area))
    return kept


def drop_parts(boxes: Sequence[Bounds], *, max_share: float) -> list[int]:
    """Which boxes stay when at most ``max_share`` of the area of each may lie inside of a better one.

    Args:
        boxes: the best one first.
        max_share: 0 to 1.

    Returns:
        Indices of those that stay, in their order.
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
