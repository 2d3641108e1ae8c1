"""What is true of a frame: where each plate is, how much of it can be seen, and whether it can be read at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from platereader._geometry import Box, Quad
from platereader.lab.synthesis.pose import Corners, corners_of

_WHOLE_SHARE = 0.995
_LEGIBLE_PX = 42.0
_MAX_MOTION = 0.05
_MAX_DEFOCUS = 0.014
_MIN_OVERLAP = 0.02


@dataclass(frozen=True, slots=True)
class TruePlate:
    """One plate in one frame, which may lie outside of it.

    ``inside`` is the share of it within the frame, ``uncovered`` that which nothing covers; ``motion_px`` is how far it
    moved while the shutter was open, ``defocus_px`` the spread of the lens's blur.
    """

    passage: int
    text: str
    corners: Quad
    inside: float
    uncovered: float
    motion_px: float
    defocus_px: float

    @property
    def box(self) -> Box:
        """Upright box around the corners."""
        return self.corners.box

    @property
    def shown(self) -> float:
        """Share of it that can be seen, at least."""
        return max(0.0, self.inside + self.uncovered - 1.0)

    @property
    def occluded(self) -> bool:
        """Whether something covers part of it."""
        return self.uncovered < 1.0 - _MIN_OVERLAP

    @property
    def visible(self) -> bool:
        """Whether all of it is in view."""
        return self.inside >= _WHOLE_SHARE and not self.occluded

    @property
    def legible(self) -> bool:
        """Whether it is in view and large and sharp enough that its characters can be told apart."""
        width = self.corners.width
        sharp = self.motion_px <= _MAX_MOTION * width and self.defocus_px <= _MAX_DEFOCUS * width
        return self.visible and width >= _LEGIBLE_PX and sharp


def visible_share(plate: Corners, *, size_px: tuple[int, int], occluders: Sequence[Corners]) -> tuple[float, float]:
    """Share of a plate (float32 ``(4, 2)``) within the frame, and share of it that no outline in front of it covers.

    Where those overlap each other, they count twice.
    """
    area = max(float(cv2.contourArea(plate)), 1e-6)
    inside = _common_area(plate, corners_of(size_px)) / area
    covered = sum(_common_area(plate, cover) for cover in occluders) / area
    return float(np.clip(inside, 0, 1)), float(np.clip(1 - covered, 0, 1))


def _common_area(a: Corners, b: Corners) -> float:
    """Area that two convex outlines share."""
    return float(cv2.intersectConvexConvex(a, b)[0])
