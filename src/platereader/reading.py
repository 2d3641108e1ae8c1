"""Detections -> evidence -> readings: rectify per frame, then recognise and decode all plates in one batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from platereader.arrays import BgrImage, LogProbs, check_image
from platereader.errors import ContractError
from platereader.protocols import CTCDecoder, Detector, Recognizer, Rectifier
from platereader.results import Detection, PlateEvidence, PlateImage, PlateReading
from platereader.trust import TrustPolicy


@dataclass(frozen=True, slots=True)
class PlateReader:
    """The parts behind the detector; stateless."""

    rectifier: Rectifier
    recognizer: Recognizer
    decoder: CTCDecoder
    trust: TrustPolicy

    def read_frames(
        self, frames: Sequence[BgrImage], detections: Sequence[Sequence[Detection]]
    ) -> list[list[PlateReading]]:
        """One reading per detection of each frame, in their order."""
        plates: list[PlateImage] = []
        for frame, found in zip(frames, detections, strict=True):
            plates.extend(rectify(self.rectifier, frame, found))
        readings = iter(self.read_plates(plates, [one for found in detections for one in found]))
        return [[next(readings) for _ in found] for found in detections]

    def read_plates(
        self, plates: Sequence[PlateImage], detections: Sequence[Detection | None]
    ) -> list[PlateReading]:
        """One reading per rectified plate; ``detections`` line up with the plates."""
        if not plates:
            return []
        log_probs = recognize(self.recognizer, plates)
        candidates = self.decoder.decode(log_probs)
        if len(candidates) != len(plates):
            raise _length_error(self.decoder, "decode", len(candidates), len(plates))
        evidence = map(PlateEvidence, detections, plates, log_probs, candidates)
        return [self.trust.judge(item, self.recognizer.alphabet) for item in evidence]


def detect(detector: Detector, frames: Sequence[BgrImage]) -> list[list[Detection]]:
    """Run a detector and hold it to its contract.

    Raises:
        ContractError: not one list per frame, a score outside 0..1, or a box that lies wholly outside its frame.
    """
    if not frames:
        return []
    found = detector.detect(frames)
    if len(found) != len(frames):
        raise _length_error(detector, "detect", len(found), len(frames))
    for frame, detections in zip(frames, found, strict=True):
        for detection in detections:
            check_detection(detection, frame, source=f"{type(detector).__name__}.detect")
    return found


def check_detection(detection: Detection, frame: BgrImage, *, source: str) -> None:
    """Raise ContractError when ``detection`` cannot belong to ``frame``; ``source`` is who made it."""
    if not (math.isfinite(detection.score) and 0.0 <= detection.score <= 1.0):
        raise ContractError(f"{source} gave a score of {detection.score}: scores are probabilities from 0 to 1.")
    height, width = frame.shape[:2]
    if detection.box.clipped(width, height) is None:
        raise ContractError(
            f"{source} gave the box {detection.box.to_tuple()} with no area inside its {width}x{height} px frame: boxes are "
            "(x1, y1, x2, y2) in pixels of the frame, not of a resized copy and not fractions."
        )


def rectify(rectifier: Rectifier, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
    """Run a rectifier and hold it to its contract.

    Raises:
        ContractError: not one plate per detection.
        InvalidImageError: a plate's pixels are not a picture.
    """
    if not detections:
        return []
    plates = rectifier.rectify(frame, detections)
    if len(plates) != len(detections):
        raise _length_error(rectifier, "rectify", len(plates), len(detections))
    for plate in plates:
        check_image(plate.pixels, name=f"a plate from {type(rectifier).__name__}")
    return plates


def recognize(recognizer: Recognizer, plates: Sequence[PlateImage]) -> LogProbs:
    """Run a recognizer and hold it to its contract.

    Raises:
        ContractError: not float (N, T, C) log probabilities over its alphabet, or NaN among them.
    """
    log_probs = np.asarray(recognizer.recognize(plates), dtype=np.float32)
    classes = recognizer.alphabet.size
    name = f"{type(recognizer).__name__}.recognize"
    if log_probs.ndim != 3 or log_probs.shape[0] != len(plates) or log_probs.shape[2] != classes:
        raise ContractError(
            f"{name} gave shape {log_probs.shape} for {len(plates)} plates, expected (N, T, C) = "
            f"({len(plates)}, T, {classes}): one row of {classes} classes (blank first) per time step."
        )
    if np.isnan(log_probs).any() or (log_probs > 1e-3).any():
        raise ContractError(f"{name} gave NaN or positive values: return natural log probabilities (log_softmax).")
    return log_probs


def _length_error(part: Any, verb: str, got: int, expected: int) -> ContractError:
    return ContractError(
        f"{type(part).__name__}.{verb} returned {got} items for {expected}: return one item per input, in order."
    )
