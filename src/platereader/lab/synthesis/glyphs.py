"""The lettering of plates as vector outlines, drawn for this library.

Those of Russian plates follow GOST R 50577-2018: digits have a stroke of about 14.5 hundredths of their height (11 mm
of 76), letters 16 (9 mm of 58). What they lack of the 26 letters, and the faces of other countries, are lines of a wide
pen, drawn by eye: ``fe`` after the FE-Schrift, of even widths, each character with something that keeps it from being
made into another (a cut 0, spurs on B and D, feet on I, an open P, a hook on F), ``din`` after the Mittelschrift of DIN
1451. A 9 is a 6 turned round.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.errors import UnknownNameError
from platereader.plates._layout import Face

Mask: TypeAlias = NDArray[np.uint8]
"""uint8 ``(H, W)``, 0 = bare plate, 255 = ink."""

_UNITS_HIGH = 100
_BASE_PX_PER_UNIT = 4
_OVERSAMPLING = 2
_SUBPIXEL_BITS = 6
_SAME = 1e-6
_SHARPEST_TURN = math.radians(100)

_OutlineFace: TypeAlias = Face | Literal["code"]
_Point: TypeAlias = tuple[float, float]

CHARACTERS = "0123456789ABCDEHKMOPTXY"
"""The 23 characters of Russian plates."""

_PEN_WIDTHS: dict[_OutlineFace, float] = {"gost": 15.6, "fe": 13.5, "din": 13.6, "code": 12.0}
"""Width of the pen of each face, in hundredths of the height. ``"code"`` has the letters of RUS, plain and thin."""


@cache
def outlines() -> dict[tuple[str, str], str]:
    """By face and character the rows of ``outlines.txt``.

    An outline, in a box 100 units high, is its width, then shapes, each a chain of items: "+" starts a shape that adds
    ink, "-" one that cuts it out, "=" the line of a pen, of the width of the face. Items are

        x,y        corner                    x,y,r              corner rounded with radius r
        @cx,cy,rx,ry,from,to  elliptic arc in degrees (0 right, 90 down)
        ~x0,y0,x1,y1,x2,y2    quadratic Bezier curve             o cx,cy,rx,ry,n  superellipse of exponent n

    A ``skeleton`` is the middles of strokes: chains of points ``xy`` in a box 4 wide and 6 high, y down.
    """
    rows = Path(__file__).with_name("outlines.txt").read_text(encoding="utf-8").splitlines()
    return {(face, char): outline for face, char, outline in (row.split(" ", 2) for row in rows)}


def glyph_aspect(char: str, *, face: _OutlineFace = "gost") -> float:
    """Width of a character divided by its height.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    return float(_outline(char, face).split()[0]) / _UNITS_HIGH


