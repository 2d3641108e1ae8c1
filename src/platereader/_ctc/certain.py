"""Texts that are certain enough to need no sums over all alignments: one window of time steps a character."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader._ctc import BLANK, Floats, Labels

__all__ = ["CertainTexts", "certain_texts"]

# How far ``certain_texts`` may be off: in units of P(text), and of the likeliest change of one character. It works with
# blanks above a least one, counts greater odds as the greatest, and leaves out runs of more than 8 steps.
_MAX_ERROR = 1e-3
_MAX_ERROR_OF_CHANGES = 0.01
_MIN_BLANK_NATS = -60.0
_MAX_ODDS_NATS = 30.0
_MAX_LONGER_RUNS = 1e-12
# Of posteriors whose texts are kept: those of some dozens of plates.
_MOST_BYTES_KEPT = 1 << 18


class CertainTexts(NamedTuple):
    """The texts of the best paths of N plates, K characters in all, and what a change of one character makes of them.

    Attributes:
        certain: bool ``(N,)``, for which plates the errors are so small, below 0.001 and a hundredth of the greatest
            change, that nothing needs to be worked out in another way.
        errors: float64 ``(N,)``, how far all that follows may be off, in units of P of each text; where no character
            goes on for more than 8 steps and no blank is impossible, else anything may be wrong.
        log_probs: float64 ``(N,)``, log P of each text, over all alignments.
        others: float64 ``(N,)``, P of all other texts together, errors included, in units of P of the text.
        bounds: int64 ``(N + 1,)``, where the characters of each plate begin; those of the next one follow.
        labels: int64 ``(K,)``, the class of each character.
        changes: float64 ``(K, C)``, P of the text with another class in its place, or with none by class 0, in units of
            P of the text; 0 for its own class, and for none where an equal one before it says so already.
        posteriors: float64 ``(K,)``, as ``character_posteriors``.
    """

    certain: NDArray[np.bool_]
    errors: Floats
    log_probs: Floats
    others: Floats
    bounds: Labels
    labels: Labels
    changes: Floats
    posteriors: Floats


def certain_texts(log_probs: NDArray[np.float32]) -> CertainTexts:
    """Where nearly all alignments spell the text of the best path, all there is to know of it, without a search.

    Best paths cut pictures into windows of one character each, and one without before them. As long as no character
    goes on from one window into the next, windows are independent of each other, and sums over the few steps of each
    say everything. How probable it is that one does go on, or that two windows change at once, bounds the error.

    Decoder and trust ask about the same plates in turn: the latest answers are kept.

    Args:
        log_probs: float ``(N, T, C)``, natural logarithms, N at least 1.
    """
    if log_probs.nbytes > _MOST_BYTES_KEPT:
        return _texts(log_probs)
    return _kept_texts(log_probs.tobytes(), log_probs.dtype.str, log_probs.shape)


@lru_cache(maxsize=4)
def _kept_texts(data: bytes, kind: str, shape: tuple[int, ...]) -> CertainTexts:
    """The texts of the posteriors with these bytes; read-only."""
    texts = _texts(np.frombuffer(data, kind).reshape(shape))
    for values in texts:
        values.flags.writeable = False
    return texts


def _texts(log_probs: NDArray[np.float32]) -> CertainTexts:
    """``certain_texts``, worked out."""
    count, steps, classes = log_probs.shape
    windows, spelled, labels = _windows(log_probs.argmax(axis=2))
    odds, blank_nats = _odds_of_rows(log_probs.reshape(-1, classes))
    whole = odds.sum(axis=1) + 1.0
    by_step, longer = _run_sums(odds, windows)
    sums = np.add.reduceat(by_step, windows, axis=0)[spelled]  # (K, C), an empty window being 1
    own = np.maximum(sums[np.arange(len(labels)), labels], 1e-60)
    # By window: log P of what it should spell, and of all it may spell in units of that; the odds of a change; P of a
    # character that goes on from the window before.
    own_nats, all_nats, change, goes_on = by_window = np.zeros((4, len(windows)))
    own_nats[spelled] = np.log(own)
    np.subtract(np.add.reduceat(np.log(whole), windows), own_nats, all_nats)
    np.expm1(np.minimum(all_nats, _MAX_ODDS_NATS), change)
    np.divide((odds[windows] * odds[windows - 1]).sum(axis=1), whole[windows] * whole[windows - 1], goes_on)
    firsts = np.flatnonzero(windows % steps == 0)
    goes_on[firsts] = 0.0
    own_nats, all_nats, change, goes_on = np.add.reduceat(by_window, firsts, axis=1)  # by plate
    others = np.expm1(np.minimum(all_nats, _MAX_ODDS_NATS))
    errors = np.maximum(others - change, 0.0) + goes_on * (1.0 + others)
    blank_nats = blank_nats.reshape(count, steps)
    plates = windows[spelled] // steps
    changes, posteriors = _changes(sums / own[:, None], 1.0 / own, plates, labels)
    greatest = np.zeros(count)
    np.maximum.at(greatest, plates, changes.max(axis=1))
    certain = errors < np.minimum(_MAX_ERROR, _MAX_ERROR_OF_CHANGES * greatest)
    certain &= longer.reshape(count, steps).max(axis=1) < _MAX_LONGER_RUNS
    certain &= blank_nats.min(axis=1) > _MIN_BLANK_NATS
    text_nats = blank_nats.sum(axis=1) + own_nats
    bounds = plates.searchsorted(np.arange(count + 1))
    return CertainTexts(certain, errors, text_nats, others + errors, bounds, labels, changes, posteriors)


def _windows(best: Labels) -> tuple[Labels, NDArray[np.bool_], Labels]:
    """How best paths (N, T) cut N pictures into W windows, a blank just before a character being of its window.

    Returns:
        ``(W,)``, the first step of each, counted through all pictures.
        ``(W,)``, whether it has a character, which only the first of a picture may lack.
        ``(K,)``, the labels of those that have one.
    """
    begins = best > BLANK
    begins[:, 1:] &= best[:, 1:] != best[:, :-1]
    numbers = begins.cumsum(axis=1)
    numbers[:, :-1] += begins[:, 1:] & (best[:, :-1] == BLANK)
    fresh = np.ones(best.shape, np.bool_)
    fresh[:, 1:] = numbers[:, 1:] != numbers[:, :-1]
    return np.flatnonzero(fresh), numbers[fresh] > 0, best[begins]


def _odds_of_rows(rows: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """What each class of a step is to its blank, (R, C), 0 for the blank itself; and log P (R,) of the blank."""
    nats = rows.astype(np.float64)
    blank_nats = np.maximum(nats[:, BLANK], _MIN_BLANK_NATS)
    nats -= blank_nats[:, None]
    odds = np.exp(nats, nats)
    odds[:, BLANK] = 0.0
    return odds, blank_nats


def _run_sums(odds: Floats, windows: Labels) -> tuple[Floats, Floats]:
    """Sums over the runs of each class that end at each step, start in its window, and are at most 8 long.

    Returns:
        ``(R, C)``, the sums.
        ``(R,)``, what longer runs come to at most, in units of the sums 8 steps before.
    """
    sums, goes_on = odds.copy(), odds.copy()
    goes_on[windows] = 0.0
    for length in (1, 2, 4):
        sums[length:] += goes_on[length:] * sums[:-length]
        goes_on[length:] *= goes_on[:-length]
    return sums, goes_on.max(axis=1)


def _changes(odds: Floats, gone: Floats, plates: Labels, labels: Labels) -> tuple[Floats, Floats]:
    """``CertainTexts.changes`` and its posteriors from each window's odds (K, C), and (K,) of its being empty."""
    first = np.ones(len(labels), np.bool_)  # of equal characters side by side
    first[1:] = (labels[1:] != labels[:-1]) | (plates[1:] != plates[:-1])
    runs = first.cumsum() - 1
    odds[np.arange(len(labels)), labels] = 0.0
    odds[:, BLANK] = np.bincount(runs, gone)[runs]
    posteriors = 1.0 / (1.0 + odds.sum(axis=1))
    odds[~first, BLANK] = 0.0
    return odds, posteriors
