"""From the description of an outline to its points: corners, arcs, curves and lines of a pen.

A chain is a list of items:

    x,y        corner                    x,y,r              corner rounded with radius r
    @cx,cy,rx,ry,from,to  elliptic arc in degrees (0 right, 90 down)
    ~x0,y0,x1,y1,x2,y2    quadratic Bezier curve             o cx,cy,rx,ry,n  superellipse of exponent n
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

Point: TypeAlias = tuple[float, float]

_SAME = 1e-6
_SHARPEST_TURN = math.radians(100)


def polygon(items: Sequence[str]) -> list[Point]:
    """The points of one closed shape."""
    return _points(items, closed=True)


def pen_line(items: Sequence[str], *, width: float) -> list[list[Point]]:
    """The line that a broad pen leaves along an open chain, as polygons that overlap: flat ends, sharp corners."""
    points = _points(items, closed=False)
    points = points[:1] + [after for before, after in itertools.pairwise(points) if math.dist(before, after) >= _SAME]
    if math.dist(points[0], points[-1]) < _SAME:
        points.append(points[1])  # a ring: its lines meet at the start too
    turns = [_turn(*three) for three in zip(points[:-2], points[1:-1], points[2:], strict=True)]
    # Both lines of a corner go beyond it to meet in a point; very sharp corners are round.
    reaches = [width / 2 * math.tan(turn / 2) if turn < _SHARPEST_TURN else 0.0 for turn in turns]
    spans = zip(itertools.pairwise(points), itertools.pairwise([0.0, *reaches, 0.0]), strict=True)
    pieces = [_stroke(*ends, beyond=beyond, width=width) for ends, beyond in spans]
    round_corners = [point for point, turn in zip(points[1:-1], turns, strict=True) if turn >= _SHARPEST_TURN]
    return pieces + [_arc(*point, width / 2, width / 2, 0, 348) for point in round_corners]


def _turn(before: Point, corner: Point, after: Point) -> float:
    """By how much a chain turns at a point, radians."""
    first = math.atan2(corner[1] - before[1], corner[0] - before[0])
    second = math.atan2(after[1] - corner[1], after[0] - corner[0])
    return abs((second - first + math.pi) % (2 * math.pi) - math.pi)


def _stroke(start: Point, end: Point, *, beyond: tuple[float, float], width: float) -> list[Point]:
    """A straight line of the pen, lengthened ``beyond`` its ends."""
    length = math.dist(start, end)
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    x0, y0 = start[0] - dx * beyond[0], start[1] - dy * beyond[0]
    x1, y1 = end[0] + dx * beyond[1], end[1] + dy * beyond[1]
    aside, down = -dy * width / 2, dx * width / 2
    return [(x0 + aside, y0 + down), (x1 + aside, y1 + down), (x1 - aside, y1 - down), (x0 - aside, y0 - down)]


def _points(items: Sequence[str], *, closed: bool) -> list[Point]:
    """The points of a chain, its corners rounded."""
    corners: list[tuple[Point, float]] = []  # with the radius of each
    for item in items:
        if item[0] in _CURVES:
            corners += [(point, 0.0) for point in _CURVES[item[0]](*map(float, item[1:].split(",")))]
        else:
            x, y, *rounding = map(float, item.split(","))
            corners.append(((x, y), rounding[0] if rounding else 0.0))
    points: list[Point] = []
    for index, (point, radius) in enumerate(corners):
        before, after = corners[index - 1][0], corners[(index + 1) % len(corners)][0]
        end = not closed and index in {0, len(corners) - 1}
        points += _rounded(before, point, after, radius=radius) if radius > 0 and not end else [point]
    return points


def _arc(cx: float, cy: float, rx: float, ry: float, first: float, last: float) -> list[Point]:
    """Points on an arc of an upright ellipse."""
    angles = np.radians(np.linspace(first, last, round(abs(last - first) / 6) + 1)).tolist()
    return [(cx + rx * math.cos(angle), cy + ry * math.sin(angle)) for angle in angles]


def _curve(x0: float, y0: float, x1: float, y1: float, x2: float, y2: float) -> list[Point]:
    """Points on a quadratic Bezier curve."""
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in np.linspace(0, 1, 13).tolist()]
    return [(a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2) for a, b, c in weights]


def _oval(cx: float, cy: float, rx: float, ry: float, exponent: float) -> list[Point]:
    """Points around a superellipse: exponent 2 is an ellipse, higher ones are squarer."""
    circle = [(math.cos(angle), math.sin(angle)) for angle in np.radians(np.arange(0, 360, 4)).tolist()]
    power = 2 / exponent
    bent = [(math.copysign(abs(x) ** power, x), math.copysign(abs(y) ** power, y)) for x, y in circle]
    return [(cx + rx * x, cy + ry * y) for x, y in bent]


_CURVES: dict[str, Callable[..., list[Point]]] = {"@": _arc, "~": _curve, "o": _oval}


def _rounded(before: Point, corner: Point, after: Point, *, radius: float) -> list[Point]:
    """Points on the circle that touches both edges of a corner; it shrinks where an edge is too short for it."""
    to_before, to_after = math.dist(before, corner), math.dist(after, corner)
    ax, ay = (before[0] - corner[0]) / to_before, (before[1] - corner[1]) / to_before
    bx, by = (after[0] - corner[0]) / to_after, (after[1] - corner[1]) / to_after
    half_angle = math.acos(max(-1.0, min(1.0, ax * bx + ay * by))) / 2
    bisector = math.hypot(ax + bx, ay + by)
    if bisector < 1e-3:
        return [corner]
    reach = min(radius / math.tan(half_angle), to_before / 2, to_after / 2)
    size = reach * math.tan(half_angle)
    away = size / math.sin(half_angle) / bisector
    cx, cy = corner[0] + (ax + bx) * away, corner[1] + (ay + by) * away
    first = math.atan2(corner[1] + ay * reach - cy, corner[0] + ax * reach - cx)
    last = math.atan2(corner[1] + by * reach - cy, corner[0] + bx * reach - cx)
    turn = (last - first + math.pi) % (2 * math.pi) - math.pi
    angles = [first + turn * step / 8 for step in range(9)]
    return [(cx + size * math.cos(angle), cy + size * math.sin(angle)) for angle in angles]
