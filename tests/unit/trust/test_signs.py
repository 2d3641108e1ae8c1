"""What evidence says about its own worth."""

from __future__ import annotations

import numpy as np
import pytest

from platereader._arrays import LogProbs
from platereader.plates import RUSSIAN
from platereader.plates._schemes import TextFit
from platereader.results import Candidate, Character, PlateImage
from platereader.testing import spelled
from platereader.trust._signs import emptiness, illegible_shares, is_overexposed, signs_of


def summing_to(share: float) -> LogProbs:
    """Three steps of a character, a gap and a character; the classes of the gap sum to ``share``."""
    log_probs = np.full((3, 3), -60.0, np.float32)
    log_probs[[0, 2], [1, 2]] = 0.0
    log_probs[1, 0] = np.log(share)
    return log_probs


def test_what_rounding_takes_from_a_step_is_not_illegible() -> None:
    scores = np.random.default_rng(0).normal(0, 4, (2000, RUSSIAN.size))
    softmax = np.asarray(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True), np.float32)
    assert illegible_shares(softmax) == (0.0, 0.0)
    assert illegible_shares(summing_to(1 - 5e-7)) == (0.0, 0.0)


@pytest.mark.parametrize("share", [2e-6, 1e-4, 0.3])
def test_everything_beyond_rounding_is_illegible(share: float) -> None:
    assert illegible_shares(summing_to(1 - share)) == pytest.approx((0.0, share), rel=0.1)


def test_the_weakest_character_and_the_next_text_speak_against_a_text() -> None:
    candidates = (Candidate("A123BC77", -0.1, None), Candidate("A128BC77", -3.1, None), Candidate("X", -2.1, None))
    characters = (Character("A", 0.9), Character("1", 0.4), Character("2", 0.99))
    log_probs = spelled("A123BC77", RUSSIAN)
    signs = signs_of(candidates, characters, log_probs, fit=TextFit(("RU",), "RU", region_known=True))
    assert signs.text_prob == pytest.approx(np.exp(-0.1))
    assert (signs.weakest, signs.legal, signs.region_known) == (0.4, True, True)
    assert signs.lead_nats == pytest.approx(2.0)
    assert signs_of(candidates[:1], characters, log_probs, fit=TextFit()).lead_nats == 20.0


def test_what_lies_before_behind_and_between_characters_is_told_apart() -> None:
    shares = [(0.9, 0.0), (0.2, 0.7), (0.8, 0.0), (0.1, 0.6), (0.1, 0.45)]  # of the blank and of a character
    log_probs = np.log(np.array([[blank, other, 1e-9] for blank, other in shares], np.float32) + 1e-12)
    assert illegible_shares(log_probs) == pytest.approx((0.45, 0.3), abs=1e-5)
    assert illegible_shares(log_probs[[0, 2, 4]]) == pytest.approx((0.45, 0.45), abs=1e-5)  # without any character
    assert illegible_shares(log_probs[[1]]) == pytest.approx((0.0, 0.1), abs=1e-5)
    assert emptiness(log_probs) == pytest.approx(0.9 * 0.2 * 0.8 * 0.1 * 0.1, rel=1e-4)


def test_a_lead_is_at_most_20_nats_for_or_against() -> None:
    candidates = (Candidate("A123BC77", -50.0, None), Candidate("A128BC77", -1.0, None))
    signs = signs_of(candidates, (), spelled("A123BC77", RUSSIAN), fit=TextFit())
    assert (signs.lead_nats, signs.weakest) == (-20.0, 0.0)
    assert signs_of((Candidate("A", 1e-9, None),), (), spelled("A", RUSSIAN), fit=TextFit()).text_prob == 1.0


@pytest.mark.parametrize(
    ("ground", "ink", "burnt", "expected"),
    [(250, 101, 144, True), (250, 100, 144, False), (249, 101, 144, False), (250, 101, 143, False)],
)
def test_a_plate_is_overexposed_from_two_fifths_of_burnt_ground_on_without_dark_ink(
    ground: int, ink: int, burnt: int, expected: bool
) -> None:
    looked_at = np.full(20 * 18, 200, np.uint8)  # every second pixel within the rim, in a picture of 60 by 40
    looked_at[:burnt], looked_at[-18:] = ground, ink
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[10:50:2, 2:38:2, 1] = looked_at.reshape(20, 18)
    assert is_overexposed(PlateImage(pixels)) is expected


@pytest.mark.parametrize("rows", [(10, 11), (48, 49)])
@pytest.mark.parametrize("columns", [(2, 3), (36, 37)])
def test_the_rim_of_a_plate_says_nothing_of_its_exposure(rows: tuple[int, int], columns: tuple[int, int]) -> None:
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[10:50, 2:38] = 255
    assert is_overexposed(PlateImage(pixels))
    for place in ((list(rows), slice(2, 38)), (slice(10, 50), list(columns))):
        inked = pixels.copy()
        inked[place] = 0
        assert not is_overexposed(PlateImage(inked))
