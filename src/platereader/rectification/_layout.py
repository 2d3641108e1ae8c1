"""A plate seen in a frame, drawn upright and as one line; training and inference share these functions."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader._interlaced import is_combed, one_field
from platereader.results import Lines, PlateImage

LINE_HEIGHT_PX = 64
"""Height of the straightened picture of one line."""

DEFAULT_MARGIN = 0.06
"""Share of a line's height kept around the corners: learned corners are off by about this much."""

# Width over height of the metal: 520x112 mm (types 1, 2, 5, 9, 20, ...) and 290x170 mm (type 1A), GOST R 50577-2018.
_ASPECTS = {1: 520 / 112, 2: 290 / 170}
# A one-line plate (4.64:1) seen 56 degrees from the side still has this aspect; two-line plates stay below 1.8:1.
_TWO_LINE_QUAD_ASPECT = 2.6
# Upright boxes grow with tilt: a one-line plate tilted by 17 degrees has a box of 2:1.
_TWO_LINE_BOX_ASPECT = 2.0
_BOX_PAD = (0.02, 0.05)
# Shrinking by more than this in one bilinear step would skip source pixels.
_MAX_BILINEAR_SHRINK = 1.5
# The gap between two lines is looked for in the middle of the plate; its activity is at most this share of the text's.
_GAP_ROWS = (0.36, 0.64)
_MAX_GAP_ACTIVITY = 0.6


def rectify_quad(frame: BgrImage, quad: Quad, lines: Lines = 1, *, margin: float = DEFAULT_MARGIN) -> PlateImage:
    """Straighten a plate by the homography of its corners; the lines of a two-line plate are joined to one.

    Only the neighbourhood of the plate is looked at, whatever the size of the frame; beyond the frame its border
    pixels are repeated. Large plates are averaged down, not sampled. Where the two fields of an interlaced frame show a
    moving plate twice, one of them is taken.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; not written to.
        quad: corners as read, in pixels of the frame.
        lines: text lines on the plate.
        margin: how much of the surroundings to keep on every side, as a share of the height of one line.

    Returns:
        One line of text, 64 px high with its margins: 520:112 wide for one-line plates, twice a half's width for two.
    """
    target, size = _target(lines, margin)
    pixels = _warp(frame, quad, target=target, size=size)
    return PlateImage(join_lines(pixels) if lines == 2 else pixels, lines)


