"""Detectors that, like a network with a fixed input size, see a plate only if it is large enough for its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fakes import PatchDetector
from platereader import Detection, Quad
from platereader._arrays import BgrImage


@dataclass(frozen=True)
class ShortSighted:
    """Finds the patches of ``PatchDetector`` with corners, in pictures up to a size.

    Attributes:
        sight_px: longest side of a picture on which it sees anything.
        scores: score by blue value; 0.9 for any other.
        min_score: lowest score that is reported.
        shapes: height and width of all pictures, by call.
    """

    sight_px: int = 10**6
    scores: dict[int, float] = field(default_factory=dict[int, float])
    min_score: float = 0.0
    shapes: list[list[tuple[int, int]]] = field(default_factory=list[list[tuple[int, int]]])

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """One detection per patch of a picture that is not too large."""
        self.shapes.append([(frame.shape[0], frame.shape[1]) for frame in frames])
        found: list[list[Detection]] = []
        for frame, seen in zip(frames, PatchDetector().detect(frames), strict=True):
            near = seen if max(frame.shape[:2]) <= self.sight_px else []
            scored = [self._scored(detection, frame) for detection in near]
            found.append([detection for detection in scored if detection.score >= self.min_score])
        return found

    def _scored(self, detection: Detection, frame: BgrImage) -> Detection:
        box = detection.box
        blue = int(frame[int(box.y1), int(box.x1), 0])
        return Detection(box, self.scores.get(blue, 0.9), Quad.from_box(box), 1)
