"""Where a plate's corners land: views of a flat rectangle by a camera, and corners as a detector would place them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import log_uniform

# Beyond about twice the usual error the lettering itself is cut off and the label would be a lie.
_WORST_TAIL = math.log(2.2)
_HALF = np.float32(0.5)

Corners = NDArray[np.float32]
"""float32 (4, 2) in pixels: top left, top right, bottom right, bottom left of the plate as it is read."""


@dataclass(frozen=True, slots=True)
class PoseRange:
    """How far a plate may be turned away from the camera; each angle has a spread and a limit.

    Most views are normally distributed around the front with the given spreads; ``steep_share`` of them are drawn
    evenly up to the limits instead. A positive pitch is a view from above.
    """

    yaw_deg: tuple[float, float] = (14.0, 48.0)
    pitch_deg: tuple[float, float] = (9.0, 36.0)
    roll_deg: tuple[float, float] = (3.5, 40.0)
    steep_share: float = 0.25


@dataclass(frozen=True, slots=True)
class CornerError:
    """How wrong a detector's corners are.

    ``median`` is the median distance of a corner from the truth in parts of the plate's width: half of it moves all
    four corners together (shift, scale, turn), half of it each alone. ``tail`` is the spread of the logarithm of the
    error between pictures: larger means rarer but worse failures.
    """

    median: float = 0.03
    tail: float = 0.6


def random_quad(aspect: float, *, width_px: float, pose: PoseRange, rng: np.random.Generator) -> Corners:
    """Corners of a plate of that width over height seen by a camera, its middle at (0, 0): float32 (4, 2), pixels.

    ``width_px`` is the width it would have seen from the front.
    """
    steep = rng.random() < pose.steep_share
    yaw, pitch, roll = (
        math.radians(rng.uniform(-limit, limit) if steep else max(-limit, min(limit, rng.normal(0.0, spread))))
        for spread, limit in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
    )
    distance = log_uniform(3.0, 40.0, rng=rng)  # of the camera, in plate widths
    across, down = np.array((-0.5, 0.5, 0.5, -0.5)), np.array((-1, -1, 1, 1)) * (0.5 / aspect)
    across, down, z = turned_away(across, down, yaw_rad=yaw, pitch_rad=pitch)
    x = across * math.cos(roll) - down * math.sin(roll)
    y = across * math.sin(roll) + down * math.cos(roll)
    scale = width_px * distance / (distance + z)
    return np.stack((x * scale, y * scale), axis=1).astype(np.float32)


def turned_away(
    across: NDArray[np.float64], down: NDArray[np.float64], *, yaw_rad: float, pitch_rad: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where a camera sees points of a flat rectangle that is turned about its middle: across, down and away from it.

    Turned about the car's upright axis first, then seen from above: side views keep upright edges.
    """
    turned, depth = across * math.cos(yaw_rad), across * math.sin(yaw_rad)
    upright = down * math.cos(pitch_rad) - depth * math.sin(pitch_rad)
    return turned, upright, down * math.sin(pitch_rad) + depth * math.cos(pitch_rad)


def corners_of(size_px: tuple[float, float]) -> Corners:
    """Corners of a whole picture of (width, height) pixels: float32 (4, 2)."""
    width, height = size_px
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)


def outline_of(pixels: NDArray[np.uint8]) -> Corners:
    """Corners of a picture (H, W) or (H, W, C): float32 (4, 2)."""
    return corners_of((pixels.shape[1], pixels.shape[0]))


def homography(source: Corners, target: Corners) -> NDArray[np.float64]:
    """The 3 x 3 matrix that maps four corners to four others, for OpenCV's warps.

    Corners count from the outer edge of the first pixel, OpenCV from its middle; the half pixel between is included.
    """
    matrix = cv2.getPerspectiveTransform(source - _HALF, target - _HALF)
    return cast(NDArray[np.float64], matrix)


def warp_onto(picture: BgrImage, front: BgrImage, *, matrix: NDArray[np.float64]) -> None:
    """Draw something flat onto a picture by a ``homography``; what is around it stays as it is."""
    size = (picture.shape[1], picture.shape[0])
    cv2.warpPerspective(front, matrix, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)


def warped(picture: BgrImage, matrix: NDArray[np.float64], *, size_px: tuple[int, int]) -> BgrImage:
    """A picture of (width, height) pixels of what a ``homography`` shows; beyond its edges they are repeated."""
    seen = cv2.warpPerspective(picture, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(BgrImage, seen)


def moved_by(matrix: NDArray[np.float64], *, points: Corners) -> Corners:
    """Where a ``homography`` sends points, float32 (N, 2) in pixels."""
    mapped = cv2.perspectiveTransform((points - _HALF)[None].astype(np.float64), matrix)
    return cast(Corners, (np.asarray(mapped)[0] + 0.5).astype(np.float32))


def noisy_corners(corners: Corners, *, error: CornerError, rng: np.random.Generator) -> Corners:
    """Corners, float32 (4, 2) in pixels, as a detector would report them."""
    points = corners.astype(np.float64)
    width = (math.dist(points[0], points[1]) + math.dist(points[3], points[2])) / 2
    normal = rng.standard_normal(14)
    # 1.18 sigma is the median length of a two-dimensional normal error; the vertical part is the smaller one.
    relative = error.median / 1.18 * math.exp(min(error.tail * normal[0], _WORST_TAIL))
    sigma = np.array((1.25, 0.7)) * relative * width
    grow = np.array((0.9, 2.0)) * relative * normal[3:5]
    turn = np.array((-0.9, 0.9)) * relative * normal[5]
    away = points - points.mean(axis=0)
    together = points + away * grow + away[:, ::-1] * turn + 0.5 * sigma * normal[1:3]
    return np.asarray(together + 0.75 * sigma * normal[6:].reshape(4, 2), np.float32)
