"""The plane of a plate as the pixels of a picture see it, and layers of paint over a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage
from platereader.lab.synthesis.pose import Corners, corners_of, homography

__all__ = ["Floats", "Layer", "PlatePlane", "Side", "plane_of", "ramp", "smooth_noise", "with_layer"]

Side: TypeAlias = Literal["left", "right"]
"""An end of a plate as it is read."""

Floats: TypeAlias = NDArray[np.floating[Any]]
"""``(H, W)`` on the way to a ``FloatImage``."""

_FAR = np.float32(1e3)
_LEAST_NEARNESS = 0.05
_NOISE = (0.5, 4.0)


@dataclass(frozen=True, slots=True, eq=False)
class PlatePlane:
    """Where each pixel of a picture lies in the plane of a plate, counted from one of its ends.

    Attributes:
        picture: uint8 ``(H, W, 3)`` BGR.
        quad: float32 ``(4, 2)`` corners of the plate in it, pixels.
        side: the end to count from.
        depth: float32 ``(H, W)``: from that end inwards, in plate widths; negative beyond the end.
        down: float32 ``(H, W)``: from the upper edge down, in plate heights.
        width_px: mean width of the plate.
        aspect: width over height, as it is seen.
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
        lower: FloatImage = (self.down - np.float32(0.5)) / np.float32(self.aspect)
        return lower


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something before a picture.

    Attributes:
        colour: float32 ``(H, W, 3)`` BGR, about 0 to 255.
        opacity: float32 ``(H, W)``, 0 to 1.
    """

    colour: FloatImage
    opacity: FloatImage


def plane_of(picture: BgrImage, *, quad: Corners, side: Side) -> PlatePlane:
    """The plane of a plate; a pixel beyond its horizon is infinitely far beyond the other end."""
    matrix = homography(quad, corners_of((1.0, 1.0))).astype(np.float64)
    height, width = picture.shape[:2]
    x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]
    across, down, nearness = (row[0] * x + row[1] * y + row[2] for row in matrix)
    centre_x, centre_y = (quad.mean(axis=0) - 0.5).tolist()
    at_centre = float(matrix[2] @ np.array((centre_x, centre_y, 1.0)))
    nearness = nearness / at_centre
    behind = nearness < _LEAST_NEARNESS
    nearness = np.where(behind, 1.0, nearness) * at_centre
    # OpenCV counts from the middle of a pixel: the homography's half pixel is one of the unit square, too.
    u = (across / nearness + 0.5).astype(np.float32)
    depth = np.where(behind, _FAR, u if side == "left" else 1.0 - u).astype(np.float32)
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
    opacity: FloatImage = np.clip(inside / np.float32(softness) + np.float32(0.5), 0.0, 1.0).astype(
        np.float32, copy=False
    )
    return opacity


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
    noise = np.float32(rng.uniform(*_NOISE)) * rng.standard_normal((*colour.shape[:2], 1), np.float32)
    mixed = picture[area] * (1 - opacity) + (colour + noise) * opacity
    result[area] = np.clip(mixed + np.float32(0.5), 0, 255).astype(np.uint8)
    return result
