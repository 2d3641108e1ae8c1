"""What may follow what while prefixes grow: a plate grammar, and a state that accepts everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader.plates.grammar import PlateGrammar

__all__ = ["Automaton"]


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
        allowed: float64 ``(S, C)``, 1 where a prefix may go on, 0 where not; 1 for the blank.
        accepting: bool ``(S,)``, whether a text may end there.
    """

    starts: NDArray[np.int64]
    following: NDArray[np.int64]
    allowed: NDArray[np.float64]
    accepting: NDArray[np.bool_]

    @classmethod
    def build(cls, classes: int, grammar: PlateGrammar | None = None) -> Automaton:
        """Of so many classes, the blank included; None for the free beam alone."""
        free = np.zeros((1, classes), np.int64)
        if grammar is None:
            return cls(np.zeros(1, np.int64), free, np.ones((1, classes)), np.ones(1, np.bool_))
        following = np.concatenate([free, np.where(grammar.transitions < 0, -1, grammar.transitions + 1)])
        following[:, 0] = np.arange(len(following))
        endings = [bool(grammar.accepting(state)) for state in range(len(grammar.transitions))]
        starts = np.array([0, grammar.start + 1])
        return cls(starts, following, (following >= 0).astype(np.float64), np.array([True, *endings]))
