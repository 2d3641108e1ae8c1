"""The prefix beam search itself, each time step in a handful of array operations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader.plates.grammar import PlateGrammar

__all__ = ["search"]

Probabilities = NDArray[np.float64]

# Where the blank is this sure, nothing is written: most time steps, which are then not worth a search.
_SURE_BLANK = 1 - 1e-5
_LEAST = 1e-30


def search(probabilities: Probabilities, *, width: int, grammar: PlateGrammar | None = None) -> list[list[int]]:
    """The most probable texts as far as a beam of prefixes finds them.

    Args:
        probabilities: float64 ``(T, C)``, class 0 is the blank.
        width: prefixes kept after every step.
        grammar: only follow texts that can become legal, and only return legal ones; None follows all.

    Returns:
        Texts as classes, most probable first; without a grammar at least one, which may be empty.
    """
    beam = _Beam(width, None if grammar is None else grammar.transitions)
    for step in np.maximum(probabilities, _LEAST):
        if step[0] > _SURE_BLANK:
            beam.rest()
        else:
            beam.extend(step)
    order: list[int] = np.argsort(-(beam.blank + beam.label), kind="stable").tolist()
    if grammar is not None:
        order = [index for index in order if grammar.accepting(int(beam.states[index]))]
    return [beam.text(int(beam.nodes[index])) for index in order]


@dataclass(slots=True)
class _Beam:
    """K prefixes, as nodes of a tree, each with the probability that it ends in a blank or in its last label."""

    width: int
    transitions: NDArray[np.int32] | None
    nodes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    parents: NDArray[np.int64] = field(default_factory=lambda: np.full(1, -1, np.int64))
    last: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    states: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    blank: Probabilities = field(default_factory=lambda: np.ones(1))
    label: Probabilities = field(default_factory=lambda: np.zeros(1))
    _tree: list[tuple[int, int]] = field(default_factory=lambda: [(-1, 0)])
    _children: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def rest(self) -> None:
        """A step that is surely blank."""
        self.blank = self.blank + self.label
        self.label = np.zeros_like(self.label)

    def extend(self, step: Probabilities) -> None:
        """Let every prefix stay or grow by one label, and keep the best."""
        stays_blank = (self.blank + self.label) * step[0]
        stays_label = self.label * step[self.last]
        grown = self._grown(step)  # (K, C - 1)
        # A prefix that grows into another one of the beam adds to it.
        child, parent = np.nonzero(self.parents[:, None] == self.nodes[None, :])
        stays_label[child] += grown[parent, self.last[child] - 1]
        grown[parent, self.last[child] - 1] = 0.0
        scores = np.concatenate([stays_blank + stays_label, grown.ravel()])
        best = np.argpartition(scores, -min(self.width, len(scores)))[-self.width :]
        best = best[scores[best] > 0]
        self._keep(best, scores=scores, stays_blank=stays_blank, stays_label=stays_label)

    def text(self, node: int) -> list[int]:
        """The labels from the root to a node."""
        labels: list[int] = []
        while node > 0:
            node, label = self._tree[node]
            labels.append(label)
        return labels[::-1]

    def _grown(self, step: Probabilities) -> Probabilities:
        """Probability (K, C - 1) of each prefix with each label added; a repeated label needs a blank before it."""
        grown = (self.blank + self.label)[:, None] * step[None, 1:]
        spelt = np.flatnonzero(self.last)
        again = self.last[spelt]
        grown[spelt, again - 1] = self.blank[spelt] * step[again]
        if self.transitions is not None:
            grown[self.transitions[self.states, 1:] < 0] = 0.0
        return grown

    def _keep(
        self, best: NDArray[np.int64], *, scores: Probabilities, stays_blank: Probabilities, stays_label: Probabilities
    ) -> None:
        """Replace the beam by the chosen prefixes, rescaled to a sum of one."""
        count = len(self.nodes)
        old, new = best[best < count], best[best >= count]
        origin, added = np.divmod(new - count, (len(scores) - count) // count)
        added += 1
        pairs = zip(self.nodes[origin].tolist(), added.tolist(), strict=True)
        grown = [self._child(node, label) for node, label in pairs]
        scale = 1.0 / scores[best].sum()
        states = self.states[origin]
        if self.transitions is not None:
            states = self.transitions[states, added].astype(np.int64)
        self.parents = np.concatenate([self.parents[old], self.nodes[origin]])
        self.nodes = np.concatenate([self.nodes[old], np.array(grown, np.int64)])
        self.last = np.concatenate([self.last[old], added])
        self.states = np.concatenate([self.states[old], states])
        self.blank = np.concatenate([stays_blank[old], np.zeros(len(new))]) * scale
        self.label = np.concatenate([stays_label[old], scores[new]]) * scale

    def _child(self, node: int, label: int) -> int:
        """The node one label further, the same whenever it is asked for."""
        child = self._children.setdefault((node, label), len(self._tree))
        if child == len(self._tree):
            self._tree.append((node, label))
        return child
