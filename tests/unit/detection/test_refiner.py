"""Crops of places, and from heat maps back to corners in the frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from platereader._geometry import Box, Quad
from platereader.detection._crops import Window, cut_upright, cut_windows, to_frame, window_around
from platereader.detection._refiner import CROP_SIZE, Refiner, heat_points
from platereader.detection._refiner_network import RefinerNetwork, refiner_from_state
from platereader.errors import WeightsCorruptError
from platereader.runtimes import Batch

FloatArray = NDArray[np.float32]


@pytest.mark.parametrize("box", [Box(100, 100, 200, 122), Box(40, 50, 69, 67), Box(10, 10, 20, 90)])
def test_a_window_is_twice_as_wide_as_tall_and_has_room_around_the_plate(box: Box) -> None:
    window = window_around(box)
    assert window.width / window.height == pytest.approx(2, abs=0.1)
    assert window.width >= 1.5 * box.width
    assert window.height >= 1.3 * box.height
    middle = window.left + window.width / 2, window.top + window.height / 2
    assert middle == pytest.approx(((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2), abs=1)


def test_sides_of_large_windows_can_be_halved_twice() -> None:
    for width in range(440, 640, 7):
        box = Box(100.3, 200.6, 100.3 + width / 1.5, 200.6 + width / 8)
        window = window_around(box)
        assert (window.width, window.height) == pytest.approx((width, width / 2), abs=4)
        assert window.width < 448 or (window.width % 4, window.height % 4) == (0, 0)


def test_points_go_to_the_frame_and_back() -> None:
    window = Window(-20, 30, 200, 100)
    points = np.array([[0, 0], [1, 1], [0.5, 0.25]], np.float32)
    same, other = to_frame(np.stack([points, points]), [window, Window(0, 0, 2, 2)])
    np.testing.assert_allclose(same, [[-20, 30], [180, 130], [80, 55]])
    np.testing.assert_allclose(other, 2 * points)
    np.testing.assert_allclose(window.from_frame(same), points, atol=1e-6)


def test_a_crop_shows_its_window() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (200, 400, 3), np.uint8)
    before = frame.copy()
    same, half = cut_windows(frame, [Window(60, 50, 128, 64), Window(60, 50, 256, 128)], size=CROP_SIZE)
    np.testing.assert_array_equal(same, frame[50:114, 60:188])
    mean = frame[50:178, 60:316].reshape(64, 2, 128, 2, 3).mean((1, 3))
    np.testing.assert_allclose(half, mean, atol=1)
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize(
    ("width", "levels"),
    [(140, 0.2), (186, 0.25), (225, 0.25), (331, 0.25), (446, 0.3), (448, 0.7), (620, 0.5), (1000, 1)],
)
def test_a_crop_is_nearly_the_average_over_areas(width: int, levels: float) -> None:
    rough = np.random.default_rng(0).integers(0, 256, (width // 2, width, 3), dtype=np.uint8)
    frame = np.asarray(cv2.GaussianBlur(rough, (0, 0), 2.0), np.uint8)
    (crop,) = cut_windows(frame, [Window(0, 0, width, width // 2)], size=CROP_SIZE)
    area = cv2.resize(frame, CROP_SIZE[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - area).mean() < levels


def test_beyond_the_frame_its_edge_is_repeated() -> None:
    frame = np.zeros((50, 60, 3), np.uint8)
    frame[:, -1] = 200
    (crop,) = cut_windows(frame, [Window(40, -10, 128, 64)], size=CROP_SIZE)
    assert (crop[:, 19:] == 200).all()
    assert (crop[:, :19] == 0).all()


def _turned(degrees: float, *, middle: tuple[float, float], width: float) -> Quad:
    """Corners of a plate 4 times as wide as tall, turned clockwise."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = np.array([(-0.5, -0.125), (0.5, -0.125), (0.5, 0.125), (-0.5, 0.125)]) * width
    return Quad.from_points(level @ turn.T + middle)


@pytest.mark.parametrize(("degrees", "width"), [(35, 40), (-50, 90), (20, 300), (170, 120)])
def test_an_upright_crop_shows_a_turned_plate_level(degrees: float, width: float) -> None:
    y, x = np.mgrid[:500, :500]
    frame = np.stack((x / 2, y / 2, x * 0), axis=-1).astype(np.uint8)  # each pixel says where it is
    crop, matrix = cut_upright(frame, _turned(degrees, middle=(260, 240), width=width), size=CROP_SIZE)
    rows, columns = np.mgrid[:64, :128]
    parts = np.stack(((columns + 0.5) / 128, (rows + 0.5) / 64, np.ones((64, 128))), axis=-1)
    places = parts @ matrix.T - 0.5
    np.testing.assert_allclose(crop[..., :2], np.clip(places, 0, 499) / 2, atol=1.6)
    np.testing.assert_allclose(matrix @ (0.5, 0.5, 1), (260, 240), atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(matrix[:, 0]), 1.5 * width, rtol=1e-4)


def _heat(points: FloatArray) -> FloatArray:
    """Narrow spots, ``(N, 4, 16, 32)``, about points ``(N, 4, 2)`` in parts of the crop."""
    x = np.arange(32) + 0.5 - points[..., :1] * 32
    y = np.arange(16) + 0.5 - points[..., 1:] * 16
    heat: FloatArray = -(y[..., :, None] ** 2 + x[..., None, :] ** 2).astype(np.float32)
    return heat


def test_heat_maps_tell_places_between_cells() -> None:
    points = np.random.default_rng(0).uniform(0.15, 0.85, (5, 4, 2)).astype(np.float32)
    np.testing.assert_allclose(heat_points(_heat(points)), points, atol=0.003)


