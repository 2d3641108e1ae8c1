"""Small posteriors of every kind, and the probability of every text under them by brute force."""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import cache

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from platereader import _ctc as ctc
from platereader._arrays import LogProbs

CLASSES = 4


def random_log_probs(seed: int, steps: int, *, classes: int = CLASSES, kind: str = "whole") -> LogProbs:
    """Posteriors (T, C): rows that sum to one, to less, with impossible classes, or many of them surely blank."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2.0, (steps, classes))
    if kind == "restful":
        scores[rng.random(steps) < 0.6, 0] += 25.0
    log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    if kind == "less":
        log_probs -= rng.exponential(1.0, (steps, 1))
    if kind == "impossible":
        log_probs[rng.random(log_probs.shape) < 0.3] = -np.inf
    return log_probs.astype(np.float32)


def pictures(max_steps: int, *, classes: int = CLASSES) -> st.SearchStrategy[LogProbs]:
    """Posteriors of all kinds, 1 to ``max_steps`` long."""
    kinds = st.sampled_from(["whole", "less", "impossible", "restful"])
    return st.builds(
        lambda seed, steps, kind: random_log_probs(seed, steps, classes=classes, kind=kind),
        st.integers(0, 10**6),
        st.integers(1, max_steps),
        kinds,
    )


def all_texts(log_probs: LogProbs) -> dict[tuple[int, ...], float]:
    """P of every text that some path spells; 0.0 of any other."""
    steps, classes = log_probs.shape
    paths, texts, spelled = _all_paths(steps, classes)
    log_p = log_probs.astype(np.float64)[np.arange(steps), paths].sum(axis=1)
    return defaultdict(float, zip(texts, np.bincount(spelled, np.exp(log_p)).tolist(), strict=True))


@cache
def _all_paths(steps: int, classes: int) -> tuple[NDArray[np.intp], tuple[tuple[int, ...], ...], NDArray[np.intp]]:
    """Every path (P, T), every text, and the index of the text that each path spells (P,)."""
    paths = list(itertools.product(range(classes), repeat=steps))
    texts: dict[tuple[int, ...], int] = {}
    spelled = [texts.setdefault(tuple(ctc.collapse(path)), len(texts)) for path in paths]
    return np.array(paths, np.intp), tuple(texts), np.array(spelled, np.intp)
