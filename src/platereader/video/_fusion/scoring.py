"""Texts scored under frames; what was worked out once is remembered with its frame."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader import _ctc as ctc
from platereader.plates._alphabet import Alphabet
from platereader.results import Candidate, Lines, PlateReading
from platereader.trust import FrameWeights
from platereader.video._fusion.legibility import frame_signs

_MAX_REMEMBERED = 100


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame's reading of the plate.

    Attributes:
        reading: with its evidence.
        frame_index: number of the frame in its stream, from 0.
        signs: how legible the plate is in it, as ``frame_signs`` says.
        weight: how much it counts beside others; 0 where nothing is legible.
        log_probs: log P(text | frame) of the texts that were already scored under it.
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
