"""The text of the most probable path: fast, and right whenever the posteriors are clear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import final

from platereader.arrays import LogProbs
from platereader.ctc import collapse, log_prob_pairs
from platereader.decoding.scoring import check_log_probs, named_format
from platereader.plates.alphabet import Alphabet
from platereader.results import Candidate

__all__ = ["GreedyDecoder"]


@final
@dataclass(frozen=True, slots=True)
class GreedyDecoder:
    """One candidate a plate: the best class of every time step, collapsed. A ``CTCDecoder``.

    Attributes:
        alphabet: characters of the recognizer.
    """

    alphabet: Alphabet

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """Read N plates.

        Args:
            log_probs: float32 ``(N, T, C)``, natural logarithms.

        Returns:
            For each plate one candidate, its probability summed over all alignments, or nothing when the path is blank.

        Raises:
            InvalidArgumentError: another shape than the alphabet asks for.
        """
        check_log_probs(log_probs, self.alphabet)
        labels = [collapse(path) for path in np.argmax(log_probs, axis=2)]
        scores = log_prob_pairs(log_probs, labels)
        return [self._candidates(text, float(score)) for text, score in zip(labels, scores, strict=True)]

    def _candidates(self, labels: list[int], score: float) -> tuple[Candidate, ...]:
        if not labels:
            return ()
        text = self.alphabet.decode(labels)
        return (Candidate(text, min(score, 0.0), named_format(text)),)
