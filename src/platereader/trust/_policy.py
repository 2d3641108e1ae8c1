"""Decides what a reading is worth, and says why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from platereader import _ctc as ctc
from platereader.errors import InvalidArgumentError
from platereader.plates import DEFAULT_SCHEMES
from platereader.plates._alphabet import Alphabet
from platereader.results import Character, Detection, Lines, PlateEvidence, PlateReading, Reason, Status, Verdict
from platereader.trust._calibration import Calibration
from platereader.trust._fused import FusedCalibration
from platereader.trust._signs import Signs, emptiness, signs_of
from platereader.trust._verdict import make_verdict

OTHER_LINES_NATS = 5.0
"""How much more probable a text of a type with another number of lines must be; as ``BeamDecoder.no_format_nats``."""

_MOSTLY = 0.5
_CHUNK = 32


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Decides which readings are ``read``, ``uncertain`` or ``unreadable``.

    A reading is ``read`` when its text fits a plate format with a known region, nothing illegible stands at its ends or
    between its characters, the whole text is at least ``min_confidence`` probable and every single character at least
    ``min_character``: the weakest character decides, because half a plate can be read with a high average. Nothing is
    dropped: an ``uncertain`` reading keeps its text, and every reading its candidates.

    Reasons, the first that applies. ``unreadable``: ``not_a_plate`` (nothing on it looks like a character of a plate),
    ``nothing_legible``. ``uncertain``: ``cut_off``, ``hidden_character``, ``too_small`` (low confidence on a plate
    narrower than ``small_px``), ``low_confidence``, ``weak_character``, ``unknown_format``, ``unknown_region``.

    ``TrustPolicy()`` is the strict preset; ``TrustPolicy.lenient()`` lets more through. What either
    lets through on plates that the reader was never trained on is printed by ``platereader train calibrate``.

    Attributes:
        min_confidence: least probability of the whole text, 0 to 1.
        min_character: least posterior of each character, 0 to 1.
        max_illegible: highest probability that something illegible stands beside or between the characters, 0 to 1.
        min_legible: below this product of all characters' posteriors there is nothing to read: the text is None.
        small_px: width in the frame below which low confidence is put down to size, in pixels.
        calibration: makes ``confidence`` a probability that holds; None leaves it at P(text | picture). A pipeline
            fills it in for parts that it was fitted for.

    Raises:
        InvalidArgumentError: a threshold outside of 0..1, or a negative width.
    """

    min_confidence: float = 0.97
    min_character: float = 0.9
    max_illegible: float = 0.2
    min_legible: float = 0.002
    small_px: float = 50.0
    calibration: Calibration | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("min_confidence", "min_character", "max_illegible", "min_legible"):
            value: float = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InvalidArgumentError(f"{name} is {value}, allowed are probabilities from 0 to 1.")
        if not self.small_px >= 0.0:
            raise InvalidArgumentError(f"small_px is {self.small_px}, allowed are 0 and more pixels.")

    @classmethod
    def strict(cls) -> TrustPolicy:
        """For acting on readings without a person, such as opening a gate; the same as ``TrustPolicy()``."""
        return cls()

    @classmethod
    def lenient(cls) -> TrustPolicy:
        """For searching and for fusing with other evidence: a few per cent of what is ``read`` may be wrong."""
        return cls(min_confidence=0.7, min_character=0.7, max_illegible=0.5)

    def judge(self, evidence: PlateEvidence, alphabet: Alphabet) -> PlateReading:
        """Say what ``evidence`` is worth; ``alphabet`` is the one its log probabilities were made with."""
        return self.judge_batch([evidence], alphabet)[0]

    def judge_batch(self, evidence: Sequence[PlateEvidence], alphabet: Alphabet) -> list[PlateReading]:
        """One reading for each piece of evidence, all with posteriors ``(T, C)`` of one shape.

        A decoder does not know how many lines a plate has. So a text of a type with another number of lines gives way
        to the best candidate of a type with the right one, if that is at most ``OTHER_LINES_NATS`` less probable.
        """
        evidence = [_of_its_lines(item) for item in evidence]
        legible = [item for item in evidence if item.candidates]
        characters = iter(_characters(legible, alphabet))
        return [self._judge(item, next(characters) if item.candidates else ()) for item in evidence]

    def _judge(self, evidence: PlateEvidence, characters: tuple[Character, ...]) -> PlateReading:
        if not evidence.candidates:
            return self._unreadable(evidence, 0.0)
        signs = signs_of(evidence.candidates, characters, evidence.log_probs, lines=evidence.plate.lines)
        confidence = signs.text_prob if self.calibration is None else self.calibration.confidence(signs)
        if math.prod(character.confidence for character in characters) < self.min_legible:
            return self._unreadable(evidence, confidence)
        text = evidence.candidates[0].text
        status, reason = self._doubt(signs, evidence.detection, confidence)
        if reason is None:
            status, reason = self.status(text, confidence, characters, lines=evidence.plate.lines)
        judged = Verdict(text, confidence, status, reason, self._calibrated, characters, evidence.candidates)
        verdict = make_verdict(judged, lines=evidence.plate.lines, min_character=self.min_character)
        return PlateReading(verdict, evidence)

    @property
    def fusion(self) -> FusedCalibration | None:
        """How the frames of one plate are fused; None for parts that it was not fitted for."""
        return None if self.calibration is None else self.calibration.fusion

    @property
    def _calibrated(self) -> bool:
        return self.calibration is not None

    def _unreadable(self, evidence: PlateEvidence, confidence: float) -> PlateReading:
        reason: Reason = "not_a_plate" if emptiness(evidence.log_probs) > _MOSTLY else "nothing_legible"
        judged = Verdict(
            None, confidence, "unreadable", reason, calibrated=self._calibrated, candidates=evidence.candidates
        )
        return PlateReading(judged, evidence)

    def _doubt(self, signs: Signs, detection: Detection | None, confidence: float) -> tuple[Status, Reason | None]:
        """What the picture itself says against the text."""
        if signs.edge_illegible > self.max_illegible:
            return "uncertain", "cut_off"
        if signs.inner_illegible > self.max_illegible:
            return "uncertain", "hidden_character"
        if confidence < self.min_confidence and detection is not None and _width_px(detection) < self.small_px:
            return "uncertain", "too_small"
        return "read", None

    def status(
        self, text: str, confidence: float, characters: tuple[Character, ...] = (), *, lines: Lines = 1
    ) -> tuple[Status, Reason | None]:
        """Status and reason of a text; without ``characters`` only the whole text is judged."""
        if confidence < self.min_confidence:
            return "uncertain", "low_confidence"
        if any(character.confidence < self.min_character for character in characters):
            return "uncertain", "weak_character"
        fit = DEFAULT_SCHEMES.fit(text, lines=lines)
        if not fit.legal:
            return "uncertain", "unknown_format"
        if not fit.region_known:
            return "uncertain", "unknown_region"
        return "read", None


