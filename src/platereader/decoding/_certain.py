"""Plates that need no search: one text is nearly certain, and what is next to it differs by one character."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import LogProbs
from platereader._ctc.certain import certain_texts
from platereader.plates._alphabet import Alphabet

# Below that probability of the best path a plate is not looked at: few are certain, but all cost time.
_MIN_PATH_NATS = -2.0
# Texts of one plate at most: as many as a frame may propose to the fusion of many.
_MOST_TEXTS = 5
# What all texts that differ by more than a changed or a missing character may come to, in units of the first text; as
# little as what a search leaves out.
_MAX_REST = 1e-3
# How far log probabilities may be off, nats; what is known less well is not listed.
_MAX_ERROR = 0.01


def certain_plates(
    log_probs: LogProbs, alphabet: Alphabet, *, count: int
) -> Iterator[tuple[int, dict[str, float], float]]:
    """Those of N plates of which the texts are known that a search would find, up to ``count`` of the most probable.

    Args:
        log_probs: float32 ``(N, T, C)``, natural logarithms, N at least 1.
        alphabet: C characters.
        count: 1 or more; there are never more than five.

    Yields:
        Index of a plate; log P of its certain text, which is the first, and of the most probable others, falling; and
        log P that no other text exceeds.
    """
    likely = np.flatnonzero(log_probs.max(axis=2).sum(axis=1) > _MIN_PATH_NATS)
    if not len(likely):
        return
    texts = certain_texts(log_probs[likely])
    for plate in np.flatnonzero(texts.certain).tolist():
        here = slice(texts.bounds[plate], texts.bounds[plate + 1])
        changes = texts.changes[here]
        rest = float(texts.others[plate] - changes.sum())
        if len(changes) > 1 and rest < min(_MAX_REST, changes.max()):
            log_prob, least = float(texts.log_probs[plate]), float(texts.errors[plate]) / _MAX_ERROR
            cells = (-changes.reshape(-1)).argsort(kind="stable")[: min(count, _MOST_TEXTS)]
            *listed, unlisted = changes.reshape(-1)[cells].tolist()
            listed = [odds for odds in listed if odds > least]
            spelled = _spelled(texts.labels[here], cells[: len(listed)], alphabet)
            pool = dict(zip(spelled, [log_prob, *(log_prob + math.log(odds) for odds in listed)], strict=True))
            yield int(likely[plate]), pool, log_prob + math.log(max(rest, unlisted, least, 1e-300))


def _spelled(labels: NDArray[np.int64], cells: NDArray[np.int64], alphabet: Alphabet) -> list[str]:
    """The text of labels (L,), and those with a change each, by its number in ``CertainTexts.changes`` (L, C)."""
    text = alphabet.decode(labels.tolist())
    places = [divmod(cell, alphabet.size) for cell in cells.tolist()]
    characters = ("", *alphabet.characters)
    return [text, *(f"{text[:place]}{characters[label]}{text[place + 1 :]}" for place, label in places)]
