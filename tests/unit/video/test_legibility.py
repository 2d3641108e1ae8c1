"""What a frame says of how well it shows a plate, and which frames are kept and counted, in exact numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fused_readings import clear, reading, torn

from platereader import Box, Candidate, Detection, PlateReading
from platereader.plates import RUSSIAN, TextFit
from platereader.results import Lines, Verdict
from platereader.testing import spelled
from platereader.trust._fused import UNFITTED
from platereader.video._fusion.evidence import (
    FusedReading,
    _considers,
    _least_illegible,
    _least_informative,
    _mean_marks,
    _signs,
)
from platereader.video._fusion.legibility import _picture, agreement, frame_signs
from platereader.video._fusion.texts import Frame, lines_of

CLEAR = clear("A123BC77")


@pytest.mark.parametrize("shape", [(2, 4), (3, 5), (8, 40), (9, 41), (64, 297)])
@pytest.mark.parametrize("spread", [1, 40, 256])
def test_sharpness_and_contrast_are_those_of_the_picture_at_half_its_size(shape: tuple[int, int], spread: int) -> None:
    pixels = np.random.default_rng(0).integers(0, spread, (*shape, 3)).astype(np.uint8)
    pixels[..., 1] = np.sort(pixels[..., 1], axis=1)
    half = [
        [float(pixels[row : row + 2, column : column + 2, 1].mean()) for column in range(0, shape[1] - 1, 2)]
        for row in range(0, shape[0] - 1, 2)
    ]
    values = sorted(value for row in half for value in row)
    steps = sorted(abs(b - a) for row in half for a, b in itertools.pairwise(row))
    dark, bright, steepest = values[len(values) // 20], values[len(values) * 95 // 100], steps[len(steps) * 95 // 100]
    contrast = max(1.0, bright - dark)
    expected = math.log(max(0.02, steepest / contrast)), math.log(contrast / 100)
    assert _picture(pixels) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 4), (2, 3)])
def test_less_than_two_columns_of_half_the_size_are_no_picture(shape: tuple[int, int]) -> None:
    assert _picture(np.full((*shape, 3), 9, np.uint8)) == (math.log(0.02), 0.0)


@pytest.mark.parametrize(("width", "known"), [(5, 12), (12, 12), (13, 13), (299, 299), (300, 300), (400, 300)])
def test_a_width_counts_from_12_to_300_px(width: float, known: float) -> None:
    seen = replace(CLEAR, evidence=replace(CLEAR.evidence, detection=Detection(Box(0, 0, width, 4), 0.9)))
    assert frame_signs(seen)[0] == pytest.approx(math.log(known / 100))


@pytest.mark.parametrize(("confidence", "odds"), [(0.0, -9.0), (0.5, 0.0), (0.9, math.log(9)), (1.0, 9.0)])
@pytest.mark.parametrize(("missing", "counted"), [(0.25, 0.25), (0.999, 0.98)])
def test_what_is_illegible_and_how_sure_a_frame_is(
    confidence: float, odds: float, missing: float, counted: float
) -> None:
    log_probs = spelled("A123BC77", RUSSIAN, probability=1.0 - 1e-9)
    log_probs[-1] += np.float32(math.log(1 - missing))
    verdict = replace(CLEAR.verdict, confidence=confidence)
    seen = PlateReading(verdict, replace(CLEAR.evidence, log_probs=log_probs))
    assert frame_signs(seen)[3:] == pytest.approx((math.log(1 - counted), 0.0, odds), abs=1e-5)


@pytest.mark.parametrize(("sign", "way"), [(0, 0.12), *((sign, 0.2) for sign in range(1, 5)), (5, 1.5)])
def test_a_frame_agrees_as_far_as_it_differs_from_all_surer_ones(sign: int, way: float) -> None:
    surest = np.array([0.0, -1.0, 0.5, -0.1, -0.2, 4.0])
    for ways in (0.1, 0.5, 0.9, 2.0):
        other = surest - np.eye(6)[sign] * ways * way
        new = max(0.2, 1 - math.exp(-(ways**2)))
        typical, agreed = agreement([tuple(other), tuple(surest)])
        assert typical == pytest.approx((4.0 + other[5]) / 2)
        assert agreed == pytest.approx(4.0 + new * other[5])
        assert agreement([tuple(surest), tuple(other), tuple(other)])[1] == pytest.approx(agreed + 0.2 * other[5])
    assert agreement([(0.0,) * 5 + (8.0,)]) == (6.0, 6.0)
    assert agreement([(0.0,) * 5 + (-8.0,)]) == (-6.0, 0.0)


def kept(*frames: tuple[int, float]) -> list[Frame]:
    """Frames with those indices and weights."""
    return [Frame(CLEAR, index, (0.0,) * 6, weight) for index, weight in frames]


@pytest.mark.parametrize(
    ("frames", "given_up"),
    [
        ([(0, 1.0), (4, 1.0), (7, 1.0), (12, 1.0)], 1),  # 8, 7, 8 and 10 frames of room, the ends counted twice
        ([(0, 1.0), (4, 1.0), (6, 1.0), (12, 1.0)], 1),
        ([(0, 1.0), (3, 1.0), (9, 1.0), (20, 1.0)], 0),
        ([(0, 1.0), (9, 1.0), (17, 1.0), (20, 1.0)], 3),
        ([(0, 1.0), (8, 0.5), (12, 1.0), (21, 1.0)], 1),
        ([(0, 1.0), (8, 0.9), (10, 0.65), (24, 1.0)], 2),  # 0.9 * sqrt(10), 0.65 * sqrt(16)
        ([(0, 1.0), (8, 0.8), (10, 0.65), (24, 1.0)], 1),
    ],
)
def test_what_is_given_up_is_light_and_has_little_room(frames: Sequence[tuple[int, float]], given_up: int) -> None:
    assert _least_informative(kept(*frames)) == given_up


@pytest.mark.parametrize(("nats", "considered"), [(-7.0, True), (-7.01, False)])
def test_a_text_is_considered_down_to_a_thousandth(nats: float, considered: bool) -> None:
    candidates = (Candidate("A123BC77", -0.1, None), Candidate("A128BC77", nats, None))
    fused = FusedReading(Verdict("A123BC77", 0.9, "uncertain", "low_confidence", candidates=candidates))
    assert _considers(fused, "A128BC77") is considered
    assert not _considers(fused, "A129BC77")


def test_signs_of_many_frames_are_means_by_weight() -> None:
    text, other = "A123BC77", reading(torn("A128BC77", "A123BC77", 0.7), "A128BC77", "A123BC77")
    first = Frame(CLEAR, 0, (0.0, 0.0, 0.0, -0.1, -0.2, 3.0), 3.0, {text: math.log(0.8)})
    second = Frame(other, 1, (0.0, 0.0, 0.0, -0.5, -0.6, 2.0), 1.0, {text: math.log(0.4)})
    signs = _signs([first, second], text, share=0.1, lead_nats=1.5, fit=TextFit(("RU",), "RU", region_known=True))
    assert (signs.share, signs.edge, signs.inner) == pytest.approx((0.7, -0.2, -0.3))
    assert (signs.frames, signs.typical_nats, signs.agreement_nats, signs.lead_nats) == (2, 3.0, 3.0, 1.5)
    assert (signs.legal, signs.region_known) == (True, True)
    assert _signs([first, second], text, share=0.9, lead_nats=1.5, fit=TextFit()).share == 0.9
    rounded = replace(first, log_probs={text: 1e-6})
    assert _signs([rounded], text, share=0.1, lead_nats=1.5, fit=TextFit()).share == 1.0
    assert _least_illegible([first, second, replace(first, signs=second.signs)], text, "edge") == pytest.approx(
        1 - math.exp(-0.1)
    )
    assert _least_illegible([second], text, "inner") == 0.0


def test_marks_and_lines_are_those_of_most_frames_by_weight() -> None:
    def frame(weight: float, mark: float, lines: Lines) -> Frame:
        plate = replace(CLEAR.evidence.plate, lines=lines)
        evidence = replace(CLEAR.evidence, marks={"RU": mark, "BY": 1.0}, plate=plate)
        return Frame(PlateReading(CLEAR.verdict, evidence), 0, (0.0,) * 6, weight)

    assert _mean_marks([frame(3.0, 0.2, 1), frame(1.0, 1.0, 1)]) == pytest.approx({"RU": 0.4, "BY": 1.0})
    assert max(_mean_marks([frame(weight, 1.0, 1) for weight in (0.1, 0.2, 0.3)]).values()) <= 1.0
    assert [lines_of([frame(1.0, 0.0, 1), frame(weight, 0.0, 2)]) for weight in (0.9, 1.0, 1.1)] == [1, 1, 2]


def test_weights_come_from_the_signs_of_frames_that_have_a_candidate() -> None:
    weights = replace(UNFITTED, bias=0.5)
    empty = reading(spelled("", RUSSIAN, steps=5))
    assert [Frame.of(one, 7, weights=weights).weight for one in (CLEAR, empty)] == [math.exp(0.5), 0.0]
    frame = Frame(CLEAR, 0, (0.0,) * 6, 1.0, {str(number): 0.0 for number in range(100)})
    frame.keep_scores_of(["1"])
    assert len(frame.log_probs) == 100
    frame.log_probs["100"] = 0.0
    frame.keep_scores_of(["1"])
    assert list(frame.log_probs) == ["1"]
