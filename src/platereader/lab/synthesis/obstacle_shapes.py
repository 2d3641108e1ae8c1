"""What stands before one end of a plate: every obstacle is ``obstacle(plane, share, base, rng) -> Layer``.

``share`` is where it ends inwards at half the plate's height, in plate widths from the end; ``base`` is its colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage, either_sign, pick
from platereader.lab.synthesis.fixtures import Paint
from platereader.lab.synthesis.pose import Corners, corners_of, homography, moved_by
from platereader.lab.synthesis.render import render_plate
from platereader.plates import RUSSIA

Side: TypeAlias = Literal["left", "right"]
"""An end of a plate as it is read."""

Floats: TypeAlias = NDArray[np.floating[Any]]
"""``(H, W)`` on the way to a ``FloatImage``."""


@dataclass(frozen=True, slots=True, eq=False)
class PlatePlane:
    """Where each pixel of a picture lies in the plane of a plate, counted from one of its ends.

    The corners ``quad`` of the plate are float32 ``(4, 2)``, in pixels. ``depth``, float32 ``(H, W)``, runs from the
    end ``side`` inwards, in plate widths, negative beyond the end; ``down``, likewise, from the upper edge down, in
    plate heights. ``aspect`` is width over height, as it is seen.
    """

    picture: BgrImage
    quad: Corners
    side: Side
    depth: FloatImage
    down: FloatImage
    width_px: float
    aspect: float

    @property
    def lower(self) -> FloatImage:
        """float32 ``(H, W)``: distance below the middle of the plate, in plate widths."""
        return np.asarray((self.down - np.float32(0.5)) / np.float32(self.aspect), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something before a picture: float32 ``(H, W, 3)`` BGR, about 0 to 255, and its opacity ``(H, W)``, 0 to 1."""

    colour: FloatImage
    opacity: FloatImage


def plane_of(picture: BgrImage, *, quad: Corners, side: Side) -> PlatePlane:
    """The plane of a plate; a pixel beyond its horizon is infinitely far beyond the other end."""
    matrix = homography(quad, corners_of((1.0, 1.0))).astype(np.float64)
    height, width = picture.shape[:2]
    x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]
    across, down, nearness = (row[0] * x + row[1] * y + row[2] for row in matrix)
    at_centre = float(matrix[2] @ np.array((*(quad.mean(axis=0) - 0.5).tolist(), 1.0)))
    nearness = nearness / at_centre
    behind = nearness < 0.05
    nearness = np.where(behind, 1.0, nearness) * at_centre
    # OpenCV counts from the middle of a pixel: the homography's half pixel is one of the unit square, too.
    u = (across / nearness + 0.5).astype(np.float32)
    depth = np.where(behind, np.float32(1e3), u if side == "left" else 1.0 - u).astype(np.float32)
    sizes = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    width_px, height_px = float(sizes[0] + sizes[2]) / 2, float(sizes[1] + sizes[3]) / 2
    return PlatePlane(
        picture=picture,
        quad=quad,
        side=side,
        depth=depth,
        down=(down / nearness + 0.5).astype(np.float32),
        width_px=max(width_px, 1.0),
        aspect=max(width_px, 1.0) / max(height_px, 1.0),
    )


def ramp(inside: Floats, *, softness: float) -> FloatImage:
    """Opacity of a shape by the distance inside of its outline: a half on it, whole half a ``softness`` within."""
    return np.asarray(np.clip(inside / np.float32(softness) + np.float32(0.5), 0.0, 1.0), np.float32)


def smooth_noise(plane: PlatePlane, *, cell: float, rng: np.random.Generator) -> FloatImage:
    """Smooth noise of the spread 1 over the picture, its cells ``cell`` plate widths large; float32 ``(H, W)``."""
    height, width = plane.depth.shape
    step = max(cell * plane.width_px, 1.0)
    grid = rng.standard_normal((max(2, round(height / step) + 1), max(2, round(width / step) + 1)), np.float32)
    return cast(FloatImage, cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC))


def with_layer(picture: BgrImage, layer: Layer, *, rng: np.random.Generator) -> BgrImage:
    """The picture behind a layer that has the noise of a camera; a new array."""
    rows, columns = (np.flatnonzero(layer.opacity.any(axis=axis)) for axis in (1, 0))
    result: BgrImage = picture.copy()
    if not len(rows):
        return result
    area = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    opacity, colour = layer.opacity[area][..., None], layer.colour[area]
    noise = np.float32(rng.uniform(0.5, 4.0)) * rng.standard_normal((*colour.shape[:2], 1), np.float32)
    mixed = picture[area] * (1 - opacity) + (colour + noise) * opacity
    result[area] = np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)
    return result