@lru_cache(maxsize=16)
def _target(lines: Lines, margin: float) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Where the corners of a plate come to lie, (4, 2) as OpenCV counts, and width and height of its picture."""
    full_height = LINE_HEIGHT_PX * lines
    inner_height = full_height / (1 + 2 * margin / lines)
    pad = (full_height - inner_height) / 2
    inner_width = inner_height * _ASPECTS[lines]
    corners = np.asarray([(0, 0), (inner_width, 0), (inner_width, inner_height), (0, inner_height)], np.float64)
    # Coordinates count from the edge of the first pixel, OpenCV's from its middle.
    return (corners + pad - 0.5).astype(np.float32), (round(inner_width + 2 * pad), full_height)


def lines_by_aspect(quad: Quad) -> Lines:
    """Estimate the number of lines of a plate from the aspect of its outline."""
    return 2 if quad.width < _TWO_LINE_QUAD_ASPECT * quad.height else 1


def lines_by_box(box: Box) -> Lines:
    """Estimate the number of lines of a plate from its upright box."""
    return 2 if box.width < _TWO_LINE_BOX_ASPECT * box.height else 1


def rectify_box(frame: BgrImage, box: Box, *, lines: Lines | None = None) -> PlateImage:
    """Cut out a box with 2 % of its width and 5 % of its height more on every side, and lay it out as one line."""
    padded = box.padded(max(_BOX_PAD[0] * box.width, 0.5), max(_BOX_PAD[1] * box.height, 0.5))
    return rectify_quad(frame, Quad.from_box(padded), lines or lines_by_box(box), margin=0.0)


def join_lines(pixels: BgrImage) -> BgrImage:
    """Cut a straightened two-line plate at the gap between its lines and put the lower line right of the upper one.

    The gap is the run of rows with the lowest activity near the middle; where none is quiet the plate is cut in half.
    Of ``(H, W, 3)`` BGR pixels, ``(max(H // 2, 1), 2 * W, 3)`` are made.
    """
    height, width = pixels.shape[:2]
    cut = _gap_row(pixels) if height >= 8 and width >= 8 else height // 2
    size = (width, max(height // 2, 1))
    halves = [pixels[:cut], pixels[cut:]] if height > 1 else [pixels, pixels]
    return np.hstack([cast(BgrImage, cv2.resize(half, size, interpolation=cv2.INTER_LINEAR)) for half in halves])


def _gap_row(pixels: BgrImage) -> int:
    """The row to cut at: the middle of the quiet rows between the lines."""
    height, width = int(pixels.shape[0]), int(pixels.shape[1])
    # Green alone: every plate's ink stands out from its ground there, and it saves a conversion.
    inner = pixels[:, width // 12 : width - width // 12, 1].astype(np.int16)
    activity: NDArray[np.float64] = np.abs(np.diff(inner, axis=1)).mean(axis=1)
    first, last = int(height * _GAP_ROWS[0]), int(height * _GAP_ROWS[1]) + 1
    middle = activity[first:last]
    typical = float(np.median(activity[height // 8 : height - height // 8]))
    lowest = float(middle.min())
    if lowest > _MAX_GAP_ACTIVITY * typical:
        return height // 2
    quiet: list[bool] = (middle <= lowest + 0.3 * (typical - lowest)).tolist()
    best = int(middle.argmin())
    start, stop = best, best
    while start > 0 and quiet[start - 1]:
        start -= 1
    while stop < len(quiet) - 1 and quiet[stop + 1]:
        stop += 1
    return first + (start + stop + 1) // 2


def _warp(frame: BgrImage, quad: Quad, *, target: NDArray[np.float32], size: tuple[int, int]) -> BgrImage:
    """Map the quad to ``target`` (4 x 2, as OpenCV counts) in a picture of ``size`` (width, height)."""
    points = quad.to_array().astype(np.float64)
    left, right = _extent(points[:, 0], limit=frame.shape[1])
    top, bottom = _extent(points[:, 1], limit=frame.shape[0])
    region = frame[top:bottom, left:right]
    if is_combed(region):
        top -= top % 2  # of all parts of a frame the same field
        region = one_field(frame[top:bottom, left:right])
    points -= (left, top)
    shrink = min(quad.width / size[0], quad.height / size[1])
    if shrink > _MAX_BILINEAR_SHRINK:
        height, width = region.shape[:2]
        small = (max(round(width / shrink), 1), max(round(height / shrink), 1))
        region = cast(BgrImage, cv2.resize(region, small, interpolation=cv2.INTER_AREA))
        points *= (small[0] / width, small[1] / height)
    matrix = cv2.getPerspectiveTransform((points - 0.5).astype(np.float32), target)
    # A fourth channel comes and goes: OpenCV warps pixels of four bytes in less than half the time of three.
    region = cast(BgrImage, cv2.cvtColor(region, cv2.COLOR_BGR2BGRA))
    warped = cv2.warpPerspective(region, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(BgrImage, cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR))


def _extent(values: NDArray[np.float64], *, limit: int) -> tuple[int, int]:
    """Where the pixels around some coordinates start and stop, with some margin: one or more of ``limit``."""
    low, high = float(values.min()), float(values.max())
    margin = 0.15 * (high - low) + 2
    start = min(max(math.floor(low - margin), 0), limit - 1)
    return start, max(min(math.ceil(high + margin), limit), start + 1)
