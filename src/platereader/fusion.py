"""The evidence of many frames of one plate -> one text: every candidate is scored under every frame.

Fusing posteriors over frames is worth more than any other single step (Goncalves et al., UFPR-SR-Plates); choosing the
most confident frame is not the same, because cut-off plates read confidently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader import ctc
from platereader.plates.alphabet import Alphabet
from platereader.results import PlateEvidence

MAX_TEXTS = 16
"""Texts that are scored: the candidates that some frame finds most probable."""


@dataclass(frozen=True, slots=True)
class FusedText:
    """A text, and how probable it is given all frames (0 to 1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ScoredEvidence:
    """One frame's evidence, and log P(text | frame) of the texts that were already scored under it."""

    evidence: PlateEvidence
    scores: dict[str, float] = field(default_factory=dict[str, float])

    def log_probs_of(self, texts: Sequence[str], alphabet: Alphabet) -> list[float]:
        """Log P(text | frame) of each text; what is new is worked out and remembered."""
        new = [text for text in texts if text not in self.scores]
        if new:
            labels = [alphabet.encode(text) for text in new]
            found = ctc.log_prob_pairs(self.evidence.log_probs[None], labels)
            self.scores.update(zip(new, found.tolist(), strict=True))
        return [self.scores[text] for text in texts]


def fuse(frames: Sequence[ScoredEvidence], alphabet: Alphabet) -> tuple[FusedText, ...]:
    """The candidate texts of all frames, most probable first; empty when no frame has a candidate.

    A text's score is the sum of its log probabilities over the frames divided by the square root of their number:
    frames of one pass share their blur and dirt, so they are not independent witnesses. What is left for all texts
    that are no candidates is scored likewise and lowers every confidence.
    """
    legible = [frame for frame in frames if frame.evidence.candidates]
    texts = _best_texts(legible)
    if not texts:
        return ()
    per_frame = np.array([frame.log_probs_of(texts, alphabet) for frame in legible])  # (F, K)
    other = np.log(np.clip(1.0 - np.exp(per_frame).sum(axis=1), 1e-6, 1.0))  # (F,)
    totals: NDArray[np.float64] = np.append(per_frame.sum(axis=0), other.sum())
    scores = totals / math.sqrt(len(legible))
    confidence: list[float] = np.exp(scores - np.logaddexp.reduce(scores)).tolist()
    fused = [FusedText(text, value) for text, value in zip(texts, confidence, strict=False)]  # the last is the rest
    return tuple(sorted(fused, key=lambda item: -item.confidence))


def _best_texts(frames: Sequence[ScoredEvidence]) -> list[str]:
    """Up to ``MAX_TEXTS`` candidates of all frames, by the frame that likes them most."""
    best: dict[str, float] = {}
    for frame in frames:
        for candidate in frame.evidence.candidates:
            best[candidate.text] = max(candidate.log_prob, best.get(candidate.text, -math.inf))
    return sorted(best, key=lambda text: (-best[text], text))[:MAX_TEXTS]
