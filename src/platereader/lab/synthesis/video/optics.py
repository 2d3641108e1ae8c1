"""What a video camera does to a frame: light, focus, rain, grain and compression.

It is part of a frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage

__all__ = ["FrameConditions", "apply_camera", "grain_of"]

_GRAIN_PX = (1400, 840)
_STREAK_COLOUR = (205, 200, 196)


@dataclass(frozen=True, slots=True)
class FrameConditions:
    """The camera's conditions in one frame.

    Attributes:
        gain: light, 1 for as it is.
        veil: grey haze over everything, 0 to 255.
        defocus_px: spread of the blur of the lens.
        streaks: drops of rain, each as a stroke.
        quality: of the JPEG, 1 to 100.
    """

    gain: float
    veil: float
    defocus_px: float
    streaks: int
    quality: int


def apply_camera(
    pixels: BgrImage, conditions: FrameConditions, *, grain: NDArray[np.int16], rng: np.random.Generator
) -> BgrImage:
    """A frame as a camera delivers it.

    Args:
        pixels: uint8 ``(H, W, 3)`` BGR; may be written to.
        conditions: of this frame.
        grain: from ``grain_of``, at least as large.
        rng: where drops fall, and which part of the grain is used.
    """
    height, width = int(pixels.shape[0]), int(pixels.shape[1])
    if conditions.streaks:
        pixels = _with_rain(pixels, count=conditions.streaks, rng=rng)
    if conditions.defocus_px > 0.3:
        pixels = cast(BgrImage, cv2.GaussianBlur(pixels, (0, 0), conditions.defocus_px))
    ramp = np.arange(256, dtype=np.float64) * conditions.gain + conditions.veil
    pixels = cast(BgrImage, cv2.LUT(pixels, np.clip(np.rint(ramp), 0, 255).astype(np.uint8)))
    slack = (int(grain.shape[0]) - height, int(grain.shape[1]) - width)
    top, left = int(rng.integers(slack[0] + 1)), int(rng.integers(slack[1] + 1))
    grainy = cv2.add(pixels, grain[top : top + height, left : left + width], dtype=cv2.CV_8U)
    _, data = cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, conditions.quality])
    return cast(BgrImage, cv2.imdecode(data, cv2.IMREAD_COLOR))


def grain_of(sigma: float) -> NDArray[np.int16]:
    """Grain of a spread in grey levels, a little larger than a frame: int16 ``(840, 1400, 3)``."""
    grain: NDArray[np.int16] = np.rint(_unit_grain() * np.float32(sigma)).astype(np.int16)
    return grain


@lru_cache(maxsize=1)
def _unit_grain() -> NDArray[np.float32]:
    """Grain of spread one, mostly the same in all channels."""
    rng = np.random.default_rng(2026)
    width, height = _GRAIN_PX
    shared = rng.standard_normal((height, width, 1), np.float32)
    coarse = rng.standard_normal((height // 2, width // 2, 3), np.float32)
    grain: NDArray[np.float32] = np.float32(0.8) * shared + np.float32(0.75) * cv2.resize(coarse, _GRAIN_PX)
    return grain


def _with_rain(pixels: BgrImage, *, count: int, rng: np.random.Generator) -> BgrImage:
    """Short slanted strokes, half transparent."""
    height, width = pixels.shape[:2]
    over = pixels.copy()
    places = rng.uniform((0, 0), (width, height), (count, 2))
    lengths = rng.uniform(8, 34, count)
    for (x, y), length in zip(places.tolist(), lengths.tolist(), strict=True):
        end = (round(x + 0.18 * length), round(y + length))
        cv2.line(over, (round(x), round(y)), end, _STREAK_COLOUR, 1, cv2.LINE_AA)
    return cast(BgrImage, cv2.addWeighted(over, 0.55, pixels, 0.45, 0))
