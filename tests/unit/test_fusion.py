"""Many frames of one plate."""

import numpy as np
import pytest

from platereader import Candidate, PlateEvidence, PlateImage, ctc
from platereader.arrays import LogProbs
from platereader.fusion import MAX_TEXTS, FusedText, ScoredEvidence
from platereader.fusion import fuse as fuse_scored
from platereader.plates.alphabet import RUSSIAN
from platereader.testing import spelled

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def evidence(log_probs: LogProbs, *texts: str) -> PlateEvidence:
    scored = [Candidate(text, ctc.log_prob(log_probs, RUSSIAN.encode(text)), None) for text in texts]
    return PlateEvidence(None, PICTURE, log_probs, tuple(sorted(scored, key=lambda c: -c.log_prob)))


def fuse(frames: list[PlateEvidence]) -> tuple[FusedText, ...]:
    return fuse_scored([ScoredEvidence(frame) for frame in frames], RUSSIAN)


def torn(text: str, other: str, weight: float) -> LogProbs:
    """Posteriors between two texts of one length; ``weight`` is that of ``text``."""
    a, b = np.exp(spelled(text, RUSSIAN)), np.exp(spelled(other, RUSSIAN))
    return np.log(weight * a + (1 - weight) * b).astype(np.float32)


def test_no_frame_legible_gives_nothing() -> None:
    assert fuse([evidence(spelled("", RUSSIAN, steps=5))]) == ()
    assert fuse([]) == ()


def test_one_frame_keeps_its_order() -> None:
    fused = fuse([evidence(torn("A123BC77", "A128BC77", 0.7), "A123BC77", "A128BC77")])
    assert [item.text for item in fused] == ["A123BC77", "A128BC77"]
    assert fused[0].confidence + fused[1].confidence <= 1.0


def test_a_text_no_frame_put_first_can_win() -> None:
    # Frame 1 cannot tell 3 from 8 in one place, frame 2 not in another; only the right text suits both.
    first = evidence(torn("A128BC77", "A123BC77", 0.55), "A128BC77", "A123BC77")
    second = evidence(torn("A123BO77", "A123BC77", 0.55), "A123BO77", "A123BC77")
    assert fuse([first, second])[0].text == "A123BC77"


def test_agreeing_frames_raise_confidence_and_disagreeing_ones_lower_it() -> None:
    one = evidence(torn("A123BC77", "A128BC77", 0.8), "A123BC77", "A128BC77")
    against = evidence(torn("A128BC77", "A123BC77", 0.75), "A128BC77", "A123BC77")
    alone = fuse([one])[0].confidence
    assert fuse([one] * 6)[0].confidence > alone
    assert fuse([one, against])[0].confidence < alone


def test_order_of_frames_does_not_matter() -> None:
    frames = [evidence(torn("A123BC77", "A128BC77", w), "A123BC77", "A128BC77") for w in (0.3, 0.6, 0.9)]
    forward, backward = fuse(frames), fuse(frames[::-1])
    assert [item.text for item in forward] == [item.text for item in backward]
    assert forward[0].confidence == pytest.approx(backward[0].confidence)


def test_remembered_scores_change_nothing() -> None:
    frames = [ScoredEvidence(evidence(torn("A123BC77", "A128BC77", w), "A123BC77", "A128BC77")) for w in (0.4, 0.7)]
    first = fuse_scored(frames[:1], RUSSIAN)
    again = fuse_scored(frames, RUSSIAN)
    assert first[0].text == "A128BC77"
    assert again == fuse([frame.evidence for frame in frames])


def test_number_of_texts_is_bounded() -> None:
    texts = [f"A{number:03d}BC77" for number in range(100, 100 + 3 * MAX_TEXTS)]
    fused = fuse([evidence(torn("A123BC77", "A128BC77", 0.6), *texts)])
    assert len(fused) == MAX_TEXTS
    assert fused[0].text == "A123BC77"
