"""Photographs moved, scaled or rotated into a frame and continued to its borders, and what a camera does to it.

All of this is part of a frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage, exposed, motion_kernel, through_jpeg
from platereader.lab.synthesis.pose import Corners, homography, moved_by, outline_of, warp_onto

_MIN_SCALE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A photograph, uint8 ``(H, W, 3)`` BGR, with the plates known in it; the first one is to be found.

    ``plates`` are corners, float32 ``(4, 2)`` in these pixels, as in ``Quad``.
    """

    pixels: BgrImage
    plates: tuple[Corners, ...]


def render_frame(photograph: Photograph, matrix: NDArray[np.float64], *, size_px: tuple[int, int]) -> Photograph:
    """The photograph in a frame of that width and height, by a ``pose.homography``, and the plates in its pixels.

    Outside of the photograph is its mirror image without any plate.
    """
    plates = tuple(moved_by(matrix, points=corners) for corners in photograph.plates)
    scale = plate_width(plates[0]) / max(plate_width(photograph.plates[0]), 1e-6)
    # At about the size it will have: a warp alone would skip pixels.
    small = photograph if scale > _MIN_SCALE else resized(photograph, scale=scale, interpolation=cv2.INTER_AREA)
    matrix = matrix @ homography(outline_of(small.pixels), outline_of(photograph.pixels))
    around = without_plates(small.pixels, small.plates)
    frame = cv2.warpPerspective(around, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    pixels = cast(BgrImage, frame)
    warp_onto(pixels, small.pixels, matrix=matrix)
    return Photograph(pixels, plates)


def without_plates(pixels: BgrImage, plates: Sequence[Corners]) -> BgrImage:
    """A copy in which each plate is filled in from its surroundings."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for corners in plates:
        middle = corners.mean(axis=0)
        outline = np.rint(middle + 1.35 * (corners - middle)).astype(np.int32)
        cv2.fillConvexPoly(mask, outline, 255)
    return cast(BgrImage, cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA))


def random_placement(
    photograph: Photograph, *, width_px: float, size_px: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The matrix that puts the whole photograph into a frame, or fills the frame with part of it.

    The first plate gets the width ``width_px`` and is wholly inside.
    """
    plate = photograph.plates[0]
    scale = width_px / plate_width(plate)
    low, high = scale * plate.min(axis=0), scale * plate.max(axis=0)
    height, width = photograph.pixels.shape[:2]
    shift: list[float] = []
    for axis, (side, frame) in enumerate(zip((width, height), size_px, strict=True)):
        ends = sorted((0.0, frame - scale * side))
        # The plate keeps its own height off the border, as far as there is room.
        room = min(float(high[1] - low[1]), max(0.0, (frame - float(high[axis] - low[axis])) / 2))
        first, last = room - float(low[axis]), frame - room - float(high[axis])
        start, stop = max(ends[0], first), min(ends[1], last)
        chosen = float(rng.uniform(start, stop)) if start < stop else (first + last) / 2
        shift.append(chosen if start < stop else float(np.clip(chosen, first, last)))
    outline = outline_of(photograph.pixels)
    return homography(outline, outline * np.float32(scale) + np.array(shift, np.float32))


def plate_width(corners: Corners) -> float:
    """Mean length of the upper and the lower edge, pixels."""
    return float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2


def resized(photograph: Photograph, *, scale: float, interpolation: int) -> Photograph:
    """The photograph and its plates, so many times as large."""
    height, width = photograph.pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pixels = cast(BgrImage, cv2.resize(photograph.pixels, size, interpolation=interpolation))
    factors = np.array((size[0] / width, size[1] / height), np.float32)
    return Photograph(pixels, tuple(corners * factors for corners in photograph.plates))


# ---------------------------------------------------------------- cameras


def ordinary_camera(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """A photograph as it comes: a little less light, a little noise, JPEG of quality 60 to 95."""
    lit = exposed(pixels, gain=rng.uniform(0.7, 1.1))
    return through_jpeg(_noisy(lit, sigma=rng.uniform(0.5, 4.0), rng=rng), quality=int(rng.integers(60, 96)))


def dash_camera(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """A frame of a dash-cam in winter: haze or dusk, a purple cast, soft optics, slight motion blur, JPEG 30 to 60."""
    level = rng.uniform(0.35, 0.95)
    cast_bgr = np.array((1.0, 1.0 - rng.uniform(0.0, 0.3), 1.0 + rng.uniform(-0.08, 0.08)))
    haze = rng.uniform(0.0, 0.45) * level
    veil = 255 * haze * np.array((1.0, 1.0 - 0.4 * (1 - cast_bgr[1]), 0.98)) * rng.uniform(0.5, 0.85)
    frame = exposed(pixels, gain=level * (1 - haze) * cast_bgr, veil=veil)
    frame = cast(BgrImage, cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.5, 1.3)))
    if rng.random() < 0.6:
        length_px, angle = rng.uniform(1.5, 5.0), rng.normal(0.0, 0.5)
        half = math.ceil(length_px / 2) + 1
        steps = np.linspace(-length_px / 2, length_px / 2, 8 * half)
        kernel = motion_kernel(steps * math.cos(angle), steps * math.sin(angle), half=half)
        frame = cast(BgrImage, cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REPLICATE))
    frame = _vignetted(_noisy(frame, sigma=rng.uniform(1.0, 6.0), rng=rng), depth=rng.uniform(0.0, 0.35))
    return through_jpeg(frame, quality=int(rng.integers(30, 61)))


def _noisy(pixels: BgrImage, *, sigma: float, rng: np.random.Generator) -> BgrImage:
    """Grain of the given spread in grey levels, the same in all channels but for a third of it."""
    rows, columns = pixels.shape[:2]
    grain = rng.standard_normal((rows, columns, 1), np.float32) * np.float32(0.8 * sigma)
    colour = cv2.resize(rng.standard_normal((rows // 2 + 1, columns // 2 + 1, 3), np.float32), (columns, rows))
    noisy = pixels + grain + colour * np.float32(0.6 * sigma)
    grainy: BgrImage = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return grainy


def _vignetted(pixels: BgrImage, *, depth: float) -> BgrImage:
    """Darker by ``depth`` in the corners."""
    rows, columns = pixels.shape[:2]
    down: FloatImage = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] ** 2
    across: FloatImage = np.linspace(-1, 1, columns, dtype=np.float32) ** 2
    shade = 1 - np.float32(depth / 2) * (down + across)
    darker: BgrImage = np.rint(pixels * shade[..., None]).astype(np.uint8)
    return darker
