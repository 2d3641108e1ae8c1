from __future__ import annotations

import numpy as np
import pytest

from platereader.recognition._preprocess import INPUT_SIZE_PX, prepare
from platereader.results import PlateImage


def picture(height: int, width: int, *, seed: int = 0) -> PlateImage:
    return PlateImage(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def test_any_size_becomes_one_batch_of_standardised_pictures() -> None:
    batch = prepare([picture(64, 297), picture(7, 31), picture(1, 1), picture(200, 90)])
    assert batch.shape == (4, 3, *INPUT_SIZE_PX)
    assert batch.dtype == np.float32
    grey = np.tensordot([0.114, 0.587, 0.299], batch[0], axes=1)
    assert grey.mean() == pytest.approx(0, abs=5e-3)
    assert grey.std() == pytest.approx(1, abs=5e-3)


def test_colours_are_kept() -> None:
    grey = np.repeat(picture(40, 176).pixels[..., :1], 3, axis=2)
    blue, green, red = prepare([PlateImage(grey)])[0]
    assert np.array_equal(blue, green)
    assert np.array_equal(green, red)
    yellow = grey.copy()
    yellow[..., 0] //= 4
    blue, green, red = prepare([PlateImage(yellow)])[0]
    assert np.array_equal(green, red)
    assert blue.mean() < green.mean() - 0.5


@pytest.mark.parametrize("size", [(4 * INPUT_SIZE_PX[0], INPUT_SIZE_PX[1]), (INPUT_SIZE_PX[0], 4 * INPUT_SIZE_PX[1])])
def test_a_side_that_shrinks_is_averaged_not_sampled(size: tuple[int, int]) -> None:
    stripes = np.indices(size).sum(axis=0) % 4 < 2
    stripes[:, : size[1] // 2] = False  # next to it there is an even half, so that the contrast is that of both
    (row,) = prepare([PlateImage(np.repeat(200 * stripes[..., None], 3, axis=2).astype(np.uint8))])
    striped = row[0, :, INPUT_SIZE_PX[1] // 2 + 2 :]
    assert striped.std() < 0.1


def test_contrast_and_brightness_make_no_difference() -> None:
    pixels = picture(40, 176).pixels
    fainter = (pixels // 4 + 90).astype(np.uint8)
    bright, faint = prepare([PlateImage(pixels), PlateImage(fainter)])
    assert np.corrcoef(bright.ravel(), faint.ravel())[0, 1] > 0.99
    assert faint.std() == pytest.approx(bright.std(), abs=1e-3)


def test_a_flat_picture_stays_flat() -> None:
    flat = np.full((30, 100, 3), 77, np.uint8)
    flat[3, 3] = 78
    assert np.abs(prepare([PlateImage(flat)])).max() < 0.3


def test_the_input_is_not_written_to_and_may_have_any_strides() -> None:
    pixels = picture(48, 192).pixels
    pixels.setflags(write=False)
    straight, mirrored_twice = prepare([PlateImage(pixels), PlateImage(pixels[:, ::-1].copy()[:, ::-1])])
    assert np.array_equal(straight, mirrored_twice)


def test_another_input_size() -> None:
    assert prepare([picture(48, 192)], size_px=(32, 160)).shape == (1, 3, 32, 160)
