"""Small posteriors of every kind, and the probability of every text under them by brute force."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
from hypothesis import strategies as st

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
    """P of every text that some path spells."""
    totals: dict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        totals[tuple(ctc.collapse(path))] += math.exp(sum(float(log_probs[t, c]) for t, c in enumerate(path)))
    return totals
