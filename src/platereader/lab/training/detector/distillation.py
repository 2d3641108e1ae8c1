"""Learning from a finished detector: a small network follows a larger one in every cell (Hinton et al. 2015).

The teacher may be any detector with the raw outputs of ours, on any engine. Labels have priority: where they rule out a
plate, the teacher is not followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from platereader.detection._decode import BINS, cell_grid
from platereader.lab.training.detector.assignment import in_boxes
from platereader.lab.training.detector.loss import (
    CLASS_WEIGHT,
    CORNER_WEIGHT,
    SIDES_WEIGHT,
    Targets,
    corner_distance,
    decode_boxes,
    decode_corners,
)
from platereader.runtimes import Runtime

__all__ = ["Teacher"]

# Below this score a cell's box and corners mean nothing.
_MIN_SCORE = 0.05


@dataclass(frozen=True, slots=True)
class Teacher:
    """A detector to learn from.

    Attributes:
        runtime: its network, with the outputs of ``detection._network.PlateNetwork``.
        sha256: of its weights.
    """

    runtime: Runtime
    sha256: str

    def loss(self, outputs: Sequence[Tensor], pictures: Tensor, targets: Targets) -> Tensor:
        """How far a network is from its teacher, a scalar: classes, sides and corners, weighted as against labels.

        Args:
            outputs: what the network returned: ``(N, 64, A)``, ``(N, 2, A)``, ``(N, 8, A)``.
            pictures: input of both, float32 ``(N, 3, H, W)``, RGB, 0 to 1.
            targets: what is known of the pictures.
        """
        target_outputs = self.runtime.run(pictures.contiguous().numpy())
        sides, classes, offsets = (out.float().transpose(1, 2) for out in outputs)  # (N, A, ...)
        true_sides, true_classes, true_offsets = (torch.from_numpy(out).transpose(1, 2) for out in target_outputs)
        centres, strides = (torch.from_numpy(part) for part in cell_grid((pictures.shape[2], pictures.shape[3])))
        scores = true_classes.sigmoid()
        followed = _followed(scores.amax(-1), targets, centres)  # (N, A)
        weight = scores.amax(-1) * followed
        total = weight.sum().clamp(min=1.0)
        divergence = functional.binary_cross_entropy_with_logits(classes, scores, reduction="none")
        divergence = divergence - functional.binary_cross_entropy_with_logits(true_classes, scores, reduction="none")
        class_loss = CLASS_WEIGHT * (divergence.sum(-1) * followed).sum() / total
        scored = weight > _MIN_SCORE
        if not bool(scored.any()):
            return class_loss
        column = scored.nonzero()[:, 1]
        place = centres[column], strides[column]
        boxes = decode_boxes(true_sides[scored], *place)  # (F, 4)
        corner = corner_distance(
            decode_corners(offsets[scored], *place), decode_corners(true_offsets[scored], *place), boxes
        )
        apart = SIDES_WEIGHT * _divergence(sides[scored], true_sides[scored]) + CORNER_WEIGHT * corner  # (F,)
        return class_loss + (apart * weight[scored]).sum() / total


def _followed(scores: Tensor, targets: Targets, centres: Tensor) -> Tensor:
    """1 where the teacher is followed, ``(N, A)``: not where it sees a plate and the labels say that there is none."""
    plates = torch.cat((targets.boxes, targets.ignored), 1)  # (N, M + K, 4)
    return ((scores < _MIN_SCORE) | in_boxes(centres, plates).any(1)).float()


def _divergence(logits: Tensor, true_logits: Tensor) -> Tensor:
    """Relative entropy ``(F,)`` of side distributions ``(F, 4 * BINS)`` from true ones, a mean of sides."""
    logs = logits.reshape(-1, 4, BINS).log_softmax(-1)
    true_logs = true_logits.reshape(-1, 4, BINS).log_softmax(-1)
    return (true_logs.exp() * (true_logs - logs)).sum(-1).mean(-1)
