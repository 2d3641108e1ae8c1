"""Which cells of the network answer for which plate: task-aligned assignment (TOOD, Feng et al. 2021).

A cell suits a plate as far as it already says that there is one and its box overlaps the plate; the best few cells
inside of the plate answer for it. So each plate is learnt where the network sees it best, at whatever level that is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

_CELLS_PER_PLATE = 10
_SCORE_POWER, _OVERLAP_POWER = 0.5, 6.0
_MIN_SIDE_PX = 16.0
_EPSILON = 1e-9


class Assignment(NamedTuple):
    """What the A cells of N pictures are to learn.

    ``chosen``, bool ``(N, A)``, are cells that answer for a plate, ``plate``, int64 ``(N, A)``, is the index of that
    plate in its picture, 0 where none is, and ``scores``, float32 ``(N, A)``, are the probabilities to learn.
    """

    chosen: Tensor
    plate: Tensor
    scores: Tensor


def assign_cells(
    probabilities: Tensor, boxes: Tensor, centres: Tensor, *, true_boxes: Tensor, is_plate: Tensor
) -> Assignment:
    """Choose the cells that answer for each plate, by what the network says of them, without gradient.

    Args:
        probabilities: of a plate, ``(N, A)``, 0 to 1.
        boxes: ``(N, A, 4)`` in pixels.
        centres: of the cells, ``(A, 2)`` in pixels.
        true_boxes: ``(N, M, 4)`` in pixels; anything where padded.
        is_plate: bool ``(N, M)``: False where padded.
    """
    inside = in_boxes(centres, widened(true_boxes)) & is_plate[..., None]  # (N, M, A)
    overlaps = overlap(true_boxes[:, :, None], boxes[:, None]) * inside  # (N, M, A)
    fitness = probabilities[:, None] ** _SCORE_POWER * overlaps**_OVERLAP_POWER * inside  # (N, M, A)

    # The epsilon prefers cells inside of the plate while no box overlaps it yet.
    best = (fitness + _EPSILON * inside).topk(min(_CELLS_PER_PLATE, fitness.shape[-1]), -1).indices
    candidate = torch.zeros_like(inside).scatter_(-1, best, value=True) & inside
    # A cell that suits several plates answers for the one that it overlaps most.
    plate = torch.where(candidate, overlaps, -1.0).argmax(1)  # (N, A)
    answers = candidate & (plate[:, None] == torch.arange(candidate.shape[1])[:, None])  # (N, M, A)

    # The fittest cell of a plate is to be as sure as its box is good, the others in proportion.
    peak = (fitness * answers).amax(-1, keepdim=True)
    quality = (overlaps * answers).amax(-1, keepdim=True)
    wanted = (fitness * answers * quality / (peak + _EPSILON)).sum(1)  # (N, A)
    chosen = answers.any(1)
    return Assignment(chosen, plate * chosen, wanted * chosen)


def in_boxes(centres: Tensor, boxes: Tensor) -> Tensor:
    """Which of the A cell centres lie in which boxes: bool ``(N, M, A)``."""
    after = (centres > boxes[:, :, None, :2]).all(-1)
    return after & (centres < boxes[:, :, None, 2:]).all(-1)


def widened(boxes: Tensor) -> Tensor:
    """Boxes ``(..., 4)`` with short sides stretched about the middle, so that the centre of some cell lies in each."""
    middle, half = (boxes[..., :2] + boxes[..., 2:]) / 2, (boxes[..., 2:] - boxes[..., :2]) / 2
    half = half.clamp(min=_MIN_SIDE_PX / 2)
    return torch.cat((middle - half, middle + half), -1)


def overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union ``(...)`` of boxes ``(..., 4)``, which are broadcast against each other."""
    common = torch.minimum(boxes[..., 2:], others[..., 2:]) - torch.maximum(boxes[..., :2], others[..., :2])
    area = common.clamp(min=0).prod(-1)
    union = _area(boxes) + _area(others) - area
    return area / union.clamp(min=_EPSILON)


def complete_overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Complete IoU ``(...)`` of pairs of boxes ``(..., 4)`` (CIoU, Zheng et al. 2020): at most 1, negative when apart.

    The IoU less the squared distance of the middles, in parts of the hull's diagonal, and less how much the aspects
    differ, which counts the more the better the boxes overlap.
    """
    iou = overlap(boxes, others)
    hull = torch.maximum(boxes[..., 2:], others[..., 2:]) - torch.minimum(boxes[..., :2], others[..., :2])
    apart = (boxes[..., :2] + boxes[..., 2:] - others[..., :2] - others[..., 2:]) / 2
    distance = apart.square().sum(-1) / hull.square().sum(-1).clamp(min=_EPSILON)
    aspect = (4 / math.pi**2) * (_angle(boxes) - _angle(others)).square()
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect).clamp(min=_EPSILON)
    return iou - distance - weight * aspect


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def _angle(boxes: Tensor) -> Tensor:
    """The arc tangent of width by height."""
    width, height = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-7).unbind(-1)
    return torch.atan(width / height)
