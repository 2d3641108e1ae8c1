"""What a video camera does to a frame, and how bad the frames of each level are.

The damage was set on the half of the calibration fifth that is not in the suite, so that of the plates in full view at
the hard level 30 to 50 % read right in a single frame; then it was frozen: a change here changes the suite's pictures,
and with them every figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import exposed, log_uniform, through_jpeg, window_of

_GRAIN_PX = (1400, 840)


@dataclass(frozen=True, slots=True)
class FrameConditions:
    """The camera's conditions in one frame.

    ``gain`` is 1 for light as it is, ``veil`` grey haze, 0 to 255, ``defocus_px`` the spread of the lens's blur,
    ``streaks`` drops of rain, ``quality`` that of the JPEG.
    """

    gain: float
    veil: float
    defocus_px: float
    streaks: int
    quality: int


def apply_camera(
    pixels: BgrImage, conditions: FrameConditions, *, grain: NDArray[np.int16], rng: np.random.Generator
) -> BgrImage:
    """A frame as a camera delivers it; ``pixels`` may be written to, ``grain`` of ``grain_of`` is at least as large."""
    height, width = int(pixels.shape[0]), int(pixels.shape[1])
    if conditions.streaks:
        pixels = _with_rain(pixels, count=conditions.streaks, rng=rng)
    if conditions.defocus_px > 0.3:
        pixels = cast(BgrImage, cv2.GaussianBlur(pixels, (0, 0), conditions.defocus_px))
    pixels = exposed(pixels, gain=conditions.gain, veil=conditions.veil)
    grainy = cv2.add(pixels, window_of(grain, height=height, width=width, rng=rng), dtype=cv2.CV_8U)
    return through_jpeg(cast(BgrImage, grainy), quality=conditions.quality)


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
    return cast("NDArray[np.float32]", np.float32(0.8) * shared + np.float32(0.75) * cv2.resize(coarse, _GRAIN_PX))


def _with_rain(pixels: BgrImage, *, count: int, rng: np.random.Generator) -> BgrImage:
    """Short slanted strokes, half transparent."""
    height, width = pixels.shape[:2]
    over = pixels.copy()
    places = rng.uniform((0, 0), (width, height), (count, 2))
    lengths = rng.uniform(8, 34, count)
    for (x, y), length in zip(places.tolist(), lengths.tolist(), strict=True):
        end = (round(x + 0.18 * length), round(y + length))
        cv2.line(over, (round(x), round(y)), end, (205, 200, 196), 1, cv2.LINE_AA)
    return cast(BgrImage, cv2.addWeighted(over, 0.55, pixels, 0.45, 0))


_Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CaptureConditions:
    """How long the shutter is open, the spread of the noise in grey levels, and the conditions of each frame."""

    exposure_s: float
    grain: float
    frames: tuple[FrameConditions, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Ranges from which each sequence draws; ``far_px`` and ``near_px`` are widths of a plate.

    ``exposure_s`` is how long the shutter is open; ``grain`` and ``veil`` are in grey levels; ``rainy`` is the share of
    sequences with rain.
    """

    name: str
    far_px: _Range
    near_px: _Range
    exposure_s: _Range
    defocus_px: _Range
    grain: _Range
    gain: _Range
    veil: _Range
    quality: tuple[int, int]
    rainy: float

    def draw_conditions(self, times_s: list[float], *, rng: np.random.Generator) -> CaptureConditions:
        """Draw the conditions of a sequence: light and focus change over it, and most frames are compressed more."""
        defocus, gain, veil, grain = (rng.uniform(*one) for one in (self.defocus_px, self.gain, self.veil, self.grain))
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        streaks = int(rng.integers(60, 260)) if rng.random() < self.rainy else 0
        drift, flicker, focus_swing = rng.uniform(-0.3, 0.3), rng.uniform(0, 0.12), rng.uniform(0, 0.6)
        frequency_hz, phase, key_interval = rng.uniform(0.3, 2.0), rng.uniform(0, 6.28), int(rng.integers(6, 14))
        exposure_s = log_uniform(*self.exposure_s, rng=rng)
        frames: list[FrameConditions] = []
        for number, time_s in enumerate(times_s):
            wave = float(np.sin(2 * np.pi * frequency_hz * time_s + phase))
            light = gain * (1 + drift * number / len(times_s) + flicker * wave)
            blur = defocus * max(0.0, 1 + focus_swing * float(np.sin(1.3 * frequency_hz * time_s + phase)))
            jpeg_quality = quality + 12 if number % key_interval == 0 else quality
            frames.append(FrameConditions(light, veil, blur, streaks, min(jpeg_quality, 98)))
        return CaptureConditions(exposure_s, grain, tuple(frames))


LEVELS: tuple[Level, ...] = (
    # name, far_px, near_px, exposure_s, defocus_px, grain, gain, veil, quality, rainy
    Level(
        "easy", (60.0, 85.0), (110.0, 190.0), (1 / 1500, 1 / 400), (0.0, 0.6), (0.5, 3.0), (0.75, 1.15), (0.0, 12.0),
        (72, 92), 0.1,
    ),
    Level(
        "medium", (46.0, 64.0), (80.0, 125.0), (1 / 400, 1 / 110), (0.3, 1.3), (2.0, 8.0), (0.45, 1.2), (0.0, 45.0),
        (40, 70), 0.25,
    ),
    Level(
        "hard", (39.0, 53.0), (62.0, 101.0), (1 / 240, 1 / 70), (0.4, 1.4), (3.0, 9.5), (0.35, 1.2), (0.0, 62.0),
        (30, 57), 0.4,
    ),
)  # fmt: skip
"""From the easiest to the hardest."""
