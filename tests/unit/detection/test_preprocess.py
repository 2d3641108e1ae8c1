from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from platereader.detection._preprocess import (
    FILL,
    STRIDE_PX,
    Letterbox,
    apply_letterboxes,
    plan_letterbox,
    resize_into,
)


@given(st.integers(1, 12_000), st.integers(1, 12_000), st.sampled_from([32, 320, 640, 1280]))
def test_plan_fits_the_frame_into_whole_strides(width: int, height: int, input_size: int) -> None:
    plan = plan_letterbox(width, height, input_size=input_size)
    assert plan.width % STRIDE_PX == plan.height % STRIDE_PX == 0
    assert 1 <= plan.inner_width <= plan.width <= input_size
    assert 1 <= plan.inner_height <= plan.height <= input_size
    assert plan.width - plan.inner_width < STRIDE_PX
    assert plan.height - plan.inner_height < STRIDE_PX
    assert plan.inner_width <= width
    assert plan.inner_height <= height


def test_wide_frame_is_shrunk_to_a_wide_input() -> None:
    plan = plan_letterbox(1920, 1080, input_size=640)
    assert (plan.width, plan.height, plan.inner_width, plan.inner_height) == (640, 384, 640, 360)
    assert (plan.left, plan.top) == (0, 12)


def test_small_frame_is_not_enlarged() -> None:
    plan = plan_letterbox(100, 50, input_size=640)
    assert (plan.inner_width, plan.inner_height) == (100, 50)


def test_corners_of_the_frame_come_back() -> None:
    plan = plan_letterbox(1001, 333, input_size=320)
    inner = [(plan.left, plan.top), (plan.left + plan.inner_width, plan.top + plan.inner_height)]
    np.testing.assert_allclose(plan.to_frame(inner), [(0, 0), (1001, 333)], atol=1e-3)


def apply_letterbox(frame: NDArray[np.uint8], plan: Letterbox) -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] = apply_letterboxes([frame], [plan])[0]
    return picture


def test_pixels_stay_as_they_are_in_a_grey_border() -> None:
    frame = np.zeros((50, 100, 3), np.uint8)
    frame[..., 0] = 255
    picture = apply_letterbox(frame, plan_letterbox(100, 50, input_size=640))
    assert picture.shape == (64, 128, 3)
    assert picture.dtype == np.uint8
    assert picture[30, 60].tolist() == [255, 0, 0]
    assert picture[0, 0].tolist() == [FILL] * 3


def test_a_mark_lands_where_the_plan_says() -> None:
    frame = np.zeros((400, 800, 3), np.uint8)
    frame[200:220, 600:620] = 255
    plan = plan_letterbox(800, 400, input_size=320)
    rows, columns = np.nonzero(apply_letterbox(frame, plan)[plan.top : plan.top + plan.inner_height, :, 0] > 128)
    spot = float(columns.mean()) + 0.5, float(rows.mean()) + 0.5 + plan.top
    np.testing.assert_allclose(plan.to_frame([spot]), [(610, 210)], atol=1)


@pytest.mark.parametrize("step", [1, -1])
def test_strided_frames_are_not_written_to(step: int) -> None:
    frame = np.full((64, 64, 3), 7, np.uint8)[::step, :, ::step]
    frame.setflags(write=False)
    assert apply_letterbox(frame, plan_letterbox(64, 64, input_size=64)).shape == (64, 64, 3)


@pytest.mark.parametrize("size", [(850, 1280), (555, 832), (270, 480), (301, 499), (1700, 2560)])
def test_a_resized_picture_is_nearly_the_average_over_areas(size: tuple[int, int]) -> None:
    rough = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    picture = np.asarray(cv2.GaussianBlur(rough, (0, 0), 2.0), np.uint8)
    target = np.empty((170, 256, 3), np.uint8)
    resize_into(target, picture)
    area = cv2.resize(picture, (256, 170), interpolation=cv2.INTER_AREA)
    assert np.abs(target.astype(int) - area).mean() < 1.0


@pytest.mark.parametrize("width", [140, 224, 256, 257, 450, 512, 620])
def test_every_pixel_counts_when_a_picture_is_shrunk(width: int) -> None:
    target = np.empty((8, 128, 3), np.uint8)
    lit: list[int] = []
    for column in range(0, width, 7):
        picture = np.zeros((8 * width // 128, width, 3), np.uint8)
        picture[:, column] = 255
        resize_into(target, picture)
        lit.append(int(target.max()))
    assert min(lit) > 0
