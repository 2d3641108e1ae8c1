"""From evidence to a judgement."""

import math
from typing import Any

import numpy as np
import pytest
from warped_plates import tilted

from fakes import judged
from platereader import (
    Box,
    Candidate,
    Detection,
    InvalidArgumentError,
    PlateEvidence,
    PlateImage,
    PlateReading,
    Quad,
    TrustPolicy,
)
from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN
from platereader.results import Character, FusedSigns, FusedText, Lines, Reason
from platereader.testing import spelled
from platereader.trust._signs import illegible_shares

PICTURE = PlateImage(np.zeros((8, 40, 3), np.uint8))


def judge(
    text: str,
    log_probs: LogProbs,
    policy: TrustPolicy | None = None,
    detection: Detection | None = None,
    picture: PlateImage = PICTURE,
) -> PlateReading:
    log_prob = ctc.log_prob(log_probs, RUSSIAN.encode(text))
    evidence = PlateEvidence(detection, picture, log_probs, (Candidate(text, log_prob, None),))
    return judged(evidence, policy)


def with_illegible(log_probs: LogProbs, step: int, probability: float = 0.9) -> LogProbs:
    """The same posteriors, with so much probability missing at one step."""
    changed: LogProbs = log_probs.copy()
    changed[step] += np.float32(np.log(1 - probability))
    return changed


def with_one_vague(text: str, position: int, probability: float) -> LogProbs:
    log_probs = spelled(text, RUSSIAN, probability=0.9999)
    step = 2 * position + 1
    row = np.full(RUSSIAN.size, (1 - probability) / (RUSSIAN.size - 1))
    row[RUSSIAN.encode(text)[position]] = probability
    log_probs[step] = np.log(row)
    return log_probs


TEXT = "A123BC77"
CLEAR = spelled(TEXT, RUSSIAN, probability=0.9999)


@pytest.mark.parametrize(
    ("text", "log_probs", "expected"),
    [
        (TEXT, CLEAR, (TEXT, "read", None)),
        (TEXT, spelled(TEXT, RUSSIAN, probability=0.7), (TEXT, "uncertain", "low_confidence")),
        (TEXT, spelled(TEXT, RUSSIAN, probability=0.3), (None, "unreadable", "nothing_legible")),
        ("A1B2C3", spelled("A1B2C3", RUSSIAN, probability=0.9999), ("A1B2C3", "uncertain", "unknown_format")),
        ("A123BC995", spelled("A123BC995", RUSSIAN, probability=0.9999), ("A123BC995", "uncertain", "unknown_region")),
        # Something illegible beside or between the characters.
        (TEXT, with_illegible(CLEAR, 0), (TEXT, "uncertain", "cut_off")),
        (TEXT, with_illegible(CLEAR, -1), (TEXT, "uncertain", "cut_off")),
        (TEXT, with_illegible(CLEAR, 4), (TEXT, "uncertain", "hidden_character")),
    ],
)
def test_what_is_said_of_a_text(text: str, log_probs: LogProbs, expected: tuple[str | None, str, str | None]) -> None:
    reading = judge(text, log_probs)
    assert (reading.text, reading.status, reading.reason) == expected
    assert (reading.candidates[0].text, reading.calibrated) == (text, False)


def test_confidence_is_the_probability_of_the_whole_text() -> None:
    log_probs = spelled("A123BC77", RUSSIAN, probability=0.95)
    reading = judge("A123BC77", log_probs)
    assert reading.confidence == pytest.approx(np.exp(ctc.log_prob(log_probs, RUSSIAN.encode("A123BC77"))), rel=1e-4)


@pytest.mark.parametrize(("ground", "ink", "reason"), [(255, 150, "overexposed"), (255, 40, None), (220, 150, None)])
def test_where_ground_and_ink_burn_out_strokes_may_be_missing(ground: int, ink: int, reason: str | None) -> None:
    pixels = np.full((64, 297, 3), ground, np.uint8)
    pixels[16:48, 30:270:12] = pixels[16:48, 31:270:12] = ink
    reading = judge("A123BC77", CLEAR, picture=PlateImage(pixels))
    assert (reading.reason, reading.text) == (reason, "A123BC77")
    pixels[:, :100] = 160  # a third of it is in the shade
    assert judge("A123BC77", CLEAR, picture=PlateImage(pixels)).reason == reason


