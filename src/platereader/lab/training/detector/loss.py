"""What the plate detector is trained to minimise: class, box, side-distribution and corner losses.

Task-aligned assignment (TOOD, Feng et al. 2021) picks the cells that answer for a plate; boxes are scored by CIoU
(Zheng et al. 2020) and distribution focal loss (Li et al. 2020), corners by smooth-L1 in units of sqrt(box area).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from platereader.detection._decode import BINS, cell_grid
from platereader.detection._network import CORNERS
from platereader.lab.training.detector.assignment import assign_cells, complete_overlap, in_boxes, widened

CLASS_WEIGHT, BOX_WEIGHT, SIDES_WEIGHT, CORNER_WEIGHT = 0.5, 7.5, 1.5, 12.0
"""Weights of the parts of the loss."""

_CORNER_BETA = 0.04


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known of a batch of N tiles, padded to M plates and K areas.

    Attributes:
        boxes: float32 ``(N, M, 4)``, ``x1, y1, x2, y2`` in pixels of the tile; zeros where padded.
        lines: int64 ``(N, M)``: class 0 or 1, or -1 when only the box is known.
        corners: float32 ``(N, M, 4, 2)`` in pixels; meaningless where ``has_corners`` is 0.
        has_corners: float32 ``(N, M)``: 1 where the corners are known.
        is_plate: bool ``(N, M)``: False where padded.
        ignored: float32 ``(N, K, 4)``: areas where nothing is learnt about the absence of plates.
    """

    boxes: Tensor
    lines: Tensor
    corners: Tensor
    has_corners: Tensor
    is_plate: Tensor
    ignored: Tensor


@dataclass(frozen=True, slots=True)
class Losses:
    """The weighted parts, each a scalar tensor; ``teacher`` is None where there is none."""

    classes: Tensor
    boxes: Tensor
    sides: Tensor
    corners: Tensor
    teacher: Tensor | None = None

    @property
    def total(self) -> Tensor:
        """Their sum."""
        return torch.stack(list(self.parts().values())).sum()

    def parts(self) -> dict[str, Tensor]:
        """Those that there are, by name."""
        parts = {"classes": self.classes, "boxes": self.boxes, "sides": self.sides, "corners": self.corners}
        return parts if self.teacher is None else parts | {"teacher": self.teacher}


class DetectorLoss:
    """The loss of raw network outputs against targets; holds no weights."""

    def __call__(self, outputs: tuple[Tensor, Tensor, Tensor], targets: Targets, *, size: tuple[int, int]) -> Losses:
        """Compute the losses of one batch.

        Args:
            outputs: what ``PlateNetwork`` returned: ``(N, 64, A)``, ``(N, 2, A)``, ``(N, 8, A)``.
            targets: what is known.
            size: height and width of the tiles in pixels.
        """
        side_logits, class_logits, offsets = (out.float().transpose(1, 2) for out in outputs)  # (N, A, ...)
        centres, strides = (torch.from_numpy(part) for part in cell_grid(size))  # (A, 2), (A, 1) in pixels
        boxes = decode_boxes(side_logits, centres, strides)  # (N, A, 4)
        corners = decode_corners(offsets, centres, strides)  # (N, A, 4, 2)
        probabilities = class_logits.detach().sigmoid()
        labels = _known_lines(targets, probabilities, centres)
        chosen, index, wanted_scores = assign_cells(
            probabilities,
            boxes.detach(),
            centres,
            true_boxes=targets.boxes,
            labels=labels,
            is_plate=targets.is_plate,
        )
        total = wanted_scores.sum().clamp(min=1.0)
        careful = _learnable(targets, centres, chosen)  # (N, A)
        bce = functional.binary_cross_entropy_with_logits(class_logits, wanted_scores, reduction="none")
        class_loss = (bce * careful[..., None]).sum() / total
        if not bool(chosen.any()):
            nothing = side_logits.sum() * 0.0
            return Losses(CLASS_WEIGHT * class_loss, nothing, nothing, offsets.sum() * 0.0)
        weight = wanted_scores.sum(-1)[chosen]  # (F,)
        true_boxes = targets.boxes[chosen.nonzero()[:, 0], index[chosen]]  # (F, 4)
        iou = complete_overlap(boxes[chosen], true_boxes)
        sides = _side_loss(side_logits[chosen], true_boxes, *_cell_of(chosen, centres, strides))
        corner = _corner_loss(corners[chosen], targets, true_boxes, chosen, index)
        return Losses(
            CLASS_WEIGHT * class_loss,
            BOX_WEIGHT * ((1.0 - iou) * weight).sum() / total,
            SIDES_WEIGHT * (sides * weight).sum() / total,
            CORNER_WEIGHT * (corner * weight).sum() / total,
        )


