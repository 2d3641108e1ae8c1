"""Parts of frames as pictures of their own: what the detectors that wrap another detector share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._geometry import Box, Quad
from platereader.protocols import Detector
from platereader.results import Detection

# Views at once: a 4K frame has a dozen or two, and what the inner detector makes of each takes memory.
_MAX_BATCH = 16
# A box so near to a side, in parts of its size, may be cut off there.
_NEAR = 0.05


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of whole pixels of a frame, ``x1 < x2`` and ``y1 < y2``, inside of it."""

    x1: int
    y1: int
    x2: int
    y2: int

    @classmethod
    def whole(cls, frame: BgrImage) -> View:
        """All of a frame."""
        return cls(0, 0, frame.shape[1], frame.shape[0])

    def cut(self, frame: BgrImage) -> BgrImage:
        """The picture that is seen: a numpy view of the frame's own pixels, not a copy."""
        return frame[self.y1 : self.y2, self.x1 : self.x2]

    def to_frame(self, detection: Detection, frame: BgrImage) -> Detection:
        """A detection of the view in pixels of the frame, its box clipped to the frame."""
        box = detection.box.moved(self.x1, self.y1)
        box = box.clipped(frame.shape[1], frame.shape[0]) or box
        corners = detection.corners
        if corners is not None:
            corners = Quad.from_points([(x + self.x1, y + self.y1) for x, y in corners.points])
        # What a side of the view cuts off may go on in the frame.
        own = View(0, 0, self.x2 - self.x1, self.y2 - self.y1)
        unclear = detection.truncated and self.cuts(detection.box, frame, within=own, share=_NEAR)
        truncated = None if unclear else detection.truncated
        return replace(detection, box=box, corners=corners, truncated=truncated)

    def cuts(self, box: Box, frame: BgrImage, *, within: View, share: float) -> bool:
        """Whether a box comes nearer to a side that is none of the frame than a share of its longer side.

        ``within`` is the view in the pixels of the box.
        """
        height, width = frame.shape[:2]
        near = share * max(box.width, box.height)
        return (
            (self.x1 > 0 and box.x1 < within.x1 + near)
            or (self.y1 > 0 and box.y1 < within.y1 + near)
            or (self.x2 < width and box.x2 > within.x2 - near)
            or (self.y2 < height and box.y2 > within.y2 - near)
        )


def detect_views(inner: Detector, views: Sequence[tuple[BgrImage, View]]) -> list[list[Detection]]:
    """What a detector finds in each ``(frame, view)``, in pixels of the frame; a bounded number of views at once."""
    found: list[list[Detection]] = []
    for first in range(0, len(views), _MAX_BATCH):
        chunk = views[first : first + _MAX_BATCH]
        seen = checked_detect(inner, [view.cut(frame) for frame, view in chunk])
        for (frame, view), detections in zip(chunk, seen, strict=True):
            found.append([view.to_frame(detection, frame) for detection in detections])
    return found
