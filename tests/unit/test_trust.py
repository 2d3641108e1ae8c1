"""From evidence to a judgement."""

import numpy as np
import pytest

from platereader import Candidate, InvalidArgumentError, PlateEvidence, PlateImage, PlateReading, TrustPolicy, ctc
from platereader.arrays import LogProbs
from platereader.plates.alphabet import RUSSIAN
from platereader.testing import spelled

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def judge(text: str, log_probs: LogProbs, policy: TrustPolicy | None = None) -> PlateReading:
    log_prob = ctc.log_prob(log_probs, RUSSIAN.encode(text))
    evidence = PlateEvidence(None, PICTURE, log_probs, (Candidate(text, log_prob, None),))
    return (policy or TrustPolicy()).judge(evidence, RUSSIAN)


def with_one_vague(text: str, position: int, probability: float) -> LogProbs:
    log_probs = spelled(text, RUSSIAN, probability=0.9999)
    step = 2 * position + 1
    row = np.full(RUSSIAN.size, (1 - probability) / (RUSSIAN.size - 1))
    row[RUSSIAN.encode(text)[position]] = probability
    log_probs[step] = np.log(row)
    return log_probs


def test_clear_plate_is_read() -> None:
    reading = judge("A123BC77", spelled("A123BC77", RUSSIAN, probability=0.9999))
    assert (reading.status, reading.reason, reading.text) == ("read", None, "A123BC77")
    assert reading.confidence > 0.99
    assert not reading.calibrated


def test_confidence_is_the_probability_of_the_whole_text() -> None:
    log_probs = spelled("A123BC77", RUSSIAN, probability=0.95)
    reading = judge("A123BC77", log_probs)
    assert reading.confidence == pytest.approx(np.exp(ctc.log_prob(log_probs, RUSSIAN.encode("A123BC77"))), rel=1e-4)


def test_one_weak_character_is_enough_to_doubt() -> None:
    policy = TrustPolicy(min_confidence=0.1, min_character=0.8)
    reading = judge("A123BC77", with_one_vague("A123BC77", 2, 0.5), policy)
    assert (reading.status, reading.reason) == ("uncertain", "weak_character")
    assert reading.masked_text == "A1?3BC77"
    assert reading.text == "A123BC77"


def test_low_confidence_of_the_whole_comes_first() -> None:
    reading = judge("A123BC77", spelled("A123BC77", RUSSIAN, probability=0.7))
    assert (reading.status, reading.reason) == ("uncertain", "low_confidence")


@pytest.mark.parametrize(("text", "reason"), [("A1B2C3", "unknown_format"), ("A123BC995", "unknown_region")])
def test_odd_texts_are_kept_but_doubted(text: str, reason: str) -> None:
    reading = judge(text, spelled(text, RUSSIAN, probability=0.9999))
    assert (reading.text, reading.status, reading.reason) == (text, "uncertain", reason)


def test_no_candidate_is_unreadable() -> None:
    evidence = PlateEvidence(None, PICTURE, spelled("", RUSSIAN, steps=9), ())
    reading = TrustPolicy().judge(evidence, RUSSIAN)
    assert (reading.text, reading.confidence, reading.status) == (None, 0.0, "unreadable")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_thresholds_are_probabilities(value: float) -> None:
    with pytest.raises(InvalidArgumentError, match="min_confidence"):
        TrustPolicy(min_confidence=value)


def test_text_that_hardly_fits_is_unreadable_but_its_candidates_stay() -> None:
    log_probs = spelled("A123BC77", RUSSIAN, probability=0.3)
    reading = judge("A123BC77", log_probs)
    assert (reading.text, reading.status, reading.reason) == (None, "unreadable", "nothing_legible")
    assert reading.candidates[0].text == "A123BC77"
