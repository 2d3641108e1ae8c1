"""Readings of one plate for tests of fusion: made of posteriors that are spelled out."""

from __future__ import annotations

import numpy as np

from fakes import judged
from platereader import Candidate, PlateEvidence, PlateImage, PlateReading
from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN
from platereader.testing import spelled
from platereader.trust import TrustPolicy
from platereader.video._fusion import FusedEvidence

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def reading(log_probs: LogProbs, *texts: str, plate: PlateImage = PICTURE) -> PlateReading:
    scored = [Candidate(text, ctc.log_prob(log_probs, RUSSIAN.encode(text)), None) for text in texts]
    evidence = PlateEvidence(None, plate, log_probs, tuple(sorted(scored, key=lambda c: -c.log_prob)))
    return judged(evidence)


def torn(text: str, other: str, weight: float) -> LogProbs:
    """Posteriors between two texts of one length; ``weight`` is that of ``text``."""
    a, b = np.exp(spelled(text, RUSSIAN)), np.exp(spelled(other, RUSSIAN))
    return np.log(weight * a + (1 - weight) * b).astype(np.float32)


def clear(text: str) -> PlateReading:
    return reading(spelled(text, RUSSIAN, probability=0.999), text)


def fuse(*readings: PlateReading, trust: TrustPolicy | None = None) -> FusedEvidence:
    evidence = FusedEvidence(trust or TrustPolicy(), alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES)
    for index, one in enumerate(readings):
        evidence.add(one, index)
    return evidence
