"""Rectification from a box alone: the plate's outline is looked for in and around the box with OpenCV."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad, iou
from platereader.rectification._layout import DEFAULT_MARGIN, lines_by_aspect, rectify_box, rectify_quad
from platereader.results import Detection, PlateImage

_Grey: TypeAlias = NDArray[np.uint8]
_Points: TypeAlias = NDArray[np.float64]

# The search runs on a copy of the box and its surroundings in which the box is this wide.
_WORK_WIDTH_PX = 224
_MARGINS = (0.10, 0.25)
_MIN_BOX_PX = 12.0
# Boxes in which no plate's outline can lie: too flat to see anything in the copy, or taller than any tilt makes one.
_MIN_WORK_HEIGHT_PX = 8.0
_MAX_WORK_HEIGHT_PX = 4.0 * _WORK_WIDTH_PX
# Slopes of the lettering that are tried: 0.6 is a tilt of 31 degrees.
_SLOPES = np.linspace(-0.6, 0.6, 49)
_MIN_SLOPE = 0.02
_MIN_BOX_IOU = 0.5
_FITTED = 4
# The rim of a plate and what lies outside of it: 5.5 of 520 mm at each end, 5.5 of 112 mm above and below.
_RIM = (5.5 / 509, 5.5 / 101)
_MIN_SHAPE = 0.3
_SLOPE_TOLERANCE = 0.15
_EDGE_CONTRAST = 8


@final
@dataclass(frozen=True, slots=True)
class ContourRectifier:
    """Straightens plates whose detector gives boxes only; a ``Rectifier``.

    Outlines of regions brighter (or darker) than their surroundings under several thresholds become quads; the one
    that is best by shape, by agreement with the box and by contrast along its edges wins. Where none is convincing the
    slope of the lettering gives a parallelogram that fills the box; where even that is unclear, the box is padded.

    Attributes:
        margin: surroundings to keep around the corners, as a share of the height of one line.
        min_score: lowest score of an outline, 0 to 1.
    """

    margin: float = DEFAULT_MARGIN
    min_score: float = 0.45

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One upright one-line picture per detection; corners of a detection are not looked at.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR; not written to.
            detections: plates in it, in pixels of the frame; boxes may reach beyond the frame.
        """
        return [self._rectify(frame, detection) for detection in detections]

    def _rectify(self, frame: BgrImage, detection: Detection) -> PlateImage:
        quad = find_outline(frame, detection.box, min_score=self.min_score)
        if quad is None:
            return rectify_box(frame, detection.box, lines=detection.lines)
        return rectify_quad(frame, quad, detection.lines or lines_by_aspect(quad), margin=self.margin)


def find_outline(frame: BgrImage, box: Box, *, min_score: float = 0.45) -> Quad | None:
    """The corners of the plate in a box, or None when neither outline nor lettering says more than the box."""
    height, width = frame.shape[:2]
    inside = box.clipped(width, height)
    if inside is None or min(inside.width, inside.height) < _MIN_BOX_PX:
        return None
    if not _MIN_WORK_HEIGHT_PX <= inside.height * _WORK_WIDTH_PX / inside.width <= _MAX_WORK_HEIGHT_PX:
        return None
    grey, scale, origin = _work_copy(frame, inside)
    local = inside.moved(-origin[0], -origin[1])
    target = Box(*(value * scale for value in local.to_tuple()))
    slope = _lettering_slope(grey, target)
    quad = _best_outline(grey, target, slope, min_score) or _sloped(target, slope)
    if quad is None:
        return None
    return Quad.from_points(quad.to_array().astype(np.float64) / scale + np.asarray(origin))


def _work_copy(frame: BgrImage, box: Box) -> tuple[_Grey, float, tuple[float, float]]:
    """Grey copy of the box and its surroundings, its scale, and where it lies in the frame."""
    height, width = frame.shape[:2]
    view = box.padded(_MARGINS[0] * box.width, _MARGINS[1] * box.height).clipped(width, height) or box
    x1, y1, x2, y2 = math.floor(view.x1), math.floor(view.y1), math.ceil(view.x2), math.ceil(view.y2)
    scale = _WORK_WIDTH_PX / box.width
    size = (max(round((x2 - x1) * scale), 1), max(round((y2 - y1) * scale), 1))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.cvtColor(np.ascontiguousarray(frame[y1:y2, x1:x2]), cv2.COLOR_BGR2GRAY)
    return cast(_Grey, cv2.resize(grey, size, interpolation=mode)), scale, (float(x1), float(y1))


