from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis import crops
from platereader.lab.synthesis.camera import Camera, Step
from platereader.lab.synthesis.capture import SIZES_PX, CropProfile
from platereader.lab.synthesis.crops import jitter_real, plate_sample, random_layout, random_text
from platereader.lab.synthesis.pose import CornerError, Corners, PoseRange, corners_of, homography, noisy_corners
from platereader.lab.synthesis.render import render_plate
from platereader.plates import DEFAULT_SCHEMES, RUSSIA
from platereader.plates._alphabet import ILLEGIBLE
from platereader.results import Lines

EXACT = CropProfile(
    camera=Camera(surface=(), view=()),
    photograph=(),
    pose=PoseRange(yaw_deg=(12, 30), pitch_deg=(8, 20), roll_deg=(3, 10), steep_share=0.2),
    corner_error=CornerError(median=0.0),
    box_share=0.0,
    margin=0.0,
    camera_width_px=(160.0, 220.0),
)


def test_samples_have_the_size_of_their_kind_and_a_legal_text() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        sample = plate_sample(rng)
        assert sample.pixels.shape == ((48, 192, 3) if sample.lines == 1 else (96, 160, 3))
        assert sample.pixels.dtype == np.uint8
        assert ILLEGIBLE in sample.text or RUSSIA.format(sample.format_name).matches(sample.text)
        assert RUSSIA.layout(sample.format_name).line_count == sample.lines


def test_the_same_rng_gives_the_same_sample() -> None:
    photograph = np.random.default_rng(5).integers(0, 255, (200, 300, 3), np.uint8)
    first, second = (plate_sample(np.random.default_rng(9), backgrounds=[photograph]) for _ in range(2))
    assert first.text == second.text
    assert np.array_equal(first.pixels, second.pixels)


def test_with_true_corners_the_sample_is_the_plate() -> None:
    rng = np.random.default_rng(4)
    likeness: list[float] = []
    for _ in range(25):
        sample = plate_sample(rng, profile=EXACT)
        plate = render_plate(sample.text, RUSSIA.layout(sample.format_name), height_px=64 * sample.lines, rng=rng)
        size = (sample.pixels.shape[1], sample.pixels.shape[0])
        ideal = cv2.resize(plate.pixels, size, interpolation=cv2.INTER_AREA)
        pair = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).ravel() for picture in (sample.pixels, ideal)]
        likeness.append(float(np.corrcoef(pair[0], pair[1])[0, 1]))
    assert float(np.median(likeness)) > 0.75


def test_backgrounds_are_not_written_to() -> None:
    photograph = np.full((64, 80, 3), 77, np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(20):
        plate_sample(rng, backgrounds=[photograph])
    assert (photograph == 77).all()


def test_groups_of_types_come_as_often_as_their_weights_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "FORMAT_WEIGHTS", {"standard": 3.0, "police": 1.0})
    rng = np.random.default_rng(0)
    drawn = Counter(random_layout(rng).name for _ in range(2000))
    police = sum(count for name, count in drawn.items() if name.startswith("police"))
    assert 0.2 < police / 2000 < 0.3
    assert drawn["standard_two_line"] > 500
    assert set(drawn) == {"standard", "standard_two_line", *(name for name in drawn if name.startswith("police"))}


def test_some_texts_carry_a_code_that_is_not_in_use() -> None:
    rng = np.random.default_rng(0)
    standard, known = RUSSIA.layout("standard"), set(RUSSIA.regions)
    codes = [standard.plate_format.region_codes(random_text(standard, rng=rng))[0] for _ in range(600)]
    unknown = sum(code not in known for code in codes) / 600
    assert 0.01 < unknown < 0.12
    assert len(set(codes)) > 60
    assert all(DEFAULT_SCHEMES.fit(random_text(RUSSIA.layout("taxi"), rng=rng)).legal for _ in range(20))


def test_a_sample_of_which_an_end_is_missing_says_so() -> None:
    rng = np.random.default_rng(1)
    profile = replace(EXACT, cut_share=1.0)
    texts = [plate_sample(rng, profile=profile).text for _ in range(60)]
    marked = [text for text in texts if ILLEGIBLE in text]
    assert len(marked) > 36  # a quarter of the cuts, and other narrow ones, take nothing but the rim
    assert any(text.startswith(ILLEGIBLE) for text in marked)
    assert any(text.endswith(ILLEGIBLE) for text in marked)


def test_hidden_characters_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "FORMAT_WEIGHTS", {"standard": 1.0})

    def mud(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
        soiled: BgrImage = pixels.copy()
        soiled[:, : pixels.shape[1] // 3] = 40
        return soiled

    profile = replace(EXACT, camera=Camera(surface=(Step(mud, 1.0),), view=()))
    rng = np.random.default_rng(0)
    for _ in range(10):
        sample = plate_sample(rng, profile=profile)
        if sample.lines == 1:
            assert sample.text.startswith(ILLEGIBLE)
            assert 5 <= len(sample.text) <= 8


def _photographed(pixels: BgrImage, corners: Corners, lines: Lines = 1) -> RealPlate:
    return RealPlate(pixels, corners, lines, "A123BC77", "a.jpg")


def _photograph_with_plate() -> tuple[BgrImage, Corners, BgrImage]:
    plate = render_plate("A123BC77", RUSSIA.layout("standard"), height_px=56, rng=np.random.default_rng(0)).pixels
    frame = np.full((300, 600, 3), 110, np.uint8)
    corners = np.array([(150, 100), (400, 112), (398, 168), (152, 154)], np.float32)
    matrix = homography(corners_of((plate.shape[1], plate.shape[0])), corners)
    cv2.warpPerspective(plate, matrix, (600, 300), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
    return frame, corners, plate


def test_a_real_plate_without_jitter_is_straightened() -> None:
    frame, corners, plate = _photograph_with_plate()
    before = frame.copy()
    for seed in range(5):
        pixels = jitter_real(_photographed(frame, corners), rng=np.random.default_rng(seed), profile=EXACT).pixels
        ideal = cv2.resize(plate, SIZES_PX[1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(pixels.ravel(), np.asarray(ideal).ravel())[0, 1] > 0.85
    assert np.array_equal(frame, before)


def test_jitter_differs_from_draw_to_draw() -> None:
    frame, corners, _ = _photograph_with_plate()
    rng = np.random.default_rng(0)
    first, second = (jitter_real(_photographed(frame, corners), rng=rng).pixels for _ in range(2))
    assert not np.array_equal(first, second)
    assert jitter_real(_photographed(frame, corners, lines=2), rng=rng).pixels.shape == (96, 160, 3)


@pytest.mark.parametrize("shift", [(-160.0, -105.0), (180.0, 130.0)])
def test_a_plate_cut_by_the_border_of_the_photograph_is_taken(shift: tuple[float, float]) -> None:
    frame, corners, _ = _photograph_with_plate()
    moved = corners + np.array(shift, np.float32)
    assert jitter_real(_photographed(frame, moved), rng=np.random.default_rng(0)).pixels.shape == (48, 192, 3)


def test_corner_errors_have_the_median_that_was_asked_for() -> None:
    corners, rng = corners_of((500.0, 108.0)), np.random.default_rng(0)
    found = np.stack([noisy_corners(corners, error=CornerError(median=0.03), rng=rng) for _ in range(1500)])
    errors = np.linalg.norm(found - corners, axis=2) / 500
    assert 0.022 < float(np.median(errors)) < 0.038
    assert float(np.quantile(errors, 0.99)) > 0.07
    assert np.abs((found - corners).mean(axis=(0, 1))).max() < 1.0
