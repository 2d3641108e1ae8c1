"""What cameras do to the frames of the scenes suite: an ordinary one, and a cheap one behind a windscreen in winter.

They are part of a frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage, motion_kernel, through_jpeg


def ordinary_camera(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """A photograph as it comes: a little less light, a little noise, JPEG of quality 60 to 95."""
    lit = _exposed(pixels, gain=np.full(3, rng.uniform(0.7, 1.1)), veil=np.zeros(3))
    return through_jpeg(_noisy(lit, sigma=rng.uniform(0.5, 4.0), rng=rng), quality=int(rng.integers(60, 96)))


def dash_camera(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """A frame of a dash-cam in winter: haze or dusk, a purple cast, soft optics, slight motion blur, JPEG 30 to 60."""
    level = rng.uniform(0.35, 0.95)
    cast_bgr = np.array((1.0, 1.0 - rng.uniform(0.0, 0.3), 1.0 + rng.uniform(-0.08, 0.08)))
    haze = rng.uniform(0.0, 0.45) * level
    veil = 255 * haze * np.array((1.0, 1.0 - 0.4 * (1 - cast_bgr[1]), 0.98)) * rng.uniform(0.5, 0.85)
    frame = _exposed(pixels, gain=level * (1 - haze) * cast_bgr, veil=veil)
    frame = cast(BgrImage, cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.5, 1.3)))
    if rng.random() < 0.6:
        length_px, angle = rng.uniform(1.5, 5.0), rng.normal(0.0, 0.5)
        half = math.ceil(length_px / 2) + 1
        steps = np.linspace(-length_px / 2, length_px / 2, 8 * half)
        kernel = motion_kernel(steps * math.cos(angle), steps * math.sin(angle), half=half)
        frame = cast(BgrImage, cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REPLICATE))
    frame = _vignetted(_noisy(frame, sigma=rng.uniform(1.0, 6.0), rng=rng), depth=rng.uniform(0.0, 0.35))
    return through_jpeg(frame, quality=int(rng.integers(30, 61)))


def _exposed(pixels: BgrImage, *, gain: NDArray[np.float64], veil: NDArray[np.float64]) -> BgrImage:
    """Each channel times its gain, and a veil of light over it."""
    ramp = np.arange(256, dtype=np.float64)[:, None]
    table = np.clip(np.rint(ramp * gain + veil), 0, 255).astype(np.uint8)
    return cast(BgrImage, cv2.LUT(pixels, table[None]))


def _noisy(pixels: BgrImage, *, sigma: float, rng: np.random.Generator) -> BgrImage:
    """Grain of the given spread in grey levels, the same in all channels but for a third of it."""
    rows, columns = pixels.shape[:2]
    grain = rng.standard_normal((rows, columns, 1), np.float32) * np.float32(0.8 * sigma)
    colour = cv2.resize(rng.standard_normal((rows // 2 + 1, columns // 2 + 1, 3), np.float32), (columns, rows))
    noisy = pixels + grain + colour * np.float32(0.6 * sigma)
    return cast(BgrImage, np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def _vignetted(pixels: BgrImage, *, depth: float) -> BgrImage:
    """Darker by ``depth`` in the corners."""
    rows, columns = pixels.shape[:2]
    down: FloatImage = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] ** 2
    across: FloatImage = np.linspace(-1, 1, columns, dtype=np.float32) ** 2
    shade = 1 - np.float32(depth / 2) * (down + across)
    return cast(BgrImage, np.rint(pixels * shade[..., None]).astype(np.uint8))
