"""Connectionist temporal classification in numpy: collapse, log P(text | picture), per-character posteriors.

Class 0 is the blank. A text's probability is the sum over all its alignments (Graves et al., "Connectionist temporal
classification", ICML 2006, equations 5 to 11). The classes of a time step may sum to less than one: what is missing
is none of the classes, belongs to no text, and is never shared out among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

BLANK = 0

_EMITTED_STEPS = 3

# Sums of probabilities are right as long as they are well above what float64 can hold, 1e-308: whatever vanished on
# the way was no larger. Smaller sums, and pictures whose empty text is so improbable, are computed again in logarithms,
# which cost far more.
_MIN_NATS = math.log(1e-280)


class _Odds(NamedTuple):
    """Posteriors in units of the blank: what each class is to the blank of its step, so that a blank weighs 1.

    Sums over alignments then need neither states for the blanks nor a factor for their steps.
    """

    ratios: Floats  # (T, N, C); 0 for the blank, which no text holds, and for a picture whose sums would not be right
    all_blank: Floats  # (N,), log P of the empty text: the unit

    @classmethod
    def of(cls, log_probs: NDArray[np.float32]) -> _Odds:
        """Of log probabilities ``(N, T, C)``."""
        by_step = log_probs.transpose(1, 0, 2).astype(np.float64, order="C")
        all_blank = by_step[:, :, 0].sum(axis=0)
        by_step -= np.maximum(by_step[:, :, :1], _MIN_NATS)
        ratios = np.exp(by_step, by_step)
        ratios[:, :, 0] = 0.0
        ratios[:, all_blank < _MIN_NATS] = 0.0
        return cls(ratios, all_blank)


def collapse(path: Sequence[int] | NDArray[np.integer]) -> list[int]:
    """Classes of a path, one for each time step, with repeats merged, then blanks dropped."""
    return [int(label) for label, _ in groupby(int(step) for step in path) if label != BLANK]


def emitted(log_probs: NDArray[np.float32]) -> Floats:
    """Probability (N, C) that each class is emitted within three steps of ``(N, T, C)``, where that is greatest.

    A network spreads what it sees over few steps. Over all of them even its least probabilities would add up.
    """
    probabilities = np.minimum(np.exp(log_probs, dtype=np.float64), 1.0 - 1e-12)
    missed = np.log1p(-probabilities)
    steps = missed.shape[1]
    span = min(_EMITTED_STEPS, steps)
    missed = reduce(np.add, [missed[:, first : steps - span + 1 + first] for first in range(span)])
    return cast(Floats, -np.expm1(missed.min(axis=1)))


def joined_with_blank(log_probs: NDArray[np.float32], *, kept: int) -> NDArray[np.float32]:
    """Log probabilities ``(N, T, kept)`` of the first of C classes, the blank included; all others count as blank.

    A new array, unless all are kept.
    """
    if log_probs.shape[2] == kept:
        return log_probs
    text: NDArray[np.float32] = log_probs[:, :, :kept].copy()
    others = np.exp(log_probs[:, :, kept:], dtype=np.float64).sum(axis=2)
    with np.errstate(divide="ignore"):  # what is impossible stays so
        text[:, :, 0] = np.logaddexp(text[:, :, 0], np.log(others))
    return text


def log_prob(log_probs: NDArray[np.float32], labels: Sequence[int]) -> float:
    """Natural log P(labels | picture (T, C)), over all alignments; ``-inf`` where they need more steps than it has."""
    if log_probs.ndim != 2:
        raise InvalidArgumentError(f"log_probs has shape {log_probs.shape}, expected (T, C): pass one plate at a time.")
    _check(log_probs[None], [labels])
    return float(log_prob_table(log_probs[None], padded([labels])[None])[0, 0])


def log_prob_table(log_probs: NDArray[np.float32], texts: Labels) -> Floats:
    """``log_prob`` (N, M) of texts ``(N, M, L)`` under the posteriors ``(N, T, C)`` of each of N plates, unchecked.

    Texts are filled up with blanks at their ends.
    """
    count, each, longest = texts.shape
    odds = _Odds.of(log_probs)
    plates = np.repeat(np.arange(len(texts)), each)
    labels = texts.reshape(count * each, longest)
    sums = _whole_text_sums(_forward_sums(_emissions(odds.ratios, plates, labels, delays=_delays(labels))), labels)
    logs = np.log(np.maximum(sums, 1e-300)) + odds.all_blank[plates]
    small = np.flatnonzero(logs < _MIN_NATS)
    if len(small):
        logs[small] = _in_logarithms(log_probs, plates[small], labels[small])
    return logs.reshape(count, each)


def _check(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> None:
    if log_probs.ndim != 3 or log_probs.shape[1] < 1 or len(log_probs) != len(labels):
        raise InvalidArgumentError(
            f"log_probs has shape {log_probs.shape} for {len(labels)} texts, expected (B, T, C): stack one (T, C) for "
            "each text."
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


def _delays(texts: Labels) -> Labels:
    """By how many steps the clock of each label is delayed, (L, B) of texts (B, L).

    A label that is repeated needs a blank before it. That blank weighs 1, so leaving out its step in the clock of all
    labels that follow says the same, and a repeated label is one like any other.
    """
    repeated = np.zeros(texts.T.shape, np.int64)
    repeated[1:] = (texts[:, 1:] == texts[:, :-1]).T
    return np.cumsum(repeated, axis=0, out=repeated)


def _emissions(ratios: Floats, plates: Labels, texts: Labels, *, delays: Labels) -> Floats:
    """What each label of texts (B, L) weighs at each step of its own clock, (T, L, B); 0 when the picture is over."""
    steps, size = len(ratios), ratios.size // len(ratios)
    by_step = np.zeros((steps + int(delays[-1:].max(initial=0)), size))
    by_step[:steps] = ratios.reshape(steps, size)
    cells: Labels = delays * size + plates * ratios.shape[2] + texts.T
    return by_step.take(cells + np.arange(0, ratios.size, size)[:, None, None])


def _forward_sums(emissions: Floats) -> Floats:
    """Sums (T + 2, L + 1, B) over all alignments of the first 0 to L labels of each text before each step.

    The last of these labels may still continue, or blanks have followed it. The first row is all zeros, for a step
    before the first one; the last row is after the last step.
    """
    steps, length, count = emissions.shape
    sums = np.zeros((steps + 2, length + 1, count))
    sums[1:, 0] = 1.0
    on_label = np.zeros((length, count))
    rows = zip(sums[1:-1, :-1], sums[1:-1, 1:], sums[2:, 1:], emissions, strict=True)
    for shorter, before, after, emission in rows:
        np.add(on_label, shorter, on_label)
        np.multiply(on_label, emission, on_label)
        np.add(before, on_label, after)
    return sums


def _whole_text_sums(sums: Floats, texts: Labels) -> Floats:
    """Of sums (T + 2, L + 1, B) those of the whole texts at the end, (B,)."""
    whole: Floats = sums[-1, np.count_nonzero(texts, axis=1), np.arange(len(texts))]
    return whole


def _in_logarithms(log_probs: NDArray[np.float32], plates: Labels, texts: Labels) -> Floats:
    """Log P (B,) of texts (B, L) under their plates' posteriors (N, T, C), however small."""
    states = np.zeros((2 * texts.shape[1] + 1, len(texts)), np.int64)
    states[1::2] = texts.T  # the labels with blanks around them
    emissions = log_probs.astype(np.float64)[plates, :, states]  # (S, B, T)
    skip = np.full(states.shape, -np.inf)
    skip[2:][(states[2:] != BLANK) & (states[2:] != states[:-2])] = 0.0
    sums = np.full((len(states) + 2, len(texts)), -np.inf)  # two impossible states in front spare all special cases
    sums[2:4] = emissions[:2, :, 0]
    for emission in np.moveaxis(emissions, 2, 0)[1:]:
        sums[2:] = np.logaddexp(np.logaddexp(sums[2:], sums[1:-1]), sums[:-2] + skip) + emission
    last = 2 * np.count_nonzero(texts, axis=1) + 2
    columns = np.arange(len(texts))
    on_label = np.where(last > 2, sums[last - 1, columns], -np.inf)
    logs: Floats = np.logaddexp(sums[last, columns], on_label)
    return logs


