"""Where plates are in a stream whose frames may change their size: in pixels of its first frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from platereader._geometry import Box, Quad
from platereader.results import Detection

Size: TypeAlias = tuple[int, int]
"""Width and height of a frame in pixels."""


@dataclass(frozen=True, slots=True)
class View:
    """A frame beside the first frame of its stream: the same picture, stretched to another size."""

    size: Size
    first_size: Size

    def detection_in_first(self, detection: Detection) -> Detection:
        """A detection of this frame in pixels of the first one."""
        if self.size == self.first_size:
            return detection
        x, y = (first / own for first, own in zip(self.first_size, self.size, strict=True))
        corners = detection.corners
        moved = None if corners is None else Quad.from_points(corners.to_array() * np.array([x, y], np.float32))
        return replace(detection, box=_stretched(detection.box, x, y), corners=moved)

    def box_in_frame(self, box: Box) -> Box | None:
        """The part of a box, given in pixels of the first frame, that lies inside this frame; None for none."""
        x, y = (own / first for first, own in zip(self.first_size, self.size, strict=True))
        return _stretched(box, x, y).clipped(*self.size)

    def inside(self, box: Box) -> Box:
        """The part of a measured box inside this frame; where there is none, the nearest point of the frame."""
        width, height = self.size
        x1, x2 = (min(max(x, 0.0), float(width)) for x in (box.x1, box.x2))
        y1, y2 = (min(max(y, 0.0), float(height)) for y in (box.y1, box.y2))
        return Box(x1, y1, x2, y2)


def _stretched(box: Box, x: float, y: float) -> Box:
    return Box(box.x1 * x, box.y1 * y, box.x2 * x, box.y2 * y)
