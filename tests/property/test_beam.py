"""Prefix beam search against every text there is."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from platereader import ctc
from platereader.decoding.prefixes import search

CLASSES = 4


@given(st.integers(0, 10**6), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_wide_beam_finds_all_texts_in_order(seed: int, steps: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 1.5, (steps, CLASSES))
    log_probs = (scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).astype(np.float32)
    paths = itertools.product(range(CLASSES), repeat=steps)
    texts = sorted({tuple(ctc.collapse(path)) for path in paths})
    exact = dict(zip(texts, ctc.log_prob_pairs(log_probs[None], texts), strict=True))
    found = [tuple(text) for text in search(np.exp(log_probs.astype(np.float64)), width=2000)]
    assert len(found) == len(set(found))
    assert set(found) == set(texts)
    assert np.all(np.diff([exact[text] for text in found]) <= 1e-6)
