"""How vehicles and cameras move: places of a plate in space over time, seen by a camera with perspective.

Everything is a function of time, so that a shutter that stays open sees the motion that the frames show. It is part of
a frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from platereader.lab.synthesis.pose import Corners
from platereader.lab.synthesis.scenes.frames import plate_width
from platereader.lab.synthesis.video.layers import Matrix

SIZE_PX = (1280, 720)
"""Width and height of every frame."""

FOCAL_PX = 1400.0
"""Of the camera; a plate as wide as one unit is this many pixels wide at a distance of one."""

_MIDDLE = (640.0, 300.0)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the middle of a plate is seen, how wide it is from the front, and how far it is turned.

    ``yaw_rad`` is about the upright axis, in addition to the turn it has in its photograph.
    """

    x_px: float
    y_px: float
    width_px: float
    yaw_rad: float = 0.0
    roll_rad: float = 0.0


Path: TypeAlias = Callable[[float], Pose]
"""From seconds to where the plate is."""

Camera: TypeAlias = Callable[[float], Matrix]
"""From seconds to the matrix that moves the whole picture."""

Pace: TypeAlias = Literal["even", "steady", "braking", "starting", "stop and go", "there and back"]
"""How the speed along a path changes."""


def path_through(poses: Sequence[Pose], *, duration_s: float, pace: Pace, rng: np.random.Generator) -> Path:
    """The path through some poses, straight in space between them; at a steady pace they are equally far apart."""
    places = np.array([_to_space(pose) for pose in poses])  # (N, 5): x, y, z, yaw, roll
    shares = np.linspace(0, 1, len(poses))
    times, progress = _progress(duration_s, pace=pace, rng=rng)

    def path(time_s: float) -> Pose:
        share = float(np.interp(time_s, times, progress))
        x, y, z, yaw, roll = (float(np.interp(share, shares, places[:, column])) for column in range(5))
        return Pose(_MIDDLE[0] + FOCAL_PX * x / z, _MIDDLE[1] + FOCAL_PX * y / z, FOCAL_PX / z, yaw, roll)

    return path


def view(plate: Corners, pose: Pose) -> Matrix:
    """From the pixels of a picture to the frame that shows it as a plane, its plate's corners in that pose."""
    width = plate_width(plate)
    x, y = plate.mean(axis=0).tolist()
    to_units = np.array([[1 / width, 0, -x / width], [0, 1 / width, -y / width], [0, 0, 1.0]])
    cos, sin = math.cos(pose.yaw_rad), math.sin(pose.yaw_rad)
    cos_roll, sin_roll = math.cos(pose.roll_rad), math.sin(pose.roll_rad)
    across = (cos * cos_roll, sin_roll, sin * cos_roll)
    down = (-cos * sin_roll, cos_roll, -sin * sin_roll)
    to_space = np.array([across, down, _to_space(pose)[:3]]).T
    lens = np.array([[FOCAL_PX, 0, _MIDDLE[0]], [0, FOCAL_PX, _MIDDLE[1]], [0, 0, 1.0]])
    return cast(Matrix, lens @ to_space @ to_units)


def fixed_camera(time_s: float) -> Matrix:
    """A camera on a wall."""
    del time_s
    return np.eye(3)


def moving_camera(
    *, amplitude_px: float, pan_px_s: float = 0.0, roll_deg: float = 0.0, rng: np.random.Generator
) -> Camera:
    """A camera in a hand or on a mast: slow and quick shaking, and an even pan."""
    frequencies = rng.uniform(0.3, 5.0, (3, 4))
    phases = rng.uniform(0, 2 * math.pi, (3, 4))
    weights = rng.uniform(0.3, 1.0, (3, 4)) / (1 + frequencies)

    def camera(time_s: float) -> Matrix:
        waves = (weights * np.sin(2 * math.pi * frequencies * time_s + phases)).sum(axis=1).tolist()
        dx, dy, tilt = amplitude_px * waves[0] + pan_px_s * time_s, 0.7 * amplitude_px * waves[1], roll_deg * waves[2]
        cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        x, y = _MIDDLE
        shift = x - cos * x + sin * y + dx, y - sin * x - cos * y + dy
        return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]], [0.0, 0.0, 1.0]])

    return camera


def _to_space(pose: Pose) -> tuple[float, float, float, float, float]:
    """x, y, z in widths of the plate, and the two turns."""
    z = FOCAL_PX / pose.width_px
    x, y = (pose.x_px - _MIDDLE[0]) * z / FOCAL_PX, (pose.y_px - _MIDDLE[1]) * z / FOCAL_PX
    return x, y, z, pose.yaw_rad, pose.roll_rad


def _progress(
    duration_s: float, *, pace: Pace, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times, and the share of the path that is behind by then, from 0 to 1."""
    place = np.linspace(0, 1, 400)
    wave = rng.uniform(0.6, 2.0), rng.uniform(0, 2 * math.pi)
    speed = 1 + 0.25 * np.sin(2 * math.pi * wave[0] * place + wave[1])
    if pace == "even":
        speed = np.ones_like(place)
    elif pace == "braking":
        speed *= 1.9 - 1.8 * place
    elif pace == "starting":
        speed *= 0.1 + 1.8 * place
    elif pace == "stop and go":
        start, length = rng.uniform(0.2, 0.45), rng.uniform(0.25, 0.45)
        speed *= np.clip(np.abs(place - start - length / 2) / (length / 2) - 1, 0, 0.3)
    progress = np.cumsum(speed) - speed[0]
    progress /= progress[-1]
    if pace == "there and back":
        progress = np.interp(place, (0.0, 0.12, 0.3, 0.7, 0.88, 1.0), (0.0, 0.06, 1.0, 1.0, 0.06, 0.0))
    return place * duration_s, progress
