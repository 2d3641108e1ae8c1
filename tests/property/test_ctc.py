"""CTC sums against brute force over every alignment."""

from __future__ import annotations

import numpy as np
import pytest
from ctc_pictures import CLASSES, all_texts, pictures, random_log_probs
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_ctc import plain_log_prob, plain_posteriors

from platereader import _ctc as ctc
from platereader._arrays import LogProbs

small = pictures(6)


@given(small)
@settings(max_examples=25, deadline=None)
def test_log_prob_is_the_sum_over_all_alignments(log_probs: LogProbs) -> None:
    totals = all_texts(log_probs)
    texts = list(totals)
    got = ctc.log_prob_table(log_probs[None], ctc.padded(texts)[None])[0]
    assert np.allclose(np.exp(got), [totals[text] for text in texts], rtol=1e-4, atol=1e-9)
    assert np.exp(got).sum() == pytest.approx(np.exp(log_probs).sum(axis=1, dtype=np.float64).prod(), abs=1e-5)


texts = st.lists(st.integers(1, CLASSES - 1), max_size=6)


@given(pictures(20), st.lists(texts, min_size=1, max_size=5), st.sampled_from([0.0, 3.0, 60.0, 200.0]))
@settings(max_examples=60)
def test_sums_are_those_of_the_textbook(log_probs: LogProbs, some: list[list[int]], lower_nats: float) -> None:
    lower = (log_probs - np.float32(lower_nats)).astype(np.float32)
    got = ctc.log_prob_table(lower[None], ctc.padded(some)[None])[0]
    assert got == pytest.approx([plain_log_prob(lower, text) for text in some], rel=1e-6, abs=1e-6)


@given(pictures(12), texts, st.sampled_from([0.0, 3.0, 20.0]))
@settings(max_examples=60)
def test_character_posteriors_are_what_they_are_defined_as(
    log_probs: LogProbs, text: list[int], lower_nats: float
) -> None:
    lower = (log_probs - np.float32(lower_nats)).astype(np.float32)
    got = ctc.character_posteriors(lower[None], [text])[0]
    assert got == pytest.approx(plain_posteriors(lower, text), rel=1e-5, abs=1e-9)


@given(st.lists(st.integers(0, CLASSES - 1), max_size=12))
def test_collapse_of_an_expanded_text_gives_the_text_back(path: list[int]) -> None:
    text = ctc.collapse(path)
    assert 0 not in text
    with_blanks = [step for label in text for step in (0, label, label)]
    assert ctc.collapse([*with_blanks, 0]) == text
    assert ctc.collapse(np.array(path, np.intp)) == text


@given(small, st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_batching_changes_nothing(log_probs: LogProbs, seed: int) -> None:
    other = random_log_probs(seed, len(log_probs))
    texts = [(1, 2), (3,), (), (2, 2)]
    together = ctc.log_prob_table(np.stack([log_probs, other, log_probs, other]), ctc.padded(texts)[:, None])[:, 0]
    alone = [ctc.log_prob(rows, text) for rows, text in zip((log_probs, other, log_probs, other), texts, strict=True)]
    assert together == pytest.approx(alone, nan_ok=False)


@given(st.lists(small, min_size=1, max_size=5), st.data())
@settings(max_examples=40, deadline=None)
def test_characters_of_many_plates_are_those_of_each(log_probs: list[LogProbs], data: st.DataObject) -> None:
    steps = min(map(len, log_probs))
    plates = np.stack([rows[:steps] for rows in log_probs])
    labels = data.draw(
        st.lists(st.lists(st.integers(1, CLASSES - 1), max_size=5), min_size=len(plates), max_size=len(plates))
    )
    together = ctc.character_posteriors(plates, labels)
    for rows, text, confidences in zip(plates, labels, together, strict=True):
        assert confidences.shape == (len(text),)
        assert confidences == pytest.approx(ctc.character_posteriors(rows[None], [text])[0], abs=1e-12)