def test_places_are_those_of_a_plain_loop() -> None:
    heat = np.random.default_rng(0).normal(0, 3, (2, 4, 16, 32)).astype(np.float32)
    expected = np.zeros((2, 4, 2))
    for crop, corner in np.ndindex(2, 4):
        shares = np.exp(heat[crop, corner].astype(np.float64))
        shares /= shares.sum()
        x = sum(shares[:, column].sum() * (column + 0.5) / 32 for column in range(32))
        y = sum(shares[row].sum() * (row + 0.5) / 16 for row in range(16))
        expected[crop, corner] = x, y
    np.testing.assert_allclose(heat_points(heat), expected, atol=1e-5)


class FakeRuntime:
    """Sees the same corners, in parts of the crop, in every crop of a batch: the last ones in all batches to come."""

    engine, precision, threads = "fake", "fp32", 1

    def __init__(self, *points: FloatArray) -> None:
        self.points = points
        self.batches: list[int] = []

    def run(self, batch: Batch) -> tuple[FloatArray, ...]:
        points = self.points[min(len(self.batches), len(self.points) - 1)]
        self.batches.append(len(batch))
        kinds = np.stack([batch.mean((1, 2, 3)) / 255, np.full(len(batch), -2.0), np.full(len(batch), 3.0)], 1)
        return np.repeat(_heat(points[None]), len(batch), axis=0), kinds.astype(np.float32)


def test_places_of_all_frames_run_together_and_come_back_in_order() -> None:
    points = np.array([[0.2, 0.3], [0.8, 0.35], [0.79, 0.7], [0.19, 0.65]], np.float32)
    runtime = FakeRuntime(points)
    frames = [np.full((300, 400, 3), grey, np.uint8) for grey in (51, 0, 204)]
    boxes = [[Box(100, 100, 200, 122), Box(0, 0, 40, 20)], [], [Box(300, 200, 380, 240)]]
    first, nothing, third = Refiner(runtime).refine(frames, boxes)
    assert runtime.batches == [3]
    assert nothing == []
    assert [place.plate for place in (*first, *third)] == pytest.approx([0.2, 0.2, 0.8], abs=0.01)
    assert (third[0].two_lines, third[0].cut) == (-2.0, 3.0)
    window = window_around(boxes[0][0])
    expected = Quad.from_points(to_frame(points[None], [window])[0].tolist())
    assert np.abs(first[0].corners.to_array() - expected.to_array()).max() < 0.5


_TURNED = np.array([[0.3, 0.1], [0.8, 0.7], [0.7, 0.9], [0.2, 0.3]], np.float32)
_LEVEL = np.array([[0.2, 0.3], [0.8, 0.3], [0.8, 0.6], [0.2, 0.6]], np.float32)


def test_a_turned_plate_is_looked_at_once_more_lying_level() -> None:
    frame, boxes = np.full((300, 400, 3), 51, np.uint8), [Box(100, 100, 200, 150)]
    (first,) = Refiner(FakeRuntime(_TURNED)).refine([frame], [boxes])[0]
    runtime = FakeRuntime(_TURNED, _LEVEL)
    (place,) = Refiner(runtime).refine([frame], [boxes])[0]
    assert runtime.batches == [1, 1]
    seen = to_frame(_TURNED[None], [window_around(boxes[0])])[0]
    matrix = cut_upright(frame, Quad.from_points(seen.tolist()), size=CROP_SIZE)[1]
    np.testing.assert_allclose(place.corners.to_array(), _LEVEL @ matrix[:, :2].T + matrix[:, 2], atol=0.6)
    assert place.corners.tilt_deg == pytest.approx(Quad.from_points(seen.tolist()).tilt_deg, abs=1)
    assert place[1:] == first[1:]


def test_a_second_look_that_sees_something_else_is_not_believed() -> None:
    frame, boxes = np.full((300, 400, 3), 51, np.uint8), [Box(100, 100, 200, 150)]
    (place,) = Refiner(FakeRuntime(_TURNED, _LEVEL + np.array([0.6, 0], np.float32))).refine([frame], [boxes])[0]
    seen = to_frame(_TURNED[None], [window_around(boxes[0])])[0]
    np.testing.assert_allclose(place.corners.to_array(), seen, atol=0.6)


def test_a_plate_that_lies_nearly_level_is_looked_at_once() -> None:
    runtime = FakeRuntime(_LEVEL + np.array([[0, 0], [0, 0.1], [0, 0.1], [0, 0]], np.float32))
    Refiner(runtime).refine([np.full((300, 400, 3), 51, np.uint8)], [[Box(100, 100, 200, 150)]])
    assert runtime.batches == [1]


def test_weights_of_another_network_are_refused() -> None:
    state = {key: value.half() for key, value in RefinerNetwork().state_dict().items()}
    heat, kinds = refiner_from_state(state, name="these")(torch.zeros(2, 3, *CROP_SIZE))
    assert (heat.shape, kinds.shape) == ((2, 4, 16, 32), (2, 3))
    with pytest.raises(WeightsCorruptError, match="these does not hold a plate refiner's weights"):
        refiner_from_state({}, name="these")


def test_a_window_far_larger_than_its_frame_takes_no_more_memory_than_its_crop() -> None:
    frame = np.full((30_000, 60, 3), 90, np.uint8)
    frame[:, 40:] = 200
    window = Window(-30_000, 0, 60_000, 30_000)
    (crop,) = cut_windows(frame, [window], size=CROP_SIZE)
    assert (crop[:, :60] == 90).all()
    assert (crop[:, 68:] == crop[0, -1]).all()
    assert crop[0, -1, 0] > 140  # the last column of a frame that is two columns wide there
