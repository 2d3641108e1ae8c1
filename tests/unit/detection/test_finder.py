"""Proposals: what cells say, in the frame's pixels; the network in any width."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from small_detector import planted

from platereader._geometry import Box, iou
from platereader.detection._finder import STRIDES, Finder, cell_grid, decode_proposals
from platereader.detection._finder_network import FinderNetwork, finder_from_state
from platereader.errors import ContractError, WeightsCorruptError
from platereader.runtimes import Batch

FloatArray = NDArray[np.float32]


class FakeRuntime:
    """Says the same of every picture, in places relative to its size."""

    engine, precision, threads = "fake", "fp32", 1

    def __init__(self, box: Box, score: float = 0.8) -> None:
        self.box, self.score = box, score
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Batch) -> tuple[FloatArray, ...]:
        self.shapes.append(batch.shape)
        scores, sides = planted({self.box: self.score}, size=(batch.shape[1], batch.shape[2]))
        return np.stack([scores[None]] * len(batch)), np.stack([sides] * len(batch))


def test_cells_are_those_of_a_plain_loop() -> None:
    expected = [
        ((column + 0.5) * stride, (row + 0.5) * stride, stride)
        for stride in STRIDES
        for row in range(96 // stride)
        for column in range(160 // stride)
    ]
    centres, strides = cell_grid((96, 160))
    np.testing.assert_allclose(np.concatenate((centres, strides), 1), expected)


def test_decodes_boxes_best_first() -> None:
    boxes = {Box(10, 20, 60, 32): 0.4, Box(70, 40, 120, 60): 0.9, Box(5, 70, 30, 80): 0.03}
    found, scores = decode_proposals(*planted(boxes, size=(96, 160)), size=(96, 160), min_score=0.05, most=10)
    np.testing.assert_allclose(found, [[70, 40, 120, 60], [10, 20, 60, 32]], atol=1e-3)
    np.testing.assert_allclose(scores, [0.9, 0.4], atol=1e-4)
    only, _ = decode_proposals(*planted(boxes, size=(96, 160)), size=(96, 160), min_score=0.05, most=1)
    np.testing.assert_allclose(only, found[:1])


def test_cells_with_numbers_that_are_not_finite_are_left_out() -> None:
    scores, sides = planted({Box(10, 20, 60, 32): 0.9, Box(70, 40, 120, 60): 0.8}, size=(96, 160))
    sides[2, int(scores.argmax())] = np.nan
    scores[0], scores[1] = np.inf, np.nan
    found, _ = decode_proposals(scores, sides, size=(96, 160), min_score=0.5, most=10)
    np.testing.assert_allclose(found, [[70, 40, 120, 60]], atol=1e-3)


def test_another_network_is_refused() -> None:
    scores, sides = planted({}, size=(96, 160))
    with pytest.raises(ContractError, match="FinderNetwork"):
        decode_proposals(scores, sides, size=(96, 96), min_score=0.5, most=10)


def test_proposals_are_in_the_frames_pixels() -> None:
    runtime = FakeRuntime(Box(100, 100, 180, 120))
    small, large = np.zeros((320, 512, 3), np.uint8), np.zeros((640, 1280, 3), np.uint8)
    first, second = Finder(runtime, input_size=640).propose([small, large])
    assert iou(first[0].box, Box(100, 100, 180, 120)) > 0.99
    assert iou(second[0].box, Box(200, 200, 360, 240)) > 0.99
    assert first[0].score == pytest.approx(0.8, abs=1e-5)


def test_large_frames_are_not_shrunk_beyond_what_small_plates_bear() -> None:
    runtime = FakeRuntime(Box(100, 100, 180, 120))
    finder = Finder(runtime, input_size=640, largest_shrink=2.0)
    finder.propose([np.zeros((2160, 3840, 3), np.uint8)])
    assert runtime.shapes[-1][2] == 1920
    finder.propose([np.zeros((720, 1280, 3), np.uint8)])
    assert runtime.shapes[-1][2] == 640


def test_frames_of_any_size_have_inputs_of_few_sizes() -> None:
    runtime = FakeRuntime(Box(10, 10, 20, 14))
    finder = Finder(runtime)
    rng = np.random.default_rng(0)
    finder.propose([np.zeros((*rng.integers(40, 1600, 2), 3), np.uint8) for _ in range(150)])
    shapes = {shape[1:3] for shape in runtime.shapes}
    assert len(shapes) < 90
    assert all(max(shape) == finder.input_size or (shape[0] % 64, shape[1] % 64) == (0, 0) for shape in shapes)
    finder.propose([np.zeros((4320, 7680, 3), np.uint8)])
    assert runtime.shapes[-1][1:3] == (1792, 3072)


def test_frames_of_one_shape_run_together_and_each_has_its_own_proposals() -> None:
    class Brightness(FakeRuntime):
        """Sees a plate the further to the right the brighter a picture is."""

        def run(self, batch: Batch) -> tuple[FloatArray, ...]:
            self.shapes.append(batch.shape)
            lefts = [round(64 * float(picture.mean()) / 255) for picture in batch]
            outputs = [planted({Box(x, 20, x + 24, 32): 0.5}, size=(64, 128)) for x in lefts]
            return np.stack([scores[None] for scores, _ in outputs]), np.stack([sides for _, sides in outputs])

    runtime = Brightness(Box(0, 0, 1, 1))
    frames = [np.full((64, 128, 3), grey, np.uint8) for grey in (0, 128, 255)]
    found = Finder(runtime).propose(frames)
    assert [shape[0] for shape in runtime.shapes] == [3]
    assert [row[0].box.x1 for row in found] == pytest.approx([0, 32, 64], abs=0.5)


def test_weights_say_how_wide_the_network_is() -> None:
    narrow = FinderNetwork((4, 8, 8, 16, 16))
    state = {key: value.half() for key, value in narrow.state_dict().items()}
    scores, sides = finder_from_state(state, name="these")(torch.zeros(1, 3, 64, 96))
    cells = 12 * 8 + 6 * 4 + 3 * 2
    assert (scores.shape, sides.shape) == ((1, 1, cells), (1, 4, cells))
    del state["heads.0.1.bias"]
    with pytest.raises(WeightsCorruptError, match="these does not hold a plate finder's weights"):
        finder_from_state(state, name="these")
    with pytest.raises(WeightsCorruptError, match=r"finder's weights .*stem\.0"):
        finder_from_state({}, name="these")


@pytest.mark.parametrize("layer", ["stem.0.0", "stages.1.0.across.0", "heads.2.1"])
@pytest.mark.parametrize("shape", [(), (0,), (0, 16, 1, 1), (3,), (7, 7, 7, 7)])
def test_weights_of_any_other_shape_are_refused(layer: str, shape: tuple[int, ...]) -> None:
    state = dict(FinderNetwork((4, 8, 8, 16, 16)).state_dict())
    state[f"{layer}.weight"] = torch.zeros(shape)
    with pytest.raises(WeightsCorruptError, match=r"finder's weights \((?!Error\(s\)).*[a-z]"):
        finder_from_state(state, name="these")


def test_weights_of_another_type_and_such_that_are_not_finite_are_refused() -> None:
    state = dict(FinderNetwork((4, 8, 8, 16, 16)).state_dict())
    name = "stem.0.0.weight"
    for other in (state[name].to(torch.int8), state[name].to(torch.complex64), state[name] * torch.nan):
        with pytest.raises(WeightsCorruptError, match=rf"finder's weights \({name} is "):
            finder_from_state({**state, name: other}, name="these")
