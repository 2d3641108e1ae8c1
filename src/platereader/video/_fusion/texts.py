"""Texts worth scoring under all frames, what single frames propose and what puts pieces together; and their scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader import _ctc as ctc
from platereader.plates._alphabet import Alphabet
from platereader.results import Candidate, Character, Lines, PlateReading
from platereader.trust import FrameWeights
from platereader.video._fusion.legibility import frame_signs

_MAX_PER_FRAME = 5
"""Texts that one frame may propose; its others have next to no probability."""


def proposed(frames: Iterable[tuple[float, Sequence[Candidate]]], *, count: int) -> list[str]:
    """At most ``count`` texts that frames propose, by weight, those first to which they give most probability."""
    mass: defaultdict[str, float] = defaultdict(float)
    for weight, candidates in frames:
        for rank, candidate in enumerate(candidates[:_MAX_PER_FRAME]):
            # 2 ** log p is p ** 0.69: what several frames consider counts more than what one is sure of.
            # However small its probability, what a decoder puts first is worth a try.
            mass[candidate.text] += weight * (2.0**candidate.log_prob + 1e-3 / (1 + rank))
    return sorted(mass, key=lambda text: (-mass[text], text))[:count]


def voted(readings: Iterable[tuple[float, Sequence[Character]]]) -> str | None:
    """The text that the frames spell together, place by place: no frame need have read all of it.

    Of their best texts those of the length with most weight vote; None without any character.
    """
    by_length: defaultdict[int, float] = defaultdict(float)
    votes: defaultdict[tuple[int, int], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for weight, characters in readings:
        by_length[len(characters)] += weight
        for place, character in enumerate(characters):
            votes[len(characters), place][character.char] += weight * character.confidence
    length = max(by_length, key=lambda length: (by_length[length], length), default=0)
    places = (votes[length, place] for place in range(length))
    return "".join(max(place, key=lambda char: (place[char], char)) for place in places) or None


def substituted(best: str, scores: Mapping[str, float], *, count: int) -> list[str]:
    """At most ``count`` texts that none need have proposed: the best with one character of another of its length.

    The characters of texts with better scores are tried first.
    """
    tried: dict[str, None] = {}
    for text in sorted(scores, key=lambda text: -scores[text]):
        if len(text) == len(best):
            for place, char in enumerate(text):
                if char != best[place]:
                    tried.setdefault(f"{best[:place]}{char}{best[place + 1 :]}")
    return [text for text in tried if text not in scores][:count]


_MAX_REMEMBERED = 100


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame's reading of the plate: its ``frame_signs``, and its weight beside others, 0 where nothing is legible.

    ``log_probs`` are log P(text | frame) of the texts that were already scored under it.
    """

    reading: PlateReading
    frame_index: int
    signs: tuple[float, ...]
    weight: float
    log_probs: dict[str, float] = field(default_factory=dict[str, float])

    @classmethod
    def of(cls, reading: PlateReading, frame_index: int, *, weights: FrameWeights) -> Frame:
        """A frame that was not yet scored."""
        signs = frame_signs(reading)
        return cls(reading, frame_index, signs, weights.weight(signs) if reading.candidates else 0.0)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Of its reading, best first."""
        return self.reading.candidates

    def keep_scores_of(self, texts: Container[str]) -> None:
        """Keep the scores of these texts alone, once others have piled up: a car may stand in view all day."""
        if len(self.log_probs) > _MAX_REMEMBERED:
            for text in [text for text in self.log_probs if text not in texts]:
                del self.log_probs[text]


def log_prob_table(frames: Sequence[Frame], texts: Sequence[str], alphabet: Alphabet) -> NDArray[np.float64]:
    """Log P(text | frame) of K texts under F frames, ``(F, K)``."""
    waiting: dict[tuple[int, tuple[str, ...]], list[Frame]] = {}
    for frame in frames:
        new = tuple(text for text in texts if text not in frame.log_probs)
        if new:
            waiting.setdefault((len(frame.reading.evidence.log_probs), new), []).append(frame)
    for (_, new), some in waiting.items():
        labels = ctc.padded([alphabet.encode(text) for text in new])
        posteriors = np.stack([frame.reading.evidence.log_probs for frame in some])
        table = ctc.log_prob_table(posteriors, np.broadcast_to(labels, (len(some), *labels.shape)))
        for frame, row in zip(some, table.tolist(), strict=True):
            frame.log_probs.update(zip(new, row, strict=True))
    return np.array([[frame.log_probs[text] for text in texts] for frame in frames]).reshape(len(frames), len(texts))


def lines_of(frames: Sequence[Frame]) -> Lines:
    """How many lines of text most of the frames show, by weight."""
    two = sum(frame.weight for frame in frames if frame.reading.lines == 2)
    return 2 if 2 * two > sum(frame.weight for frame in frames) else 1
