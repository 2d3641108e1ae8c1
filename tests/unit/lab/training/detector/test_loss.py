from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from detector_outputs import Wanted, encode
from torch import Tensor

from platereader.detection._decode import cell_grid, decode_plates
from platereader.lab.training.detector.loss import DetectorLoss, Losses, Targets, decode_boxes, decode_corners

_SIZE = (96, 160)
_BOX = (40.0, 30.0, 100.0, 52.0)
_CORNERS = np.array([[42, 30], [100, 34], [99, 52], [40, 47]], np.float32)
_SURE = Wanted(_BOX, _CORNERS, logit=8.0)


def _outputs(*plates: Wanted) -> tuple[Tensor, Tensor, Tensor]:
    sides, classes, offsets = (torch.from_numpy(part)[None] for part in encode(plates, size=_SIZE))
    return sides, classes, offsets


def _targets(*, lines: int = 0, plates: int = 1) -> Targets:
    return Targets(
        boxes=torch.tensor([_BOX])[None] * plates,
        lines=torch.full((1, 1), lines),
        corners=torch.from_numpy(_CORNERS)[None, None],
        has_corners=torch.ones(1, 1),
        is_plate=torch.full((1, 1), bool(plates)),
        ignored=torch.zeros(1, 1, 4),
    )


def _losses(outputs: tuple[Tensor, Tensor, Tensor], targets: Targets) -> Losses:
    return DetectorLoss()(outputs, targets, size=_SIZE)


def _moved(by: float) -> Wanted:
    return Wanted(_BOX, _CORNERS + np.float32(by), logit=8.0)


def test_torch_and_numpy_decode_alike() -> None:
    outputs = encode([_SURE], size=_SIZE)
    (found,) = decode_plates(outputs, size=_SIZE, min_score=0.5, max_iou=0.5)
    centres, strides = (torch.from_numpy(part) for part in cell_grid(_SIZE))
    cell = int(outputs[1][0].argmax())
    sides, _, offsets = (torch.from_numpy(part)[None].transpose(1, 2) for part in outputs)
    np.testing.assert_allclose(decode_boxes(sides, centres, strides)[0, cell], found.box, atol=1e-3)
    np.testing.assert_allclose(decode_corners(offsets, centres, strides)[0, cell], found.corners, atol=1e-3)


def test_empty_picture_costs_only_what_is_seen_in_it() -> None:
    quiet, loud = _losses(_outputs(), _targets(plates=0)), _losses(_outputs(_SURE), _targets(plates=0))
    assert float(quiet.total) == pytest.approx(0, abs=1e-3)
    assert float(loud.classes) > 3
    assert float(loud.boxes) == float(loud.corners) == 0


def test_corners_off_cost_more_and_unknown_corners_nothing() -> None:
    exact, off = (_losses(_outputs(plate), _targets()).corners for plate in (_moved(0), _moved(4)))
    assert float(off) > float(exact) + 0.1
    unknown = replace(_targets(), has_corners=torch.zeros(1, 1))
    assert float(_losses(_outputs(_moved(4)), unknown).corners) == 0


def test_finds_in_ignored_areas_are_not_punished() -> None:
    area = torch.tensor([[[0.0, 0.0, 160.0, 96.0]]])
    assert float(_losses(_outputs(_SURE), replace(_targets(plates=0), ignored=area)).classes) < 0.01


@pytest.mark.parametrize("line_class", [0, 1])
def test_unknown_line_count_costs_as_the_favoured_class(line_class: int) -> None:
    outputs = _outputs(Wanted(_BOX, _CORNERS, line_class=line_class, logit=8.0))
    known, unknown = _losses(outputs, _targets(lines=line_class)), _losses(outputs, _targets(lines=-1))
    assert float(unknown.classes) == pytest.approx(float(known.classes))
    other = _losses(outputs, _targets(lines=1 - line_class))
    assert float(other.classes) > float(known.classes) + 1


def test_an_unknown_line_count_of_a_tiny_plate_costs_as_the_favoured_class() -> None:
    box = (62.0, 46.0, 74.0, 50.0)  # no middle of a cell lies in it
    corners = np.array([[62, 46], [74, 46], [74, 50], [62, 50]], np.float32)
    outputs = _outputs()
    outputs[0].reshape(4, 16, -1)[:, 1] = 20.0  # boxes of two cells, which overlap the plate
    outputs[1][0, 1] = 3.0  # the network favours two lines everywhere
    tiny = replace(_targets(lines=1), boxes=torch.tensor([[box]]), corners=torch.from_numpy(corners)[None, None])
    unknown = replace(tiny, lines=torch.full((1, 1), -1))
    assert float(_losses(outputs, unknown).classes) == pytest.approx(float(_losses(outputs, tiny).classes))


def test_every_plate_of_every_picture_has_its_own_corners() -> None:
    second = (100.0, 60.0, 150.0, 80.0)
    third = (20.0, 10.0, 70.0, 30.0)
    quads = [
        np.array([[x1 + 2, y1], [x2, y1 + 3], [x2 - 1, y2], [x1, y2 - 3]], np.float32)
        for x1, y1, x2, y2 in (_BOX, second, third)
    ]
    first_picture = [part[0] for part in _outputs(Wanted(_BOX, quads[0], logit=8.0))]
    other_picture = [
        part[0] for part in _outputs(Wanted(second, quads[1], logit=8.0), Wanted(third, quads[2], logit=8.0))
    ]
    sides, classes, offsets = (torch.stack(pair) for pair in zip(first_picture, other_picture, strict=True))
    nothing = torch.zeros(2, 1, 4)
    targets = Targets(
        boxes=torch.tensor([[_BOX, (0.0, 0.0, 0.0, 0.0)], [second, third]]),
        lines=torch.zeros(2, 2, dtype=torch.int64),
        corners=torch.from_numpy(np.array([[quads[0], np.zeros((4, 2))], [quads[1], quads[2]]], np.float32)),
        has_corners=torch.ones(2, 2),
        is_plate=torch.tensor([[True, False], [True, True]]),
        ignored=nothing,
    )
    exact = float(_losses((sides, classes, offsets), targets).corners)
    turned = float(_losses((sides, classes, offsets), replace(targets, corners=targets.corners.roll(1, 2))).corners)
    swapped = float(_losses((sides, classes, offsets), replace(targets, corners=targets.corners.flip(1))).corners)
    assert exact < 0.05
    assert turned > exact + 1
    assert swapped > exact + 1


def test_a_few_gradient_steps_find_the_plate() -> None:
    torch.manual_seed(0)
    cells = len(cell_grid(_SIZE)[0])
    outputs = [torch.zeros(1, channels, cells, requires_grad=True) for channels in (64, 2, 8)]
    with torch.no_grad():
        outputs[1].fill_(-3.0)
    optimizer, loss = torch.optim.Adam(outputs, lr=0.2), DetectorLoss()
    for _ in range(60):
        optimizer.zero_grad()
        torch.autograd.backward(loss((outputs[0], outputs[1], outputs[2]), _targets(), size=_SIZE).total)
        optimizer.step()
    sides, classes, offsets = (output.detach().numpy()[0] for output in outputs)
    (found,) = decode_plates((sides, classes, offsets), size=_SIZE, min_score=0.3, max_iou=0.3)
    np.testing.assert_allclose(found.box, _BOX, atol=1.5)
    np.testing.assert_allclose(found.corners, _CORNERS, atol=2.0)
    assert found.lines == 1