def _lettering_slope(grey: _Grey, box: Box) -> float:
    """Slope (dy/dx) of the text lines: the one under which rows differ most; 0 when none stands out."""
    x1, y1, x2, y2 = (round(value) for value in box.to_tuple())
    inner = cv2.resize(grey[y1:y2, x1:x2], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    edges = np.abs(cv2.Sobel(inner, cv2.CV_32F, 1, 0)).astype(np.float32)
    height, width = edges.shape
    values: list[float] = []
    for slope in _SLOPES:
        shear = np.asarray([[1, 0, 0], [-slope, 1, slope * width / 2]], np.float32)
        profile = cv2.warpAffine(edges, shear, (width, height), flags=cv2.INTER_LINEAR).mean(axis=1)
        values.append(float(np.square(np.diff(profile)).sum()))
    best = int(np.argmax(values))
    return float(_SLOPES[best])


def _sloped(box: Box, slope: float) -> Quad | None:
    """The parallelogram with upright sides and that slope that fills the box; None when it is the box or too thin."""
    rise = slope * box.width
    if abs(slope) < _MIN_SLOPE or abs(rise) > 0.7 * box.height:
        return None
    left, right = max(-rise, 0.0), max(rise, 0.0)
    return Quad((box.x1, box.y1 + left), (box.x2, box.y1 + right), (box.x2, box.y2 - left), (box.x1, box.y2 - right))


def _best_outline(grey: _Grey, box: Box, slope: float, min_score: float) -> Quad | None:
    """The most convincing outline; lines are fitted to the few best only, as that is what takes time."""
    rough = [(_score(quad, grey, box, slope), contour, quad) for contour, quad in _outlines(grey, box)]
    rough.sort(key=lambda item: -item[0])
    best: tuple[float, Quad | None] = (min_score, None)
    for score, contour, quad in rough[:_FITTED]:
        fitted = _fit_sides(contour, quad)
        for value, candidate in ((score, quad), (_score(fitted, grey, box, slope), fitted)):
            if value > best[0]:
                best = (value, candidate)
    return None if best[1] is None else _with_rim(best[1], box)


def _with_rim(quad: Quad, box: Box) -> Quad:
    """What stands out is mostly the field inside the rim: the metal's edge, when that agrees better with the box."""
    a, b, c, d = quad.to_array().astype(np.float64)
    across, down = _RIM[0] * (b - a + c - d) / 2, _RIM[1] * (d - a + c - b) / 2
    whole = Quad.from_points(np.stack([a - across - down, b + across - down, c + across + down, d - across + down]))
    return max(quad, whole, key=lambda one: iou(one.box, box))


def _outlines(grey: _Grey, box: Box) -> Iterator[tuple[_Points, Quad]]:
    """Contours of regions that could be the plate, with four rough corners each."""
    for mask in _masks(grey, box):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            x, y, width, height = cv2.boundingRect(contour)
            if iou(Box(x, y, x + width, y + height), box) >= _MIN_BOX_IOU:
                quad = _rough_quad(contour)
                if quad is not None:
                    yield contour.reshape(-1, 2).astype(np.float64) + 0.5, quad


def _masks(grey: _Grey, box: Box) -> Iterator[_Grey]:
    """Regions that stand out: light or dark ground, split by several thresholds, letters filled, bridges cut."""
    x1, y1, x2, y2 = (round(value) for value in box.to_tuple())
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    inner = np.ascontiguousarray(smooth[y1:y2, x1:x2])
    otsu, _ = cv2.threshold(inner, 0, 255, cv2.THRESH_OTSU)
    overall, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_OTSU)
    ground = float(np.percentile(inner, 70))
    levels = {round(otsu), round(overall), round((otsu + ground) / 2), round(0.85 * ground)}
    bridge = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
    letters = cv2.getStructuringElement(cv2.MORPH_RECT, (13, 5))
    for level in levels:
        for kind in (cv2.THRESH_BINARY, cv2.THRESH_BINARY_INV):
            _, mask = cv2.threshold(smooth, level, 255, kind)
            yield cast(_Grey, cv2.morphologyEx(mask, cv2.MORPH_OPEN, bridge))
            filled = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, letters)
            yield cast(_Grey, cv2.morphologyEx(filled, cv2.MORPH_OPEN, bridge))


def _rough_quad(contour: cv2.typing.MatLike) -> Quad | None:
    """Four corners of a contour's hull: simplified until four points are left, or the tilted rectangle around it."""
    hull = cv2.convexHull(contour)
    length = cv2.arcLength(hull, True)
    for share in (0.02, 0.03, 0.045, 0.06, 0.08):
        points = cv2.approxPolyDP(hull, share * length, True).reshape(-1, 2)
        if len(points) == 4:
            return _ordered(points.astype(np.float64) + 0.5)
    return _ordered(cv2.boxPoints(cv2.minAreaRect(hull)).astype(np.float64) + 0.5)


