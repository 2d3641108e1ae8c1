import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader.lab.synthesis.camera import PHOTOGRAPH, STREET, Step, apply_steps
from platereader.lab.synthesis.degrade import soften, streak_kernel

EFFECTS = {getattr(step.effect, "__name__", ""): step.effect for step in (*STREET.surface, *STREET.view)}
NAMES = sorted(EFFECTS)


def _plate_like(width: int = 200, height: int = 60) -> BgrImage:
    pixels = np.full((height, width, 3), (222, 226, 218), np.uint8)
    for left in range(width // 10, width - width // 10, max(4, width // 8)):
        cv2.rectangle(pixels, (left, height // 4), (left + width // 16, 3 * height // 4), (30, 28, 26), -1)
    return pixels


def _change(name: str, strength: float) -> float:
    """Mean change of a grey level over several draws."""
    pixels = _plate_like()
    changes = [
        np.abs(EFFECTS[name](pixels, rng=np.random.default_rng(seed), strength=strength).astype(float) - pixels).mean()
        for seed in range(12)
    ]
    return float(np.mean(changes))


@pytest.mark.parametrize("name", NAMES)
def test_an_effect_returns_a_new_picture_of_the_same_kind_and_the_same_one_for_a_seed(name: str) -> None:
    pixels = _plate_like()
    before = pixels.copy()
    for strength in (0.0, 0.4, 1.0):
        changed, again = (EFFECTS[name](pixels, rng=np.random.default_rng(5), strength=strength) for _ in range(2))
        assert changed.shape == pixels.shape
        assert changed.dtype == np.uint8
        assert np.array_equal(changed, again)
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_stronger_dose_changes_more(name: str) -> None:
    weak, strong = _change(name, 0.1), _change(name, 1.0)
    assert strong > 1.5 * weak
    assert strong > 1.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (16, 16), (700, 560)])
def test_an_effect_takes_any_size(name: str, size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 128, np.uint8)
    assert EFFECTS[name](pixels, rng=np.random.default_rng(2), strength=0.9).shape == pixels.shape


@pytest.mark.parametrize("name", NAMES)
def test_an_effect_takes_a_view_of_a_larger_picture(name: str) -> None:
    large = _plate_like(300, 120)
    view = large[10:80:1, 250:20:-1]
    copied = np.ascontiguousarray(view)
    changed = [EFFECTS[name](pixels, rng=np.random.default_rng(3), strength=0.6) for pixels in (view, copied)]
    assert np.array_equal(changed[0], changed[1])


def test_infrared_takes_all_colour_away() -> None:
    colourful = np.zeros((40, 90, 3), np.uint8)
    colourful[:, :30, 0], colourful[:, 30:60, 1], colourful[:, 60:, 2] = 200, 150, 240
    seen = EFFECTS["infrared"](colourful, rng=np.random.default_rng(1), strength=0.8)
    assert np.array_equal(seen[..., 0], seen[..., 1])
    assert np.array_equal(seen[..., 1], seen[..., 2])


def test_night_is_darker_and_haze_has_less_contrast() -> None:
    pixels = _plate_like()
    assert EFFECTS["night"](pixels, rng=np.random.default_rng(0), strength=1.0).mean() < 0.6 * pixels.mean()
    assert EFFECTS["haze"](pixels, rng=np.random.default_rng(0), strength=1.0).std() < 0.7 * pixels.std()


def test_noise_does_not_shift_the_brightness() -> None:
    pixels = np.full((300, 300, 3), 120, np.uint8)
    noisy = EFFECTS["sensor_noise"](pixels, rng=np.random.default_rng(4), strength=0.5)
    assert abs(float(noisy.mean()) - 120) < 1.0
    assert 8 < noisy.std() < 20


@pytest.mark.parametrize("length", [1.0, 3.5, 9.9])
def test_a_streak_kernel_keeps_the_brightness(length: float) -> None:
    kernel = streak_kernel(length, angle_rad=0.4)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    assert max(kernel.shape) <= 11


def test_a_horizontal_streak_leaves_horizontal_edges_sharp() -> None:
    kernel = streak_kernel(7.0, angle_rad=0.0)
    assert (kernel.sum(axis=0) > 0).sum() >= 7
    assert kernel.sum(axis=1)[len(kernel) // 2] > 0.6


def test_softening_at_half_size_is_as_wide_as_a_plain_gaussian() -> None:
    pixels = np.zeros((80, 80, 3), np.uint8)
    pixels[:, 40:] = 250
    plain = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 4.0), np.float64)
    assert np.abs(soften(pixels, sigma_px=4.0) - plain).mean() < 3.0


@pytest.mark.parametrize("steps", [STREET.view, PHOTOGRAPH])
def test_a_camera_changes_most_pictures_and_never_its_input(steps: tuple[Step, ...]) -> None:
    pixels = _plate_like()
    before = pixels.copy()
    seen = [apply_steps(pixels, steps=steps, rng=np.random.default_rng(seed)) for seed in range(40)]
    assert np.array_equal(pixels, before)
    assert sum(not np.array_equal(picture, before) for picture in seen) > 30


def test_no_steps_and_no_severity_do_nothing() -> None:
    pixels, rng = _plate_like(), np.random.default_rng(0)
    assert np.array_equal(apply_steps(pixels, steps=(), rng=rng), pixels)
    assert np.array_equal(apply_steps(pixels, steps=STREET.view, rng=rng, severity=0.0), pixels)


def test_doses_stay_within_their_range() -> None:
    doses: list[float] = []

    def record(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
        doses.append(strength)
        return pixels

    rng = np.random.default_rng(0)
    for _ in range(300):
        apply_steps(_plate_like(20, 10), steps=(Step(record, 0.5, 0.6),), rng=rng)
    assert 0.0 <= min(doses) < 0.05
    assert 0.5 < max(doses) <= 0.6
    assert 100 < len(doses) < 200