def character_posteriors(log_probs: NDArray[np.float32], labels: Sequence[Sequence[int]]) -> list[Floats]:
    """How sure each character is, all others being as they are: unlike the best path's peaks, over all alignments.

    For position i this is P(labels) over the sum of P of the labels with any class at i and of the labels without i,
    so that both a wrong and a made-up character count against it. Forward and backward sums give all of them at once,
    of B plates ``(B, T, C)`` with labels of any lengths L: B arrays (L,), 0 where the labels are impossible or less
    probable than 1e-280.
    """
    _check(log_probs, labels)
    texts = padded(labels)
    if not texts.size:
        return [np.zeros(0) for _ in labels]
    odds = _Odds.of(log_probs)
    before, after, whole = _forward_backward(odds.ratios, labels)
    surrounded = np.zeros((texts.shape[1] + 2, len(texts)), np.int64)
    surrounded[1:-1] = texts.T
    neighbours = (surrounded[:-2], surrounded[2:])
    alternatives = _without(before, after, neighbours) + _with_any(odds.ratios, before, after, neighbours)  # (L, B)
    smallest = np.exp(_MIN_NATS - np.maximum(odds.all_blank, _MIN_NATS))
    posteriors = np.where(whole < smallest, 0.0, np.minimum(whole / np.maximum(alternatives, smallest), 1.0)).T
    for index in np.flatnonzero(odds.all_blank < _MIN_NATS):
        posteriors[index] = _by_definition(log_probs[index], texts[index])
    return [row[: len(text)] for row, text in zip(posteriors, labels, strict=True)]


