"""The filter knows the way of a plate that comes straight on."""

from __future__ import annotations

import numpy as np
import pytest

from platereader._geometry import Box, Quad
from platereader.results import Detection
from platereader.video._tracking.motion import Motion, measured


def seen_from_afar(time_s: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A plate that starts 20 m ahead and comes nearer at 6 m/s, passing 3 m to the right."""
    depth, focal = 20 - 6 * time_s, 1000
    return np.array([[focal * 3 / depth, focal * 1 / depth, np.log(focal * 0.24 / depth), 1.5]])


def test_a_straight_way_in_space_is_foreseen() -> None:
    motion = Motion.started(seen_from_afar(0.0))
    for frame in range(1, 26):
        motion.advance(0.04)
        motion.correct(np.array([0]), seen_from_afar(frame / 25))
    constant = motion.mean + motion.speed * 1.0
    motion.advance(1.0)
    truth = seen_from_afar(2.0)
    assert np.abs(motion.mean - truth)[0, :2].max() < 0.4 * np.abs(constant - truth)[0, :2].max()


def speed_from_afar(time_s: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """How fast what ``seen_from_afar`` says changes."""
    depth, focal = 20 - 6 * time_s, 1000
    return np.array([[focal * 3 * 6 / depth**2, focal * 1 * 6 / depth**2, 6 / depth, 0.0]])


@pytest.mark.parametrize("steps", [1, 5])
def test_what_comes_nearer_speeds_up_as_it_grows(steps: int) -> None:
    motion = Motion.started(seen_from_afar(0.0))
    motion.speed = speed_from_afar(0.0)
    for _ in range(steps):
        motion.advance(2.0 / steps)
    assert motion.mean == pytest.approx(seen_from_afar(2.0))
    assert motion.speed == pytest.approx(speed_from_afar(2.0))


def test_uncertainty_grows_with_time_and_not_with_frames() -> None:
    once, often = (Motion.started(seen_from_afar(0.0)) for _ in range(2))
    once.advance(1.0)
    for _ in range(50):
        often.advance(0.02)
    assert often.covariance == pytest.approx(once.covariance, rel=1e-9)


def test_corners_are_measured_where_there_are_any() -> None:
    tilted = Quad((10, 20), (110, 40), (110, 62), (10, 42))
    (by_corners, by_box) = measured([Detection(Box(5, 15, 120, 70), 0.9, tilted), Detection(Box(5, 15, 120, 70), 0.9)])
    assert by_corners[:2] == pytest.approx((60, 41))
    assert by_box[:2] == pytest.approx((62.5, 42.5))
    assert by_corners[3] == pytest.approx(np.log(tilted.width / tilted.height))
    assert measured([]).shape == (0, 4)


def test_two_first_detections_count_the_same() -> None:
    first, apart = seen_from_afar(0.0), np.array([10.0, -4.0, 0.2, 0.1])
    motion = Motion.started(first)
    _, variance = motion.errors(first)
    assert variance[0, 0] == pytest.approx([2 * 0.08**2] * 3 + [2 * 0.15**2])
    motion.correct(np.array([0]), first + apart)
    assert motion.mean == pytest.approx(first + apart / 2)
    assert motion.covariance[0, 0] == pytest.approx([0.08**2 / 2] * 3 + [0.15**2 / 2])


def test_sizes_that_are_not_seen_are_held_in_bounds() -> None:
    rows = measured([Detection(Box(0, 0, 0.5, 0.25), 0.9), Detection(Box(0, 0, 3e4, 1e4), 0.9)])
    assert rows[:, 2] == pytest.approx([0.0, np.log(1e4)])