_FRONT_PX = (96, 24)
_SHARP_PX = 1.0
_SKINS: tuple[tuple[float, float, float], ...] = (
    (150, 175, 225), (125, 150, 205), (95, 125, 180), (65, 90, 140), (40, 55, 90),
)  # fmt: skip
_NEIGHBOURS = ("standard", "standard", "taxi", "trailer", "transit")


def random_colour(tone: float | None, *, rng: np.random.Generator) -> Paint:
    """A colour of that grey level, 0 to 255, or of any; most obstacles are nearly grey."""
    if tone is None:  # the ends of the scale are as common as its middle
        tone = float(np.clip(rng.uniform(-20.0, 275.0), 0.0, 255.0))
    strength = float(rng.choice((4.0, 25.0), p=(0.75, 0.25)))
    return np.asarray(np.clip(tone + strength * rng.standard_normal(3), 0, 255), np.float32)


def ground_of(plane: PlatePlane) -> Paint:
    """The commonest colour of the plate near its end, which is that of its ground."""
    matrix = homography(plane.quad, corners_of((float(_FRONT_PX[0]), float(_FRONT_PX[1]))))
    front = cv2.warpPerspective(plane.picture, matrix, _FRONT_PX, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    third = _FRONT_PX[0] // 3
    near = front[2:-2, 2:third] if plane.side == "left" else front[2:-2, -third:-2]
    colours = near.reshape(-1, 3).astype(np.float32)
    grey = colours.mean(axis=1)
    counts, edges = np.histogram(grey, bins=32, range=(0, 256))
    best = int(np.convolve(counts, (1, 2, 1), mode="same").argmax())
    chosen = (grey >= edges[max(best - 1, 0)]) & (grey <= edges[min(best + 2, 32)])
    return cast(Paint, colours[chosen].mean(axis=0))


def post(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """An upright bar with straight edges: round or flat, plain, streaked or banded; some stand free of the rim."""
    lean = np.float32(rng.normal(0.0, 0.02))
    beyond_edge = np.float32(share) + lean * plane.lower * 2 - plane.depth  # from the inner edge outwards
    free = share >= 0.06 and rng.random() < 0.35
    rim = -float(rng.uniform(0.05, 0.6)) if not free else min(float(rng.uniform(0.014, 0.04)), share / 3)
    width = np.float32(share - rim)
    inside = np.minimum(beyond_edge, width - beyond_edge)
    if rng.random() < 0.6:
        shade = _rounded(beyond_edge / width, rng=rng)
    else:
        slope = np.float32(rng.uniform(-0.1, 0.1))
        shade = np.asarray(1 + slope * (np.clip(plane.down, -1, 2) - np.float32(0.5)), np.float32)
    texture = float(rng.random())
    if texture < 0.3:  # streaks along the post, such as rust or the grain of wood
        levels = rng.normal(0.0, float(rng.uniform(0.03, 0.15)), 120)
        shade = shade + np.interp(beyond_edge, np.linspace(-0.1, 1.0, 120), levels).astype(np.float32)
    elif texture < 0.4:  # bands around it, light and dark by turns
        period, start = np.float32(rng.uniform(0.4, 2.5)), np.float32(rng.uniform(0.0, 1.0))
        dark = np.mod(np.clip(plane.down, -20, 20) / period + start, 1.0) < 0.5
        shade = shade * np.where(dark, np.float32(rng.uniform(0.15, 0.6)), np.float32(1.0))
    elif texture < 0.6:
        shade = shade + np.float32(rng.uniform(0.02, 0.1)) * smooth_noise(plane, cell=0.04, rng=rng)
    return Layer(_shaded(base, shade), ramp(inside, softness=_softness(plane, rng=rng)))


def strip(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """A flat piece with exact edges, as of tape or fresh paint, over the rim or up to it."""
    inside = np.float32(share) - plane.depth
    if rng.random() < 0.5:
        rim, edge = (float(value) for value in rng.uniform((0.012, 0.04), (0.02, 0.09)))
        room = np.minimum(plane.down - np.float32(edge), np.float32(1 - edge) - plane.down) / np.float32(plane.aspect)
        inside = np.minimum(np.minimum(inside, plane.depth - np.float32(min(rim, share / 2))), room)
    else:
        over = np.float32(rng.uniform(0.0, 0.3))
        room = np.minimum(plane.down + over, 1 + over - plane.down) / np.float32(plane.aspect)
        inside = np.minimum(np.minimum(inside, plane.depth + np.float32(rng.uniform(0.0, 0.15))), room)
    shade = np.ones_like(inside) + np.float32(rng.uniform(-0.03, 0.03)) * (plane.down - np.float32(0.5))
    return Layer(_shaded(base, shade), ramp(inside, softness=_SHARP_PX / plane.width_px))


def snow(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """A mass with a rough edge; lying snow reaches farther at the bottom than at the top."""
    slope = float(rng.choice((0.0, rng.uniform(0.2, 1.0)), p=(0.4, 0.6)))
    rough = min(float(rng.uniform(0.012, 0.05)), share / 4)
    noise = smooth_noise(plane, cell=float(rng.uniform(0.04, 0.16)), rng=rng)
    noise = noise + np.float32(0.4) * smooth_noise(plane, cell=0.02, rng=rng)
    edge = np.float32(share) * (1 + np.float32(2 * slope) * (np.clip(plane.down, -0.5, 1.5) - np.float32(0.5)))
    inside = np.minimum(edge + np.float32(rough) * noise - plane.depth, plane.depth + np.float32(0.7))
    if slope and rng.random() < 0.5:  # a heap that ends somewhere above
        top = np.float32(rng.uniform(-0.6, 0.1))
        inside = np.minimum(inside, (plane.down - top) / np.float32(plane.aspect) + np.float32(rough) * noise)
    softness = float(rng.uniform(0.008, 0.03))
    relief = np.float32(0.05) * noise + np.float32(0.06) * smooth_noise(plane, cell=0.015, rng=rng)
    shade = np.float32(0.86) + np.float32(0.14) * ramp(inside, softness=6 * softness) + relief
    return Layer(_shaded(base, shade), ramp(inside, softness=softness))


def dirt(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """Mud in the tones of what is behind, which fades in; ``share`` is where it covers a half."""
    fade = min(float(rng.uniform(0.02, 0.12)), share)
    noise = smooth_noise(plane, cell=float(rng.uniform(0.02, 0.08)), rng=rng)
    inside = np.float32(share) - plane.depth + np.float32(0.3 * fade) * noise
    below = np.abs(plane.lower - np.float32(rng.uniform(-0.1, 0.2)))
    around = np.float32(rng.uniform(0.35, 0.6)) - np.hypot(below, np.minimum(plane.depth + np.float32(0.1), 0))
    inside = np.minimum(inside, around + np.float32(0.02) * noise)
    opacity = ramp(inside, softness=fade)
    brown = np.array((0.85, 0.95, 1.0), np.float32) ** np.float32(rng.uniform(0.0, 2.0))
    earth: Paint = (base * brown).astype(np.float32)
    shade = np.float32(rng.uniform(0.4, 1.0)) + np.float32(0.05) * smooth_noise(plane, cell=0.03, rng=rng)
    return Layer(_shaded(earth, shade), opacity)


def bar(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """A slanted rod, thin like a cable or thick like a tow bar, that crosses the end; some end in a ball."""
    angle = float(rng.uniform(8.0, 50.0)) * either_sign(rng)
    cos, sin = (np.float32(value) for value in (math.cos(math.radians(angle)), math.sin(math.radians(angle))))
    beyond_edge = (np.float32(share) - plane.depth) * cos - plane.lower * sin
    width = np.float32(rng.uniform(0.025, 0.06) if rng.random() < 0.35 else rng.uniform(0.06, 0.22))
    inside = np.minimum(beyond_edge, width - beyond_edge)
    shade = _rounded(beyond_edge / width, rng=rng)
    if rng.random() < 0.4:
        top, radius = np.float32(rng.uniform(-0.1, 0.3) / plane.aspect), width * np.float32(rng.uniform(0.6, 1.0))
        aside = plane.depth - np.float32(share) + radius
        ball = radius - np.hypot(aside, plane.lower - top)
        shade = np.where(ball > 0, _rounded((radius - aside) / (2 * radius), rng=rng), shade).astype(np.float32)
        inside = np.maximum(np.minimum(inside, plane.lower - top), ball)
    return Layer(_shaded(base, shade), ramp(inside, softness=_softness(plane, rng=rng)))


def hand(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """Rounded fingers of a hand or a glove, one above the other; the longest one ends at ``share``."""
    radius = float(rng.uniform(0.02, 0.035))
    first, count = int(rng.integers(1, 3)), int(rng.integers(3, 5))
    slope = float(rng.normal(0.0, 0.15))
    inside = np.full(plane.depth.shape, -1.0, np.float32)
    for number in range(-first, count - first):
        tip = share - radius - (0.0 if number == 0 else float(rng.uniform(0.0, 0.4)) * min(share, 0.12))
        aside = plane.lower - np.float32(1.9 * radius * number) - np.float32(slope) * (plane.depth - np.float32(share))
        past = np.maximum(plane.depth - np.float32(tip), 0)
        inside = np.maximum(inside, np.float32(radius) - np.hypot(past, aside))
    knuckles = np.minimum(np.float32(share - 0.12) - plane.depth, np.float32(5 * radius) - np.abs(plane.lower))
    inside = np.minimum(np.maximum(inside, knuckles), plane.depth + np.float32(0.6))
    shade = np.float32(0.6) + np.float32(0.4) * np.sqrt(np.clip(inside / np.float32(radius), 0, 1))
    shade = shade + np.float32(0.03) * smooth_noise(plane, cell=0.02, rng=rng)
    if rng.random() < 0.6:  # bare
        base = np.array(pick(_SKINS, rng=rng), np.float32) * np.float32(rng.uniform(0.6, 1.1))
    return Layer(_shaded(base, shade), ramp(inside, softness=_softness(plane, rng=rng)))


def another_plate(plane: PlatePlane, share: float, base: Paint, rng: np.random.Generator) -> Layer:
    """A plate or a plain sign before the end of this one, a little turned."""
    layout = RUSSIA.layout(pick(_NEIGHBOURS, rng=rng))
    text = RUSSIA.sample_text(layout.plate_format, rng=rng)
    front = render_plate(text, layout, height_px=64, rng=rng).pixels.astype(np.float32)
    if rng.random() < 0.3:
        front[:] = base
    height, width = front.shape[:2]
    matrix = homography(corners_of((float(width), float(height))), _neighbour_corners(plane, share, rng=rng))
    size = (plane.depth.shape[1], plane.depth.shape[0])
    colour = cv2.warpPerspective(front, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size, flags=cv2.INTER_LINEAR)
    light = ground_of(plane).mean() / max(float(np.median(front)), 40.0)
    gain = np.float32(float(np.clip(light, 0.2, 1.2)) * rng.uniform(0.7, 1.1))
    return Layer(cast(FloatImage, colour * gain), cast(FloatImage, np.clip(opacity, 0, 1)))


OBSTACLES: Mapping[str, Callable[[PlatePlane, float, Paint, np.random.Generator], Layer]] = {
    shape.__name__: shape for shape in (post, strip, snow, dirt, bar, hand, another_plate)
}
"""All obstacles by name."""


def _neighbour_corners(plane: PlatePlane, share: float, *, rng: np.random.Generator) -> Corners:
    """Where a plate of about the same size lies whose edge stands at ``share``, in pixels."""
    wide, tall = (float(value) for value in rng.uniform((0.7, 0.95), (1.4, 1.5)))
    middle = 0.5 + float(rng.uniform(-0.15, 0.15))
    turn = float(rng.normal(0.0, math.radians(2.5)))
    # Turned about the middle of its inner edge, in plate widths.
    x, y = np.array((0, wide, wide, 0)), np.array((-tall, -tall, tall, tall)) / 2 / plane.aspect
    beyond = x * math.cos(turn) - y * math.sin(turn) - share
    down = (x * math.sin(turn) + y * math.cos(turn)) * plane.aspect + middle
    places = np.stack((1.0 + beyond, down), axis=1)
    if plane.side == "left":  # its right end lies over our left one
        places = np.stack((-beyond, down), axis=1)[[1, 0, 3, 2]]
    return moved_by(homography(corners_of((1.0, 1.0)), plane.quad), points=places.astype(np.float32))


def _softness(plane: PlatePlane, *, rng: np.random.Generator) -> float:
    """Width of an edge in plate widths: mostly as sharp as the picture, else out of focus."""
    sharp = _SHARP_PX / plane.width_px
    return sharp * float(rng.uniform(1.0, 2.0)) if rng.random() < 0.65 else max(sharp, float(rng.uniform(0.01, 0.03)))


def _shaded(base: Paint, shade: Floats) -> FloatImage:
    return np.asarray(shade[..., None] * base, np.float32)


def _rounded(across: Floats, *, rng: np.random.Generator) -> FloatImage:
    """Light on a round post, 0 to 1 across it: darker to its edges, with a highlight."""
    depth, light = np.float32(rng.uniform(0.1, 0.6)), np.float32(rng.uniform(0.2, 0.8))
    dark = 1 - depth * np.clip(np.abs(across - light), 0, 1) * 1.4
    gloss = np.float32(rng.uniform(0.0, 0.4)) * np.exp(-(((across - light) / np.float32(0.12)) ** 2))
    return np.asarray(np.clip(dark, 0.1, 1) + gloss, np.float32)
