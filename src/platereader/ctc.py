"""Connectionist temporal classification in numpy: collapse, log P(text | picture), per-character posteriors.

Class 0 is the blank. A text's probability is the sum over all its alignments (Graves et al., "Connectionist temporal
classification", ICML 2006, equations 5 to 11). The classes of a time step may sum to less than one: what is missing
is none of the classes, belongs to no text, and is never shared out among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError

__all__ = [
    "character_posterior_pairs",
    "character_posteriors",
    "collapse",
    "log_prob",
    "log_prob_pairs",
    "log_prob_table",
    "padded",
]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.generic)

BLANK = 0

# Sums of probabilities are right as long as they are well above what float64 can hold, 1e-308: whatever vanished on
# the way was no larger. Smaller sums are done again in logarithms, which cost far more.
_LEAST_SUM = 1e-280


class _Arithmetic(NamedTuple):
    """How probabilities are added and multiplied, and what is impossible and certain."""

    plus: np.ufunc
    times: np.ufunc
    zero: float
    one: float


_PLAIN = _Arithmetic(np.add, np.multiply, 0.0, 1.0)
_LOGARITHMS = _Arithmetic(np.logaddexp, np.add, -np.inf, 0.0)


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


def log_prob_pairs(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> Floats:
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
    texts = padded(labels)
    each = len(texts) // len(log_probs)
    return log_prob_table(log_probs, texts.reshape(len(log_probs), each, texts.shape[1])).ravel()


def log_prob_table(log_probs: NDArray[np.float32], texts: Labels) -> Floats:
    """``log_prob`` of M texts under each of N posteriors, unchecked.

    Args:
        log_probs: float ``(N, T, C)``, natural logarithms.
        texts: int64 ``(N, M, L)``, classes 1 to C - 1, each text filled up with blanks at its end.

    Returns:
        float64 ``(N, M)``.
    """
    count, each, longest = texts.shape
    plates = np.repeat(np.arange(len(texts)), each)
    labels = texts.reshape(count * each, longest)
    sums = _totals(np.exp(log_probs, dtype=np.float64), plates, labels, arithmetic=_PLAIN)
    small = np.flatnonzero(sums < _LEAST_SUM)
    logs = np.log(np.maximum(sums, _LEAST_SUM))
    if len(small):
        logs[small] = _totals(log_probs.astype(np.float64), plates[small], labels[small], arithmetic=_LOGARITHMS)
    return logs.reshape(count, each)


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


def padded(labels: Sequence[Sequence[int]]) -> Labels:
    """Texts of any lengths as one array (B, L), filled up with blanks at their ends."""
    table = np.zeros((len(labels), max(map(len, labels), default=0)), np.int64)
    for row, text in zip(table, labels, strict=True):
        row[: len(text)] = text
    return table


def _totals(values: Floats, plates: Labels, labels: Labels, *, arithmetic: _Arithmetic) -> Floats:
    """Sum (B,) over all alignments of each text of labels (B, L), under its plate's values (P, T, C)."""
    states = _states(labels)
    sums = _forward(values, plates, states, first=_numbers(states) < 2, arithmetic=arithmetic)
    return _total(sums, labels, arithmetic=arithmetic)


def _total(sums: Floats, labels: Labels, *, arithmetic: _Arithmetic) -> Floats:
    """What the forward sums (T, S, B) of texts (B, L) come to: a path ends on the last label or the blank after it."""
    last = 2 * np.count_nonzero(labels, axis=1)
    texts = np.arange(len(labels))
    on_label = np.where(last > 0, sums[-1, last - 1, texts], arithmetic.zero)
    total: Floats = arithmetic.plus(sums[-1, last, texts], on_label)
    return total


def _numbers(states: Labels) -> Labels:
    """Number of each state within its text, (S, 1)."""
    return np.arange(len(states))[:, None]


def _states(labels: Labels) -> Labels:
    """States (S, B) of texts (B, L): the labels with blanks around them."""
    states = np.zeros((2 * labels.shape[1] + 1, len(labels)), np.int64)
    states[1::2] = labels.T
    return states


def _forward(
    values: Floats, plates: Labels, states: Labels, *, first: NDArray[np.bool_], arithmetic: _Arithmetic
) -> Floats:
    """Sums over the paths from the first step to each state at each step, their emissions included.

    Args:
        values: ``(P, T, C)``, what each class emits at each step.
        plates: ``(B,)``, whose emissions each text is under.
        states: ``(S, B)``; texts last, so that a step is a few operations on whole blocks of memory.
        first: ``(S, B)``, states in which a path may begin.
        arithmetic: of ``values``.

    Returns:
        ``(T, S, B)``.
    """
    _, steps, classes = values.shape
    by_step = values.transpose(1, 0, 2).reshape(steps, -1)
    emitted = plates * classes + states
    skip = np.full(states.shape, arithmetic.zero)
    skip[2:][(states[2:] != BLANK) & (states[2:] != states[:-2])] = arithmetic.one
    sums = np.empty((steps, len(states) + 2, len(plates)))
    sums[:, :2] = arithmetic.zero  # two impossible states in front spare all special cases
    emissions = np.take(by_step, emitted, axis=1)  # (T, S, B)
    sums[0, 2:] = np.where(first, emissions[0], arithmetic.zero)
    skipped = np.empty_like(skip)
    for before, after, emission in zip(sums[:-1], sums[1:, 2:], emissions[1:], strict=True):
        arithmetic.plus(before[2:], before[1:-1], after)
        arithmetic.plus(after, arithmetic.times(before[:-2], skip, skipped), after)
        arithmetic.times(after, emission, after)
    return sums[:, 2:]


