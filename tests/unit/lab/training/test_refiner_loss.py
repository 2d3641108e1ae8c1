from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from platereader.detection._refiner import heat_points
from platereader.lab.training.refiner import RefinerBatch, refiner_loss, soft_argmax

_CORNERS = torch.tensor([[[0.2, 0.3], [0.8, 0.35], [0.79, 0.7], [0.19, 0.65]]])


def _heat(corners: Tensor = _CORNERS) -> Tensor:
    """Spots of the width that is learnt."""
    x = torch.arange(32) + 0.5 - corners[..., :1] * 32
    y = torch.arange(16) + 0.5 - corners[..., 1:] * 16
    return -(y.square()[..., :, None] + x.square()[..., None, :]) / 2


def _batch() -> RefinerBatch:
    return RefinerBatch(
        crops=torch.zeros(1, 64, 128, 3, dtype=torch.uint8),
        kinds=torch.tensor([[1.0, 0.0, -1.0]]),
        corners=_CORNERS,
        has_corners=torch.tensor([True]),
        boxes=torch.tensor([[0.19, 0.3, 0.8, 0.7]]),
        has_box=torch.tensor([False]),
    )


def _loss(heat: Tensor, kinds: Sequence[float], batch: RefinerBatch) -> dict[str, float]:
    return {name: float(part) for name, part in refiner_loss((heat, torch.tensor([list(kinds)])), batch).items()}


def test_torch_and_numpy_read_heat_maps_alike() -> None:
    heat = torch.randn(3, 4, 16, 32, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(soft_argmax(heat).numpy(), heat_points(heat.numpy()), atol=1e-5)


def test_kinds_cost_where_they_are_known() -> None:
    right, wrong, either = (_loss(_heat(), kinds, _batch())["kinds"] for kinds in ([9, -9, 0], [-9, 9, 0], [9, -9, 9]))
    assert right == pytest.approx(0, abs=1e-3)
    assert wrong > 5
    assert either == pytest.approx(right)


def test_corners_cost_by_their_distance_where_they_are_known() -> None:
    kinds, batch = [9.0, -9.0, 0.0], _batch()
    exact, near, far = (_loss(_heat(_CORNERS + shift), kinds, batch) for shift in (0.0, 0.03, 0.1))
    assert exact["corners"] == pytest.approx(0, abs=1e-3)
    assert exact["corners"] < near["corners"] < far["corners"]
    assert exact["heat"] < near["heat"] < far["heat"]
    unknown = _loss(_heat(_CORNERS + 0.1), kinds, replace(batch, has_corners=torch.tensor([False])))
    assert unknown["corners"] == unknown["heat"] == 0


def test_of_a_plate_known_by_its_box_the_hull_is_learnt() -> None:
    kinds = [9.0, -9.0, 0.0]
    boxed = replace(_batch(), has_corners=torch.tensor([False]), has_box=torch.tensor([True]))
    assert _loss(_heat(), kinds, _batch())["hulls"] == 0
    assert _loss(_heat(), kinds, boxed)["hulls"] < 0.01
    assert _loss(_heat(_CORNERS + 0.1), kinds, boxed)["hulls"] > 0.1
