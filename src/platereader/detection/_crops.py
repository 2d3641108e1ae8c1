"""Crops of one plate size from the pixels of a frame, and the way back to the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.detection._preprocess import resize_into

CONTEXT = 1.5
"""Width of a window in widths of the plate that it is for."""

# A plate as tall as this many of its widths fills a window of aspect 2 in height as its width does across.
_ASPECT = 2.0
_LEAST_SHARE = 0.9
_MOST_PADDED_PX = 2048
# Sides of windows from this width on are multiples of 4: OpenCV is fast where it halves.
_HALVED_PX = 448
# Up to here samples between pixels are nearer to averages over areas than those at twice the size are.
_MOST_SAMPLED = 1.2
# What is turned is shrunk to this first, so that a crop of it skips no pixels.
_TURNED_PX = 224


class Window(NamedTuple):
    """A part of a frame in whole pixels, which may reach beyond the frame."""

    left: int
    top: int
    width: int
    height: int

    def from_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points ``(..., 2)`` in pixels of the frame, in parts of the window."""
        moved = points - np.array([self.left, self.top], np.float32)
        return np.asarray(moved / np.array([self.width, self.height], np.float32), np.float32)


def window_around(box: Box) -> Window:
    """The window for a plate in ``box``: twice as wide as tall, about the same middle, half a width larger."""
    width = CONTEXT * max(box.width, _LEAST_SHARE * _ASPECT * box.height)
    height = width / _ASPECT
    x, y = (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2
    left, top = math.floor(x - width / 2), math.floor(y - height / 2)
    columns, rows = math.ceil(x + width / 2) - left, math.ceil(y + height / 2) - top
    if columns >= _HALVED_PX:
        columns, rows = 4 * round(columns / 4), 4 * round(rows / 4)
    return Window(left, top, max(2, columns), max(1, rows))


def to_frame(points: NDArray[np.float32], windows: Sequence[Window]) -> NDArray[np.float32]:
    """Points ``(N, K, 2)`` in parts of N windows, 0 to 1, in pixels of their frames."""
    bounds = np.array(windows, np.float32)[:, None]
    return np.asarray(points * bounds[..., 2:] + bounds[..., :2], np.float32)


def cut_windows(frame: BgrImage, windows: Sequence[Window], *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Windows of a frame, each of which meets it, at one size (height, width), uint8 ``(N, height, width, 3)`` BGR.

    Beyond the frame its edge is repeated.
    """
    crops = np.empty((len(windows), *size, 3), np.uint8)
    for crop, window in zip(crops, windows, strict=True):
        resize_into(crop, _part(frame, window), most_sampled=_MOST_SAMPLED)
    return crops


def cut_upright(
    frame: BgrImage, corners: Quad, *, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The window for a plate with these corners, turned so that the plate lies level; their middle lies in the frame.

    Returns:
        The crop, uint8 ``(height, width, 3)`` BGR, and the matrix from parts of it, 0 to 1, to pixels of the frame,
        float32 ``(2, 3)``.
    """
    points = corners.to_array().astype(np.float64)
    middle = points.mean(axis=0)
    across, down = (
        (points[1] - points[0] + points[2] - points[3]) / 2,
        (points[3] - points[0] + points[2] - points[1]) / 2,
    )
    length = max(1.0, float(np.linalg.norm(across)))
    along = across / length
    width = CONTEXT * max(length, _LEAST_SHARE * _ASPECT * float(np.linalg.norm(down)))
    sides = np.stack((along * width, np.array((-along[1], along[0])) * width / _ASPECT), axis=1)  # (2, 2)
    matrix = np.column_stack((sides, middle - sides.sum(axis=1) / 2))  # (2, 3)

    reach = math.ceil(math.hypot(width, width / _ASPECT) / 2) + 1
    window = Window(math.floor(middle[0]) - reach, math.floor(middle[1]) - reach, 2 * reach + 1, 2 * reach + 1)
    shrink = max(1.0, window.width / _TURNED_PX)
    square = np.empty((*[round(window.width / shrink)] * 2, 3), np.uint8)
    resize_into(square, _part(frame, window), most_sampled=_MOST_SAMPLED)
    # From columns and rows of the crop to those of the square; the middle of a pixel lies half a pixel inside of it.
    height_px, width_px = size
    scaled = sides / (width_px, height_px)
    first = (matrix[:, 2] + scaled.sum(axis=1) / 2 - window[:2]) / shrink - 0.5
    turning = np.column_stack((scaled / shrink, first))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(square, turning, (width_px, height_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cast("NDArray[np.uint8]", crop), matrix.astype(np.float32)


def _part(frame: BgrImage, window: Window) -> BgrImage:
    """The pixels of a window."""
    height, width = frame.shape[:2]
    right, bottom = window.left + window.width, window.top + window.height
    inside = frame[max(window.top, 0) : min(bottom, height), max(window.left, 0) : min(right, width)]
    beyond = max(-window.top, 0), max(bottom - height, 0), max(-window.left, 0), max(right - width, 0)
    if not any(beyond):
        return inside
    shrink = window.width / _MOST_PADDED_PX
    if shrink > 1:  # a window far larger than its frame would take gigabytes
        small = tuple(max(1, round(side / shrink)) for side in inside.shape[1::-1])
        inside = cast(BgrImage, cv2.resize(inside, small, interpolation=cv2.INTER_AREA))
    top, below, left, beside = (round(side / max(shrink, 1.0)) for side in beyond)
    return cast(BgrImage, cv2.copyMakeBorder(inside, top, below, left, beside, cv2.BORDER_REPLICATE))