def character_posteriors(log_probs: NDArray[np.float32], labels: Sequence[int]) -> Floats:
    """How sure each character is, all others being as they are: unlike the best path's peaks, over all alignments.

    For position i this is P(labels) over the sum of P of the labels with any class at i and of the labels without i,
    so that both a wrong and a made-up character count against it. Forward and backward sums give all of them at once.

    Args:
        log_probs: float ``(T, C)``, natural logarithms.
        labels: L classes 1 to C - 1.

    Returns:
        float64 ``(L,)``, 0 to 1; 0 where the labels are impossible or less probable than 1e-280.

    Raises:
        InvalidArgumentError: wrong shape, or a class that is not there.
    """
    if log_probs.ndim != 2:
        raise InvalidArgumentError(f"log_probs has shape {log_probs.shape}, expected (T, C): pass one plate at a time.")
    return character_posterior_pairs(log_probs[None], [labels])[0]


def character_posterior_pairs(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> list[Floats]:
    """``character_posteriors`` of B plates at once.

    Args:
        log_probs: float ``(B, T, C)``, natural logarithms.
        labels: B sequences of classes 1 to C - 1, of any lengths.

    Returns:
        B arrays, float64 ``(L,)`` each.

    Raises:
        InvalidArgumentError: wrong shape, or a class that is not there.
    """
    _check(log_probs, labels)
    texts = padded(labels)
    if not texts.size:
        return [np.zeros(0) for _ in labels]
    values = np.exp(log_probs, dtype=np.float64)
    sums, shorter, states, first = _both_ways(values, texts)
    entries = _entries(sums, states, first, classes=values.shape[2])
    whole = _total(sums[:, :, : len(texts)], texts, arithmetic=_PLAIN)[:, None]
    rivals = shorter + _substitutions(entries, values)
    sure = np.where(whole < _LEAST_SUM, 0.0, whole / np.maximum(rivals, _LEAST_SUM))
    return [row[: len(text)] for row, text in zip(np.minimum(sure, 1.0), labels, strict=True)]


def _both_ways(values: Floats, texts: Labels) -> tuple[Floats, Floats, Labels, NDArray[np.bool_]]:
    """Sums of the texts (B, L) read forwards and backwards, and of each text without each label, in one sweep.

    Returns:
        ``(T, S, 2B)``, sums forwards, then from the last step and the last state; ``(B, L)``, P of the texts without
        a label; the ``(S, 2B)`` states of the former and the states in which they begin.
    """
    count, longest = len(texts), int(texts.shape[1])
    positions = np.arange(longest)
    kept = positions + (positions >= positions[:, None])  # (L, L): all but one, and the blank that fills up
    shorter = np.pad(texts, ((0, 0), (0, 1)))[:, kept].reshape(count * longest, longest)
    forwards, without = _states(texts), _states(shorter)
    states = np.concatenate([forwards, forwards[::-1], without], axis=1)
    first = np.broadcast_to(_numbers(states) < 2, states.shape).copy()
    from_end = 2 * np.count_nonzero(texts, axis=1) - _numbers(states)
    first[:, count : 2 * count] = ((from_end == 0) | (from_end == 1))[::-1]
    plates = np.concatenate([np.arange(2 * count), np.repeat(np.arange(count), longest)])
    both = np.concatenate([values, values[:, ::-1]])
    sums = _forward(both, plates, states, first=first, arithmetic=_PLAIN)
    deleted = _total(sums[:, :, 2 * count :], shorter, arithmetic=_PLAIN).reshape(count, longest)
    return sums[:, :, : 2 * count], deleted, states[:, : 2 * count], first[:, : 2 * count]


def _entries(sums: Floats, states: Labels, first: NDArray[np.bool_], *, classes: int) -> Floats:
    """P (2, T, L, B, C), forwards and backwards, that before step t all before label i was spelled.

    So class c may start there and then. Both directions lie in one block of memory each.
    """
    blanks, labels = _halves(sums[:-1, :-1:2]), _halves(sums[:-1, 1:-2:2])  # (2, T - 1, L, B), (2, T - 1, L - 1, B)
    entries = np.empty((2, len(sums), *blanks.shape[2:], classes))
    entries[:, 0] = _halves(first[None, 1::2])[:, 0, ..., None]
    entries[:, 1:] = blanks[..., None]
    entries[:, 1:, 1:] += labels[..., None]
    again = _halves(states[None, 1:-2:2])  # a repeated class needs a blank between: (2, 1, L - 1, B)
    np.put_along_axis(entries[:, 1:, 1:], again[..., None], blanks[:, :, 1:, :, None], axis=4)
    return entries


def _halves(both: NDArray[_Number]) -> NDArray[_Number]:
    """(T, S, 2B) as (2, T, S, B)."""
    steps, states, count = both.shape
    halves: NDArray[_Number] = both.reshape(steps, states, 2, count // 2).transpose(2, 0, 1, 3)
    return halves


def _substitutions(entries: Floats, values: Floats) -> Floats:
    """P (B, L) of the texts with any class at all in the place of one; entries (2, T, L, B, C) are used up."""
    inside, left = entries[0], entries[1, ::-1, ::-1]
    by_step = values.transpose(1, 0, 2)[:, None]  # (T, 1, B, C)
    before = inside[0]
    before *= by_step[0]
    for standing, emission in zip(inside[1:], by_step[1:], strict=True):
        np.add(standing, before, standing)  # from "may start at this step" to "stands there at this step"
        np.multiply(standing, emission, standing)
        before = standing
    rivals: Floats = np.einsum("tlbc,tlbc->bl", inside[..., 1:], left[..., 1:])
    return rivals
