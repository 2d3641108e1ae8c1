"""The text that many pictures of one plate come to, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from platereader.results._evidence import Candidate, Character, Lines
from platereader.results._verdict import Reason

__all__ = ["FusedSigns", "FusedText"]


@dataclass(frozen=True, slots=True)
class FusedSigns:
    """Signs for and against the text that many frames come to.

    Attributes:
        share: of the probability that the scores give to this text, 0 to 1, and at least its mean probability under the
            frames: the confidence where none is fitted.
        lead_nats: how much more it scores than the next text, or than one that every frame speaks against; 20 at most.
        frames: legible frames, at least 1.
        weight: sum of their weights.
        agreeing: share of that weight in frames whose own best text it is, 0 to 1.
        supporting: share of the frames, however little they weigh, that do not speak against it as strongly as one can.
        best_confidence: confidence of the surest of the agreeing frames, 0 to 1; 0 without any.
        edge: weighted mean of the frames' log P(nothing illegible stands at an end), 0 at most.
        inner: likewise between the characters.
        legal: whether the text fits a plate format.
        region_known: whether its region code is in use.
    """

    share: float
    lead_nats: float
    frames: int
    weight: float
    agreeing: float
    supporting: float
    best_confidence: float
    edge: float
    inner: float
    legal: bool
    region_known: bool


@dataclass(frozen=True, slots=True)
class FusedText:
    """The text that many pictures of one plate come to, and what is known of it.

    Attributes:
        candidates: texts with their fused log probability, best first, at least one.
        characters: of the best one, each as probable as the candidates that have it.
        lines: lines of text on the plate.
        signs: for and against the best one.
        edge_illegible: probability that something illegible stands at an end of it, 0 to 1, in the picture of it where
            that is least.
        inner_illegible: likewise between its characters.
        common_reason: why most of the pictures alone are not ``read``; None where they are, or differ.
    """

    candidates: tuple[Candidate, ...]
    characters: tuple[Character, ...]
    lines: Lines
    signs: FusedSigns
    edge_illegible: float
    inner_illegible: float
    common_reason: Reason | None
