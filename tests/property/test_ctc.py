"""CTC sums against brute force over every alignment."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platereader import ctc
from platereader.arrays import LogProbs

CLASSES = 4


def random_log_probs(seed: int, steps: int, *, spread: float = 2.0) -> LogProbs:
    scores = np.random.default_rng(seed).normal(0, spread, (steps, CLASSES))
    return (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)


def all_texts(log_probs: LogProbs) -> dict[tuple[int, ...], float]:
    """P of every text that some path spells."""
    totals: dict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(CLASSES), repeat=len(log_probs)):
        totals[tuple(ctc.collapse(path))] += math.exp(sum(float(log_probs[t, c]) for t, c in enumerate(path)))
    return totals


def spliced(text: tuple[int, ...], position: int, *labels: int) -> tuple[int, ...]:
    """The text with other labels in the place of one."""
    return (*text[:position], *labels, *text[position + 1 :])


pictures = st.builds(random_log_probs, st.integers(0, 10**6), st.integers(1, 6))


@given(pictures)
@settings(max_examples=25, deadline=None)
def test_log_prob_is_the_sum_over_all_alignments(log_probs: LogProbs) -> None:
    totals = all_texts(log_probs)
    texts = list(totals)
    got = ctc.log_prob_pairs(log_probs[None], texts)
    assert np.allclose(np.exp(got), [totals[text] for text in texts], rtol=1e-4, atol=1e-9)
    assert np.exp(got).sum() == pytest.approx(1.0, abs=1e-5)


@given(pictures, st.data())
@settings(max_examples=40, deadline=None)
def test_character_posterior_weighs_the_text_against_substitutions_and_deletions(
    log_probs: LogProbs, data: st.DataObject
) -> None:
    totals = all_texts(log_probs)
    text = data.draw(st.sampled_from([text for text in totals if text] or [(1,)]))
    got = ctc.character_posteriors(log_probs, text)
    for position, confidence in enumerate(got):
        swapped = sum(totals[spliced(text, position, c)] for c in range(1, CLASSES))
        without = totals[spliced(text, position)]
        assert confidence == pytest.approx(totals[text] / (swapped + without), rel=1e-3)


@given(st.lists(st.integers(0, CLASSES - 1), max_size=12))
def test_collapse_of_an_expanded_text_gives_the_text_back(path: list[int]) -> None:
    text = ctc.collapse(path)
    assert 0 not in text
    with_blanks = [step for label in text for step in (0, label, label)]
    assert ctc.collapse([*with_blanks, 0]) == text


@given(pictures, st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_batching_changes_nothing(log_probs: LogProbs, seed: int) -> None:
    other = random_log_probs(seed, len(log_probs))
    texts = [(1, 2), (3,), (), (2, 2)]
    together = ctc.log_prob_pairs(np.stack([log_probs, other, log_probs, other]), texts)
    alone = [ctc.log_prob(rows, text) for rows, text in zip((log_probs, other, log_probs, other), texts, strict=True)]
    assert together == pytest.approx(alone, nan_ok=False)
