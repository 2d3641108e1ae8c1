"""Prefix beam search: the most probable texts, not the most probable path, with a plate grammar on the side.

The search is Graves and Jaitly's ("Towards end-to-end speech recognition with recurrent neural networks", ICML 2014,
algorithm 1) without a language model. Its sums cover only the prefixes it kept, so every text found is scored again
over all of its alignments. The text of the most probable path is among them, whatever the beam dropped.

Most plates need no search: their characters stand apart, so that it is known what else they may spell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from typing_extensions import final

from platereader._arrays import LogProbs
from platereader._ctc import log_prob_table
from platereader._ctc.certain import certain_texts
from platereader.decoding._prefixes import Automaton, search
from platereader.decoding._texts import as_strings, best_paths, check_log_probs, side_by_side
from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import Alphabet
from platereader.plates._grammar import PlateGrammar
from platereader.results import Candidate

_Ranked = tuple[float, str, str | None]

# Texts of one plate at most: as many as a frame may propose to the fusion of many.
_MOST_TEXTS = 5
# How far log probabilities may be off, nats; what is known less well is not listed.
_MAX_ERROR = 0.01
# What is not listed, in units of the first text: a trust policy may take a text that is by 5 nats less probable, where
# its number of lines, or its country, asks for that.
_MAX_UNLISTED = math.exp(-5.0)


@final
@dataclass(frozen=True, slots=True)
class BeamDecoder:
    """Up to ``width`` candidates a plate. A ``CTCDecoder``.

    With a grammar, texts that it accepts go first: another text must be ``no_format_nats`` more probable to stay
    ahead, and one of an unknown region ``unknown_region_nats``. So a legal text is found where one character is
    smeared, but none is forced out of pixels that say something else. The penalties only order the candidates;
    ``log_prob`` is what the picture says, grammar or not. The most probable text besides the first one is always among
    them, whatever the order, so that it is known by how much the first one leads.

    Where characters stand apart from each other, the search is spared: there are five candidates at most then, in the
    order that the search would give them, each with its ``log_prob`` to 0.01 nats.

    Attributes:
        alphabet: characters of the recognizer.
        width: prefixes that are followed at a time, and most candidates that are returned.
        grammar: texts to prefer, which also names their formats; None orders by probability alone and names none.
        no_format_nats: see above; natural logarithm of a ratio of probabilities, 0 or more.
        unknown_region_nats: likewise.

    Raises:
        InvalidArgumentError: no width, a negative penalty, or a grammar of another alphabet.
    """

    alphabet: Alphabet
    width: int = 8
    grammar: PlateGrammar | None = None
    no_format_nats: float = 5.0
    unknown_region_nats: float = 1.0
    _automaton: Automaton = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InvalidArgumentError(f"width is {self.width}, must be 1 or more: 8 is usual, 1 is nearly greedy.")
        for name, nats in (("no_format_nats", self.no_format_nats), ("unknown_region_nats", self.unknown_region_nats)):
            if not nats >= 0:
                raise InvalidArgumentError(f"{name} is {nats}, must be 0 or more: 0 switches the preference off.")
        if self.grammar is not None and self.grammar.alphabet != self.alphabet:
            raise InvalidArgumentError(
                f"grammar has the alphabet {self.grammar.alphabet.characters!r}, the decoder "
                f"{self.alphabet.characters!r}: build the grammar with PlateGrammar.build(schemes, alphabet=...)."
            )
        object.__setattr__(self, "_automaton", Automaton.build(self.alphabet.size, self.grammar))

    def decode(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """Candidates of each of N plates, best first; none when no text is as probable as an empty plate.

        Args:
            log_probs: float32 ``(N, T, C)``, natural logarithms.

        Raises:
            InvalidArgumentError: another shape than the alphabet asks for.
        """
        check_log_probs(log_probs, self.alphabet)
        found = self._certain(log_probs) if len(log_probs) else {}
        doubtful = [plate for plate in range(len(log_probs)) if plate not in found]
        if doubtful:
            found.update(zip(doubtful, self._searched(log_probs[doubtful]), strict=True))
        return [found[plate] for plate in range(len(log_probs))]

    def _certain(self, log_probs: LogProbs) -> dict[int, tuple[Candidate, ...]]:
        """Candidates, by plate, of those that need no search."""
        found: dict[int, tuple[Candidate, ...]] = {}
        for plate, pool, least in certain_plates(log_probs, self.alphabet, count=self.width):
            (rank, text, _), *_ = ranked = sorted(self._ranked(text, score) for text, score in pool.items())
            if text == next(iter(pool)) and -rank > least:
                found[plate] = self._kept(ranked, pool)
        return found

    def _searched(self, log_probs: LogProbs) -> list[tuple[Candidate, ...]]:
        """Candidates of plates, whatever they look like."""
        found = search(log_probs, width=self.width, automaton=self._automaton)
        texts = side_by_side(found, best_paths(log_probs)[:, None])
        scores = log_prob_table(log_probs, texts).tolist()
        blank: list[float] = log_probs[:, :, 0].sum(axis=1, dtype=np.float64).tolist()
        pools = [dict(zip(*pool, strict=True)) for pool in zip(as_strings(texts, self.alphabet), scores, strict=True)]
        return [self._candidates(pool, nothing=nothing) for pool, nothing in zip(pools, blank, strict=True)]

    def _candidates(self, pool: dict[str, float], *, nothing: float) -> tuple[Candidate, ...]:
        """The best of the texts and their log probabilities, unless the empty plate is more probable than any."""
        possible = {text: score for text, score in pool.items() if text and score > -np.inf}
        if not possible or max(possible.values()) < nothing:
            return ()
        ranked = sorted(self._ranked(text, score) for text, score in possible.items())
        return self._kept(ranked, possible)

    def _kept(self, ranked: list[_Ranked], log_probs: dict[str, float]) -> tuple[Candidate, ...]:
        """The first of the ranked texts, and the most probable of the others in any case."""
        kept = ranked[: self.width]
        if 1 < self.width < len(ranked):
            other = max(ranked[1:], key=lambda one: log_probs[one[1]])
            kept[-1] = kept[-1] if other in kept else other
        return tuple(Candidate(text, min(log_probs[text], 0.0), name) for _, text, name in kept)

    def _ranked(self, text: str, log_prob: float) -> _Ranked:
        """What is sorted by: log probability less what speaks against the text itself, negative; text and format."""
        if self.grammar is None:
            return -log_prob, text, None
        fit = self.grammar.fit(text)
        if fit is None:
            return self.no_format_nats - log_prob, text, None
        return (0.0 if fit.region_known else self.unknown_region_nats) - log_prob, text, fit.format


def certain_plates(
    log_probs: LogProbs, alphabet: Alphabet, *, count: int
) -> Iterator[tuple[int, dict[str, float], float]]:
    """Those of N plates ``(N, T, C)`` of which the texts are known that a search would find.

    They are up to ``count`` of the most probable ones, and never more than five.

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
    """Odds and labels, most probable first: as they are, with each change, and with several that exceed ``least``.

    A change has its odds, place and class, the blank for no character; several are to other characters only.
    """
    options = [(1.0, labels)]
    for odds, place, label in changes:
        options += [
            (odds * other, [*option[:place], label, *option[place + 1 :]])
            for other, option in options
            if option is labels or (odds * other > least and label and all(option) and option[place] == labels[place])
        ]
    return sorted(options, key=lambda option: -option[0])
