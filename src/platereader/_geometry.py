"""Boxes and quads: float pixels, origin at the top left of the frame, x to the right, y down."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidGeometryError

Point: TypeAlias = tuple[float, float]
"""``(x, y)`` in pixels."""

_PLAIN = frozenset({float, int})


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle, ``x1 <= x2`` and ``y1 <= y2``, in pixels; its numbers are those of Python, whatever came.

    Raises:
        InvalidGeometryError: a coordinate is not finite or the box is inverted.
    """

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        values = (self.x1, self.y1, self.x2, self.y2)
        if not all(map(is_finite, values)):
            raise InvalidGeometryError(f"box {values} has a coordinate that is not finite: pass real pixel numbers.")
        if self.x2 < self.x1 or self.y2 < self.y1:
            raise InvalidGeometryError(
                f"box {values} is inverted: pass (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2, not (x, y, width, "
                "height)."
            )
        if not _PLAIN.issuperset(map(type, values)):  # those of numpy overflow in what is computed of them
            for name, value in zip(("x1", "y1", "x2", "y2"), values, strict=True):
                object.__setattr__(self, name, float(value))

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    @property
    def center(self) -> Point:
        """Middle of the box."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def clipped(self, width: float, height: float) -> Box | None:
        """The part inside a frame of ``width`` x ``height`` px, or None when nothing of it is inside."""
        x1, y1 = max(self.x1, 0.0), max(self.y1, 0.0)
        x2, y2 = min(self.x2, float(width)), min(self.y2, float(height))
        return Box(x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None

    def padded(self, x_px: float, y_px: float) -> Box:
        """The box with ``x_px`` more on the left and right and ``y_px`` more at the top and bottom."""
        return Box(self.x1 - x_px, self.y1 - y_px, self.x2 + x_px, self.y2 + y_px)

    def moved(self, dx_px: float, dy_px: float) -> Box:
        """The box moved by ``(dx_px, dy_px)``."""
        return Box(self.x1 + dx_px, self.y1 + dy_px, self.x2 + dx_px, self.y2 + dy_px)

    def to_tuple(self) -> tuple[float, float, float, float]:
        """``(x1, y1, x2, y2)`` as floats, also where the box was made of whole numbers."""
        return float(self.x1), float(self.y1), float(self.x2), float(self.y2)


@dataclass(frozen=True, slots=True)
class Quad:
    """Four corners of a plate as it is read, at its outer metal edge, in pixels; their numbers are those of Python.

    Raises:
        InvalidGeometryError: a coordinate is not finite, or a corner is not a pair of them.
    """

    top_left: Point
    top_right: Point
    bottom_right: Point
    bottom_left: Point

    def __post_init__(self) -> None:
        for name in ("top_left", "top_right", "bottom_right", "bottom_left"):
            point = cast("tuple[object, ...]", getattr(self, name))
            if type(point) is not tuple or not _PLAIN.issuperset(map(type, point)):
                object.__setattr__(self, name, point := _plain_point(point, name))
            if len(point) != 2 or not all(map(is_finite, point)):
                raise InvalidGeometryError(f"{name} is {point!r}, expected are two finite numbers, (x, y) in pixels.")

    @classmethod
    def from_points(cls, points: Sequence[Sequence[float]] | NDArray[np.floating]) -> Quad:
        """Build from four ``(x, y)`` rows: top left, top right, bottom right, bottom left.

        Raises:
            InvalidGeometryError: not four points of two finite numbers.
        """
        try:
            array = np.asarray(points, dtype=np.float64)
        except (OverflowError, TypeError, ValueError) as error:
            raise InvalidGeometryError(f"a quad needs 4 points of (x, y) in numbers, got {points!r}.") from error
        if array.shape != (4, 2):
            raise InvalidGeometryError(f"a quad needs 4 points of (x, y), got an array of shape {array.shape}.")
        return cls(*((x, y) for x, y in array.tolist()))

    @classmethod
    def from_box(cls, box: Box) -> Quad:
        """The corners of an upright box."""
        return cls((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))

    @property
    def points(self) -> tuple[Point, Point, Point, Point]:
        """Top left, top right, bottom right, bottom left."""
        return self.top_left, self.top_right, self.bottom_right, self.bottom_left

    def to_array(self) -> NDArray[np.float32]:
        """float32 ``(4, 2)``: the points in reading order."""
        return np.asarray(self.points, dtype=np.float32)

    @property
    def box(self) -> Box:
        """The smallest upright box around the quad."""
        xs, ys = zip(*self.points, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))

    @property
    def width(self) -> float:
        """Mean length of the top and bottom edges in pixels."""
        return (math.dist(self.top_left, self.top_right) + math.dist(self.bottom_left, self.bottom_right)) / 2

    @property
    def height(self) -> float:
        """Mean length of the left and right edges in pixels."""
        return (math.dist(self.top_left, self.bottom_left) + math.dist(self.top_right, self.bottom_right)) / 2

    @property
    def tilt_deg(self) -> float:
        """Angle of the reading direction in degrees, -180 to 180: 0 to the right, 90 downwards on the screen."""
        (x1, y1), (x2, y2), (x3, y3), (x4, y4) = self.points
        return math.degrees(math.atan2(y2 - y1 + y3 - y4, x2 - x1 + x3 - x4))

    @property
    def area(self) -> float:
        """Signed area in square pixels: positive when the corners run clockwise on the screen, as they should."""
        points = self.points
        pairs = zip(points, points[1:] + points[:1], strict=True)
        return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2

    @property
    def is_convex(self) -> bool:
        """Whether the corners run clockwise around a convex shape."""
        points = self.points
        turns = zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True)
        return not any((b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]) <= 0 for a, b, c in turns)


def _plain_point(point: object, name: str) -> tuple[object, ...]:
    """The numbers of a corner as a tuple of those of Python; what is none stays, to be refused."""
    if not isinstance(point, Iterable):
        raise InvalidGeometryError(f"{name} is {point!r}, expected are two finite numbers, (x, y) in pixels.")
    values = cast("Iterable[object]", point)
    return tuple(float(cast(Real, value)) if is_finite(value) else value for value in values)


def is_finite(value: object) -> bool:
    """Whether it is a finite number, of Python or numpy, and no truth value; one too large for a float is infinite."""
    if type(value) is float:  # by far the most; an abstract class takes ten times as long
        return math.isfinite(value)
    try:
        return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:
        return False


def hull(a: Box, b: Box) -> Box:
    """The least box around both."""
    return Box(min(a.x1, b.x1), min(a.y1, b.y1), max(a.x2, b.x2), max(a.y2, b.y2))


def shared_area(a: Box, b: Box) -> float:
    """Area that two boxes have in common, in square pixels."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    return max(width, 0.0) * max(height, 0.0)


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1 (0 for two empty boxes)."""
    overlap = shared_area(a, b)
    return overlap / (a.area + b.area - overlap) if overlap > 0 else 0.0


def iou_matrix(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union, ``(N, M)``, of each box of ``a`` with each of ``b``: rows of ``x1, y1, x2, y2``."""
    ax1, ay1, ax2, ay2 = np.asarray(a, dtype=np.float64).T[..., None]  # (N, 1) each
    bx1, by1, bx2, by2 = np.asarray(b, dtype=np.float64).T  # (M,) each
    width = np.minimum(ax2, bx2) - np.maximum(ax1, bx1)
    height = np.minimum(ay2, by2) - np.maximum(ay1, by1)
    overlap = np.maximum(width, 0) * np.maximum(height, 0)
    total = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1)
    union = np.maximum(total - overlap, sys.float_info.min)
    return np.asarray(overlap / union, dtype=np.float64)
