"""Rectification by the corners that a detector learned to find; without plausible corners, the padded box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import final

from platereader._arrays import BgrImage
from platereader._contracts import check_part, checked_rectify
from platereader._geometry import Box, Quad, iou, is_finite
from platereader.errors import InvalidArgumentError
from platereader.protocols import Rectifier
from platereader.rectification._layout import DEFAULT_MARGIN, lines_by_aspect, rectify_box, rectify_quad
from platereader.results import Detection, PlateImage
from platereader.results._checks import probability

_MIN_EDGE_PX = 3.0
_MAX_TILT_DEG = 60.0
_ASPECT_RANGE = (0.7, 10.0)
_MAX_EDGE_RATIO = 2.5


@final
@dataclass(frozen=True, slots=True)
class BoxRectifier:
    """Cuts out the box with a little padding and straightens nothing; a ``Rectifier``."""

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One one-line picture per detection; see ``rectify_box``."""
        return [rectify_box(frame, detection.box, lines=detection.lines) for detection in detections]


@final
@dataclass(frozen=True, slots=True)
class CornerRectifier:
    """Straightens plates by ``Detection.corners``; a ``Rectifier``.

    Corners that cannot be a plate's (not convex, mirrored, turned by more than 60 degrees, tiny, of extreme aspect, or
    elsewhere than the box) are rejected in favour of the fallback, and so is a detection without corners.
    ``Detection.lines`` decides between one and two lines; where it is None the aspect does.

    Attributes:
        margin: surroundings to keep around the corners, as a share of the height of one line.
        min_box_iou: lowest IoU between the box and the box around the corners, 0 to 1.
        fallback: what straightens a plate by its box alone; by default the box with a little padding.

    Raises:
        InvalidArgumentError: ``margin`` is below 0 or no number, ``min_box_iou`` is not from 0 to 1, or ``fallback`` is
            no rectifier.
    """

    margin: float = DEFAULT_MARGIN
    min_box_iou: float = 0.5
    fallback: Rectifier = field(default_factory=BoxRectifier)

    def __post_init__(self) -> None:
        if not (is_finite(self.margin) and self.margin >= 0):
            raise InvalidArgumentError(
                f"margin is {self.margin!r}, allowed are 0 and more heights of a line: try 0.06."
            )
        probability(self.min_box_iou, name="min_box_iou")
        check_part(self.fallback, kind="rectifier", name="fallback")

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One upright one-line picture per detection."""
        return [self._rectify(frame, detection) for detection in detections]

    def _rectify(self, frame: BgrImage, detection: Detection) -> PlateImage:
        quad = detection.corners
        if quad is None or not is_plausible(quad, detection.box, min_box_iou=self.min_box_iou):
            return checked_rectify(self.fallback, frame, [detection])[0]
        return rectify_quad(frame, quad, detection.lines or lines_by_aspect(quad), margin=self.margin)


def is_plausible(quad: Quad, box: Box, *, min_box_iou: float = 0.5) -> bool:
    """Whether a quad can be the outline of the plate in that box, as it is read."""
    a, b, c, d = quad.points
    top, right, bottom, left = math.dist(a, b), math.dist(b, c), math.dist(c, d), math.dist(d, a)
    if min(top, right, bottom, left) < _MIN_EDGE_PX or not quad.is_convex:
        return False
    if max(top / bottom, bottom / top, left / right, right / left) > _MAX_EDGE_RATIO:
        return False
    if not _ASPECT_RANGE[0] <= (top + bottom) / (left + right) <= _ASPECT_RANGE[1]:
        return False
    return abs(quad.tilt_deg) <= _MAX_TILT_DEG and iou(quad.box, box) >= min_box_iou
