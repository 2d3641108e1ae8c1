"""Prefix beam search with a dictionary, one plate at a time: what the dense search of ``decoding`` is held to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Prefix = tuple[int, ...]


def plain_search(
    rows: NDArray[np.float64], after_blanks: Sequence[bool], *, width: int, following: NDArray[np.int64], start: int
) -> dict[Prefix, int]:
    """Algorithm 1 of Graves and Jaitly, 2014, without a language model: the prefixes kept in the end.

    Args:
        rows: probabilities ``(T, C)`` of the steps that are searched; class 0 is the blank.
        after_blanks: for each of them whether blanks were left out just before it.
        width: prefixes kept after every step.
        following: ``(S, C)``, the state of the automaton after each class; -1 for what is not allowed.
        start: state of the empty prefix.

    Returns:
        The state of each prefix.
    """
    beam: dict[Prefix, tuple[float, float]] = {(): (1.0, 0.0)}  # P that it ends in a blank, and in its last label
    states: dict[Prefix, int] = {(): start}
    for row, after_skipped in zip(rows.tolist(), after_blanks, strict=True):
        grown: defaultdict[Prefix, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (on_blank, on_label) in beam.items():
            blank, label = (on_blank + on_label, 0.0) if after_skipped else (on_blank, on_label)
            grown[prefix][0] += (blank + label) * row[0]
            if prefix:
                grown[prefix][1] += label * row[prefix[-1]]
            for added in range(1, len(row)):
                state = int(following[states[prefix], added])
                if state >= 0:
                    longer = (*prefix, added)
                    grown[longer][1] += (blank + (0.0 if prefix[-1:] == (added,) else label)) * row[added]
                    states[longer] = state
        best = sorted(grown, key=lambda one: -sum(grown[one]))[:width]
        most = sum(grown[best[0]])
        beam = {one: (grown[one][0] / most, grown[one][1] / most) for one in best}
    return {prefix: states[prefix] for prefix, shares in beam.items() if sum(shares) > 0}
