"""Plates in pictures that lie on their side or upside down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._geometry import Box, Point, Quad
from platereader.detection._region import RegionDetector
from platereader.media._covering import SURE_SCORE
from platereader.protocols import Detector
from platereader.results import Detection

_TURNS = (1, 3, 2)


def turned_detector(detector: Detector, *, always: bool) -> Detector:
    """A detector that finds turned plates, too, in one picture or one video; a region stays as it lies in the frame.

    ``always`` looks at all four directions in every frame.
    """
    if isinstance(detector, RegionDetector):
        return replace(detector, inner=turned_detector(detector.inner, always=always))
    return TurnedDetector(detector, always=always)


@final
@dataclass(slots=True, eq=False)
class TurnedDetector:
    """Looks at frames turned by 90, 180 and 270 degrees, too; a ``Detector`` for one picture or one video.

    By default it does so until a plate is sure, and takes that to be the direction of all that follows: of a video that
    is upright, only frames before its first sure plate cost more.
    """

    inner: Detector
    always: bool = False
    _turns: tuple[int, ...] = _TURNS

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The plates of each frame, in its own pixels."""
        return [self._found(frame) for frame in frames]

    def _found(self, frame: BgrImage) -> list[Detection]:
        upright = checked_detect(self.inner, [frame])[0]
        if self.always:
            return [*upright, *(one for turn in _TURNS for one in self._turned(frame, turn))]
        is_known = len(self._turns) < len(_TURNS)
        if not is_known and self._is_sure(upright):
            self._turns = ()
        for turn in self._turns:
            found = self._turned(frame, turn)
            if is_known or self._is_sure(found):
                self._turns = (turn,)
                return [*upright, *found]
        return upright

    def _is_sure(self, found: Sequence[Detection]) -> bool:
        return any(one.score >= SURE_SCORE for one in found)

    def _turned(self, frame: BgrImage, turn: int) -> list[Detection]:
        """What is found in the frame turned counter-clockwise by so many right angles, in pixels of the frame."""
        turned = np.ascontiguousarray(np.rot90(frame, turn))
        found = checked_detect(self.inner, [turned])[0]
        return [_turned_back(one, turn, width=frame.shape[1], height=frame.shape[0]) for one in found]


def _turned_back(detection: Detection, turn: int, *, width: int, height: int) -> Detection:
    """A detection of a turned frame, in the frame of this size before it was turned."""

    def back(point: Point) -> Point:
        x, y = point
        return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turn]

    first, last = back((detection.box.x1, detection.box.y1)), back((detection.box.x2, detection.box.y2))
    (x1, x2), (y1, y2) = sorted((first[0], last[0])), sorted((first[1], last[1]))
    corners = detection.corners
    quad = None if corners is None else Quad.from_points([back(point) for point in corners.points])
    return replace(detection, box=Box(x1, y1, x2, y2), corners=quad)
