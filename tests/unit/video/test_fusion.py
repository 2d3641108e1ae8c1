"""Many frames of one plate."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fused_readings import PICTURE, clear, fuse, reading, torn

from fakes import judged
from platereader import Box, Candidate, Character, Detection, PlateImage, PlateReading, Quad
from platereader.plates import RUSSIAN
from platereader.results import Lines
from platereader.testing import spelled
from platereader.trust import Calibration, FrameWeights, FusedCalibration, TrustPolicy
from platereader.trust._calibration import FEATURES
from platereader.trust._fused import FRAME_SIGNS, FUSED_FEATURES, UNFITTED
from platereader.video._fusion import MAX_EVIDENCE, FusedEvidence, texts
from platereader.video._fusion.evidence import MAX_TEXTS
from platereader.video._fusion.legibility import agreement, frame_signs
from platereader.video._fusion.texts import proposed, substituted, voted


def weighing(
    frames: FrameWeights, *, bias: float = 0.0, weights: Sequence[float] = (0.0,) * len(FUSED_FEATURES)
) -> TrustPolicy:
    fusion = FusedCalibration(frames, bias, tuple(weights), tracks=1)
    return TrustPolicy(calibration=Calibration(0.0, (0.0,) * len(FEATURES), 1, "fp32", "none", fusion))


def test_nothing_legible_has_no_text_but_the_reason_of_most_frames() -> None:
    fused = fuse(*[reading(spelled("", RUSSIAN, steps=5))] * 3).fused
    assert (fused.text, fused.status, fused.reason, fused.candidates) == (None, "unreadable", "not_a_plate", ())
    assert fused.confidence == 0.0


def test_frames_in_which_nothing_is_legible_for_different_reasons_have_that_of_most_else_of_the_best() -> None:
    empty, vague = (
        reading(spelled("", RUSSIAN, steps=5)),
        reading(spelled("A123BC77", RUSSIAN, probability=0.3), "A123BC77"),
    )
    assert (vague.text, vague.reason) == (None, "nothing_legible")
    assert fuse(empty, vague, empty).fused.reason == "not_a_plate"
    assert fuse(empty, vague).fused.reason == "nothing_legible"


def test_a_text_no_frame_put_first_can_win() -> None:
    # Frame 1 cannot tell 3 from 8 in one place, frame 2 not in another; only the right text suits both.
    first = reading(torn("A128BC77", "A123BC77", 0.55), "A128BC77", "A123BC77")
    second = reading(torn("A123BO77", "A123BC77", 0.55), "A123BO77", "A123BC77")
    assert fuse(first, second).fused.text == "A123BC77"


def test_a_text_no_frame_proposes_is_found() -> None:
    first = reading(torn("A128BC77", "A123BC77", 0.6), "A128BC77")
    second = reading(torn("A123BO77", "A123BC77", 0.6), "A123BO77")
    assert fuse(first, second).fused.text == "A123BC77"


def test_frames_that_misread_other_places_spell_a_text_together() -> None:
    # Three characters are wrong in each: changing one or two of those that a frame reads is not enough.
    misread = ("B983BC777", "A124KM777", "A123BC199")
    fused = fuse(*[reading(torn(text, "A123BC777", 0.6), text) for text in misread]).fused
    assert (fused.text, fused.agreeing) == ("A123BC777", 0)


def test_agreeing_frames_raise_confidence_and_disagreeing_ones_lower_it() -> None:
    one = reading(torn("A123BC77", "A128BC77", 0.8), "A123BC77", "A128BC77")
    against = reading(torn("A128BC77", "A123BC77", 0.75), "A128BC77", "A123BC77")
    alone = fuse(one).fused.confidence
    assert fuse(*[one] * 6).fused.confidence > alone
    assert fuse(one, against).fused.confidence < alone


@pytest.mark.parametrize("dependence", [0.0, 0.7, 1.0])
def test_many_equal_frames_count_more_than_one_as_far_as_they_are_independent(dependence: float) -> None:
    between_two = reading(torn("A123BC77", "A128BC77", 0.6), "A123BC77", "A128BC77")
    without_rival = clear("A123BC77")  # then the lead is over a text that every frame speaks against
    trust = weighing(replace(UNFITTED, dependence=dependence, floor_nats=2.0))
    for one in (between_two, without_rival):
        alone, together = (fuse(*[one] * count, trust=trust).fused.signs for count in (1, 8))
        assert alone is not None
        assert together is not None
        assert 0 < alone.lead_nats < 20 / 8
        assert together.lead_nats == pytest.approx(alone.lead_nats * 8 ** (1 - dependence))


def test_one_frame_of_another_plate_does_not_outweigh_many() -> None:
    poor = reading(torn("A123BC77", "A128BC77", 0.6), "A123BC77", "A128BC77")
    fused = fuse(*[poor] * 4, clear("M555KE199")).fused
    assert (fused.text, fused.agreeing) == ("A123BC77", 4)


def test_illegal_texts_of_single_frames_still_vote_for_the_legal_one() -> None:
    # The third character is a digit on every plate; each frame alone reads a letter there, and something else wrong.
    readings = [
        reading(torn("A1O3BC77", "A103BC77", 0.6), "A1O3BC77"),
        reading(torn("A1O3BC77", "A103BC77", 0.55), "A1O3BC77", "A1O8BC77", "A103BC77"),
    ]
    assert [one.text for one in readings] == ["A1O3BC77"] * 2
    fused = fuse(*readings).fused
    assert (fused.text, fused.candidates[0].format) == ("A103BC77", "standard")


@pytest.mark.parametrize("count", [1, 5, 24])
@pytest.mark.parametrize("bias", [-6.0, 0.0, 3.0])
def test_a_foreign_text_that_all_frames_show_is_not_made_a_legal_one(count: int, bias: float) -> None:
    foreign = reading(spelled("34A88887", RUSSIAN, probability=0.99), "34A88887", "A888BC77", "3488AA87")
    frames = FrameWeights(bias, (0.0,) * len(FRAME_SIGNS), floor_nats=8.0, dependence=0.8)
    assert fuse(*[foreign] * count, trust=weighing(frames)).fused.text == "34A88887"


def test_characters_are_as_probable_as_the_texts_that_have_them() -> None:
    frame = reading(torn("A128BC77", "A123BC77", 0.7), "A128BC77", "A123BC77")
    fused = fuse(frame).fused
    shares = {one.text: np.exp(one.log_prob) for one in fused.candidates}
    together = shares["A128BC77"] + shares["A123BC77"]
    assert fused.characters[0].confidence == pytest.approx(together, abs=0.01)
    assert fused.characters[3].confidence == pytest.approx(shares["A128BC77"], abs=0.01)
    assert fused.masked_text == "A12?BC77"


def test_a_text_of_another_length_has_none_of_the_characters_of_a_text() -> None:
    longer, shorter = np.exp(spelled("A123BC777", RUSSIAN)), np.exp(spelled("A123BC77", RUSSIAN, steps=19))
    fused = fuse(reading(np.log(0.6 * longer + 0.4 * shorter), "A123BC777", "A123BC77")).fused
    first, second = (math.exp(one.log_prob) for one in fused.candidates)
    assert second > 0.2
    assert [one.confidence for one in fused.characters] == pytest.approx([first] * 9)


def test_a_text_of_no_format_is_as_probable_as_the_frames_say() -> None:
    foreign = reading(spelled("34A88887", RUSSIAN, probability=0.99), "34A88887")
    signs = fuse(foreign, foreign).fused.signs
    assert signs is not None
    assert signs.share == pytest.approx(math.exp(foreign.candidates[0].log_prob))


def test_a_lead_is_20_nats_at_most() -> None:
    signs = fuse(clear("A123BC77"), trust=weighing(replace(UNFITTED, floor_nats=50.0))).fused.signs
    assert signs is not None
    assert signs.lead_nats == 20.0


def test_lines_decide_which_texts_are_legal() -> None:
    # 1234AB77 is a motorcycle on two lines and a military car on one.
    two_lines = replace(PICTURE, lines=2)
    one = reading(spelled("1234AB77", RUSSIAN), "1234AB77")
    two = reading(spelled("1234AB77", RUSSIAN), "1234AB77", plate=two_lines)
    assert fuse(one, one, two).fused.candidates[0].format == "military"
    assert fuse(one, two, two).fused.candidates[0].format == "motorcycle"
    assert fuse(one, one, one, two, two).fused.candidates[0].format == "military"


def test_order_of_frames_does_not_matter() -> None:
    frames = [reading(torn("A123BC77", "A128BC77", w), "A123BC77", "A128BC77") for w in (0.3, 0.6, 0.9)]
    forward, backward = fuse(*frames).fused, fuse(*frames[::-1]).fused
    assert [item.text for item in forward.candidates] == [item.text for item in backward.candidates]
    assert forward.confidence == pytest.approx(backward.confidence)


def test_looking_at_the_result_in_between_changes_nothing() -> None:
    frames = [reading(torn("A123BC77", "A128BC77", w), "A123BC77", "A128BC77") for w in (0.4, 0.7, 0.6)]
    looked = fuse()
    for index, frame in enumerate(frames):
        looked.add(frame, index)
        assert looked.fused.text in {"A123BC77", "A128BC77"}
    assert looked.fused == fuse(*frames).fused


def test_absorbed_readings_count_like_added_ones() -> None:
    frames = [reading(torn("A123BC77", "A128BC77", w), "A123BC77", "A128BC77") for w in (0.4, 0.7)]
    both, later = fuse(frames[0]), fuse()
    later.add(frames[1], 1)
    both.merge(later)
    assert (both.readings, both.fused) == (2, fuse(*frames).fused)


def test_readings_of_an_earlier_part_of_a_passage_are_kept_in_their_place() -> None:
    one, good = fuse(), clear("A123BC77")
    for index in range(MAX_EVIDENCE):
        one.add(good, 1000 + index)
    other = fuse(good)
    other.add(good, 500)
    one.merge(other)
    assert one.readings == MAX_EVIDENCE + 2
    assert one.best == (good, 0)


def test_readings_without_a_text_are_given_up_first() -> None:
    illegible, evidence = reading(spelled("", RUSSIAN, steps=5)), fuse()
    for index in range(2 * MAX_EVIDENCE):
        evidence.add(illegible, 10 * index)
        if index == 5:
            evidence.add(clear("A123BC77"), 10 * index + 1)
    assert evidence.fused.text == "A123BC77"


def test_texts_and_readings_are_bounded() -> None:
    seen = torn("A123BC77", "A128BC77", 0.6)
    evidence = fuse(*[reading(seen, "A123BC77", f"A{number:03d}BC77") for number in range(100, 100 + 3 * MAX_EVIDENCE)])
    assert evidence.readings == 3 * MAX_EVIDENCE
    assert len(evidence.fused.candidates) == MAX_TEXTS
    assert evidence.fused.signs is not None
    assert evidence.fused.signs.frames == MAX_EVIDENCE


def test_scores_of_texts_that_nobody_proposes_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_MAX_REMEMBERED", 20)
    good = clear("A123BC77")
    evidence = fuse(good)  # long before the others, so that it stays
    for number in range(1, 150):
        # Of equally improbable texts, those that come first in the alphabet are scored: the latest one each time.
        passing = (*good.candidates, Candidate(f"A{400 - number:03d}BC99", -30.0, None))
        evidence.add(replace(good, verdict=replace(good.verdict, candidates=passing)), 10_000 + number)
        assert evidence.fused.text == "A123BC77"
    first = evidence._kept[0]
    assert first.frame_index == 0
    assert len(first.log_probs) < 60


def hiding(reading: PlateReading, *, step: int) -> PlateReading:
    """The same with a third of the probability of one time step for something illegible."""
    log_probs = reading.evidence.log_probs.copy()
    log_probs[step] -= np.float32(np.log(1.5))
    return replace(reading, evidence=replace(reading.evidence, log_probs=log_probs))


def test_a_text_is_read_only_if_a_frame_shows_it_whole() -> None:
    whole = clear("A123BC77")
    cut, hidden = hiding(whole, step=0), hiding(whole, step=8)
    assert fuse(*[cut] * 3, trust=TrustPolicy.lenient()).fused.status == "read"
    assert fuse(*[cut] * 3).fused.reason == "cut_off"
    assert fuse(*[hidden] * 3).fused.reason == "hidden_character"
    assert fuse(cut, cut, whole).fused.status == "read"


def test_what_is_kept_weighs_much_and_spreads_over_the_passage() -> None:
    weights = replace(UNFITTED, signs=(0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    poor, good = reading(torn("A123BC77", "A128BC77", 0.6), "A123BC77"), clear("A123BC77")
    seen = (good if index == 5 else poor for index in range(4 * MAX_EVIDENCE))
    evidence = fuse(*seen, trust=weighing(weights))
    assert evidence.best == (good, 5)
    kept = [frame.frame_index for frame in evidence._kept]  # pyright: ignore[reportPrivateUsage]
    assert kept[-1] - kept[0] > 3 * MAX_EVIDENCE
    assert max(np.diff(kept)) < 16


def test_weights_decide_whom_to_believe() -> None:
    sharp = PlateImage(np.tile(np.array([0, 0, 255, 255], np.uint8)[None, :, None], (8, 10, 3)))
    seen = reading(torn("A123BC77", "A128BC77", 0.7), "A123BC77", "A128BC77", plate=sharp)
    blurred = reading(torn("A128BC77", "A123BC77", 0.8), "A128BC77", "A123BC77")
    by_sharpness = replace(UNFITTED, signs=tuple(float(name == "sharpness") for name in FRAME_SIGNS))
    assert fuse(seen, blurred).fused.text == "A128BC77"
    assert fuse(seen, blurred, trust=weighing(by_sharpness)).fused.text == "A123BC77"


def test_calibration_decides_confidence_and_status() -> None:
    fused = fuse(*[clear("A123BC77")] * 3, trust=weighing(UNFITTED, bias=2.0)).fused
    assert fused.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert (fused.calibrated, fused.status, fused.reason) == (True, "uncertain", "low_confidence")
    assert fuse(*[clear("A123BC77")] * 3).fused.calibrated is False


def parked(count: int) -> FusedEvidence:
    """So many readings of one plate that stands still, each of them right with a probability of 0.95."""
    one = reading(torn("A123BC77", "A128BC77", 0.95), "A123BC77", "A128BC77")
    small = replace(one.evidence, detection=Detection(Box(100, 50, 152, 62), 0.9))
    seen = PlateReading(replace(one.verdict, confidence=0.95), small)
    fitted = dict.fromkeys(FUSED_FEATURES, 0.0) | {"lead": 0.5, "typical": 0.4, "agreement": 1.1, "legal": 4.0}
    return fuse(*[seen] * count, trust=weighing(UNFITTED, bias=-5.7, weights=[*fitted.values()]))


def test_a_parked_plate_that_every_frame_reads_with_some_doubt_is_read() -> None:
    alone, often = parked(1).fused, parked(120).fused
    assert (alone.text, alone.status) == ("A123BC77", "uncertain")
    assert (often.text, often.status) == ("A123BC77", "read")


def test_frames_that_show_a_plate_in_another_way_agree_for_more() -> None:
    near, far = (0.0, -1.5, 0.0, 0.0, 0.0, 3.0), (-0.5, -1.5, 0.0, 0.0, 0.0, 2.0)
    assert agreement([near]) == (3.0, 3.0)
    assert agreement([far, near]) == pytest.approx((2.5, 5.0))
    assert agreement([near] * 10) == pytest.approx((3.0, 3.0 * 2.8))
    assert agreement([(*far[:5], -2.0), near]) == (0.5, 3.0)  # what a frame doubts itself says nothing
    assert agreement([]) == (-6.0, 0.0)


def test_reason_is_what_most_frames_suffer_from() -> None:
    small = Detection(Box(0, 0, 30, 8), 0.9)
    far = reading(torn("A123BC77", "A128BC77", 0.7), "A123BC77", "A128BC77")
    far = judged(replace(far.evidence, detection=small))
    near = replace(far, verdict=replace(far.verdict, reason="low_confidence"))
    trust = weighing(UNFITTED)
    assert fuse(far, far, near, trust=trust).fused.reason == "too_small"
    assert fuse(far, near, near, trust=trust).fused.reason == "low_confidence"


def test_the_best_reading_is_of_the_fused_text() -> None:
    right, wrong = reading(torn("A123BC77", "A128BC77", 0.9), "A123BC77"), clear("M555KE199")
    assert fuse(right, right, right, wrong).best == (right, 0)


def signs_of(seen: PlateReading) -> dict[str, float]:
    return dict(zip(FRAME_SIGNS, frame_signs(seen), strict=True))


def test_signs_of_a_frame_name_what_is_there() -> None:
    stripes = np.tile(np.array([0, 0, 255, 255], np.uint8)[None, :, None], (8, 10, 3))
    soft = np.tile(np.linspace(0, 255, 40).astype(np.uint8)[None, :, None], (8, 1, 3))
    log_probs = spelled("A123BC77", RUSSIAN)
    sharp, blurred = (signs_of(reading(log_probs, "A123BC77", plate=PlateImage(pixels))) for pixels in (stripes, soft))
    assert sharp["sharpness"] == pytest.approx(0.0, abs=1e-6)
    assert blurred["sharpness"] < -2.0
    assert sharp["contrast"] == pytest.approx(np.log(2.55), abs=1e-6)
    assert blurred["width"] == 0.0  # nobody says how wide it was
    certain = reading(log_probs, "A123BC77")
    assert signs_of(replace(certain, verdict=replace(certain.verdict, confidence=1.0)))["confidence"] == 9.0
    turned = Detection(Box(0, 0, 100, 50), 0.9, Quad((0, 0), (80, 0), (80, 20), (0, 20)))
    seen = replace(certain, evidence=replace(certain.evidence, detection=turned))
    assert signs_of(seen)["width"] == pytest.approx(np.log(0.8))


@pytest.mark.parametrize("shape", [(1, 40, 3), (8, 3, 3)])
def test_a_picture_too_small_to_look_at_has_no_contrast(shape: tuple[int, int, int]) -> None:
    plate = PlateImage(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    signs = signs_of(reading(spelled("A123BC77", RUSSIAN), "A123BC77", plate=plate))
    assert signs["sharpness"] == pytest.approx(np.log(0.02))
    assert signs["contrast"] == 0.0


@pytest.mark.parametrize(("lines", "width_px"), [(1, 100.0), (2, 100.0 / 0.6), (1, 1e4)])
def test_two_lines_are_as_wide_as_if_they_stood_side_by_side(lines: Lines, width_px: float) -> None:
    seen = reading(spelled("A123BC77", RUSSIAN), "A123BC77", plate=replace(PICTURE, lines=lines))
    box = Box(0, 0, 100 if width_px < 1e4 else width_px, 50)
    seen = replace(seen, evidence=replace(seen.evidence, detection=Detection(box, 0.9)))
    assert signs_of(seen)["width"] == pytest.approx(np.log(min(width_px, 300) / 100))


def test_a_few_stray_pixels_are_no_contrast() -> None:
    pixels = np.full((8, 400, 3), 100, np.uint8)
    pixels[:, 200:] = 150
    pixels[:, :4], pixels[:, -4:] = 0, 255
    seen = reading(spelled("A123BC77", RUSSIAN), "A123BC77", plate=PlateImage(pixels))
    assert signs_of(seen)["contrast"] == pytest.approx(np.log(0.5), abs=1e-6)


def test_candidates_of_many_frames_come_before_those_of_few() -> None:
    common, rare = Candidate("A123BC77", -1.0, None), Candidate("A128BC77", -0.9, None)
    assert proposed([(1.0, (common,)), (1.0, (common,)), (1.0, (rare,))], count=2) == ["A123BC77", "A128BC77"]
    assert proposed([(1.0, (common,)), (9.0, (rare,))], count=1) == ["A128BC77"]


@pytest.mark.parametrize(("share", "first"), [(0.2, "A128BC77"), (0.17, "A123BC77")])
def test_what_two_frames_consider_may_come_before_what_one_is_surer_of(share: float, first: str) -> None:
    once, twice = Candidate("A123BC77", math.log(0.5), None), Candidate("A128BC77", math.log(share), None)
    assert proposed([(1.0, (once,)), (1.0, (twice,)), (1.0, (twice,))], count=1) == [first]


def test_what_a_frame_puts_first_is_tried_however_improbable_it_is() -> None:
    def candidate(text: str, nats: float) -> Candidate:
        return Candidate(text, nats, None)

    frames = [(1.0, (candidate("A123BC77", -60.0),)), (1.0, (candidate("B1", -1.0), candidate("C1", -50.0)))]
    assert proposed(frames, count=2) == ["B1", "A123BC77"]


def test_characters_of_better_texts_are_tried_first() -> None:
    scores = {"AB": 0.0, "ZW": -5.0, "XY": -1.0, "XYZ": -0.5}
    assert substituted("AB", scores, count=3) == ["XB", "AY", "ZB"]


def test_frames_spell_a_text_together_that_none_of_them_reads() -> None:
    def spelled_by(text: str, *confidences: float) -> list[Character]:
        return [Character(char, confidence) for char, confidence in zip(text, confidences, strict=True)]

    first, second, third = spelled_by("A12", 0.9, 0.9, 0.2), spelled_by("B13", 0.3, 0.9, 0.6), spelled_by("A1", 1, 1)
    assert voted([(1.0, first), (1.0, second), (1.0, third)]) == "A13"
    assert voted([(1.0, first), (5.0, second)]) == "B13"
    assert voted([(1.0, first), (9.0, third)]) == "A1"
    assert voted([(1.0, third), (1.0, first)]) == "A12"  # of two lengths with equal weight the longer one
    assert voted([]) is None
