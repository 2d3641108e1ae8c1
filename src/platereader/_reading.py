"""Detections -> evidence -> readings: rectify per frame, then recognise and decode all plates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platereader._arrays import BgrImage
from platereader._contracts import checked_decode, checked_judge, checked_recognize, checked_rectify
from platereader.plates import Schemes
from platereader.protocols import CTCDecoder, Recognizer, Rectifier, VerdictPolicy
from platereader.results import Detection, PlateEvidence, PlateImage, PlateReading


@dataclass(frozen=True, slots=True)
class PlateReader:
    """The parts behind the detector; stateless."""

    rectifier: Rectifier
    recognizer: Recognizer
    decoder: CTCDecoder
    trust: VerdictPolicy
    schemes: Schemes

    def read_frames(
        self, frames: Sequence[BgrImage], detections: Sequence[Sequence[Detection]]
    ) -> list[list[PlateReading]]:
        """One reading per detection of each frame, in their order."""
        plates: list[PlateImage] = []
        for frame, found in zip(frames, detections, strict=True):
            plates.extend(checked_rectify(self.rectifier, frame, found))
        readings = iter(self.read_plates(plates, [one for found in detections for one in found]))
        return [[next(readings) for _ in found] for found in detections]

    def read_plates(self, plates: Sequence[PlateImage], detections: Sequence[Detection | None]) -> list[PlateReading]:
        """One reading per rectified plate; ``detections`` line up with the plates."""
        if not plates:
            return []
        log_probs, marks = checked_recognize(self.recognizer, plates)
        candidates = checked_decode(self.decoder, log_probs)
        evidence = list(map(PlateEvidence, detections, plates, log_probs, candidates, marks))
        verdicts = checked_judge(self.trust, evidence, alphabet=self.recognizer.alphabet, schemes=self.schemes)
        return list(map(PlateReading, verdicts, evidence))
