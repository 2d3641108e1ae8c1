"""How bad the frames of each level are.

The damage was set on the half of the calibration fifth that is not in the suite, so that of the plates in full view at
the hard level 30 to 50 % read right in a single frame; then it was frozen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from platereader.lab.synthesis.video.optics import FrameConditions

__all__ = ["LEVELS", "CaptureConditions", "Level"]

_Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CaptureConditions:
    """The camera's conditions over one sequence.

    Attributes:
        exposure_s: how long the shutter is open.
        grain: spread of the noise in grey levels.
        frames: conditions of each frame.
    """

    exposure_s: float
    grain: float
    frames: tuple[FrameConditions, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Ranges from which each sequence draws.

    Attributes:
        name: of the level.
        far_px: width of a plate where it is farthest.
        near_px: where it is nearest.
        exposure_s: how long the shutter is open.
        defocus_px: spread of the blur of the lens.
        grain: spread of the noise in grey levels.
        gain: light.
        veil: haze in grey levels.
        quality: of the JPEG.
        rainy: share of sequences with rain.
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
        """Draw the conditions of a sequence: light and focus change over it, and most frames are compressed more.

        Args:
            times_s: of the frames.
            rng: source of randomness.
        """
        defocus, gain, veil, grain = (
            float(rng.uniform(*one)) for one in (self.defocus_px, self.gain, self.veil, self.grain)
        )
        quality = int(rng.integers(self.quality[0], self.quality[1] + 1))
        streaks = int(rng.integers(60, 260)) if rng.random() < self.rainy else 0
        drift, flicker, focus_swing = rng.uniform(-0.3, 0.3), rng.uniform(0, 0.12), rng.uniform(0, 0.6)
        frequency_hz, phase, key_interval = rng.uniform(0.3, 2.0), rng.uniform(0, 6.28), int(rng.integers(6, 14))
        exposure_s = math.exp(rng.uniform(math.log(self.exposure_s[0]), math.log(self.exposure_s[1])))
        frames: list[FrameConditions] = []
        for number, time_s in enumerate(times_s):
            wave = float(np.sin(2 * np.pi * frequency_hz * time_s + phase))
            light = gain * (1 + drift * number / len(times_s) + flicker * wave)
            blur = defocus * max(0.0, 1 + focus_swing * float(np.sin(1.3 * frequency_hz * time_s + phase)))
            jpeg_quality = quality + 12 if number % key_interval == 0 else quality
            frames.append(FrameConditions(light, veil, blur, streaks, min(jpeg_quality, 98)))
        return CaptureConditions(exposure_s, grain, tuple(frames))


LEVELS: tuple[Level, ...] = (
    Level(
        name="easy",
        far_px=(60.0, 85.0),
        near_px=(110.0, 190.0),
        exposure_s=(1 / 1500, 1 / 400),
        defocus_px=(0.0, 0.6),
        grain=(0.5, 3.0),
        gain=(0.75, 1.15),
        veil=(0.0, 12.0),
        quality=(72, 92),
        rainy=0.1,
    ),
    Level(
        name="medium",
        far_px=(46.0, 64.0),
        near_px=(80.0, 125.0),
        exposure_s=(1 / 400, 1 / 110),
        defocus_px=(0.3, 1.3),
        grain=(2.0, 8.0),
        gain=(0.45, 1.2),
        veil=(0.0, 45.0),
        quality=(40, 70),
        rainy=0.25,
    ),
    Level(
        name="hard",
        far_px=(39.0, 53.0),
        near_px=(62.0, 101.0),
        exposure_s=(1 / 240, 1 / 70),
        defocus_px=(0.4, 1.4),
        grain=(3.0, 9.5),
        gain=(0.35, 1.2),
        veil=(0.0, 62.0),
        quality=(30, 57),
        rainy=0.4,
    ),
)
"""From the easiest to the hardest."""
