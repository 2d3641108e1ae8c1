"""What the refiner is trained to minimise: the places of four corners, and what kind of thing a crop shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

KIND_WEIGHTS = (1.0, 0.3, 0.3)
"""Weights of the kinds: plate, two lines, cut."""

CORNER_WEIGHT, HEAT_WEIGHT, HULL_WEIGHT = 20.0, 0.1, 5.0
"""Weights of the parts of the loss."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is known of N crops; places in parts of the crop, 0 to 1.

    Of the ``kinds``, float32 ``(N, 3)``, plate, two lines of text and cut by the edge of the frame, each is 1, 0 or -1
    for unknown. ``corners``, float32 ``(N, 4, 2)``, and ``boxes``, ``(N, 4)``, the upright hulls of the plates, mean
    nothing where ``has_corners`` and ``has_box``, bool ``(N,)``, say that they are not known or not well placed.
    """

    kinds: Tensor
    corners: Tensor
    has_corners: Tensor
    boxes: Tensor
    has_box: Tensor


def refiner_loss(outputs: Sequence[Tensor], targets: Targets) -> dict[str, Tensor]:
    """The weighted parts of the loss of one batch, each a scalar: ``kinds``, ``corners``, ``heat`` and ``hulls``.

    ``outputs`` of ``RefinerNetwork`` are ``(N, 4, 16, 32)`` and ``(N, 3)``.
    """
    heat, logits = (output.float() for output in outputs)
    known = targets.kinds >= 0
    weights = torch.tensor(KIND_WEIGHTS) * known
    entropy = functional.binary_cross_entropy_with_logits(logits, targets.kinds.clamp(min=0), reduction="none")
    points = soft_argmax(heat)  # (N, 4, 2)
    hulls = torch.cat((points.amin(1), points.amax(1)), -1)  # (N, 4)
    return {
        "kinds": (entropy * weights).sum() / len(logits),
        "corners": CORNER_WEIGHT * _mean(_distance(points, targets.corners), targets.has_corners),
        "heat": HEAT_WEIGHT * _mean(_surprise(heat, targets.corners), targets.has_corners),
        "hulls": HULL_WEIGHT * _mean(_distance(hulls, targets.boxes), targets.has_box),
    }


def soft_argmax(heat: Tensor) -> Tensor:
    """The mean places ``(N, K, 2)`` of heat-map logits ``(N, K, H, W)``, x and y in parts of the crop."""
    height, width = heat.shape[2:]
    shares = heat.flatten(2).softmax(-1).reshape(heat.shape)
    x = shares.sum(2) @ ((torch.arange(width) + 0.5) / width)
    y = shares.sum(3) @ ((torch.arange(height) + 0.5) / height)
    return torch.stack((x, y), -1)


def _distance(points: Tensor, true_points: Tensor) -> Tensor:
    """Smooth-L1 ``(N,)`` between places ``(N, ...)``, a mean of their numbers; x and y count in parts of the width."""
    scale = torch.tensor([1.0, 0.5]) if points.shape[-1] == 2 else torch.tensor([1.0, 0.5, 1.0, 0.5])
    error = functional.smooth_l1_loss(points * scale, true_points * scale, beta=0.01, reduction="none")
    return error.flatten(1).mean(1)


def _surprise(heat: Tensor, corners: Tensor) -> Tensor:
    """Cross-entropy ``(N,)`` of heat maps ``(N, 4, H, W)`` against round spots about the corners ``(N, 4, 2)``."""
    height, width = heat.shape[2:]
    x = torch.arange(width) + 0.5 - corners[..., :1] * width  # (N, 4, W) cells
    y = torch.arange(height) + 0.5 - corners[..., 1:] * height  # (N, 4, H) cells
    spot = -(y.square()[..., :, None] + x.square()[..., None, :]) / 2  # one cell wide
    wanted = spot.flatten(2).softmax(-1)
    return -(wanted * heat.flatten(2).log_softmax(-1)).sum(-1).mean(-1)


def _mean(values: Tensor, known: Tensor) -> Tensor:
    """The mean of the values ``(N,)`` that are known; 0 of none."""
    return (values * known).sum() / known.sum().clamp(min=1)