def _ordered(points: _Points) -> Quad | None:
    """The quad of four points in any order; None when they do not form an upright shape."""
    center = points.mean(axis=0)
    turned = points[np.argsort(np.arctan2(points[:, 1] - center[1], points[:, 0] - center[0]))]
    turned = np.roll(turned, -int(np.argmin(turned.sum(axis=1))), axis=0)
    upright = turned[1, 0] > turned[0, 0] and turned[2, 1] > turned[1, 1]
    return Quad.from_points(turned) if upright else None


def _fit_sides(contour: _Points, quad: Quad) -> Quad:
    """The quad whose sides are lines fitted to the contour, robust against bumps and rounded corners."""
    rough = quad.to_array().astype(np.float64)
    lines = [_fit_side(contour, rough[index], rough[(index + 1) % 4]) for index in range(4)]
    return Quad.from_points([_intersection(lines[index - 1], lines[index]) for index in range(4)])


def _fit_side(contour: _Points, start: _Points, stop: _Points) -> tuple[_Points, _Points]:
    """A point and a direction: the line through the contour points along the middle of one side."""
    along = stop - start
    length = float(np.hypot(*along)) or 1.0
    unit = along / length
    relative = contour - start
    position = relative @ unit
    distance = np.abs(relative @ np.asarray([-unit[1], unit[0]]))
    near = contour[(position > 0.1 * length) & (position < 0.9 * length) & (distance < max(0.06 * length, 4.0))]
    if len(near) < 8:
        return start, unit
    vx, vy, x, y = cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).reshape(-1).tolist()
    return np.asarray([x, y]), np.asarray([vx, vy])


def _intersection(a: tuple[_Points, _Points], b: tuple[_Points, _Points]) -> tuple[float, float]:
    """Where two lines meet; far away when they are parallel, which scores 0."""
    (ax, ay), (dx, dy) = a[0].tolist(), a[1].tolist()
    (bx, by), (ex, ey) = b[0].tolist(), b[1].tolist()
    cross = dx * ey - dy * ex
    step = ((bx - ax) * ey - (by - ay) * ex) / (cross if abs(cross) > 1e-3 else 1e-3)
    return ax + step * dx, ay + step * dy


def _score(quad: Quad, grey: _Grey, box: Box, slope: float) -> float:
    """0 to 1: agreement with the box, parallel sides, slope like the lettering's, contrast along the edges."""
    if not quad.is_convex or quad.height < 4 or not 1.0 <= quad.width / quad.height <= 8.0:
        return 0.0
    a, b, c, d = quad.points
    ratios = (math.dist(a, b) / math.dist(d, c), math.dist(a, d) / math.dist(b, c))
    parallel = math.prod(min(ratio, 1 / ratio) for ratio in ratios)
    rise = (b[1] - a[1] + c[1] - d[1]) / max(b[0] - a[0] + c[0] - d[0], 1e-6)
    shape = iou(quad.box, box) * parallel * math.exp(-abs(rise - slope) / _SLOPE_TOLERANCE) * _whole(quad.box, box)
    return shape * _edge_support(quad, grey) if shape > _MIN_SHAPE else 0.0


def _whole(outline: Box, box: Box) -> float:
    """1, or less for an outline that fills the box from top to bottom but not from end to end.

    That is the field left of the line before the region code; around a whole plate a loose box has room on all sides.
    """
    return min(1.0, (outline.width / box.width) / (outline.height / box.height)) ** 4


def _edge_support(quad: Quad, grey: _Grey) -> float:
    """Share of the outline along which inside and outside differ, all in the same sense."""
    points = quad.to_array().astype(np.float64)
    following = np.roll(points, -1, axis=0)
    share = np.linspace(0.05, 0.95, 24)[:, None, None]
    sides = points * (1 - share) + following * share
    along = following - points
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    inward = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
    difference = _sample(grey, sides + 3 * inward) - _sample(grey, sides - 3 * inward)
    lighter, darker = int((difference > _EDGE_CONTRAST).sum()), int((difference < -_EDGE_CONTRAST).sum())
    return max(lighter, darker) / difference.size


def _sample(grey: _Grey, points: _Points) -> NDArray[np.int16]:
    """Grey values at ``(..., 2)`` points, those beyond the picture at its border."""
    rows = points[..., 1].astype(np.int64).clip(0, grey.shape[0] - 1)
    columns = points[..., 0].astype(np.int64).clip(0, grey.shape[1] - 1)
    return np.asarray(grey[rows, columns], dtype=np.int16)
