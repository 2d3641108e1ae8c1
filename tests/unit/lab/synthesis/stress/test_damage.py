"""Every effect does what its amount says."""

import math

import cv2
import numpy as np
import pytest

from platereader.lab.synthesis.pose import Corners
from platereader.lab.synthesis.stress import damage
from platereader.lab.synthesis.stress.damage import EFFECTS
from platereader.lab.synthesis.stress.material import View


def view(width_px: int = 200, height_px: int = 44) -> View:
    """A bright plate with a dark bar in its middle, in grey surroundings."""
    pixels = np.full((height_px + 80, width_px + 120, 3), 90, np.uint8)
    pixels[40 : 40 + height_px, 60 : 60 + width_px] = 220
    middle = 60 + width_px // 2
    pixels[45 : 35 + height_px, middle - 2 : middle + 2] = 20
    right, bottom = 60 + width_px, 40 + height_px
    corners = np.array([(60, 40), (right, 40), (right, bottom), (60, bottom)], np.float32)
    return View(pixels, corners, 1, "A123BC77", "drawn")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def sides(corners: Corners) -> list[float]:
    points = corners.tolist()
    return [math.dist(points[i], points[(i + 1) % 4]) for i in range(4)]


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_the_same_seed_gives_the_same_picture_and_the_input_stays(name: str) -> None:
    original = view()
    before = original.pixels.copy()
    first, second = (EFFECTS[name](original, 10.0, rng=rng()) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)
    assert np.array_equal(first.corners, second.corners)
    assert first.pixels.dtype == np.uint8
    assert first.corners.dtype == np.float32
    assert np.array_equal(original.pixels, before)


@pytest.mark.parametrize("width_px", [100.0, 60.0, 40.0])
def test_width_is_that_of_the_plate(width_px: float) -> None:
    small = damage.width(view(), width_px, rng=rng())
    assert small.width_px == pytest.approx(width_px, rel=0.01)
    assert damage.width(view(), 500.0, rng=rng()).width_px == pytest.approx(200)


def test_yaw_shortens_the_plate_and_roll_turns_it() -> None:
    top, right, bottom, left = sides(damage.yaw(view(), 45.0, rng=rng()).corners)
    assert top == pytest.approx(200 * math.cos(math.radians(45)), rel=0.05)
    assert abs(right - left) > 4  # perspective
    rolled = damage.roll(view(), 30.0, rng=rng()).corners.tolist()
    slope = math.degrees(math.atan2(rolled[1][1] - rolled[0][1], rolled[1][0] - rolled[0][0]))
    assert abs(slope) == pytest.approx(30, abs=0.1)
    assert bottom == pytest.approx(top, rel=0.05)


def test_turned_corners_lie_on_the_turned_plate() -> None:
    turned = damage.turned(view(), angles_deg=(20.0, -10.0, 15.0))
    inside = np.array([turned.point(across, down) for across in (0.1, 0.9) for down in (0.2, 0.8)])
    outside = np.array([turned.point(across, 0.5) for across in (-0.1, 1.1)])
    values = [int(turned.pixels[round(y), round(x), 0]) for x, y in inside.tolist()]
    beyond = [int(turned.pixels[round(y), round(x), 0]) for x, y in outside.tolist()]
    assert min(values) > 180
    assert max(beyond) < 120


@pytest.mark.parametrize("amount", [3.0, 8.0])
def test_motion_blur_smears_a_point_over_its_length(amount: float) -> None:
    pixels = np.zeros((121, 241, 3), np.uint8)
    pixels[60, 120] = 255
    plate = View(pixels, view().corners, 1, "A123BC77", "drawn")
    blurred = damage.motion_blur(plate, amount, rng=rng()).pixels[..., 0]
    ys, xs = np.nonzero(blurred)
    length = math.hypot(int(xs.max() - xs.min()), int(ys.max() - ys.min()))
    assert length == pytest.approx(amount / 100 * 200, abs=2.0)


def test_night_leaves_a_share_of_the_light() -> None:
    dark = damage.night(view(), 1 / 3, rng=rng())
    assert float(dark.pixels.mean()) == pytest.approx(float(view().pixels.mean()) / 3, abs=3)


def test_dirt_is_dark_snow_is_white_and_both_cover_their_share() -> None:
    plain = view()
    for effect, level in ((damage.dirt, 60), (damage.snow, 230)):
        changed = effect(plain, 20.0, rng=rng()).pixels.astype(int) - plain.pixels.astype(int)
        assert 0.12 < float((np.abs(changed).max(axis=2) > 8).mean()) < 0.35
        covered = effect(plain, 20.0, rng=rng()).pixels[np.abs(changed).max(axis=2) > 60]
        assert abs(float(np.median(covered)) - level) < 60


def test_an_occlusion_is_as_wide_as_asked() -> None:
    hidden = damage.occlusion(view(), 5.0, rng=rng())
    row = np.abs(hidden.pixels[42, :, 0].astype(int) - view().pixels[42, :, 0].astype(int)) > 10
    assert 3 <= int(row.sum()) <= 12


@pytest.mark.parametrize("seed", range(6))
def test_cut_off_plates_end_with_the_picture(seed: int) -> None:
    cut = damage.cut_off(view(), 30.0, rng=np.random.default_rng(seed))
    assert sides(cut.corners)[0] == pytest.approx(140, abs=1.5)
    at_left = abs(float(cut.corners[0, 0])) < 1.5
    at_right = abs(float(cut.corners[1, 0]) - cut.pixels.shape[1]) < 1.5
    assert at_left != at_right


def test_jpeg_hurts_more_at_lower_quality() -> None:
    textured = view()
    noisy = View(
        np.asarray(
            cv2.add(textured.pixels, np.random.default_rng(0).integers(0, 40, textured.pixels.shape, np.uint8)),
            np.uint8,
        ),
        textured.corners,
        1,
        "A123BC77",
        "drawn",
    )
    errors = [
        float(np.abs(damage.jpeg(noisy, quality, rng=rng()).pixels.astype(int) - noisy.pixels).mean())
        for quality in (90.0, 40.0, 12.0)
    ]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]
