from __future__ import annotations

import numpy as np
import pytest
from detector_outputs import Wanted, encode

from platereader.detection.decode import cell_grid, decode_plates

_SIZE = (96, 160)
_CORNERS = np.array([[41, 30], [100, 34], [99, 52], [40, 47]], np.float32)
_PLATE = Wanted((40, 30, 100, 52), _CORNERS)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_plate_comes_back_from_every_level(stride: int) -> None:
    plate = Wanted(_PLATE.box, _CORNERS, line_class=1, stride=stride)
    found = decode_plates(encode([plate], size=_SIZE), size=_SIZE, min_score=0.5, max_iou=0.5)
    np.testing.assert_allclose(found.boxes, [plate.box], atol=1e-2)
    np.testing.assert_allclose(found.corners, [_CORNERS], atol=1e-3)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-5)), atol=1e-6)
    assert found.lines.tolist() == [2]


def test_score_is_the_chance_of_either_class() -> None:
    outputs = encode([Wanted(_PLATE.box, _CORNERS, logit=0.0)], size=_SIZE)
    outputs[1][1, outputs[1][0].argmax()] = 0.0
    found = decode_plates(outputs, size=_SIZE, min_score=0.5, max_iou=0.5)
    np.testing.assert_allclose(found.scores, [0.75], atol=1e-6)


def test_duplicates_on_two_levels_are_one_plate() -> None:
    plates = [Wanted(_PLATE.box, _CORNERS, logit=logit, stride=stride) for logit, stride in ((2, 8), (3, 16))]
    found = decode_plates(encode(plates, size=_SIZE), size=_SIZE, min_score=0.5, max_iou=0.5)
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-3))], atol=1e-6)


def test_below_the_least_score_there_is_nothing() -> None:
    found = decode_plates(encode([_PLATE], size=_SIZE), size=_SIZE, min_score=0.999, max_iou=0.5)
    assert (found.boxes.shape, found.scores.shape, found.corners.shape) == ((0, 4), (0,), (0, 4, 2))


def test_extreme_logits_are_no_error() -> None:
    outputs = encode([Wanted(_PLATE.box, _CORNERS, logit=1e4)], size=_SIZE)
    outputs[1][1] = -1e4
    found = decode_plates(outputs, size=_SIZE, min_score=0.5, max_iou=0.5)
    np.testing.assert_allclose(found.scores, [1.0])


def test_grid_runs_over_the_levels_row_by_row() -> None:
    centres, strides = cell_grid((32, 64))
    assert len(centres) == 4 * 8 + 2 * 4 + 1 * 2
    assert centres[[0, 1, 8, 32, 40, 41]].tolist() == [[4, 4], [12, 4], [4, 12], [8, 8], [16, 16], [48, 16]]
    assert strides[[0, 32, 40], 0].tolist() == [8, 16, 32]


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_cell_that_is_not_finite_is_left_out(part: int, value: float) -> None:
    other = Wanted((110, 60, 150, 80), _CORNERS + np.array([[70, 30]], np.float32))
    outputs = encode([_PLATE, other], size=_SIZE)
    cell = int(np.flatnonzero(outputs[1].max(axis=0) > 0)[0])
    outputs[part][:, cell] = value
    found = decode_plates(outputs, size=_SIZE, min_score=0.5, max_iou=0.5)
    assert len(found.boxes) == 2 - (part != 1 or bool(np.isnan(value)))
    assert np.isfinite(found.boxes).all()
    assert np.isfinite(found.corners).all()
