"""The text of the most probable path: fast, and right whenever the posteriors are clear."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import final

from platereader._arrays import LogProbs
from platereader._ctc import log_prob_table
from platereader.decoding._texts import as_strings, best_paths, check_log_probs
from platereader.plates._alphabet import Alphabet
from platereader.results import Candidate


@final
@dataclass(frozen=True, slots=True)
class GreedyDecoder:
    """One candidate a plate, of unnamed format: the best class of every time step, collapsed. A ``CTCDecoder``.

    Attributes:
        alphabet: characters of the recognizer.
    """

    alphabet: Alphabet

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """One candidate of each of N plates, its probability summed over all alignments; none when the path is blank.

        Args:
            log_probs: float32 ``(N, T, C)``, natural logarithms.

        Raises:
            InvalidArgumentError: another shape than the alphabet asks for.
        """
        check_log_probs(log_probs, self.alphabet)
        if not len(log_probs):
            return []
        texts = best_paths(log_probs)[:, None]
        scores: list[float] = log_prob_table(log_probs, texts).ravel().tolist()
        found = zip(as_strings(texts, self.alphabet), scores, strict=True)
        return [(Candidate(text, min(score, 0.0), None),) if text else () for (text,), score in found]
