"""Photographs moved, scaled or rotated into a frame, and continued to its borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.pose import Corners, corners_of, homography, moved_by

__all__ = ["Photograph", "plate_width", "random_placement", "render_frame", "without_plates"]

_ERASED = 1.35
_MIN_SCALE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A photograph with the plates known in it.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        plates: corners of each plate, float32 ``(4, 2)`` in these pixels, as in ``Quad``; the first one is to be found.
    """

    pixels: BgrImage
    plates: tuple[Corners, ...]


def render_frame(photograph: Photograph, matrix: NDArray[np.float64], *, size_px: tuple[int, int]) -> Photograph:
    """The photograph transformed into a frame; outside of it, its mirror image without any plate.

    Args:
        photograph: not changed.
        matrix: from pixels of the photograph to those of the frame, as ``synthesis.pose.homography`` returns it.
        size_px: width and height of the frame.

    Returns:
        The frame and the plates in its pixels.
    """
    plates = tuple(moved_by(matrix, points=corners) for corners in photograph.plates)
    small = _shrunk(photograph, scale=plate_width(plates[0]) / max(plate_width(photograph.plates[0]), 1e-6))
    matrix = matrix @ homography(_outline(small.pixels), _outline(photograph.pixels))
    around = without_plates(small.pixels, small.plates)
    frame = cv2.warpPerspective(around, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    cv2.warpPerspective(
        small.pixels, matrix, size_px, dst=frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return Photograph(cast(BgrImage, frame), plates)


def without_plates(pixels: BgrImage, plates: Sequence[Corners]) -> BgrImage:
    """A copy in which each plate is filled in from its surroundings."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for corners in plates:
        middle = corners.mean(axis=0)
        outline = np.rint(middle + _ERASED * (corners - middle)).astype(np.int32)
        cv2.fillConvexPoly(mask, outline, 255)
    return cast(BgrImage, cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA))


def random_placement(
    photograph: Photograph, *, width_px: float, size_px: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The matrix that puts the whole photograph into a frame, or fills the frame with part of it.

    Args:
        photograph: its first plate decides how large it becomes and is wholly inside.
        width_px: of that plate in the frame.
        size_px: width and height of the frame.
        rng: decides where.
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
    outline = _outline(photograph.pixels)
    return homography(outline, outline * np.float32(scale) + np.array(shift, np.float32))


def plate_width(corners: Corners) -> float:
    """Mean length of the upper and the lower edge, pixels."""
    return float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2


def _outline(pixels: BgrImage) -> Corners:
    return corners_of((pixels.shape[1], pixels.shape[0]))


def _shrunk(photograph: Photograph, *, scale: float) -> Photograph:
    """The photograph at about the size it will have: a warp alone would skip pixels."""
    if scale > _MIN_SCALE:
        return photograph
    height, width = photograph.pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cast(BgrImage, cv2.resize(photograph.pixels, size, interpolation=cv2.INTER_AREA))
    factors = np.array((size[0] / width, size[1] / height), np.float32)
    return Photograph(small, tuple(corners * factors for corners in photograph.plates))
