"""Small honest parts for tests: plates are flat patches whose blue value says which text they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from platereader import Box, Candidate, Detection, PlateImage, Quad, TrackAssignment
from platereader import _ctc as ctc
from platereader._arrays import BgrImage, LogProbs
from platereader.decoding._greedy import GreedyDecoder
from platereader.pipeline import Pipeline, PipelineParts
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN, Alphabet
from platereader.results import PlateEvidence, PlateReading
from platereader.testing import spelled
from platereader.trust import TrustPolicy
from platereader.video._fusion import FusedEvidence
from platereader.video._tracking.tracker import MotionTracker

TEXTS = {50: "A123BC77", 100: "M555KE199", 150: "B777OP98", 200: ""}


def frame_with(patches: dict[int, Box], *, width: int = 320, height: int = 240) -> BgrImage:
    """A black frame with one flat patch per (blue value, box)."""
    frame = np.zeros((height, width, 3), np.uint8)
    for blue, box in patches.items():
        frame[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2), 0] = blue
    return frame


@dataclass(frozen=True)
class PatchDetector:
    """Finds every flat patch of a known blue value."""

    score: float = 0.9

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """One detection per patch."""
        return [[d for blue in TEXTS if (d := self._find(frame, blue))] for frame in frames]

    def _find(self, frame: BgrImage, blue: int) -> Detection | None:
        ys, xs = np.nonzero(frame[..., 0] == blue)
        if len(ys) < 50:
            return None
        box = Box(float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1))
        return Detection(box, self.score)


@dataclass(frozen=True)
class ThresholdDetector:
    """Finds the patches of ``PatchDetector`` with a score by their colour, above a threshold."""

    min_score: float = 0.3
    corners: Quad | None = None

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        found: list[list[Detection]] = []
        for frame, detections in zip(frames, PatchDetector().detect(frames), strict=True):
            scored = [self._scored(d, frame) for d in detections]
            found.append([d for d in scored if d.score >= self.min_score])
        return found

    def _scored(self, detection: Detection, frame: BgrImage) -> Detection:
        blue = int(frame[int(detection.box.y1), int(detection.box.x1), 0])
        return Detection(detection.box, {50: 0.9, 100: 0.2, 200: 0.8, 150: 0.01}[blue], self.corners)


class CropRectifier:
    """Cuts the box out."""

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One crop per detection."""
        return [PlateImage(self._crop(frame, detection.box)) for detection in detections]

    def _crop(self, frame: BgrImage, box: Box) -> BgrImage:
        inside = box.clipped(frame.shape[1], frame.shape[0])
        assert inside is not None
        x1, y1 = int(inside.x1), int(inside.y1)
        crop: BgrImage = frame[y1 : max(y1 + 1, int(inside.y2)), x1 : max(x1 + 1, int(inside.x2))].copy()
        return crop


@dataclass(frozen=True)
class PatchRecognizer:
    """Spells the text of a patch's blue value, each character with `probability`."""

    alphabet: Alphabet = RUSSIAN
    probability: float = 0.999

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """float32 (N, 24, C)."""
        return np.stack([self._spell(int(plate.pixels[..., 0].max())) for plate in plates])

    def _spell(self, blue: int) -> LogProbs:
        return spelled(TEXTS.get(blue, ""), self.alphabet, steps=24, probability=self.probability)


@dataclass(frozen=True)
class Says:
    """Any part, which returns what it is told to."""

    answer: Any
    alphabet = RUSSIAN

    def _say(self, *_: Any, **__: Any) -> Any:
        return self.answer

    detect = rectify = recognize = decode = update = _say


class OneTrack:
    """Takes whatever is seen for one and the same vehicle, and never loses it."""

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        """The first detection is that vehicle."""
        return TrackAssignment(tuple(None if index else 1 for index in range(len(detections))), ended=())


def judged(evidence: PlateEvidence, policy: TrustPolicy | None = None) -> PlateReading:
    """What a policy says of a Russian plate."""
    (verdict,) = (policy or TrustPolicy()).judge([evidence], alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES)
    return PlateReading(verdict, evidence)


@cache
def read_as(text: str, *, probability: float = 0.999) -> PlateReading:
    """What is read where a plate spells a text, each character with ``probability``; illegible without one."""
    log_probs = spelled(text, RUSSIAN, steps=24, probability=probability)
    candidates = (Candidate(text, ctc.log_prob(log_probs, RUSSIAN.encode(text)), None),) if text else ()
    return judged(PlateEvidence(None, PlateImage(np.zeros((8, 40, 3), np.uint8)), log_probs, candidates))


def no_evidence() -> FusedEvidence:
    """Where readings of one Russian plate are gathered."""
    return FusedEvidence(TrustPolicy(), alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES)


def patch_pipeline(*, probability: float = 0.999, trust: TrustPolicy | None = None) -> Pipeline:
    """A whole pipeline of fakes."""
    recognizer = PatchRecognizer(probability=probability)
    decoder = GreedyDecoder(recognizer.alphabet)
    parts = PipelineParts(
        detector=PatchDetector(),
        rectifier=CropRectifier(),
        recognizer=recognizer,
        decoder=decoder,
        trust=trust or TrustPolicy(),
        tracker=MotionTracker,
    )
    return Pipeline(parts)


class Rough:
    """Parts that do not mind what a video does to colours."""

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """As PatchDetector."""
        return PatchDetector().detect([self._rounded(frame) for frame in frames])

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """As CropRectifier."""
        return CropRectifier().rectify(self._rounded(frame), detections)

    def _rounded(self, frame: BgrImage) -> BgrImage:
        return ((frame.astype(np.uint16) + 25) // 50 * 50).clip(0, 255).astype(np.uint8)
