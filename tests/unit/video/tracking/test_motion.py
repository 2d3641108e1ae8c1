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


@pytest.mark.parametrize("elapsed_s", [0.04, 1.5])
def test_what_is_known_of_a_way_is_that_of_a_kalman_filter(elapsed_s: float) -> None:
    noise, first, wander = (0.08, 0.08, 0.08, 0.15), (25.0, 8.0, 0.7, 0.3), (20.0, 10.0, 1.0, 0.5)
    motion = Motion.started(np.zeros((2, 4)))
    seen = np.array([[0.3, -0.2, 0.01, 0.4]])
    motion.advance(elapsed_s)
    errors, variance = motion.errors(seen)
    motion.correct(np.array([1]), seen)
    step, measure = np.array([[1.0, elapsed_s], [0.0, 1.0]]), np.array([1.0, 0.0])
    wandering = np.array([[elapsed_s**3 / 3, elapsed_s**2 / 2], [elapsed_s**2 / 2, elapsed_s]])
    for part in range(4):
        before = step @ np.diag([noise[part] ** 2, first[part] ** 2]) @ step.T + wander[part] ** 2 * wandering
        gain = before @ measure / (before[0, 0] + noise[part] ** 2)
        after = before - np.outer(gain, measure @ before)
        assert motion.covariance[0, :, part] == pytest.approx(before[[0, 0, 1], [0, 1, 1]])
        assert motion.covariance[1, :, part] == pytest.approx(after[[0, 0, 1], [0, 1, 1]])
        assert (motion.mean[1, part], motion.speed[1, part]) == pytest.approx(gain * seen[0, part])
        assert variance[1, 0, part] == pytest.approx(before[0, 0] + noise[part] ** 2)
    assert (errors == seen).all()
    assert not motion.mean[0].any()


def test_a_shake_makes_places_less_certain_by_a_side_and_nothing_else() -> None:
    motion = Motion.started(np.zeros((2, 4)))
    before = motion.covariance.copy()
    motion.allow_shake(np.array([1]))
    assert motion.covariance - before == pytest.approx(np.array([np.zeros((3, 4)), [[1, 1, 0, 0], [0] * 4, [0] * 4]]))
    both = motion.of(np.array([1])).joined(motion)
    assert both.covariance == pytest.approx(motion.covariance[[1, 0, 1]])
    assert (both.mean.shape, both.speed.shape) == ((3, 4), (3, 4))


def test_what_grows_without_bounds_is_held_where_it_is_as_large_as_a_picture() -> None:
    motion = Motion.started(np.array([[10.0, 20.0, np.log(100.0), 1.0], [10.0, 20.0, np.log(2e4), 1.0]]))
    motion.speed[:] = (3.0, -2.0, 5.0, 0.25)
    motion.advance(0.5)
    assert motion.mean == pytest.approx(
        np.array([[160.0, -80.0, np.log(1e4), 1.125], [11.5, 19.0, np.log(2e4), 1.125]])
    )
    assert motion.speed == pytest.approx(np.array([[3e4, -2e4, 500.0, 0.25], [3.0, -2.0, 5.0, 0.25]]))
