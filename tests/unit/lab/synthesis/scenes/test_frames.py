"""Photographs in frames: where their plates come to lie, and that no other plate comes with them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader.lab.synthesis.pose import corners_of, homography
from platereader.lab.synthesis.scenes.frames import (
    Photograph,
    dash_camera,
    ordinary_camera,
    plate_width,
    random_placement,
    render_frame,
    without_plates,
)

PLACE = np.array([(100, 60), (180, 64), (180, 84), (100, 80)], np.float32)
RED = (20, 20, 230)


def photograph() -> Photograph:
    """A grey picture of 300 x 200 px with one red plate."""
    pixels = np.full((200, 300, 3), 90, np.uint8)
    cv2.fillConvexPoly(pixels, PLACE.astype(np.int32), RED)
    return Photograph(pixels, (PLACE,))


def red_of(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where a picture is red."""
    return np.asarray((pixels[..., 2] > 150) & (pixels[..., 0] < 60))


@pytest.mark.parametrize("width_px", [16.0, 40.0, 80.0, 130.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_frame_shows_the_plate_once_at_its_corners(width_px: float, seed: int) -> None:
    source, size_px = photograph(), (640, 360)
    matrix = random_placement(source, width_px=width_px, size_px=size_px, rng=np.random.default_rng(seed))
    frame = render_frame(source, matrix, size_px=size_px)
    assert frame.pixels.shape == (360, 640, 3)
    assert plate_width(frame.plates[0]) == pytest.approx(width_px, rel=0.01)
    rows, columns = np.nonzero(red_of(frame.pixels))
    low, high = frame.plates[0].min(axis=0), frame.plates[0].max(axis=0)
    assert (low >= 0).all()
    assert (high <= size_px).all()
    for found, expected in zip(
        (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), (*low, *high), strict=True
    ):
        assert found == pytest.approx(expected, abs=2.5)


def test_a_photograph_goes_on_as_its_mirror_image_without_the_plate() -> None:
    source = photograph()
    matrix = homography(corners_of((300, 200)), corners_of((300, 200)) + np.float32(300))
    frame = render_frame(source, matrix, size_px=(900, 900))
    inside = red_of(frame.pixels[300:500, 300:600])
    assert inside.sum() == red_of(source.pixels).sum()
    assert red_of(frame.pixels).sum() == inside.sum()
    assert abs(int(frame.pixels[100, 100, 0]) - 90) <= 3


def test_all_labelled_plates_vanish_from_the_copy_and_none_from_the_photograph() -> None:
    source = photograph()
    assert not red_of(without_plates(source.pixels, source.plates)).any()
    assert red_of(source.pixels).any()


def test_other_plates_stay_in_the_photograph_itself() -> None:
    source = photograph()
    second = Photograph(source.pixels, (PLACE - np.float32(40), PLACE))
    frame = render_frame(second, np.eye(3), size_px=(300, 200))
    assert red_of(frame.pixels).sum() == red_of(source.pixels).sum()
    np.testing.assert_allclose(frame.plates[1], PLACE, atol=1e-3)


@pytest.mark.parametrize("camera", [ordinary_camera, dash_camera])
def test_cameras_repeat_and_leave_their_input_alone(camera: Callable[..., BgrImage]) -> None:
    pixels = photograph().pixels
    before = pixels.copy()
    first, again, other = (camera(pixels, rng=np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(pixels, before)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == pixels.shape


def test_a_dash_camera_is_worse_than_an_ordinary_one() -> None:
    pixels = np.repeat(np.random.default_rng(5).integers(0, 255, (30, 50, 3), np.uint8), 8, axis=0).repeat(8, axis=1)
    means = [
        np.mean([cv2.Laplacian(camera(pixels, rng=np.random.default_rng(seed)), cv2.CV_64F).var() for seed in range(8)])
        for camera in (ordinary_camera, dash_camera)
    ]
    assert means[1] < means[0]
