"""From what was seen to what is said: confidence, status and reason, by one policy object."""

from __future__ import annotations

import math
from dataclasses import dataclass

from platereader import ctc
from platereader.arrays import LogProbs
from platereader.errors import InvalidArgumentError
from platereader.plates.alphabet import Alphabet
from platereader.plates.formats import format_of
from platereader.plates.regions import region_known
from platereader.results import Character, Lines, PlateEvidence, PlateReading, Reason, Status


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Decides which readings are ``read``, ``uncertain`` or ``unreadable``.

    A reading is ``read`` when its text fits a plate format with a known region, the whole text is at least
    ``min_confidence`` probable and every single character at least ``min_character``: the weakest character decides,
    because half a plate can be read with a high average. Below ``min_legible`` there is nothing to read: the text is
    None. Nothing is dropped: an ``uncertain`` reading keeps its text, and every reading its candidates.

    Reasons, the first that applies: ``nothing_legible`` (status ``unreadable``), ``low_confidence``,
    ``weak_character``, ``unknown_format``, ``unknown_region`` (status ``uncertain``).

    Raises:
        InvalidArgumentError: a threshold outside of 0..1.
    """

    min_confidence: float = 0.7
    min_character: float = 0.8
    min_legible: float = 0.002

    def __post_init__(self) -> None:
        for name in ("min_confidence", "min_character", "min_legible"):
            value: float = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InvalidArgumentError(f"{name} is {value}, allowed are probabilities from 0 to 1.")

    def judge(self, evidence: PlateEvidence, alphabet: Alphabet) -> PlateReading:
        """Say what ``evidence`` is worth; ``alphabet`` is the one its log probabilities were made with."""
        best = next(iter(evidence.candidates), None)
        confidence = 0.0 if best is None else min(1.0, math.exp(best.log_prob))
        if best is None or confidence < self.min_legible:
            return PlateReading(None, confidence, False, (), "unreadable", "nothing_legible", evidence)
        characters = _characters(best.text, evidence.log_probs, alphabet)
        status, reason = self.status(best.text, confidence, characters, lines=evidence.plate.lines)
        return PlateReading(best.text, confidence, False, characters, status, reason, evidence)

    def status(
        self, text: str, confidence: float, characters: tuple[Character, ...] = (), *, lines: Lines = 1
    ) -> tuple[Status, Reason | None]:
        """Status and reason of a text; without ``characters`` only the whole text is judged."""
        if confidence < self.min_confidence:
            return "uncertain", "low_confidence"
        if any(character.confidence < self.min_character for character in characters):
            return "uncertain", "weak_character"
        if format_of(text, lines=lines) is None:
            return "uncertain", "unknown_format"
        if not region_known(text, lines=lines):
            return "uncertain", "unknown_region"
        return "read", None


def _characters(text: str, log_probs: LogProbs, alphabet: Alphabet) -> tuple[Character, ...]:
    posteriors = ctc.character_posteriors(log_probs, alphabet.encode(text))
    return tuple(Character(char, float(p)) for char, p in zip(text, posteriors, strict=True))