def test_what_is_just_good_enough_is_read() -> None:
    seen = spelled("A123BC77", RUSSIAN, probability=0.99)
    reading = judge("A123BC77", seen, TrustPolicy(min_confidence=0.1, min_character=0.1))
    weakest = min(one.confidence for one in reading.characters)
    policy = TrustPolicy(min_confidence=reading.confidence, min_character=weakest)
    assert judge("A123BC77", seen, policy).status == "read"
    assert judge("A123BC77", seen, policy).masked_text == "A123BC77"
    tiny = Detection(Box(0, 0, 20, 5), 0.9)
    assert judge("A123BC77", seen, policy, detection=tiny).status == "read"
    legible = math.prod(one.confidence for one in reading.characters)
    assert judge("A123BC77", seen, TrustPolicy(min_legible=legible)).text == "A123BC77"
    assert judge("A123BC77", seen, TrustPolicy(min_legible=legible + 1e-9)).text is None
    for step, reason in ((0, "cut_off"), (4, "hidden_character")):
        cut = with_illegible(CLEAR, step, 0.1)
        most = max(illegible_shares(cut))
        policies = [TrustPolicy(min_confidence=0.5, max_illegible=share) for share in (most, most - 1e-9)]
        assert [judge("A123BC77", cut, policy).reason for policy in policies] == [None, reason]


def test_one_weak_character_is_enough_to_doubt() -> None:
    policy = TrustPolicy(min_confidence=0.1, min_character=0.8)
    reading = judge("A123BC77", with_one_vague("A123BC77", 2, 0.5), policy)
    assert (reading.status, reading.reason) == ("uncertain", "weak_character")
    assert reading.masked_text == "A1?3BC77"
    assert reading.text == "A123BC77"


def test_where_no_character_stands_it_is_not_a_plate() -> None:
    reading = judged(PlateEvidence(None, PICTURE, spelled("", RUSSIAN, steps=9), ()))
    assert (reading.text, reading.confidence) == (None, 0.0)
    assert (reading.status, reading.reason) == ("unreadable", "not_a_plate")
    for empty, reason in ((0.6, "not_a_plate"), (0.4, "nothing_legible")):
        log_probs = spelled("", RUSSIAN, steps=9, probability=empty ** (1 / 9))
        assert judged(PlateEvidence(None, PICTURE, log_probs, ())).reason == reason


def test_low_confidence_on_a_tiny_plate_is_put_down_to_its_size() -> None:
    blurred = spelled("A123BC77", RUSSIAN, probability=0.9)
    far, near = (Detection(Box(0, 0, width, width / 4), 0.9) for width in (49.9, 50.0))
    assert judge("A123BC77", blurred, detection=far).reason == "too_small"
    assert judge("A123BC77", blurred, detection=near).reason == "low_confidence"
    assert judge("A123BC77", CLEAR, detection=far).status == "read"


def test_a_plate_is_as_wide_as_its_corners_say() -> None:
    blurred = spelled("A123BC77", RUSSIAN, probability=0.9)
    steep = tilted((100, 100), width=56, aspect=5, angle_deg=45)
    narrow = Quad.from_box(Box(10, 10, 50, 20))
    assert steep.box.width < TrustPolicy().small_px < steep.width
    assert judge("A123BC77", blurred, detection=Detection(steep.box, 0.9, steep)).reason == "low_confidence"
    assert judge("A123BC77", blurred, detection=Detection(Box(0, 0, 60, 30), 0.9, narrow)).reason == "too_small"


def test_lenient_lets_through_what_strict_doubts() -> None:
    vague = with_one_vague("A123BC77", 2, 0.85)
    strict, lenient = (judge("A123BC77", vague, policy) for policy in (TrustPolicy.strict(), TrustPolicy.lenient()))
    assert (strict.status, strict.masked_text) == ("uncertain", "A1?3BC77")
    assert (lenient.status, lenient.masked_text) == ("read", "A123BC77")
    assert TrustPolicy.strict() == TrustPolicy() == TrustPolicy(0.97, 0.9, 0.2, 0.5, 0.9, 0.002, 50.0, None)
    assert TrustPolicy.lenient() == TrustPolicy(min_confidence=0.7, min_character=0.7, max_illegible=0.5)


def test_a_batch_is_judged_like_its_single_plates() -> None:
    texts = ["A123BC77", "B456EK99", "M789OP178"]
    rows = [spelled(text, RUSSIAN, probability=0.99, steps=40) for text in texts]
    evidence = [
        PlateEvidence(None, PICTURE, row, (Candidate(text, -0.1, None),)) for text, row in zip(texts, rows, strict=True)
    ]
    evidence.insert(1, PlateEvidence(None, PICTURE, rows[0], ()))
    policy = TrustPolicy()
    assert policy.judge(evidence, alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES) == [
        judged(one, policy).verdict for one in evidence
    ]
    assert policy.judge([], alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES) == []


