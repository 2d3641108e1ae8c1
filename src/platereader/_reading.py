"""Detections -> evidence -> readings: rectify per frame, then recognise and decode all plates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from platereader._arrays import BgrImage, LogProbs, check_image
from platereader.errors import ContractError, InvalidImageError
from platereader.protocols import CTCDecoder, Detector, Recognizer, Rectifier
from platereader.results import Candidate, Detection, PlateEvidence, PlateImage, PlateReading
from platereader.results._evidence import ROUNDING_NATS
from platereader.trust import TrustPolicy

_FARTHEST_PX = 1e6


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

    def read_plates(self, plates: Sequence[PlateImage], detections: Sequence[Detection | None]) -> list[PlateReading]:
        """One reading per rectified plate; ``detections`` line up with the plates."""
        if not plates:
            return []
        log_probs = recognize(self.recognizer, plates)
        candidates = decode(self.decoder, log_probs)
        evidence = list(map(PlateEvidence, detections, plates, log_probs, candidates))
        return self.trust.judge_batch(evidence, self.recognizer.alphabet)


def detect(detector: Detector, frames: Sequence[BgrImage]) -> list[list[Detection]]:
    """Run a detector and hold it to its contract.

    Raises:
        ContractError: not one list of detections per frame, or a box that lies wholly outside its frame.
    """
    if not frames:
        return []
    source = f"{type(detector).__name__}.detect"
    found = detector.detect(frames)
    _check_items(found, object, expected=len(frames), source=source)
    for frame, detections in zip(frames, found, strict=True):
        _check_items(detections, Detection, source=source)
        for detection in detections:
            check_detection(detection, frame, source=source)
    return found


def check_detection(detection: Detection, frame: BgrImage, *, source: str) -> None:
    """Raise ContractError when ``detection`` cannot belong to ``frame``; ``source`` is who made it."""
    if max(map(abs, detection.box.to_tuple())) > _FARTHEST_PX:
        raise ContractError(
            f"{source} gave the box {detection.box.to_tuple()}: edges lie within {_FARTHEST_PX:.0f} px of the frame's "
            "origin; look for numbers that were never set."
        )
    height, width = frame.shape[:2]
    if detection.box.clipped(width, height) is None:
        raise ContractError(
            f"{source} gave the box {detection.box.to_tuple()} with no area inside its {width}x{height} px frame: "
            "boxes are (x1, y1, x2, y2) in pixels of the frame, not of a resized copy and not fractions."
        )


def rectify(rectifier: Rectifier, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
    """Run a rectifier and hold it to its contract.

    Raises:
        ContractError: not one plate per detection, or a plate whose pixels are no picture.
    """
    if not detections:
        return []
    source = f"{type(rectifier).__name__}.rectify"
    plates = rectifier.rectify(frame, detections)
    _check_items(plates, PlateImage, expected=len(detections), source=source)
    try:
        for index, plate in enumerate(plates):
            check_image(plate.pixels, name=f"{source}'s plate {index}")
    except InvalidImageError as error:
        raise ContractError(str(error)) from error
    return plates


def recognize(recognizer: Recognizer, plates: Sequence[PlateImage]) -> LogProbs:
    """Run a recognizer and hold it to its contract.

    Raises:
        ContractError: not float (N, T, C) log probabilities over its alphabet, or NaN among them.
    """
    classes = recognizer.alphabet.size
    source = f"{type(recognizer).__name__}.recognize"
    returned = recognizer.recognize(plates)
    try:
        log_probs = np.asarray(returned, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ContractError(f"{source} gave no array of numbers ({error}): return float32 (N, T, C).") from error
    count, steps, columns = log_probs.shape if log_probs.ndim == 3 else (0, 0, 0)
    if count != len(plates) or steps < 1 or columns != classes:
        raise ContractError(
            f"{source} gave shape {log_probs.shape} for {len(plates)} plates, expected (N, T, C) = "
            f"({len(plates)}, T, {classes}): one row of {classes} classes (blank first) per time step."
        )
    if np.isnan(log_probs).any() or (log_probs > ROUNDING_NATS).any():
        raise ContractError(f"{source} gave NaN or positive values: return natural log probabilities (log_softmax).")
    return log_probs


def decode(decoder: CTCDecoder, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
    """Run a decoder and hold it to its contract.

    Raises:
        ContractError: not one tuple of candidates per plate, or a text outside of the alphabet.
    """
    source = f"{type(decoder).__name__}.decode"
    decoded = decoder.decode(log_probs)
    _check_items(decoded, object, expected=len(log_probs), source=source)
    characters = frozenset(decoder.alphabet.characters)
    for candidates in decoded:
        _check_items(candidates, Candidate, source=source)
        for candidate in candidates:
            _check_candidate(candidate, characters, source=source)
    return decoded


def _check_candidate(candidate: Candidate, characters: frozenset[str], *, source: str) -> None:
    if not characters.issuperset(candidate.text):
        allowed = "".join(sorted(characters))
        raise ContractError(f"{source} gave the text {candidate.text!r}, allowed are characters of {allowed!r}.")


def _check_items(items: object, kind: type, *, source: str, expected: int | None = None) -> None:
    """Raise ContractError unless ``items`` is a list of ``kind``, of ``expected`` length if that is given."""
    advice = "return one item per input, in order, and an empty list where there is nothing."
    if not isinstance(items, Sequence):
        raise ContractError(f"{source} returned a {type(items).__name__}, expected is a list: {advice}")
    values = cast("Sequence[object]", items)
    if expected is not None and len(values) != expected:
        raise ContractError(f"{source} returned {len(values)} items for {expected}: {advice}")
    wrong = [type(value).__name__ for value in values if not isinstance(value, kind)]
    if wrong:
        raise ContractError(f"{source} returned a {wrong[0]} where a {kind.__name__} is expected: {advice}")
