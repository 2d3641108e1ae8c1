"""Textbook sums over alignments, one number at a time: what the dense arithmetic of ``_ctc`` is held to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from platereader._arrays import LogProbs


def plain_log_prob(log_probs: LogProbs, labels: Sequence[int]) -> float:
    """Log P(labels | picture): equations 6 to 8 of Graves et al., 2006, in logarithms.

    Args:
        log_probs: float ``(T, C)``, natural logarithms, class 0 is the blank.
        labels: classes 1 to C - 1.
    """
    states = [0]
    for label in labels:
        states += [label, 0]
    forward = [0.0, *[-math.inf] * (len(states) - 1)]  # before the first step: nothing is written
    for step, row in enumerate(log_probs.tolist()):
        before = forward
        forward = []
        for state, label in enumerate(states):
            sources = [before[state], before[state - 1] if state > 0 else -math.inf]
            if state > 1 and label not in (0, states[state - 2]):
                sources.append(before[state - 2])
            if step == 0:  # starts in the first blank or in the first label
                sources = [0.0 if state < 2 else -math.inf]
            forward.append(log_sum(sources) + row[label])
    return log_sum(forward[-2:])


def plain_posteriors(log_probs: LogProbs, labels: Sequence[int]) -> list[float]:
    """P(labels) over the sum of P of the labels with any class, or none, in the place of one: for each place."""
    whole, found = plain_log_prob(log_probs, labels), list[float]()
    for place in range(len(labels)):
        before, after = labels[:place], labels[place + 1 :]
        alternatives = [[*before, *middle, *after] for middle in ([], *([c] for c in range(1, log_probs.shape[1])))]
        total = log_sum([plain_log_prob(log_probs, alternative) for alternative in alternatives])
        found.append(math.exp(whole - total) if whole > -math.inf else 0.0)
    return found


def log_sum(logs: Sequence[float]) -> float:
    """Logarithm of the sum of numbers whose logarithms these are."""
    most = max(logs)
    return most if most == -math.inf else most + math.log(sum(math.exp(one - most) for one in logs))
