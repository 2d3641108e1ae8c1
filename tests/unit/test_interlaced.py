"""Interlaced pictures: what tells that two fields differ."""

from typing import cast

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader._interlaced import is_combed, is_combed_somewhere, one_field


def picture(height: int = 720, width: int = 1280) -> BgrImage:
    """Soft shapes with some noise, as a camera sees a street."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(20, 230, (height // 16, width // 16, 3), np.uint8)
    shapes = cast(BgrImage, cv2.resize(coarse, (width, height)))
    noisy: BgrImage = shapes + rng.integers(0, 9, shapes.shape, np.uint8)
    return noisy


def with_moved(frame: BgrImage, *, x: slice, y: slice, by_px: int) -> BgrImage:
    """The frame as an interlaced camera sees it where a part of it moved between the fields."""
    combed: BgrImage = frame.copy()
    combed[1::2][y.start // 2 : y.stop // 2, x] = np.roll(frame, by_px, axis=1)[1::2][y.start // 2 : y.stop // 2, x]
    return combed


def test_two_fields_are_told_from_12_rows_on_by_what_recurs_in_every_second_row() -> None:
    stripes = np.zeros((40, 8, 3), np.uint8)
    stripes[::2, :, 1] = 100
    assert [is_combed(stripes[:rows]) for rows in (0, 11, 12, 40)] == [False, False, True, True]
    alone = np.zeros((40, 8, 3), np.uint8)
    alone[20, :, 1] = 100
    assert not is_combed(alone)
    blue: BgrImage = stripes[..., [1, 0, 2]]
    assert not is_combed(np.ascontiguousarray(blue))


@pytest.mark.parametrize("by_px", [6, -12])
def test_a_car_that_moved_between_the_fields_combs_its_part_of_the_frame(by_px: int) -> None:
    frame = picture()
    assert is_combed_somewhere(with_moved(frame, x=slice(300, 800), y=slice(200, 600), by_px=by_px))
    assert not is_combed_somewhere(with_moved(frame, x=slice(300, 400), y=slice(200, 280), by_px=by_px))
    assert not is_combed_somewhere(frame)


def test_noise_rows_and_pictures_smaller_than_a_tile_are_no_fields() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (720, 1280, 3), np.uint8)
    bricks = np.zeros((720, 1280, 3), np.uint8)
    bricks[np.arange(720) // 3 % 2 == 1] = 120
    for frame in (noise, bricks, noise[:7], noise[:, :63], noise[:8, :64], np.zeros((720, 1280, 3), np.uint8)):
        assert not is_combed_somewhere(np.ascontiguousarray(frame))


def test_one_field_has_the_even_rows_and_means_between_them() -> None:
    rows: BgrImage = np.repeat(np.array([10, 200, 30, 90, 50], np.uint8)[:, None], 3, axis=1)[:, None]
    assert one_field(rows)[:, 0, 0].tolist() == [10, 20, 30, 40, 50]
    assert one_field(rows[:4])[:, 0, 0].tolist() == [10, 20, 30, 30]
