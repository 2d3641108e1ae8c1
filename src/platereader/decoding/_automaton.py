"""What may follow what while prefixes grow: a plate grammar, and a state that accepts everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader.plates._grammar import PlateGrammar


@final
@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """The states that prefixes are in, with one start for each beam that a plate gets.

    The first beam is free: its only state leads back to itself. With a grammar there is a second one, in the states of
    the grammar, so that one search serves both.

    Attributes:
        starts: int64 ``(M,)``, state of the empty prefix in each beam.
        following: int64 ``(S, C)``, next state; the blank stays. What is not allowed has -1, which the search may look
            up like any state, for its probability is 0.
        label_masks: float64 ``(G, C)``, the different sets of labels that some state allows: 1 for a label that may
            come, 0 for any other and the blank. Grammars have many states and few of these.
        mask_of_state: int64 ``(S,)``, which of them each state allows.
        accepting: bool ``(S,)``, whether a text may end there.
    """

    starts: NDArray[np.int64]
    following: NDArray[np.int64]
    label_masks: NDArray[np.float64]
    mask_of_state: NDArray[np.int64]
    accepting: NDArray[np.bool_]

    @classmethod
    def build(cls, classes: int, grammar: PlateGrammar | None = None) -> Automaton:
        """Of so many classes, the blank included; None for the free beam alone."""
        starts = np.zeros(1, np.int64)
        following = np.zeros((1, classes), np.int64)
        accepting = np.ones(1, np.bool_)
        if grammar is not None:
            starts = np.array([0, grammar.start + 1])
            following = np.concatenate([following, np.where(grammar.transitions < 0, -1, grammar.transitions + 1)])
            accepting = np.array([True, *(bool(grammar.accepting(s)) for s in range(len(grammar.transitions)))])
        allowed = (following >= 0).astype(np.float64)
        allowed[:, 0] = 0.0
        following[:, 0] = np.arange(len(following))
        label_masks, mask_of_state = np.unique(allowed, axis=0, return_inverse=True)
        return cls(starts, following, label_masks, mask_of_state.reshape(-1), accepting)
