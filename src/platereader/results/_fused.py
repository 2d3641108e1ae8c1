"""The text that many pictures of one plate come to, before it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check
from platereader.results._evidence import Candidate, Character, Lines
from platereader.results._verdict import Reason


@dataclass(frozen=True, slots=True)
class FusedSigns:
    """Signs for and against the text that many frames come to.

    Attributes:
        share: of the probability that the scores give to this text, 0 to 1, and at least its mean probability under the
            frames: the confidence where none is fitted.
        lead_nats: how much more it scores than the next text, or than one that every frame speaks against; 20 at most.
        frames: legible frames, at least 1.
        typical_nats: mean log odds of the frames whose own best text it is, -6 to 6; -6 without any.
        agreement_nats: sum of those above 0, of each frame as far as it shows the plate otherwise than surer ones do.
        edge: weighted mean of the frames' log P(nothing illegible stands at an end), 0 at most.
        inner: likewise between the characters.
        legal: whether the text fits a plate format.
        region_known: whether its region code is in use.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    share: float
    lead_nats: float
    frames: int
    typical_nats: float
    agreement_nats: float
    edge: float
    inner: float
    legal: bool
    region_known: bool

    def __post_init__(self) -> None:
        numbers = dict.fromkeys(("lead_nats", "typical_nats", "agreement_nats", "edge", "inner"), check.number)
        check.fields(self, share=check.probability, **numbers)
        check.fields(self, legal=check.flag, region_known=check.flag, frames=check.positive)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> FusedSigns:
        """Inverse of ``to_dict``."""
        return cls(**data)


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
        marks: probability that the national mark of each country is on it, by ISO 3166 code, averaged over the
            pictures.
        common_reason: why most of the pictures alone are not ``read``; None where they are, or differ.

    Raises:
        InvalidArgumentError: a field is something else, or there is no candidate.
    """

    candidates: tuple[Candidate, ...]
    characters: tuple[Character, ...]
    lines: Lines
    signs: FusedSigns
    edge_illegible: float
    inner_illegible: float
    common_reason: Reason | None
    marks: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)

    def __post_init__(self) -> None:
        check.tuples(self, candidates=Candidate, characters=Character)
        if not self.candidates:
            raise InvalidArgumentError("candidates are empty: a fused text has one at least.")
        check.instances(self, signs=FusedSigns)
        if self.common_reason is not None:
            check.choice(self.common_reason, Reason, name="common_reason")
        check.fields(self, lines=check.line_count, edge_illegible=check.probability, inner_illegible=check.probability)
        check.fields(self, marks=check.probabilities)

    def __repr__(self) -> str:
        return check.shown(self, text=self.candidates[0].text, lines=self.lines, share=self.signs.share)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> FusedText:
        """Inverse of ``to_dict``."""
        same = ("lines", "edge_illegible", "inner_illegible", "common_reason")
        return cls(
            candidates=tuple(Candidate.from_dict(item) for item in data["candidates"]),
            characters=tuple(Character.from_dict(item) for item in data["characters"]),
            signs=FusedSigns.from_dict(data["signs"]),
            marks=data.get("marks", {}),
            **{name: data[name] for name in same},
        )
