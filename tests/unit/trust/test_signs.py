"""What evidence says about its own worth."""

from __future__ import annotations

import numpy as np
import pytest

from platereader._arrays import LogProbs
from platereader.plates import RUSSIAN
from platereader.plates._schemes import TextFit
from platereader.results import Candidate, Character
from platereader.testing import spelled
from platereader.trust._signs import illegible_shares, signs_of


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