def decode_boxes(side_logits: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes ``(N, A, 4)`` in pixels from side logits ``(N, A, 64)``: each side at the mean of its distribution."""
    bins = torch.arange(BINS, dtype=torch.float32)
    distances = (
        side_logits.reshape(*side_logits.shape[:-1], 4, BINS).softmax(-1) @ bins * strides
    )  # left, top, right, bottom
    return torch.cat((centres - distances[..., :2], centres + distances[..., 2:]), -1)


def decode_corners(offsets: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Corners ``(N, A, 4, 2)`` in pixels from offsets ``(N, A, 8)`` in half cells."""
    return offsets.reshape(*offsets.shape[:-1], CORNERS, 2) * (2.0 * strides[:, None]) + centres[:, None]


def _known_lines(targets: Targets, probabilities: Tensor, centres: Tensor) -> Tensor:
    """Classes ``(N, M)``; where unknown, what the network itself favours inside the box."""
    inside = in_boxes(centres, widened(targets.boxes))  # (N, M, A)
    best = (inside[..., None] * probabilities[:, None]).amax(2)  # (N, M, CLASSES)
    return torch.where(targets.lines < 0, best.argmax(-1), targets.lines)


def _learnable(targets: Targets, centres: Tensor, chosen: Tensor) -> Tensor:
    """Weight ``(N, A)`` of the class loss: 0 in ignored areas."""
    ignored = in_boxes(centres, targets.ignored).any(1)
    return (chosen | ~ignored).float()


def _cell_of(chosen: Tensor, centres: Tensor, strides: Tensor) -> tuple[Tensor, Tensor]:
    """Centres ``(F, 2)`` and strides ``(F, 1)`` of the chosen cells."""
    column = chosen.nonzero()[:, 1]
    return centres[column], strides[column]


def _side_loss(side_logits: Tensor, boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Distribution focal loss ``(F,)``: cross-entropy against the two bins around each true distance."""
    distances = torch.cat((centres - boxes[:, :2], boxes[:, 2:] - centres), -1) / strides  # (F, 4)
    distances = distances.clamp(0, BINS - 1.01)
    low = distances.long()
    logs = side_logits.reshape(-1, 4, BINS).log_softmax(-1)  # (F, 4, BINS)
    share = distances - low
    picked_low = logs.gather(-1, low[..., None])[..., 0]
    picked_high = logs.gather(-1, low[..., None] + 1)[..., 0]
    return -(picked_low * (1 - share) + picked_high * share).mean(-1)


def _corner_loss(corners: Tensor, targets: Targets, boxes: Tensor, chosen: Tensor, index: Tensor) -> Tensor:
    """Distance ``(F,)`` of corners ``(F, 4, 2)`` from the labelled ones; 0 where those are not known."""
    row = chosen.nonzero()[:, 0]
    plate = index[chosen]
    return corner_distance(corners, targets.corners[row, plate], boxes) * targets.has_corners[row, plate]


def corner_distance(corners: Tensor, true_corners: Tensor, boxes: Tensor) -> Tensor:
    """Smooth-L1 ``(F,)`` between corners ``(F, 4, 2)`` in units of the square root of the area of boxes ``(F, 4)``."""
    unit = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).clamp(min=16.0).sqrt()[:, None, None]
    error = functional.smooth_l1_loss(corners / unit, true_corners / unit, beta=_CORNER_BETA, reduction="none")
    return error.mean((1, 2))
