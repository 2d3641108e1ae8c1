from __future__ import annotations

import numpy as np
import pytest
from detector_outputs import Wanted, encode

from platereader.detection._decode import cell_grid, decode_plates
from platereader.errors import ContractError

_SIZE = (96, 160)
_CORNERS = np.array([[41, 30], [100, 34], [99, 52], [40, 47]], np.float32)
_PLATE = Wanted((40, 30, 100, 52), _CORNERS)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_plate_comes_back_from_every_level(stride: int) -> None:
    plate = Wanted(_PLATE.box, _CORNERS, line_class=1, stride=stride)
    (found,) = decode_plates(encode([plate], size=_SIZE), size=_SIZE, min_score=0.5, max_iou=0.5)
    np.testing.assert_allclose(found.box, plate.box, atol=1e-2)
    np.testing.assert_allclose(found.corners, _CORNERS, atol=1e-3)
    assert found.score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-6)
    assert found.lines == 2


def test_score_is_the_chance_of_either_class() -> None:
    outputs = encode([Wanted(_PLATE.box, _CORNERS, logit=0.0)], size=_SIZE)
    outputs[1][1, outputs[1][0].argmax()] = 0.0
    (found,) = decode_plates(outputs, size=_SIZE, min_score=0.75, max_iou=0.5)
    assert found.score == pytest.approx(0.75, abs=1e-6)
    assert decode_plates(outputs, size=_SIZE, min_score=0.751, max_iou=0.5) == []


def test_duplicates_on_two_levels_are_one_plate() -> None:
    plates = [Wanted(_PLATE.box, _CORNERS, logit=logit, stride=stride) for logit, stride in ((2, 8), (3, 16))]
    (found,) = decode_plates(encode(plates, size=_SIZE), size=_SIZE, min_score=0.5, max_iou=0.5)
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-6)


def test_below_the_least_score_there_is_nothing() -> None:
    assert decode_plates(encode([_PLATE], size=_SIZE), size=_SIZE, min_score=0.999, max_iou=0.5) == []


@pytest.mark.parametrize(("min_score", "count"), [(0.0, 1000), (3e-9, 1000), (1e-8, 1), (1.0, 0)])
def test_any_least_score_is_allowed(min_score: float, count: int) -> None:
    found = decode_plates(encode([_PLATE], size=(384, 640)), size=(384, 640), min_score=min_score, max_iou=1.0)
    assert len(found) == count


def test_best_comes_first_and_equals_in_the_order_of_their_cells() -> None:
    places = [(20, 30, 50, 40), (90, 20, 120, 30), (90, 60, 120, 70), (30, 70, 60, 80)]
    plates = [Wanted(box, _CORNERS, logit=of, stride=8) for box, of in zip(places, (1, 2, 3, 2), strict=True)]
    found = decode_plates(encode(plates, size=_SIZE), size=_SIZE, min_score=0.5, max_iou=0.5)
    assert [round(plate.box[0]) for plate in found] == [90, 90, 30, 20]
    assert [round(plate.box[1]) for plate in found] == [60, 20, 70, 30]


def test_extreme_logits_are_no_error() -> None:
    outputs = encode([Wanted(_PLATE.box, _CORNERS, logit=1e4)], size=_SIZE)
    outputs[1][1] = -1e4
    (found,) = decode_plates(outputs, size=_SIZE, min_score=0.5, max_iou=0.5)
    assert found.score == pytest.approx(1.0)


def test_outputs_of_a_larger_input_are_refused() -> None:
    outputs = encode([Wanted((100, 60, 140, 90), _CORNERS, stride=32)], size=_SIZE)
    with pytest.raises(ContractError, match="64x32 px"):
        decode_plates(outputs, size=(32, 64), min_score=0.5, max_iou=0.5)


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
    assert len(found) == 2 - (part != 1 or bool(np.isnan(value)))
    assert all(np.isfinite(plate.box).all() and np.isfinite(plate.corners).all() for plate in found)
