"""Connectionist temporal classification in numpy: collapse, log P(text | picture), per-character posteriors.

Class 0 is the blank. A text's probability is the sum over all its alignments (Graves et al., "Connectionist temporal
classification", ICML 2006, equations 5 to 11), all in natural logarithms and float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import cast

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError

__all__ = ["character_posteriors", "collapse", "log_prob", "log_prob_pairs"]

Logs = NDArray[np.float64]
"""float64 natural logarithms; minus infinity for the impossible."""

BLANK = 0


def collapse(path: Sequence[int] | NDArray[np.integer]) -> list[int]:
    """Classes of a path with repeats merged, then blanks dropped.

    Args:
        path: one class for each time step.
    """
    return [int(label) for label, _ in groupby(int(step) for step in path) if label != BLANK]


def log_prob(log_probs: NDArray[np.float32], labels: Sequence[int]) -> float:
    """Natural log P(labels | picture), over all alignments; ``-inf`` when the labels need more steps than there are.

    Args:
        log_probs: float ``(T, C)``, natural logarithms.
        labels: classes 1 to C - 1; may be empty.

    Raises:
        InvalidArgumentError: wrong shape, or a class that is not there.
    """
    if log_probs.ndim != 2:
        raise InvalidArgumentError(f"log_probs has shape {log_probs.shape}, expected (T, C): pass one plate at a time.")
    return float(log_prob_pairs(log_probs[None], [labels])[0])


def log_prob_pairs(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> Logs:
    """``log_prob`` of B pairs of posteriors and labels at once.

    Args:
        log_probs: float ``(B, T, C)``, or ``(1, T, C)`` for one picture and B texts.
        labels: B sequences of classes 1 to C - 1, of any lengths.

    Returns:
        float64 ``(B,)``.

    Raises:
        InvalidArgumentError: wrong shape, or a class that is not there.
    """
    _check(log_probs, labels)
    if not labels:
        return np.zeros(0)
    states, skips, last = _trellis(labels)
    emissions = _emissions(log_probs, states)
    alpha = _forward(emissions, skips)[-1]
    rows = np.arange(len(labels))
    ends = np.where(last > 0, alpha[rows, np.maximum(last - 1, 0)], -np.inf)
    return cast(Logs, np.logaddexp(alpha[rows, last], ends))


def _check(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> None:
    if log_probs.ndim != 3 or log_probs.shape[1] < 1 or log_probs.shape[0] not in (1, len(labels)):
        raise InvalidArgumentError(
            f"log_probs has shape {log_probs.shape} for {len(labels)} texts, expected (B, T, C) with B rows or one: "
            "stack one (T, C) for each text."
        )
    classes = log_probs.shape[2]
    for text in labels:
        if any(not 0 < label < classes for label in text):
            raise InvalidArgumentError(f"labels {list(text)}: must be classes 1 to {classes - 1}; encode texts first.")


def _trellis(labels: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """States (B, S) with blanks between the labels, whether a state may be entered from two before, last state (B,)."""
    last = np.array([2 * len(text) for text in labels])
    states = np.zeros((len(labels), int(last.max()) + 1), np.int64)
    for row, text in zip(states, labels, strict=True):
        row[1 : 2 * len(text) : 2] = text
    skips = np.zeros(states.shape, np.bool_)
    skips[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    return states, skips, last


def _emissions(log_probs: NDArray[np.float32], states: NDArray[np.int64]) -> Logs:
    """Log probability (T, B, S) of each state's class at each step."""
    rows = np.zeros(1, np.int64) if log_probs.shape[0] == 1 else np.arange(len(states))
    by_step = log_probs.astype(np.float64).transpose(1, 0, 2)
    emissions: Logs = by_step[:, rows[:, None], states]
    return emissions


def _forward(emissions: Logs, skips: NDArray[np.bool_]) -> Logs:
    """Log probability (T, B, S) of being in a state after a step, its emission included."""
    steps, rows, width = emissions.shape
    alpha = np.full((steps, rows, width + 2), -np.inf)  # two impossible states in front spare all special cases
    alpha[0, :, 2:4] = emissions[0, :, :2]
    closed = np.where(skips, 0.0, -np.inf)
    for step in range(1, steps):
        before = alpha[step - 1]
        entered = np.logaddexp(before[:, 2:], before[:, 1:-1])
        alpha[step, :, 2:] = np.logaddexp(entered, before[:, :-2] + closed) + emissions[step]
    return alpha[:, :, 2:]


def character_posteriors(log_probs: NDArray[np.float32], labels: Sequence[int]) -> NDArray[np.float64]:
    """How sure each character is, all others being as they are: unlike the best path's peaks, over all alignments.

    For position i this is P(labels) over the sum of P of the labels with any class at i and of the labels without i,
    so that both a wrong and a made-up character count against it. Forward and backward sums give all of them at once.

    Args:
        log_probs: float ``(T, C)``, natural logarithms.
        labels: L classes 1 to C - 1.

    Returns:
        float64 ``(L,)``, 0 to 1; 0 where the labels are impossible.

    Raises:
        InvalidArgumentError: wrong shape, or a class that is not there.
    """
    if not labels:
        return np.zeros(0)
    whole = log_prob(log_probs, labels)
    if whole == -np.inf:
        return np.zeros(len(labels))
    shorter = log_prob_pairs(log_probs[None], [[*labels[:i], *labels[i + 1 :]] for i in range(len(labels))])
    others = np.logaddexp.reduce(_substitutions(log_probs, labels), axis=1)
    return np.minimum(np.exp(whole - np.logaddexp(others, shorter)), 1.0)


def _substitutions(log_probs: NDArray[np.float32], labels: Sequence[int]) -> Logs:
    """Log P (L, C - 1) of the labels with each class in turn at each position."""
    entered = _entries(log_probs, labels)  # what stands before position i is written, step t may start class c there
    left = _entries(log_probs[::-1], labels[::-1])[::-1, ::-1]  # the same from the end: step t may be its last
    emitted = log_probs[:, None, 1:].astype(np.float64)  # (T, 1, C - 1)
    inside = total = np.full(entered.shape[1:], -np.inf)
    for step in range(len(log_probs)):
        inside = np.logaddexp(inside, entered[step]) + emitted[step]
        total = np.logaddexp(total, inside + left[step])
    return total


def _entries(log_probs: NDArray[np.float32], labels: Sequence[int]) -> Logs:
    """Log probability (T, L, C - 1) that steps before t spell the labels before i, so that class c may start at t."""
    states, skips, _ = _trellis([labels])
    alpha = _forward(_emissions(log_probs[None], states), skips)[:-1, 0]  # (T - 1, S)
    blanks = alpha[:, :-1:2]
    before = np.full_like(blanks, -np.inf)
    before[:, 1:] = alpha[:, 1:-2:2]
    entries = np.full((len(log_probs), len(labels), log_probs.shape[1] - 1), -np.inf)
    entries[0, 0] = 0.0
    entries[1:] = np.logaddexp(blanks, before)[:, :, None]
    for position, label in enumerate(labels[:-1], 1):
        entries[1:, position, label - 1] = blanks[:, position]  # a repeated class needs a blank between
    return entries