def _of_its_lines(evidence: PlateEvidence) -> PlateEvidence:
    """The evidence with the candidate first that fits a type with as many lines as the plate has."""
    lines, candidates = evidence.plate.lines, evidence.candidates
    if (
        not candidates
        or not DEFAULT_SCHEMES.fit(candidates[0].text).legal
        or DEFAULT_SCHEMES.fit(candidates[0].text, lines=lines).legal
    ):
        return evidence
    least = candidates[0].log_prob - OTHER_LINES_NATS
    fitting = (one for one in candidates if one.log_prob >= least and DEFAULT_SCHEMES.fit(one.text, lines=lines).legal)
    best = next(fitting, candidates[0])
    return replace(evidence, candidates=(best, *(one for one in candidates if one is not best)))


def _width_px(detection: Detection) -> float:
    return detection.box.width if detection.corners is None else detection.corners.width


def _characters(evidence: Sequence[PlateEvidence], alphabet: Alphabet) -> list[tuple[Character, ...]]:
    """The characters of each best text with their posteriors, some plates at a time, which bounds the memory."""
    found: list[tuple[Character, ...]] = []
    for start in range(0, len(evidence), _CHUNK):
        some = evidence[start : start + _CHUNK]
        texts = [item.candidates[0].text for item in some]
        log_probs = np.stack([item.log_probs for item in some])
        posteriors = ctc.character_posterior_pairs(log_probs, [alphabet.encode(text) for text in texts])
        for text, values in zip(texts, posteriors, strict=True):
            found.append(tuple(Character(char, float(p)) for char, p in zip(text, values, strict=True)))
    return found
