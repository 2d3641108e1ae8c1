"""Texts that are certain enough to need no sums over all alignments: one window of time steps a character."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader._ctc import BLANK, Floats, Labels

# How far a certain text may be off: in units of P(text), and of the likeliest change of one character. Other texts may
# not be more probable by far, blanks not less than a least one, and runs of more than 8 steps, which are left out, not
# matter.
_MAX_ERROR = 1e-3
_MAX_ERROR_OF_CHANGES = 0.01
_MAX_NATS = 30.0
_MIN_BLANK_NATS = -60.0
_MAX_LONGER_RUNS = 1e-12
# Of posteriors whose texts are kept: those of some dozens of plates.
_MOST_BYTES_KEPT = 1 << 18


class CertainText(NamedTuple):
    """The text of a best path, L characters, and what a change of one of them makes of it, in units of P of the text.

    It is certain if no change exceeds 1, and the errors are so small, below 0.001 and a hundredth of the greatest
    change, that nothing needs to be worked out in another way.
    """

    certain: bool
    labels: list[int]  # of each character; the blank alone for a plate without any, which is not certain
    log_prob: float  # of the text, over all alignments
    posteriors: list[float]  # as ``character_posteriors``
    # (L, C), P of the text with another class in its place, or with none by class 0; 0 for its own class, and for none
    # where an equal one before it says so already.
    changes: Floats
    errors: float  # how far P of it, of changes and of products of changes may be off, where no change exceeds 1
    rest: float  # what none of the other texts exceeds


class _Windows(NamedTuple):
    """What the time steps of each character may spell, in units of this character."""

    nats: list[float]  # log of the unit, in units of blanks alone
    whole_nats: list[float]  # log P of all that may stand there
    none: list[float]  # P of no character
    others: list[float]  # P of all other single characters
    greatest: list[float]  # P of the likeliest of these
    several: list[float]  # P of several characters
    either: list[float]  # P of none times P of several
    after: list[float]  # P of the character of the next window
    before: list[float]  # P of that of the window before
    goes_on: list[float]  # how probable a character goes on from the window before into this one; in no unit


def certain_texts(log_probs: NDArray[np.float32]) -> list[CertainText]:
    """Where characters stand apart, all there is to know of the text of the best path and its changes, by no search.

    Best paths cut pictures into windows of one character each. As long as no character goes on from one window into the
    next, windows are independent of each other, and sums over the few steps of each say everything. How probable it is
    that one does go on bounds the error, with how probable it is that several windows together spell the same text in
    another way: one of them nothing, and another one two characters, or the one that should stand beside it.

    Decoder and trust ask about the same plates in turn: the latest answers are kept.

    Args:
        log_probs: float ``(N, T, C)``, natural logarithms.
    """
    if log_probs.nbytes > _MOST_BYTES_KEPT:
        return _texts(log_probs)
    return _kept_texts(log_probs.tobytes(), log_probs.dtype.str, log_probs.shape)


@lru_cache(maxsize=4)
def _kept_texts(data: bytes, kind: str, shape: tuple[int, ...]) -> list[CertainText]:
    """The texts of the posteriors with these bytes; not to be written to."""
    return _texts(np.frombuffer(data, kind).reshape(shape))


def _texts(log_probs: NDArray[np.float32]) -> list[CertainText]:
    """``certain_texts``, worked out."""
    count, steps, classes = log_probs.shape
    paths = [_labels_by_step(path) for path in log_probs.argmax(axis=2).tolist()]
    places = np.array([plate * steps + step for plate, path in enumerate(paths) for step in path])
    labels = [list(path.values()) for path in paths]
    odds, blank_nats = _odds_of_rows(log_probs.reshape(-1, classes))
    sums, longer = _run_sums(odds, places)
    changes = np.add.reduceat(sums, places, axis=0)  # (K, C), an empty window being 1
    windows = _windows(odds, changes, places, [label for text in labels for label in text])
    blank_nats, longer = blank_nats.reshape(count, steps), longer.reshape(count, -1)
    usable = (blank_nats.min(axis=1) > _MIN_BLANK_NATS) & (longer.max(axis=1) < _MAX_LONGER_RUNS)
    texts: list[CertainText] = []
    end = 0
    for text, nothing, sound in zip(labels, blank_nats.sum(axis=1).tolist(), usable.tolist(), strict=True):
        here = slice(end, end := end + len(text))
        own = _Windows(*(column[here] for column in windows))
        texts.append(_text(text, own, changes[here], nothing=nothing, sound=sound))
    return texts


def _labels_by_step(path: list[int]) -> dict[int, int]:
    """The label of each window of a best path by its first step; a blank just before a character is of its window.

    The first window begins with the path. Where there is no character, it has the blank.
    """
    labels: dict[int, int] = {}
    previous = BLANK
    for step, label in enumerate(path):
        if label not in (BLANK, previous):
            labels[step - (previous == BLANK) if labels else 0] = label
        previous = label
    return labels or {0: BLANK}


def _odds_of_rows(rows: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """What each class of a step is to its blank, (R, C), 0 for the blank itself; and log P (R,) of the blank."""
    blank_nats = np.maximum(rows[:, BLANK], _MIN_BLANK_NATS, dtype=np.float64)
    odds = np.exp(rows) / np.exp(blank_nats)[:, None]
    odds[:, BLANK] = 0.0
    return odds, blank_nats


def _run_sums(odds: Floats, places: Labels) -> tuple[Floats, Floats]:
    """Sums (R, C) over the runs of each class that end at each step, start in its window, and are at most 8 long.

    Windows begin at the steps ``places``, (K,). And (R, C), what longer runs come to, in units of the sums 8 steps
    before.
    """
    sums, goes_on = odds.copy(), odds.copy()
    goes_on[places] = 0.0
    for length in (1, 2, 4):
        sums[length:] += goes_on[length:] * sums[:-length]
        goes_on[length:] *= goes_on[:-length]
    return sums, goes_on


def _windows(odds: Floats, changes: Floats, places: Labels, labels: Sequence[int]) -> _Windows:
    """Look into the windows of all plates, by the odds (R, C) of each class at each step.

    Windows begin at the steps ``places``, (K,), and have ``labels`` as their own classes. ``changes`` (K, C) are the
    odds of each window to be no other than this class; on return in units of its own class, with 0 for that.
    """
    size = int(changes.shape[1])
    beside = np.array([labels, (*labels[1:], BLANK), (BLANK, *labels[:-1])])
    beside += np.arange(0, changes.size, size)
    own, after, before = changes.take(beside)
    own = np.maximum(own, 1.0)  # as those of a best path are, where no blank is impossible
    changes.put(beside[0], 0.0)
    changes /= own[:, None]
    ones = np.ones(size)
    whole = odds @ ones + 1.0
    nats, none, others = np.log(own), 1.0 / own, changes @ ones
    whole_nats = np.add.reduceat(np.log(whole), places) - nats
    several = np.maximum(np.exp(np.minimum(whole_nats, _MAX_NATS)) - (1.0 + none + others), 0.0)
    twice = odds.take(places, axis=0) * odds.take(places - 1, axis=0)
    goes_on = twice @ ones / (whole.take(places) * whole.take(places - 1))
    singles = (nats, whole_nats, none, others, changes.max(axis=1))
    columns = (*singles, several, several * none, after * none, before * none, goes_on)
    return _Windows(*(column.tolist() for column in columns))


def _text(labels: list[int], windows: _Windows, changes: Floats, *, nothing: float, sound: bool) -> CertainText:
    """What the windows of one plate say; fills in what changes (L, C) a missing character makes.

    ``nothing`` is log P of the empty text, ``sound`` says whether nothing that matters was left out.
    """
    missing: list[float] = []  # P of the text without one of the equal characters side by side
    for _, run in groupby(labels):
        start, count = len(missing), len(list(run))
        changes[start, BLANK] = odds = sum(windows.none[start : start + count])
        missing += [odds] * count
    greatest = max(*windows.greatest, *missing)
    errors, rest = _errors(labels, windows, missing, greatest=greatest)
    return CertainText(
        certain=sound
        and labels[0] != BLANK
        and greatest <= 1.0
        and errors < min(_MAX_ERROR, _MAX_ERROR_OF_CHANGES * greatest),
        labels=labels,
        log_prob=nothing + sum(windows.nats),
        posteriors=[1.0 / (1.0 + odds + others) for odds, others in zip(missing, windows.others, strict=True)],
        changes=changes,
        errors=errors,
        rest=rest,
    )


def _errors(labels: list[int], windows: _Windows, missing: list[float], *, greatest: float) -> tuple[float, float]:
    """``CertainText.errors`` and ``rest``.

    What windows with one character add to a given text is 1 at most each, so all depends on how probable those are that
    have none, or several.
    """
    nats = sum(windows.whole_nats)
    if nats > _MAX_NATS:
        return math.inf, math.inf
    none, several = sum(windows.none), sum(windows.several)
    both = max(0.0, none * several - sum(windows.either)) * (1.0 + max(windows.others))
    swapped = sum(
        windows.after[place] * missing[place + 1] + windows.before[place + 1] * missing[place]
        for place, (label, following) in enumerate(pairwise(labels))
        if label != following
    )
    further = math.exp(min(none + several, _MAX_NATS))  # such windows beside those that are counted
    errors = (both + swapped) * further + math.exp(nats) * sum(windows.goes_on[1:])
    return errors, several * further + none * (greatest + none * further) + errors
