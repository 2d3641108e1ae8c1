"""Layers of a composite: a whole photograph, or a vehicle cut out of one, each as an image pyramid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import motion_kernel
from platereader.lab.synthesis.pose import Corners, outline_of
from platereader.lab.synthesis.scenes.frames import Photograph, plate_width, without_plates

Matrix = NDArray[np.float64]
"""float64 (3, 3): from pixels of a layer to pixels of a frame, both counted from the outer edge of the first pixel."""

_LEVELS = 4
_SIDE_WIDTHS = 2.5
_WIDTHS_ABOVE = 2.6
_WIDTHS_BELOW = 1.15
_HALF_PIXEL = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
_TO_PIXEL_EDGES = np.linalg.inv(_HALF_PIXEL)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One picture at full size and at a half, a quarter and an eighth of it, so that downscaling does not alias.

    The levels are uint8 ``(H, W, 3)`` BGR, or ``(H, W, 4)`` BGRA with colours already multiplied by alpha. ``plate``
    has the corners of its plate at full size, float32 ``(4, 2)``, ``body`` those of what hides things behind it.
    """

    levels: tuple[NDArray[np.uint8], ...]
    plate: Corners
    body: Corners


def whole(photograph: Photograph) -> Layer:
    """A photograph as a layer, all plates but the first painted out, and its mirror image around it."""
    pixels = without_plates(photograph.pixels, photograph.plates[1:])
    height, width = pixels.shape[:2]
    bare = without_plates(pixels, photograph.plates[:1])
    sides = (height // 2, height // 2, width // 2, width // 2)
    around = np.asarray(cv2.copyMakeBorder(bare, *sides, cv2.BORDER_REFLECT_101), np.uint8)
    around[height // 2 : height // 2 + height, width // 2 : width // 2 + width] = pixels
    shift = np.array((width // 2, height // 2), np.float32)
    return Layer(_pyramid(around), photograph.plates[0] + shift, outline_of(around))


def background_layer(photograph: Photograph) -> Layer:
    """A photograph without any plate, to put vehicles in front of."""
    pixels = without_plates(photograph.pixels, photograph.plates)
    return Layer(_pyramid(pixels), plate=outline_of(pixels), body=outline_of(pixels))


def cut_out(photograph: Photograph, *, legible: bool = True) -> Layer:
    """The vehicle around the first plate with soft edges; other plates, and one not ``legible``, are painted out."""
    pixels = without_plates(photograph.pixels, photograph.plates[1:] if legible else photograph.plates)
    plate = photograph.plates[0]
    width = plate_width(plate)
    x, y = plate.mean(axis=0).tolist()
    height, full = pixels.shape[:2]
    left, right = max(0, round(x - _SIDE_WIDTHS * width)), min(full, round(x + _SIDE_WIDTHS * width))
    top, bottom = max(0, round(y - _WIDTHS_ABOVE * width)), min(height, round(y + _WIDTHS_BELOW * width))
    part = pixels[top:bottom, left:right]
    alpha = _soft_edges((part.shape[1], part.shape[0]))
    coloured = cv2.multiply(part, cv2.merge([alpha] * 3), scale=1 / 255)
    covered = np.asarray(cv2.merge([coloured, alpha]), np.uint8)
    outline = outline_of(part)
    middle = outline[2] / 2
    body = (middle + 0.75 * (outline - middle)).astype(np.float32)
    return Layer(_pyramid(covered), plate - np.array((left, top), np.float32), body)


def composite(frame: BgrImage, layer: Layer, matrix: Matrix, *, blur_px: tuple[float, float]) -> None:
    """Composite a layer onto a frame, in place.

    ``matrix`` is from its full size to the frame; ``blur_px`` is how far it moved while the shutter was open.
    """
    level, to_frame = _level(layer, matrix)
    height, width = frame.shape[:2]
    kernel = _motion_kernel(blur_px)
    if level.shape[2] == 3:
        cv2.warpPerspective(
            level, to_frame, (width, height), dst=frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        if kernel is not None:
            frame[:] = cv2.filter2D(frame, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        return
    margin = 2 + math.ceil(max(map(abs, blur_px)))
    outline = mapped(matrix, outline_of(layer.levels[0]))
    low = np.maximum(np.floor(outline.min(axis=0)) - margin, 0).astype(int)
    high = np.minimum(np.ceil(outline.max(axis=0)) + margin, (width, height)).astype(int)
    if (low >= high).any():
        return
    (x1, y1), (x2, y2) = low.tolist(), high.tolist()
    shifted = np.array([[1.0, 0.0, -x1], [0.0, 1.0, -y1], [0.0, 0.0, 1.0]]) @ to_frame
    above = cv2.warpPerspective(level, shifted, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR)
    if kernel is not None:
        above = cv2.filter2D(above, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    below = frame[y1:y2, x1:x2]
    dimmed = cv2.multiply(below, cv2.merge([255 - above[..., 3]] * 3), scale=1 / 255)
    frame[y1:y2, x1:x2] = cv2.add(dimmed, above[..., :3])


def mapped(matrix: Matrix, points: Corners) -> Corners:
    """Where a matrix sends points, float32 ``(N, 2)``."""
    moved = cv2.perspectiveTransform(points[None].astype(np.float64), matrix)
    return cast(Corners, np.asarray(moved)[0].astype(np.float32))


def _level(layer: Layer, matrix: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """The level that is shrunk least, and the matrix that takes its pixels to the frame, for OpenCV."""
    outline = mapped(matrix, layer.plate)
    scale = plate_width(outline) / max(plate_width(layer.plate), 1e-6)
    number = int(np.clip(math.floor(-math.log2(max(scale, 1e-6)) + 0.15), 0, len(layer.levels) - 1))
    level, full = layer.levels[number], layer.levels[0]
    enlarge = np.diag((full.shape[1] / level.shape[1], full.shape[0] / level.shape[0], 1.0))
    # OpenCV's warps count from the middle of the first pixel.
    return level, _TO_PIXEL_EDGES @ (matrix @ enlarge) @ _HALF_PIXEL


def _pyramid(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    levels = [np.ascontiguousarray(pixels)]
    for _ in range(_LEVELS - 1):
        height, width = levels[-1].shape[:2]
        smaller = cv2.resize(levels[-1], (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(smaller, np.uint8))
    return tuple(levels)


def _soft_edges(size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Alpha of a rounded rectangle that falls to 0 towards its edge, uint8 ``(H, W)``."""
    across, down = (np.linspace(-1, 1, side, dtype=np.float32) ** 4 for side in size_px)
    share = np.clip((1 - (across[None] + down[:, None]) ** 0.25) / np.float32(0.25), 0, 1)
    alpha: NDArray[np.uint8] = np.rint(255 * share * share * (3 - 2 * share)).astype(np.uint8)
    return alpha


def _motion_kernel(blur_px: tuple[float, float]) -> NDArray[np.float32] | None:
    """The kernel of a straight motion, which sums to one; None for one shorter than a pixel."""
    length = math.hypot(*blur_px)
    if length < 1.0:
        return None
    half = math.ceil(max(map(abs, blur_px)) / 2)
    steps = np.linspace(-0.5, 0.5, 8 * half + 1)
    return motion_kernel(steps * blur_px[0], steps * blur_px[1], half=half).astype(np.float32)