def _forward_backward(ratios: Floats, labels: Sequence[Sequence[int]]) -> tuple[Floats, Floats, Floats]:
    """Forward and backward sums of texts (B, L), and their totals, by one pass in both directions.

    Returns:
        ``(T + 2, L, B)``, over all alignments of what stands before label i when step k - 1 comes;
        ``(T + 2, L, B)``, over those of what stands after label i from step k on; both 0 where no such step is.
        ``(B,)``, of the whole texts.
    """
    count = len(labels)
    both = padded([*labels, *(text[::-1] for text in labels)])
    delays = _delays(both)
    emissions = _emissions(np.concatenate([ratios, ratios[::-1]], axis=1), np.arange(2 * count), both, delays=delays)
    sums = _forward_sums(emissions)
    size = sums.size // len(sums)
    steps = np.arange(0, sums.size, size)[:, None, None]
    cells = np.arange(size).reshape(sums.shape[1:])
    clock_cells = cells.copy()
    clock_cells[1:] -= delays * size
    lengths = np.count_nonzero(both[:count], axis=1)
    left: Labels = np.maximum(lengths - np.arange(1, len(cells))[:, None], 0) * 2 * count
    left += np.arange(count, 2 * count)  # the cells of what stands after each label
    before = sums.take(np.maximum(steps + clock_cells[:-1, :count], cells[:-1, :count]))
    after = sums.take(np.maximum(steps[::-1] + clock_cells.take(left), left))
    return before, after, _whole_text_sums(sums[:, :, :count], both[:count])


def _without(before: Floats, after: Floats, neighbours: tuple[Labels, Labels]) -> Floats:
    """P (L, B) of the texts without each label, whose neighbours (L, B) are then beside each other."""
    left, right = neighbours
    sums: Floats = (np.diff(before, axis=0) * np.where(left == right, after[1:], after[:-1])).sum(axis=0)
    return sums


def _with_any(ratios: Floats, before: Floats, after: Floats, neighbours: tuple[Labels, Labels]) -> Floats:
    """P (L, B) of the texts with any class at all in the place of each label, whose neighbours are (L, B)."""
    steps, classes = len(ratios), int(ratios.shape[2])
    on_label = np.empty((steps, *before.shape[1:], classes))  # first "may start at this step", then "stands there"
    on_label[:] = before[1:-1, :, :, None]
    cells = np.arange(0, on_label.size, classes).reshape(on_label.shape[:3])
    on_label.put(cells + neighbours[0], before[:-2])  # a repeated class needs a blank between
    rows = on_label.reshape(steps, len(before[0]), -1)
    earlier = np.zeros_like(rows[0])
    for now, ratio in zip(rows, ratios.reshape(steps, -1), strict=True):
        np.add(now, earlier, now)
        np.multiply(now, ratio, now)
        earlier = now
    repeated = on_label.take(cells + neighbours[1])
    others = (on_label.reshape(-1, classes) @ np.ones(classes)).reshape(repeated.shape) - repeated
    sums: Floats = (others * after[1:-1] + repeated * after[2:]).sum(axis=0)
    return sums


def _by_definition(log_probs: NDArray[np.float32], text: Labels) -> Floats:
    """Posteriors (L,) of the characters of a text under (T, C), one by one: slow, and right however small sums are."""
    length, classes = len(text), log_probs.shape[1]
    alternatives = np.tile(text, (length, classes, 1))
    places = np.arange(length)
    alternatives[places, :, places] = np.arange(classes)
    alternatives = np.take_along_axis(alternatives, np.argsort(alternatives == BLANK, axis=2, kind="stable"), axis=2)
    texts = np.concatenate([alternatives.reshape(-1, length), text[None]])
    *others, whole = log_prob_table(log_probs[None], texts[None])[0]
    if whole < _MIN_NATS:
        return np.zeros(length)
    posteriors: Floats = np.exp(whole - np.logaddexp.reduce(np.reshape(others, (length, classes)), axis=1))
    return np.minimum(posteriors, 1.0)