@lru_cache(maxsize=16384)
def glyph_mask(char: str, *, width_px: int, height_px: int, grow: int = 0, face: _OutlineFace = "gost") -> Mask:
    """The inked share of every pixel when a character fills a box that need not keep its aspect; shared and read-only.

    Every edge moves outwards by ``grow`` quarters of a hundredth of the height; negative for thin strokes. The face
    ``"code"`` has the letters of RUS alone.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    halvings = max(0, math.floor(math.log2(_UNITS_HIGH * _BASE_PX_PER_UNIT / (2 * height_px))))
    return fitted(_halved(char, grow, halvings, face), size_px=(width_px, height_px))


def fitted(mask: Mask, *, size_px: tuple[int, int]) -> Mask:
    """The mask at that width and height, read-only."""
    shrinks = size_px[0] <= mask.shape[1] and size_px[1] <= mask.shape[0]
    resized = cast(Mask, cv2.resize(mask, size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
    resized.flags.writeable = False
    return resized


def _outline(char: str, face: _OutlineFace) -> str:
    """The outline of a character; a 9 is a 6 turned round."""
    outline = outlines().get((face, "6" if char == "9" else char))
    if outline is None:
        known = {char for one, char in outlines() if one == face}
        allowed = "".join(sorted(known | ({"9"} if "6" in known else set())))
        raise UnknownNameError(f"no outline for char {char!r}: allowed are {allowed}, upper-case Latin.")
    return outline


@lru_cache(maxsize=8192)
def _halved(char: str, grow: int, halvings: int, face: _OutlineFace) -> Mask:
    """The base of a character, halved so often: shrinking from the nearest one costs a fraction."""
    if not halvings:
        return _base_mask(char, grow, face)
    larger = _halved(char, grow, halvings - 1, face)
    size = (max(1, larger.shape[1] // 2), max(1, larger.shape[0] // 2))
    return cast(Mask, cv2.resize(larger, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=256)
def _base_mask(char: str, grow: int, face: _OutlineFace) -> Mask:
    """A character at the resolution that all sizes are shrunk from."""
    outline = _outline(char, face).replace("+", "|+").replace("=", "|=").replace(" - ", " |- ")
    width, *shapes = outline.split("|")
    scale = _BASE_PX_PER_UNIT * _OVERSAMPLING
    canvas = np.zeros((_UNITS_HIGH * scale, round(float(width) * scale)), np.uint8)
    for shape in shapes:
        sign, *items = shape.split()
        for piece in _pen_line(items, width=_PEN_WIDTHS[face]) if sign == "=" else [_polygon(items)]:
            points = np.asarray(piece) * (scale * 2**_SUBPIXEL_BITS)
            cv2.fillPoly(canvas, [points.round().astype(np.int32)], 0 if sign == "-" else 255, shift=_SUBPIXEL_BITS)
    if grow:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _OVERSAMPLING * abs(grow) + 1,) * 2)
        canvas = cast(Mask, (cv2.dilate if grow > 0 else cv2.erode)(canvas, kernel))
    size = (round(float(width) * _BASE_PX_PER_UNIT), _UNITS_HIGH * _BASE_PX_PER_UNIT)
    mask = cast(Mask, cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(mask[::-1, ::-1]) if char == "9" else mask


# ---------------------------------------------------------------- from the items of a chain to its points


def _polygon(items: Sequence[str]) -> list[_Point]:
    """The points of one closed shape."""
    return _points(items, closed=True)


def _pen_line(items: Sequence[str], *, width: float) -> list[list[_Point]]:
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


def _turn(before: _Point, corner: _Point, after: _Point) -> float:
    """By how much a chain turns at a point, radians."""
    first = math.atan2(corner[1] - before[1], corner[0] - before[0])
    second = math.atan2(after[1] - corner[1], after[0] - corner[0])
    return abs((second - first + math.pi) % (2 * math.pi) - math.pi)


def _stroke(start: _Point, end: _Point, *, beyond: tuple[float, float], width: float) -> list[_Point]:
    """A straight line of the pen, lengthened ``beyond`` its ends."""
    length = math.dist(start, end)
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    x0, y0 = start[0] - dx * beyond[0], start[1] - dy * beyond[0]
    x1, y1 = end[0] + dx * beyond[1], end[1] + dy * beyond[1]
    aside, down = -dy * width / 2, dx * width / 2
    return [(x0 + aside, y0 + down), (x1 + aside, y1 + down), (x1 - aside, y1 - down), (x0 - aside, y0 - down)]


def _points(items: Sequence[str], *, closed: bool) -> list[_Point]:
    """The points of a chain, its corners rounded."""
    corners: list[tuple[_Point, float]] = []  # with the radius of each
    for item in items:
        if item[0] in _CURVES:
            corners += [(point, 0.0) for point in _CURVES[item[0]](*map(float, item[1:].split(",")))]
        else:
            x, y, *rounding = map(float, item.split(","))
            corners.append(((x, y), rounding[0] if rounding else 0.0))
    points: list[_Point] = []
    for index, (point, radius) in enumerate(corners):
        before, after = corners[index - 1][0], corners[(index + 1) % len(corners)][0]
        end = not closed and index in {0, len(corners) - 1}
        points += _rounded(before, point, after, radius=radius) if radius > 0 and not end else [point]
    return points


def _arc(cx: float, cy: float, rx: float, ry: float, first: float, last: float) -> list[_Point]:
    """Points on an arc of an upright ellipse."""
    angles = np.radians(np.linspace(first, last, round(abs(last - first) / 6) + 1)).tolist()
    return [(cx + rx * math.cos(angle), cy + ry * math.sin(angle)) for angle in angles]


def _curve(x0: float, y0: float, x1: float, y1: float, x2: float, y2: float) -> list[_Point]:
    """Points on a quadratic Bezier curve."""
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in np.linspace(0, 1, 13).tolist()]
    return [(a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2) for a, b, c in weights]


def _oval(cx: float, cy: float, rx: float, ry: float, exponent: float) -> list[_Point]:
    """Points around a superellipse: exponent 2 is an ellipse, higher ones are squarer."""
    circle = [(math.cos(angle), math.sin(angle)) for angle in np.radians(np.arange(0, 360, 4)).tolist()]
    power = 2 / exponent
    bent = [(math.copysign(abs(x) ** power, x), math.copysign(abs(y) ** power, y)) for x, y in circle]
    return [(cx + rx * x, cy + ry * y) for x, y in bent]


_CURVES: dict[str, Callable[..., list[_Point]]] = {"@": _arc, "~": _curve, "o": _oval}


def _rounded(before: _Point, corner: _Point, after: _Point, *, radius: float) -> list[_Point]:
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
