from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from platereader.lab.training.detector.assignment import Assignment, assign_cells, complete_overlap, overlap, widened

_CENTRES = torch.tensor([[8.0 * x + 4, 8.0 * y + 4] for y in range(6) for x in range(10)])  # 60 cells of 80 x 48 px


def _plain(probabilities: Tensor, boxes: Tensor, true_boxes: Tensor) -> dict[int, tuple[int, float]]:
    """The cells of one picture that answer, with their plate and score, written cell by cell."""
    fitness: dict[tuple[int, int], float] = {}
    overlaps: dict[tuple[int, int], float] = {}
    for plate, true_box in enumerate(true_boxes):
        x1, y1, x2, y2 = widened(true_box).tolist()
        for cell, (x, y) in enumerate(_CENTRES.tolist()):
            if x1 < x < x2 and y1 < y < y2:
                overlaps[plate, cell] = float(overlap(true_box, boxes[cell]))
                fitness[plate, cell] = math.sqrt(float(probabilities[cell])) * overlaps[plate, cell] ** 6
    candidates: list[tuple[int, int]] = []
    for plate in range(len(true_boxes)):
        ranked = sorted((pair for pair in fitness if pair[0] == plate), key=lambda pair: -fitness[pair])
        candidates += ranked[:10]
    owner: dict[int, int] = {}
    for plate, cell in candidates:
        if cell not in owner or overlaps[plate, cell] > overlaps[owner[cell], cell]:
            owner[cell] = plate
    answers: dict[int, tuple[int, float]] = {}
    for cell, plate in owner.items():
        rest = [other for other, its in owner.items() if its == plate]
        peak = max(fitness[plate, other] for other in rest)
        quality = max(overlaps[plate, other] for other in rest)
        answers[cell] = (plate, fitness[plate, cell] / (peak + 1e-9) * quality)
    return answers


def _assigned(probabilities: Tensor, boxes: Tensor, true_boxes: Tensor) -> Assignment:
    return assign_cells(
        probabilities[None],
        boxes[None],
        _CENTRES,
        true_boxes=true_boxes[None],
        is_plate=torch.ones(1, len(true_boxes), dtype=torch.bool),
    )


def _random_boxes(count: int, generator: torch.Generator) -> Tensor:
    middle = torch.rand(count, 2, generator=generator) * torch.tensor([80.0, 48.0])
    half = torch.rand(count, 2, generator=generator) * torch.tensor([20.0, 8.0]) + 3
    return torch.cat((middle - half, middle + half), -1)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_plain_assignment(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    plates = 1 + seed % 4
    true_boxes = _random_boxes(plates, generator)
    boxes = torch.cat((_CENTRES, _CENTRES), -1) + torch.rand(60, 4, generator=generator) * torch.tensor(
        [-20.0, -10.0, 20.0, 10.0]
    )
    probabilities = torch.rand(60, generator=generator)
    found = _assigned(probabilities, boxes, true_boxes)
    wanted = {
        cell: answer
        for cell, answer in _plain(probabilities, boxes, true_boxes).items()
        # Where no box overlaps, which of the cells inside are taken is left open.
        if float(overlap(true_boxes[answer[0]], boxes[cell])) > 1e-3
    }
    for cell, (plate, score) in wanted.items():
        assert bool(found.chosen[0, cell])
        assert int(found.plate[0, cell]) == plate
        assert float(found.scores[0, cell]) == pytest.approx(score, abs=1e-3)
    assert int(found.chosen.sum()) >= len(wanted)


def test_a_plate_that_no_box_overlaps_yet_is_answered_for() -> None:
    far = torch.full((60, 4), 500.0) + torch.tensor([0.0, 0.0, 10.0, 10.0])
    found = _assigned(torch.full((60,), 0.001), far, torch.tensor([[20.0, 10.0, 60.0, 30.0]]))
    cells = found.chosen[0].nonzero()[:, 0]
    assert len(cells) == 10
    assert all(20 < x < 60 and 10 < y < 30 for x, y in _CENTRES[cells].tolist())


def test_padding_takes_no_cell() -> None:
    whole = torch.tensor([[[0.0, 0.0, 80.0, 48.0]]])
    nothing = torch.zeros(1, 1, dtype=torch.bool)
    found = assign_cells(torch.full((1, 60), 0.9), whole.expand(1, 60, 4), _CENTRES, true_boxes=whole, is_plate=nothing)
    assert not bool(found.chosen.any())
    assert float(found.scores.abs().sum()) == 0


def test_a_tiny_plate_between_the_middles_of_cells_is_answered_for() -> None:
    boxes = torch.cat((_CENTRES - 6, _CENTRES + 6), -1)
    found = _assigned(torch.full((60,), 0.1), boxes, torch.tensor([[5.0, 6.0, 11.0, 9.0]]))
    assert bool(found.chosen.any())


def _pixels(box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    grid = np.zeros((40, 40), np.bool_)
    grid[box[1] : box[3], box[0] : box[2]] = True
    return grid


def test_overlap_counts_pixels() -> None:
    first, second = (3, 4, 30, 20), (10, 12, 38, 33)
    common = (_pixels(first) & _pixels(second)).sum() / (_pixels(first) | _pixels(second)).sum()
    assert float(overlap(torch.tensor(first).float(), torch.tensor(second).float())) == pytest.approx(float(common))


def test_complete_overlap_counts_place_and_shape() -> None:
    box = torch.tensor([10.0, 10.0, 50.0, 20.0])
    assert float(complete_overlap(box, box)) == pytest.approx(1.0, abs=1e-6)
    aside, far = (float(complete_overlap(box + move, box)) for move in (60.0, 120.0))
    assert far < aside < 0
    # Side by side, 40 x 10 px each: no common area, the same shape, middles 40 px apart in a hull of 80 x 10 px.
    beside = float(complete_overlap(box + torch.tensor([40.0, 0.0, 40.0, 0.0]), box))
    assert beside == pytest.approx(-(40**2) / (80**2 + 10**2), abs=1e-6)
    # About the same middle, 20 x 10 px: half of the area, and another aspect.
    narrow = torch.tensor([20.0, 10.0, 40.0, 20.0])
    aspect = 4 / math.pi**2 * (math.atan(4.0) - math.atan(2.0)) ** 2
    assert float(complete_overlap(narrow, box)) == pytest.approx(0.5 - aspect**2 / (0.5 + aspect), abs=1e-6)
