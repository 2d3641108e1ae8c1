"""What many frames come to, by the formula that ``FrameWeights`` states, and what two texts differ by."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fused_readings import clear, fuse, reading, torn

from platereader import Candidate
from platereader import _ctc as ctc
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN
from platereader.results import Reason
from platereader.trust import Calibration, FrameWeights, FusedCalibration, TrustPolicy
from platereader.trust._calibration import FEATURES
from platereader.trust._fused import FUSED_FEATURES, UNFITTED
from platereader.video._fusion.difference import differing_places, is_unlike, resembles, sure_at
from platereader.video._fusion.texts import proposed, voted


def weighing(frames: FrameWeights) -> TrustPolicy:
    fusion = FusedCalibration(frames, 0.0, (0.0,) * len(FUSED_FEATURES), tracks=1)
    return TrustPolicy(calibration=Calibration(0.0, (0.0,) * len(FEATURES), 1, "fp32", "none", fusion))


@pytest.mark.parametrize("wrong", ["A128BC77", "A128BC100", "A1238C77"])  # of a type, of no known region, of no type
@pytest.mark.parametrize(
    "weights",
    [UNFITTED, FrameWeights(0.4, (0.0,) * 5 + (0.3,), 3.0, 0.2, no_format_nats=2.0, unknown_region_nats=0.5)],
)
def test_a_text_scores_as_the_formula_says(wrong: str, weights: FrameWeights) -> None:
    right = "A123BC100" if len(wrong) == 9 else "A123BC77"
    frames = [reading(torn(right, wrong, share), right, wrong) for share in (0.8, 0.35, 0.6)]
    evidence = fuse(*frames, trust=weighing(weights))
    fused = evidence.fused
    counts = [kept.weight for kept in evidence._kept]
    scores: dict[str, float] = {}
    for text in (right, wrong):
        nats = [next(one.log_prob for one in frame.candidates if one.text == text) for frame in frames]
        shown = [math.log(math.exp(one) + math.exp(-weights.floor_nats)) for one in nats]
        mean = sum(count * one for count, one in zip(counts, shown, strict=True)) / sum(counts)
        penalty = weights.penalty(DEFAULT_SCHEMES.fit(text, lines=1))
        scores[text] = (mean - penalty) * sum(counts) ** (1 - weights.dependence)
    other = -weights.floor_nats * sum(counts) ** (1 - weights.dependence)
    found = {one.text: one.log_prob for one in fused.candidates}
    lead = found[right] - found[wrong]
    assert lead == pytest.approx(scores[right] - scores[wrong], abs=1e-5)
    assert sum(map(math.exp, found.values())) < 1.0
    rest = 1.0 - sum(map(math.exp, found.values()))  # of anything else
    assert math.log(rest) - found[right] == pytest.approx(other - scores[right], abs=1e-4)
    best = max(scores, key=lambda text: scores[text])
    assert (fused.text, fused.candidates[0].text) == (best, best)
    assert fused.agreeing == sum(frame.candidates[0].text == best for frame in frames)
    assert fused.signs is not None
    ranked = sorted([*found.values(), math.log(rest)], reverse=True)
    assert fused.signs.lead_nats == pytest.approx(ranked[0] - ranked[1], abs=1e-4)


@pytest.mark.parametrize(("small", "others", "common"), [(2, 1, "too_small"), (1, 1, None), (2, 2, None)])
def test_a_common_reason_is_that_of_more_than_half_of_the_frames(small: int, others: int, common: str | None) -> None:
    one = clear("A123BC77")
    reasons: list[tuple[Reason, int]] = [("too_small", small), ("low_confidence", others)]
    verdicts = [
        replace(one.verdict, status="uncertain", reason=reason) for reason, count in reasons for _ in range(count)
    ]
    assert fuse(*(replace(one, verdict=verdict) for verdict in verdicts))._common_reason() == common


@pytest.mark.parametrize(
    ("first", "second", "places"),
    [
        ("A123BC77", "A128BC77", ((3,), (3,))),
        ("A123BC77", "A123BC77", ((), ())),
        ("A123BC77", "23BC", ((), ())),  # a piece
        ("A123BC77", "A13BC77", ((2,), (1, 2))),  # a character more: both neighbours count
        ("A13BC77", "A123BC77", ((1, 2), (2,))),
        ("A123BC77", "X123BC7", ((0, 7), (0, 6))),
        ("A123BC77", "123BC7X", ((0, 7), (0, 6))),
    ],
)
def test_places_by_which_two_texts_differ(first: str, second: str, places: tuple[tuple[int, ...], ...]) -> None:
    assert differing_places(first, second) == places


def test_misreading_explains_two_characters_and_four_are_another_plate() -> None:
    texts = ["A123BC77", "A124BC77", "A124BK77", "A154BK77", "A154BK97"]
    assert [resembles(texts[0], text) for text in texts] == [True, True, True, False, False]
    assert [is_unlike(texts[0], text) for text in texts] == [False, False, False, False, True]
    assert [resembles(text, "X9999") for text in ("A123", "A1234", None)] == [True, False, True]


@pytest.mark.parametrize(("confidence", "sure"), [(0.9, True), (0.89, False)])
def test_a_reading_is_sure_of_characters_of_nine_tenths(confidence: float, sure: bool) -> None:
    one = clear("A123BC77")
    characters = tuple(
        replace(char, confidence=confidence if place == 3 else 0.99) for place, char in enumerate(one.characters)
    )
    seen = replace(one, verdict=replace(one.verdict, characters=characters))
    assert sure_at(seen, "A123BC77", (3,)) is sure
    assert sure_at(seen, "A123BC77", (2,))
    assert not sure_at(seen, "A123BC77", ())
    assert not sure_at(seen, "A123BC77", (2, 8))
    assert not sure_at(seen, "A128BC77", (2,))


@pytest.mark.parametrize(("nats", "contradicts"), [(20.01, True), (19.99, False)])
def test_a_reading_contradicts_a_text_that_is_20_nats_less_probable(nats: float, contradicts: bool) -> None:
    evidence, other = fuse(*[clear("A123BC77")] * 3), clear("M555KE199")
    assert (evidence.fused.status, other.status) == ("read", "read")
    log_prob = ctc.log_prob(other.evidence.log_probs, RUSSIAN.encode("A123BC77"))
    candidates = (Candidate("M555KE199", log_prob + nats, None),)
    assert (
        evidence.contradicted_by(replace(other, verdict=replace(other.verdict, candidates=candidates))) is contradicts
    )


def test_what_hardly_any_frame_believes_comes_by_the_rank_that_it_has_there() -> None:
    first = (Candidate("A1", -50.0, None), Candidate("B1", -50.0, None))
    assert proposed([(1.0, first), (0.6, (Candidate("C1", -50.0, None),))], count=3) == ["A1", "C1", "B1"]
    many = tuple(Candidate(f"A{number}", -1.0 - number, None) for number in range(7))
    assert proposed([(1.0, many)], count=9) == [f"A{number}" for number in range(5)]


def test_texts_put_together_are_kept_for_the_next_frame_and_those_of_frames_are_not() -> None:
    first = reading(torn("A128BC78", "A123BC77", 0.6), "A128BC78")
    second = reading(torn("A123BO77", "A123BC77", 0.6), "A123BO77")
    evidence = fuse(first, second)
    assert evidence.fused.text is not None
    ranked = [one.text for one in evidence.fused.candidates]
    proposals = {"A128BC78", "A123BO77", voted((1.0, one.characters) for one in (first, second))}
    assert evidence._combined == [text for text in ranked if text not in proposals][:6] != []
