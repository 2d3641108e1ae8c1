"""Confusion counts of characters, along the cheapest alignment of the text read with the true one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from platereader.plates._alphabet import ILLEGIBLE, Alphabet


def confusion_counts(pairs: Iterable[tuple[str, str]], *, alphabet: Alphabet) -> NDArray[np.int64]:
    """Count over pairs (true text, text read): int64 ``(C, C)``, true ones down, read ones across, in class order.

    Class 0 stands for nothing or ``?``, so row 0 holds characters that were made up and column 0 those that were
    missed.
    """
    counts = np.zeros((alphabet.size, alphabet.size), np.int64)
    for true, read in pairs:
        for true_char, read_char in aligned(true, read):
            counts[_class(true_char, alphabet), _class(read_char, alphabet)] += 1
    return counts


def _class(char: str, alphabet: Alphabet) -> int:
    return alphabet.encode(char)[0] if char not in ("", ILLEGIBLE) else alphabet.blank


def aligned(true: str, read: str) -> list[tuple[str, str]]:
    """Pairs (true, read) of characters along a shortest edit path; an empty string where one has no partner."""
    costs = np.zeros((len(true) + 1, len(read) + 1), np.int64)
    costs[:, 0], costs[0] = range(len(true) + 1), range(len(read) + 1)
    for i, want in enumerate(true, 1):
        for j, got in enumerate(read, 1):
            costs[i, j] = min(costs[i - 1, j - 1] + (want != got), costs[i - 1, j] + 1, costs[i, j - 1] + 1)
    pairs: list[tuple[str, str]] = []
    i, j = len(true), len(read)
    while i or j:
        if i and j and costs[i, j] == costs[i - 1, j - 1] + (true[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((true[i], read[j]))
        elif i and costs[i, j] == costs[i - 1, j] + 1:
            i -= 1
            pairs.append((true[i], ""))
        else:
            j -= 1
            pairs.append(("", read[j]))
    return pairs[::-1]
