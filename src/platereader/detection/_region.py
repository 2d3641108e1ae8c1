"""Plates in one part of the frame only: any detector, restricted to a polygon."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._contracts import check_part, checked_refine, refines
from platereader._geometry import Box, Point, is_finite
from platereader.detection._views import View, detect_views
from platereader.errors import InvalidArgumentError
from platereader.protocols import Detector
from platereader.results import Detection

_EXAMPLE = "pass 3 or more (x, y) in pixels of the frame, such as [(0, 400), (1280, 400), (1280, 720), (0, 720)]."
# All that fractions of a frame can enclose.
_MIN_AREA_PX = 1.0


@final
@dataclass(frozen=True, slots=True)
class RegionDetector:
    """Finds the plates whose middle lies inside of a polygon, its edge included.

    ``inner`` sees only the upright rectangle around the polygon and ``margin_px`` of its surroundings, so it works
    faster on large frames, and plates are larger for it. The middle is that of the detection's box.

    Attributes:
        inner: any detector; a ``TiledDetector`` goes in here, and its tiles then cover the region only.
        region: the polygon, 3 or more ``(x, y)`` in pixels of the frame, in order around it, either way. It
            may reach beyond the frame. Kept as a tuple.
        margin_px: surroundings that ``inner`` sees, in pixels: at least half of the width of the widest plate, so
            that one on the edge of the region is not cut off.
        name: how errors call ``region``.

    Raises:
        InvalidArgumentError: ``inner`` is no detector, ``region`` is no simple polygon (it crosses or touches
            itself, has fewer than 3 points or no area), a number is not finite, or ``margin_px`` is negative.
    """

    inner: Detector
    region: Sequence[Point]
    margin_px: float = 160.0
    name: str = field(default="region", kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_part(self.inner, kind="detector", name="inner")
        if not (is_finite(self.margin_px) and self.margin_px >= 0):
            raise InvalidArgumentError(f"margin_px is {self.margin_px!r}, allowed are 0 px and more: try 160.")
        object.__setattr__(self, "region", _polygon(self.region, name=self.name))

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame in the order of ``inner``.

        Raises:
            InvalidArgumentError: the region lies outside of a frame.
            ContractError: ``inner`` broke its contract.
        """
        seen = detect_views(self.inner, [(frame, self._view(frame)) for frame in frames])
        return [self._inside(found) for found in seen]

    @property
    def can_refine(self) -> bool:
        """Whether ``inner`` can."""
        return refines(self.inner)

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        """The plates at places where they are expected, as ``inner`` sees them.

        Raises:
            InvalidArgumentError: ``inner`` cannot refine.
            ContractError: ``inner`` broke its contract.
        """
        return self._inside(checked_refine(self.inner, frame, boxes))

    def _inside(self, found: Sequence[Detection]) -> list[Detection]:
        return [item for item in found if _contains(self.region, item.box.center)]

    def _view(self, frame: BgrImage) -> View:
        """The rectangle around the region and its margin, as far as it is inside of the frame."""
        height, width = frame.shape[:2]
        xs, ys = zip(*self.region, strict=True)
        if min(xs) >= width or min(ys) >= height or max(xs) <= 0 or max(ys) <= 0:
            raise InvalidArgumentError(
                f"{self.name}, from ({min(xs):g}, {min(ys):g}) to ({max(xs):g}, {max(ys):g}), lies outside of the "
                f"frame of {width}x{height} px: give it in pixels of this frame."
            )
        return View(
            max(0, math.floor(min(xs) - self.margin_px)),
            max(0, math.floor(min(ys) - self.margin_px)),
            min(width, math.ceil(max(xs) + self.margin_px)),
            min(height, math.ceil(max(ys) + self.margin_px)),
        )


def _polygon(points: Sequence[Point] | NDArray[np.floating], *, name: str) -> tuple[Point, ...]:
    """The points as plain floats, the first one not repeated at the end, if they are a simple polygon."""
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{name} is {points!r}, no list of points: {_EXAMPLE}") from error
    if array.ndim != 2 or array.shape[1] != 2:
        raise InvalidArgumentError(f"{name} has the shape {array.shape}, expected is (N, 2): {_EXAMPLE}")
    if not np.isfinite(array).all():
        raise InvalidArgumentError(f"{name} has a coordinate that is not finite: {_EXAMPLE}")
    if len(array) > 1 and (array[0] == array[-1]).all():
        array = array[:-1]
    if len(array) < 3:
        raise InvalidArgumentError(f"{name} has {len(array)} different points: {_EXAMPLE}")
    polygon = tuple((float(x), float(y)) for x, y in array)
    if crossing := _crossing(polygon):
        raise InvalidArgumentError(
            f"{name} crosses or touches itself (its edges from {crossing[0]} and from {crossing[1]}): list the points "
            "in order around it, each once."
        )
    if _area(polygon) <= _MIN_AREA_PX:
        raise InvalidArgumentError(
            f"{name} encloses {_area(polygon):g} square pixels: fractions must be multiplied by the width and height "
            "of the frame; the points are in pixels."
        )
    return polygon


def _area(polygon: Sequence[Point]) -> float:
    """Enclosed area in square pixels."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in _edges(polygon))) / 2


def _contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether a point lies inside of a simple polygon or on its edge."""
    y = point[1]
    inside = False
    for a, b in _edges(polygon):
        side = _side(a, b, point)
        if side == 0 and _spans(a, b, point):
            return True
        # Each edge owns its lower end only, so that a ray through a corner crosses once.
        if (a[1] > y) != (b[1] > y) and (side > 0) == (b[1] > a[1]):
            inside = not inside
    return inside


def _crossing(polygon: Sequence[Point]) -> tuple[Point, Point] | None:
    """The first points of two edges that meet elsewhere than at a corner which they share, if any do."""
    edges = _edges(polygon)
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        if j - i == 1:
            meet = _folds(a, b, d)
        elif j - i == len(edges) - 1:
            meet = _folds(c, d, b)
        else:
            meet = _meet(a, b, c, d)
        if meet:
            return a, c
    return None


def _folds(a: Point, corner: Point, d: Point) -> bool:
    """Whether a path a, corner, d stands still or runs back over itself."""
    ahead = (corner[0] - a[0]) * (d[0] - corner[0]) + (corner[1] - a[1]) * (d[1] - corner[1])
    return a == corner or corner == d or (_side(a, corner, d) == 0 and ahead < 0)


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments a-b and c-d have a point in common."""
    if any(_side(p, q, r) == 0 and _spans(p, q, r) for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))):
        return True
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _edges(polygon: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))


def _side(a: Point, b: Point, point: Point) -> float:
    """On which side of the line through a and b the point lies, 0 on the line."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


def _spans(a: Point, b: Point, point: Point) -> bool:
    """Whether the upright rectangle of a and b holds the point."""
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
