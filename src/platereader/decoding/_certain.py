"""Plates that need no search: their characters stand apart, so that it is known what is next to the certain text."""

from __future__ import annotations

import math
from collections.abc import Iterator

from platereader._arrays import LogProbs
from platereader._ctc.certain import certain_texts
from platereader.plates._alphabet import Alphabet

# Texts of one plate at most: as many as a frame may propose to the fusion of many.
_MOST_TEXTS = 5
# How far log probabilities may be off, nats; what is known less well is not listed.
_MAX_ERROR = 0.01
# What is not listed, in units of the first text: a trust policy may take a text that is by 5 nats less probable, where
# its number of lines, or its country, asks for that.
_MAX_UNLISTED = math.exp(-5.0)


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
    characters = ("", *alphabet.characters)
    most = min(count, _MOST_TEXTS) - 1
    for plate, text in enumerate(certain_texts(log_probs)):
        if not text.certain or len(text.labels) == 1:
            continue
        least = text.errors / _MAX_ERROR
        changes = text.changes.reshape(-1)
        cells = (changes > least).nonzero()[0]
        ranked = sorted(zip((-changes[cells]).tolist(), cells.tolist(), strict=True))
        if not ranked or -ranked[0][0] <= text.rest:
            continue
        unlisted = max(text.rest, least if len(ranked) <= most else -ranked[most][0])
        listed = [(-odds, *divmod(cell, alphabet.size)) for odds, cell in ranked[:most]]
        options = _options(text.labels, listed, least=unlisted)
        pool = {
            "".join(map(characters.__getitem__, labels)): text.log_prob + math.log(odds)
            for odds, labels in options[: most + 1]
        }
        unlisted = max(unlisted, *(odds for odds, _ in options[most + 1 : most + 2]), 1e-300)
        if unlisted > _MAX_UNLISTED:
            continue
        yield plate, pool, text.log_prob + math.log(unlisted)


def _options(
    labels: list[int], changes: list[tuple[float, int, int]], *, least: float
) -> list[tuple[float, list[int]]]:
    """Labels as they are, with each change, and with several to other characters that come to more than ``least``.

    Args:
        labels: of the certain text.
        changes: odds of a change, place and class; the blank for no character.
        least: odds that changes of several characters together must exceed.

    Returns:
        Odds and labels, most probable first.
    """
    options = [(1.0, labels)]
    for odds, place, label in changes:
        options += [
            (odds * other, [*option[:place], label, *option[place + 1 :]])
            for other, option in options
            if option is labels or (odds * other > least and label and all(option) and option[place] == labels[place])
        ]
    return sorted(options, key=lambda option: -option[0])
