"""Where plates will be: a Kalman filter for all tracks at once, for straight ways in space seen through a pinhole.

A car that drives straight on at constant speed does not move at constant speed in the picture: what comes nearer grows
and speeds up. If a plate's size grows at the rate ``k``, then in ``t`` seconds it grows by ``g = 1 / (1 - k t)``, moves
by ``g v t`` and goes on at ``g^2 v``: that is the projection of a straight way, needs no camera parameters and is the
usual constant velocity (Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016) where ``k`` is 0.

The state is x, y, log size and log aspect with their speeds. Lengths are in sides, a side being the square root of the
plate's area (0.24 m on a standard plate), so that one set of numbers serves near and far plates; noise grows with the
seconds passed and not with the number of frames. The four parts do not share errors, which leaves three numbers each
for the covariance instead of a matrix of 8 x 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from platereader.results import Detection
from platereader.results._evidence import plate_sides

FloatArray: TypeAlias = NDArray[np.float64]

_MEASUREMENT_NOISE: Final = np.array([0.08, 0.08, 0.08, 0.15])
"""Standard deviation of a detection: x and y in sides, log size, log aspect."""

_INITIAL_SPEED: Final = np.array([25.0, 8.0, 0.7, 0.3])
"""Standard deviation of the unknown speed of a new track, per second; 25 sides are 6 m."""

_SPEED_NOISE: Final = np.array([20.0, 10.0, 1.0, 0.5])
"""How far speeds wander in a second, per second: cars brake and turn, cameras sway."""

_SHAKE_NOISE: Final = np.array([1.0, 1.0, 0.0, 0.0])
"""How far a plate may be off its way in one frame, as when the camera is hit: standard deviation in sides."""

# Plates beyond these sizes are not seen: what is predicted stays finite however long a track coasts.
_SMALLEST_PX, _LARGEST_PX = 1.0, 1e4


def measured(detections: Sequence[Detection]) -> FloatArray:
    """What the filter takes in, ``(N, 4)``: x and y of the middle in pixels, log size, log aspect.

    Of the corners, which are more precise, or of the box where there are none.
    """
    rows = np.array([_middle_and_sides(detection) for detection in detections], dtype=np.float64).reshape(-1, 4)
    sides = np.log(np.clip(rows[:, 2:], _SMALLEST_PX, _LARGEST_PX))
    return np.column_stack([rows[:, :2], sides.mean(axis=1), sides[:, 0] - sides[:, 1]])


def _middle_and_sides(detection: Detection) -> tuple[float, float, float, float]:
    if detection.corners is None:
        return (*detection.box.center, *plate_sides(detection))
    x, y = (sum(values) / 4 for values in zip(*detection.corners.points, strict=True))
    return (x, y, *plate_sides(detection))


@dataclass(slots=True)
class Motion:
    """The state of N tracks."""

    mean: FloatArray  # (N, 4): x, y in pixels, log size, log aspect
    speed: FloatArray  # (N, 4): of these, per second
    covariance: FloatArray  # (N, 3, 4): of each with itself, with its speed, and of its speed; x and y in sides

    @classmethod
    def started(cls, measurements: FloatArray) -> Motion:
        """Tracks seen once."""
        first = np.stack([_MEASUREMENT_NOISE**2, np.zeros(4), _INITIAL_SPEED**2])
        return cls(measurements.copy(), np.zeros_like(measurements), np.tile(first, (len(measurements), 1, 1)))

    @property
    def sides(self) -> FloatArray:
        """float64 ``(N, 1)``: length of a side in pixels."""
        return np.exp(self.mean[:, 2:3])

    def advance(self, elapsed_s: float) -> None:
        """Move everything on by ``elapsed_s`` seconds."""
        most = np.maximum(_LARGEST_PX / self.sides, 1.0)
        growth = 1 / np.maximum(1 - self.speed[:, 2:3] * elapsed_s, 1 / most)
        self.mean[:, :2] += self.speed[:, :2] * elapsed_s * growth
        self.mean[:, 2:3] += np.log(growth)
        self.mean[:, 3] += self.speed[:, 3] * elapsed_s
        self.speed[:, :2] *= growth**2
        self.speed[:, 2:3] *= growth
        place, shared, speed = self.covariance[:, 0], self.covariance[:, 1], self.covariance[:, 2]
        place += 2 * elapsed_s * shared + elapsed_s**2 * speed + _SPEED_NOISE**2 * elapsed_s**3 / 3
        shared += elapsed_s * speed + _SPEED_NOISE**2 * elapsed_s**2 / 2
        speed += _SPEED_NOISE**2 * elapsed_s

    def errors(self, measurements: FloatArray) -> tuple[FloatArray, FloatArray]:
        """How far M measurements are from tracks, (N, M, 4), and the variance of that, (N, 1, 4); x and y in sides."""
        error = measurements[None] - self.mean[:, None]
        error[..., :2] /= self.sides[:, None]
        return error, (self.covariance[:, 0] + _MEASUREMENT_NOISE**2)[:, None]

    def correct(self, rows: NDArray[np.intp], measurements: FloatArray) -> None:
        """Take in one measurement for each of ``rows``."""
        place, shared, speed = (self.covariance[rows, part] for part in range(3))
        gain, speed_gain = place / (place + _MEASUREMENT_NOISE**2), shared / (place + _MEASUREMENT_NOISE**2)
        error = measurements - self.mean[rows]
        self.mean[rows] += gain * error
        self.speed[rows] += speed_gain * error
        self.covariance[rows] = np.stack([place * (1 - gain), shared * (1 - gain), speed - speed_gain * shared], axis=1)

    def allow_shake(self, rows: NDArray[np.intp]) -> None:
        """Allow for a jump off the way in this frame: places get less certain, speeds do not."""
        self.covariance[rows, 0] += _SHAKE_NOISE**2

    def of(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Motion:
        """A copy of some tracks."""
        return Motion(self.mean[rows], self.speed[rows], self.covariance[rows])

    def joined(self, other: Motion) -> Motion:
        """These tracks and then those of ``other``."""
        return Motion(
            np.concatenate([self.mean, other.mean]),
            np.concatenate([self.speed, other.speed]),
            np.concatenate([self.covariance, other.covariance]),
        )