@pytest.mark.parametrize(
    ("lines", "behind_nats", "expected"), [(1, 5.0, "M071AA09"), (2, 1.0, "MO71AA09"), (1, 5.1, "MO71AA09")]
)
def test_the_number_of_lines_decides_between_types(lines: Lines, behind_nats: float, expected: str) -> None:
    moped, car = "MO71AA09", "M071AA09"  # a moped's plate has two lines
    log_probs = spelled(moped, RUSSIAN, probability=0.9999)
    candidates = (Candidate(moped, -0.1, "moped"), Candidate(car, -0.1 - behind_nats, "standard"))
    evidence = PlateEvidence(None, PlateImage(PICTURE.pixels, lines), log_probs, candidates)
    reading = judged(evidence, TrustPolicy(min_legible=0.0))
    assert reading.text == expected
    assert {one.text for one in reading.candidates} == {moped, car}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("min_confidence", value) for value in (-0.1, 1.1, float("nan"), "x")),
        ("min_character", True),
        *(("small_px", value) for value in (None, -0.1)),
        *((name, 1.1) for name in ("min_character", "max_illegible", "min_mark", "min_sure_mark", "min_legible")),
        ("calibration", {}),
    ],
)
def test_values_that_cannot_be_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name} is "):
        TrustPolicy(**{name: value})


def test_values_at_the_ends_of_their_ranges_are_allowed() -> None:
    for end in (0.0, 1.0):
        assert TrustPolicy(end, end, end, end, end, end, 0.0).min_sure_mark == end


@pytest.mark.parametrize(("common", "status"), [(None, "read"), ("overexposed", "uncertain")])
def test_frames_that_are_mostly_overexposed_are_not_trusted_together_either(common: Reason | None, status: str) -> None:
    signs = FusedSigns(0.999, 9.0, 4, 5.0, 9.0, 0.0, 0.0, legal=True, region_known=True)
    candidates, characters = (Candidate("A123BC77", -0.001, None),), tuple(Character(char, 0.99) for char in "A123BC77")
    fused = FusedText(candidates, characters, 1, signs, 0.0, 0.0, common)
    verdict = TrustPolicy().judge_fused(fused, schemes=DEFAULT_SCHEMES)
    assert (verdict.status, verdict.reason) == (status, common)


@pytest.mark.parametrize(("lines", "name"), [(1, "military"), (2, "motorcycle")])
def test_lines_tell_types_of_one_pattern_apart_in_many_frames_too(lines: Lines, name: str) -> None:
    signs = FusedSigns(0.999, 9.0, 4, 5.0, 9.0, 0.0, 0.0, legal=True, region_known=True)
    characters = tuple(Character(char, 0.99) for char in "1234AB77")
    fused = FusedText((Candidate("1234AB77", -0.001, None),), characters, lines, signs, 0.0, 0.0, None)
    assert TrustPolicy().judge_fused(fused, schemes=DEFAULT_SCHEMES).format == name


@pytest.mark.parametrize(
    ("text", "share", "edge", "common", "reason"),
    [
        ("A123BC77", 0.5, 0.0, None, "low_confidence"),
        ("A123BC77", 0.5, 0.0, "too_small", "too_small"),
        ("A123BC77", 0.5, 0.9, "too_small", "cut_off"),
        ("A123BC77", 0.5, 0.0, "weak_character", "low_confidence"),  # that is of one frame
        ("A123BCC77", 0.999, 0.9, "too_small", "unknown_format"),
    ],
)
def test_a_low_confidence_of_many_frames_has_the_reason_that_they_share(
    text: str, share: float, edge: float, common: Reason | None, reason: str
) -> None:
    signs = FusedSigns(share, 9.0, 4, 5.0, 9.0, 0.0, 0.0, legal=True, region_known=True)
    characters = tuple(Character(char, 0.99) for char in text)
    fused = FusedText((Candidate(text, -0.7, None),), characters, 1, signs, edge, 0.0, common)
    verdict = TrustPolicy().judge_fused(fused, schemes=DEFAULT_SCHEMES)
    assert (verdict.status, verdict.reason) == ("uncertain", reason)
