"""Prefix beam search: the most probable texts, not the most probable path, with a plate grammar on the side.

The search is Graves and Jaitly's ("Towards end-to-end speech recognition with recurrent neural networks", ICML 2014,
algorithm 1) without a language model. Its sums cover only the prefixes it kept, so every text found is scored again
over all of its alignments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import final

from platereader.arrays import LogProbs
from platereader.ctc import log_prob_pairs
from platereader.decoding.prefixes import search
from platereader.decoding.scoring import check_log_probs, named_format
from platereader.errors import InvalidArgumentError
from platereader.plates.alphabet import Alphabet
from platereader.plates.grammar import PlateGrammar
from platereader.plates.regions import region_known
from platereader.results import Candidate

__all__ = ["BeamDecoder"]


@final
@dataclass(frozen=True, slots=True)
class BeamDecoder:
    """Up to ``width`` candidates a plate. A ``CTCDecoder``.

    With a grammar, texts that it accepts go first: another text must be ``no_format_nats`` more probable to stay
    ahead, and one of an unknown region ``unknown_region_nats``. So a legal text is found where one character is
    smeared, but none is forced out of pixels that say something else. The penalties only order the candidates;
    ``log_prob`` is what the picture says, grammar or not.

    Attributes:
        alphabet: characters of the recognizer.
        width: prefixes that are followed at a time, and most candidates that are returned.
        grammar: texts to prefer; None orders by probability alone.
        no_format_nats: see above; natural logarithm of a ratio of probabilities, 0 or more.
        unknown_region_nats: likewise.

    Raises:
        InvalidArgumentError: no width, a negative penalty, or a grammar of another alphabet.
    """

    alphabet: Alphabet
    width: int = 8
    grammar: PlateGrammar | None = None
    no_format_nats: float = 5.0
    unknown_region_nats: float = 3.0

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InvalidArgumentError(f"width is {self.width}, must be 1 or more: 8 is usual, 1 is nearly greedy.")
        for name, nats in (("no_format_nats", self.no_format_nats), ("unknown_region_nats", self.unknown_region_nats)):
            if not nats >= 0:
                raise InvalidArgumentError(f"{name} is {nats}, must be 0 or more: 0 switches the preference off.")
        if self.grammar is not None and self.grammar.alphabet != self.alphabet:
            raise InvalidArgumentError(
                f"grammar has the alphabet {self.grammar.alphabet.characters!r}, the decoder "
                f"{self.alphabet.characters!r}: build the grammar with PlateGrammar.build(alphabet=...)."
            )

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """Read N plates.

        Args:
            log_probs: float32 ``(N, T, C)``, natural logarithms.

        Returns:
            For each plate its candidates, best first; none when no text is as probable as an empty plate.

        Raises:
            InvalidArgumentError: another shape than the alphabet asks for.
        """
        check_log_probs(log_probs, self.alphabet)
        return [self._decode(rows) for rows in log_probs]

    def _decode(self, log_probs: LogProbs) -> tuple[Candidate, ...]:
        probabilities = np.exp(log_probs.astype(np.float64))
        texts = search(probabilities, width=self.width)
        if self.grammar is not None and not self.grammar.accepts(self.alphabet.decode(texts[0])):
            # The texts above hold few legal ones then: look among those alone.
            legal = search(probabilities, width=self.width, grammar=self.grammar)
            texts += [text for text in legal if text not in texts]
        scores = log_prob_pairs(log_probs[None], texts)
        if not texts[int(np.argmax(scores))]:
            return ()
        candidates = [
            self._candidate(self.alphabet.decode(text), float(score))
            for text, score in zip(texts, scores, strict=True)
            if text and score > -np.inf
        ]
        return tuple(sorted(candidates, key=self._rank, reverse=True)[: self.width])

    def _candidate(self, text: str, log_prob: float) -> Candidate:
        return Candidate(text, min(log_prob, 0.0), named_format(text))

    def _rank(self, candidate: Candidate) -> float:
        """Log probability less what speaks against the text itself."""
        if self.grammar is None:
            return candidate.log_prob
        if not self.grammar.accepts(candidate.text):
            return candidate.log_prob - self.no_format_nats
        return candidate.log_prob - (0.0 if region_known(candidate.text) else self.unknown_region_nats)
