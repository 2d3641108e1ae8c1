from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from platereader.detection._finder import cell_grid, decode_proposals
from platereader.lab.training.finder import FinderBatch, decode_boxes, finder_loss

_SIZE = (96, 160)
_BOX = (40.0, 30.0, 100.0, 52.0)


def _outputs(box: tuple[float, float, float, float] = _BOX, *, logit: float = 8.0) -> tuple[Tensor, Tensor]:
    """Outputs of one picture whose cells inside of the box all say it."""
    centres, strides = cell_grid(_SIZE)
    x1, y1, x2, y2 = box
    x, y = centres[:, 0], centres[:, 1]
    inside = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    distances = np.stack([x - x1, y - y1, x2 - x, y2 - y]) / strides[:, 0]
    sides = np.where(inside, np.log(np.maximum(distances, 0.01)), 0.0).astype(np.float32)
    scores = np.where(inside, logit, -20.0).astype(np.float32)
    return torch.from_numpy(scores)[None, None], torch.from_numpy(sides)[None]


def _batch(*, plates: int = 1, complete: bool = True, ignored: tuple[float, ...] = (0.0,) * 4) -> FinderBatch:
    return FinderBatch(
        pictures=torch.zeros(1, *_SIZE, 3, dtype=torch.uint8),
        boxes=torch.tensor([[_BOX]]) * plates,
        is_plate=torch.tensor([[bool(plates)]]),
        ignored=torch.tensor([[ignored]]),
        complete=torch.tensor([complete]),
    )


def _loss(outputs: tuple[Tensor, Tensor], batch: FinderBatch) -> dict[str, float]:
    return {name: float(part) for name, part in finder_loss(outputs, batch).items()}


def test_torch_and_numpy_decode_alike() -> None:
    scores, sides = _outputs()
    found, _ = decode_proposals(scores[0, 0].numpy(), sides[0].numpy(), size=_SIZE, min_score=0.5, most=99)
    centres, strides = (torch.from_numpy(part) for part in cell_grid(_SIZE))
    boxes = decode_boxes(sides.transpose(1, 2), centres, strides)[0][scores[0, 0] > 0]
    np.testing.assert_allclose(sorted(found.tolist()), sorted(boxes.tolist()), atol=1e-3)
    np.testing.assert_allclose(found, np.tile(_BOX, (len(found), 1)), atol=1e-3)


def test_boxes_off_cost_more() -> None:
    exact, off = _loss(_outputs(), _batch()), _loss(_outputs((44.0, 32.0, 104.0, 54.0)), _batch())
    assert exact["boxes"] == pytest.approx(0, abs=1e-3)
    assert exact["sides"] == pytest.approx(0, abs=1e-3)
    assert off["boxes"] > 0.5
    assert off["sides"] > 0.1


def test_a_find_where_no_plate_is_costs_unless_the_place_is_ignored_or_labels_may_lack() -> None:
    nothing = _batch(plates=0)
    assert _loss(_outputs(logit=-20.0), nothing)["scores"] == pytest.approx(0, abs=1e-3)
    assert _loss(_outputs(), nothing)["scores"] > 3
    assert _loss(_outputs(), _batch(plates=0, ignored=(0.0, 0.0, 160.0, 96.0)))["scores"] < 0.01
    assert _loss(_outputs(), _batch(plates=0, complete=False))["scores"] < 0.01
    # An unsure find is learnt against even there: else everything would become one.
    assert _loss(_outputs(logit=-1.5), _batch(plates=0, complete=False))["scores"] > 0.5


def test_a_few_steps_downhill_find_the_plate() -> None:
    cells = len(cell_grid(_SIZE)[0])
    scores, sides = torch.full((1, 1, cells), -3.0, requires_grad=True), torch.zeros(1, 4, cells, requires_grad=True)
    optimizer = torch.optim.Adam([scores, sides], lr=0.1)
    for _ in range(80):
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(finder_loss((scores, sides), _batch()).values())).sum())
        optimizer.step()
    found, _ = decode_proposals(
        scores.detach()[0, 0].numpy(), sides.detach()[0].numpy(), size=_SIZE, min_score=0.3, most=1
    )
    np.testing.assert_allclose(found, [_BOX], atol=1.5)
