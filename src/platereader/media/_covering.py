"""Places of a picture painted over with colours from around them: nothing of what was there goes into them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.rectification._corners import is_plausible
from platereader.results import Detection

RedactionMethod: TypeAlias = Literal["blur", "pixelate", "fill"]
"""All take their colours from around a plate: ``blur`` blends them, ``pixelate`` has squares, ``fill`` a flat mean."""

SURE_SCORE = 0.5
"""Score from which a detection is a plate without further evidence."""

DEFAULT_MARGIN = 0.25
"""How much more than a plate is covered above and below it, in its heights."""

END_MARGIN = 2.0
"""How much more that is at both ends of a plate with one line, which is found too narrow where a post, a shadow or dirt
takes a character."""

_GREY = 96.0  # where nothing of a picture is left open
_MAX_COORDINATE_PX = 30_000
_MIN_MARGIN_PX = 2.0
_RING = 0.5  # how much around a place gives the colours, in its shorter sides
_MIN_RING_PX = 4
_CELLS = 3.0  # cells of colour along the shorter side of a place
_BLEND_CELLS = 1.5
_SQUARE_TURNS = 4


def covered(
    frame: BgrImage, detections: Sequence[Detection], *, method: RedactionMethod, margin: float
) -> tuple[BgrImage, float]:
    """A copy of a frame with plates covered, and which share of its area that is, 0 to 1.

    So many heights of a plate are covered around it as ``margin`` says, 2 px at least, and ``END_MARGIN`` times as much
    at the ends of one line.
    """
    canvas: BgrImage = frame.copy()
    mask = np.zeros(frame.shape[:2], np.uint8)
    for detection in detections:
        points = np.clip(_outline(detection, margin=margin).to_array(), -_MAX_COORDINATE_PX, _MAX_COORDINATE_PX)
        cv2.fillConvexPoly(mask, points.round().astype(np.int32), 1)
    if not mask.any():
        return canvas, 0.0
    _, labels, places, _ = cv2.connectedComponentsWithStats(mask)
    for number, (left, top, width, height, _) in enumerate(places.tolist()):
        if number:  # 0 is what stays open
            ring = max(_MIN_RING_PX, math.ceil(_RING * min(width, height)))
            window = slice(max(0, top - ring), top + height + ring), slice(max(0, left - ring), left + width + ring)
            inside = labels[window] == number
            cell_px = max(1.0, min(width, height) / _CELLS)
            canvas[window][inside] = _painted(frame[window], mask[window], method, cell_px)[inside]
    return canvas, float(mask.mean())


def expanded(quad: Quad, x_px: float, y_px: float) -> Quad:
    """The quad with its edges about so much further out, to the sides and up and down along its own axes."""
    a, b, c, d = quad.to_array().astype(np.float64)
    right, down = x_px * _unit((b - a) + (c - d)), y_px * _unit((d - a) + (c - b))
    out = np.stack([-right - down, right - down, right + down, down - right])
    return Quad.from_points(np.stack([a, b, c, d]) + out)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / max(float(np.hypot(vector[0], vector[1])), 1e-9)


def _outline(detection: Detection, *, margin: float) -> Quad:
    """What is to be covered: the corners if they can be those of the plate in the box, else the box; grown."""
    corners, box = detection.corners, detection.box
    quad = corners if corners is not None and _fits(corners, box) else Quad.from_box(box)
    grow_px = margin * min(quad.width, quad.height)
    end_px = grow_px * (END_MARGIN if detection.lines != 2 else 1)
    x_px, y_px = (end_px, grow_px) if quad.width >= quad.height else (grow_px, end_px)
    return expanded(quad, max(_MIN_MARGIN_PX, x_px), max(_MIN_MARGIN_PX, y_px))


def _fits(corners: Quad, box: Box) -> bool:
    """Whether corners can be those of a plate in that box, upright or turned by 90, 180 or 270 degrees."""
    for _ in range(_SQUARE_TURNS):
        if is_plausible(corners, box):
            return True
        corners = Quad.from_points([(-y, x) for x, y in corners.points])
        box = Box(-box.y2, box.x1, -box.y1, box.x2)
    return False


def _painted(patch: BgrImage, mask: NDArray[np.uint8], method: RedactionMethod, cell_px: float) -> BgrImage:
    """A picture of the patch's size, in the colours that it has where ``mask`` is 0."""
    height, width = mask.shape
    open_share = (1 - mask).astype(np.float32)
    mean = patch[mask == 0].mean(axis=0) if not mask.all() else np.full(3, _GREY)
    if method == "fill":
        return np.full_like(patch, mean.round().astype(np.uint8))
    size = math.ceil(width / cell_px), math.ceil(height / cell_px)
    stacked = np.dstack([patch * open_share[..., None], open_share])
    cells = cv2.GaussianBlur(cv2.resize(stacked, size, interpolation=cv2.INTER_AREA), (0, 0), _BLEND_CELLS)
    weight = cells[..., 3:] + 1e-3  # far from all that is open, the mean counts
    colours = (cells[..., :3] + 1e-3 * mean.astype(np.float32)) / weight
    enlarging = cv2.INTER_LINEAR if method == "blur" else cv2.INTER_NEAREST
    enlarged = cv2.resize(colours, (width, height), interpolation=enlarging)
    painted: BgrImage = np.clip(enlarged.round(), 0, 255).astype(np.uint8)
    return painted
