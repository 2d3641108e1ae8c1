"""What effects are made of: smooth fields over a picture, tone curves, and banks of ready noise.

Fields are small or uint8 wherever the eye allows it: every plate of a training run passes through here.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage

FloatImage: TypeAlias = NDArray[np.float32]
"""float32 (H, W) or (H, W, 3)."""

GRAIN_SPREAD = 32.0
"""Standard deviation of a grain bank in grey levels."""

_Option = TypeVar("_Option")
_Number = TypeVar("_Number", np.uint8, np.int16, np.float32)
_GRAIN_SIDE_PX = 512
_CLOUD_SIDE_PX = 256


def log_uniform(low: float, high: float, *, rng: np.random.Generator) -> float:
    """A random number, evenly on a logarithmic scale."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def pick(options: Sequence[_Option], *, rng: np.random.Generator) -> _Option:
    """One of the options, each as likely as the others."""
    return options[int(rng.integers(len(options)))]


def either_sign(rng: np.random.Generator) -> float:
    """1 or -1."""
    return 1.0 if rng.random() < 0.5 else -1.0


def with_curves(pixels: BgrImage, curves: NDArray[np.floating[Any]]) -> BgrImage:
    """Send every value through its channel's curve (256, 3), or through one curve for all, (256, 1)."""
    table = np.minimum(np.maximum(curves, 0.0), 255.0).astype(np.uint8)[None]
    return cast(BgrImage, cv2.LUT(pixels, table))


def exposed(
    pixels: BgrImage, *, gain: float | NDArray[np.float64], veil: float | NDArray[np.float64] = 0.0
) -> BgrImage:
    """All channels times a gain, and a veil of light over them; or each by its own, (3,)."""
    return with_curves(pixels, np.rint(np.arange(256.0)[:, None] * gain + veil))


def with_gain(pixels: BgrImage, gain: NDArray[np.floating[Any]]) -> BgrImage:
    """Multiply by a field of gains (h, w), 128 for 1, enlarged smoothly to the picture."""
    height, width = pixels.shape[:2]
    # Integers are twice as fast as floats here.
    field = cv2.cvtColor(np.clip(gain, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    return cast(BgrImage, cv2.multiply(pixels, field, scale=1 / 128))


def with_light(pixels: BgrImage, light: NDArray[np.float64]) -> BgrImage:
    """Add a small field of light (h, w, 3), enlarged smoothly to the picture."""
    height, width = pixels.shape[:2]
    small = np.clip(light, 0, 255).astype(np.uint8)
    return cast(BgrImage, cv2.add(pixels, cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)))


def with_paint(pixels: BgrImage, *, colour: NDArray[np.float64], alpha: FloatImage) -> BgrImage:
    """Mix one colour into the picture by a field (H, W) in [0, 1]."""
    paint = np.empty_like(pixels)
    paint[:] = np.clip(colour, 0, 255).astype(np.uint8)
    return cast(BgrImage, cv2.blendLinear(pixels, paint, np.float32(1) - alpha, alpha))


def spot(half_axes: tuple[float, float], *, angle_rad: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A Gaussian spot (16, 32) in [0, 1] at a random place, its half axes in parts of the picture's sides."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    xs = (np.linspace(0, 1, 32) - rng.random())[None, :] / half_axes[0]
    ys = (np.linspace(0, 1, 16) - rng.random())[:, None] / half_axes[1]
    return np.asarray(np.exp(-((xs * cos + ys * sin) ** 2) - (ys * cos - xs * sin) ** 2), np.float64)


def patches(pixels: BgrImage, *, rng: np.random.Generator, cover: float, lean: float) -> FloatImage:
    """Irregular patches (H, W) in [0, 1] over about ``cover`` of the picture, leaning to one edge."""
    height, width = pixels.shape[:2]
    scale = float(rng.uniform(0.1, 0.4)) * _CLOUD_SIDE_PX
    window = window_of(_clouds(), height=int(scale), width=int(2.4 * scale), rng=rng)
    slope = np.linspace(-lean, lean, len(window), dtype=np.float32)[:, None]
    threshold = np.float32(2.5 * (0.5 - cover))
    alpha = (window + slope - threshold) * np.float32(rng.uniform(1.2, 5.0))
    return cast(FloatImage, cv2.resize(np.clip(alpha, 0.0, 1.0), (width, height), interpolation=cv2.INTER_LINEAR))


def window_of(bank: NDArray[_Number], *, height: int, width: int, rng: np.random.Generator) -> NDArray[_Number]:
    """A random window of a noise bank, tiled where the picture is larger than the bank."""
    rows, columns = int(bank.shape[0]), int(bank.shape[1])
    if height > rows or width > columns:
        repeats = (math.ceil(height / rows), math.ceil(width / columns), 1)
        bank = np.tile(bank, repeats[: bank.ndim])
        rows, columns = rows * repeats[0], columns * repeats[1]
    top, left = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
    return bank[top : top + height, left : left + width]


@functools.cache
def grain_bank(*, smeared: bool, coloured: bool) -> BgrImage:
    """A bank of noise around 128: drawing it anew for every plate would cost more than all else together."""
    bank_rng = np.random.default_rng(20 + 2 * smeared + coloured)
    noise = bank_rng.standard_normal((_GRAIN_SIDE_PX, _GRAIN_SIDE_PX, 3), np.float32)
    if not coloured:
        noise[:] = noise[..., :1]
    if smeared:
        noise = cast(FloatImage, cv2.GaussianBlur(noise, (0, 0), 0.9))
        noise /= noise.std()
    return np.asarray(np.clip(128.0 + GRAIN_SPREAD * noise, 0, 255), np.uint8)


@functools.cache
def _clouds() -> FloatImage:
    """A bank (256, 256) of cloud-like noise with unit spread: octaves of smoothed grain."""
    bank_rng = np.random.default_rng(31)
    total = np.zeros((_CLOUD_SIDE_PX, _CLOUD_SIDE_PX), np.float32)
    for octave in (4, 8, 16, 32, 64, 128):
        grid = bank_rng.standard_normal((octave, octave), np.float32)
        smooth = cast(FloatImage, cv2.resize(grid, (_CLOUD_SIDE_PX, _CLOUD_SIDE_PX), interpolation=cv2.INTER_CUBIC))
        total += smooth / np.float32(octave**0.7)
    return cast(FloatImage, (total - total.mean()) / total.std())


def through_jpeg(pixels: BgrImage, *, quality: int) -> BgrImage:
    """What a JPEG file of that quality, 1 to 100, keeps of a picture."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast(BgrImage, cv2.imdecode(data, cv2.IMREAD_COLOR))


def motion_kernel(x_px: NDArray[np.float64], y_px: NDArray[np.float64], *, half: int) -> NDArray[np.float64]:
    """A kernel that sums to one: the mean of the picture moved to each of some points, as bilinear interpolation would.

    ``x_px`` and ``y_px``, float64 ``(S,)``, count from the middle of the kernel, which has ``half`` pixels on either
    side of it: float64 ``(2 * half + 1, 2 * half + 1)``.
    """
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    columns = np.clip(1 - np.abs(x_px[:, None] - offsets), 0, 1)  # (S, side)
    rows = np.clip(1 - np.abs(y_px[:, None] - offsets), 0, 1)
    total = rows.T @ columns
    kernel: NDArray[np.float64] = total / total.sum()
    return kernel
