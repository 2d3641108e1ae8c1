"""What the finder is trained to minimise: scores of cells and the boxes of those that answer for a plate.

Boxes are scored by CIoU (Zheng et al. 2020) and by the distances to their sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from platereader.detection._finder import cell_grid
from platereader.lab.training.detector.assignment import assign_cells, complete_overlap, in_boxes

SCORE_WEIGHT, BOX_WEIGHT, SIDES_WEIGHT = 0.5, 5.0, 2.0
"""Weights of the parts of the loss."""

_LARGEST_LOG_DISTANCE = 4.0
# A find in a picture that may have unlabelled plates is believed from here on.
_BELIEVED_SCORE = 0.3


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known of a batch of N tiles, padded to M plates and K areas.

    Attributes:
        boxes: float32 ``(N, M, 4)``, ``x1, y1, x2, y2`` in pixels of the tile; zeros where padded.
        is_plate: bool ``(N, M)``: False where padded.
        ignored: float32 ``(N, K, 4)``: areas where nothing is learnt about the absence of plates.
        complete: bool ``(N,)``: whether all plates of the tile are labelled or ignored.
    """

    boxes: Tensor
    is_plate: Tensor
    ignored: Tensor
    complete: Tensor


def finder_loss(outputs: Sequence[Tensor], targets: Targets, *, size: tuple[int, int]) -> dict[str, Tensor]:
    """The weighted parts of the loss of one batch, each a scalar: ``scores``, ``boxes`` and ``sides``.

    ``outputs`` of ``FinderNetwork`` are ``(N, 1, A)`` and ``(N, 4, A)``; ``size`` is height and width of the tiles,
    pixels.
    """
    logits, sides = outputs[0].float()[:, 0], outputs[1].float().transpose(1, 2)  # (N, A), (N, A, 4)
    centres, strides = (torch.from_numpy(part) for part in cell_grid(size))  # (A, 2), (A, 1) in pixels
    boxes = decode_boxes(sides, centres, strides)  # (N, A, 4)
    probabilities = logits.detach().sigmoid()
    chosen, index, wanted = assign_cells(
        probabilities, boxes.detach(), centres, true_boxes=targets.boxes, is_plate=targets.is_plate
    )
    total = wanted.sum().clamp(min=1.0)
    excused = in_boxes(centres, targets.ignored).any(1)  # (N, A)
    excused |= (probabilities > _BELIEVED_SCORE) & ~targets.complete[:, None]
    learnt = chosen | ~excused
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")  # (N, A)
    score = (entropy * learnt).sum() / total
    row, cell = chosen.nonzero().unbind(1)  # (F,)
    true_boxes = targets.boxes[row, index[chosen]]  # (F, 4)
    weight = wanted[chosen]  # (F,)
    overlap = complete_overlap(boxes[chosen], true_boxes)
    true_sides = _log_distances(true_boxes, centres[cell], strides[cell])  # (F, 4)
    error = functional.smooth_l1_loss(sides[chosen], true_sides, beta=0.1, reduction="none").mean(-1)
    return {
        "scores": SCORE_WEIGHT * score,
        "boxes": BOX_WEIGHT * ((1 - overlap) * weight).sum() / total,
        "sides": SIDES_WEIGHT * (error * weight).sum() / total,
    }


def decode_boxes(sides: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes ``(..., A, 4)`` in pixels from the logarithms of the distances to their sides ``(..., A, 4)`` in cells."""
    distances = sides.clamp(max=_LARGEST_LOG_DISTANCE).exp() * strides
    return torch.cat((centres - distances[..., :2], centres + distances[..., 2:]), -1)


def _log_distances(boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Inverse of ``decode_boxes``; a side that lies before its cell's centre is a small part of a cell behind it."""
    distances = torch.cat((centres - boxes[:, :2], boxes[:, 2:] - centres), -1) / strides
    return distances.clamp(min=0.05).log()
