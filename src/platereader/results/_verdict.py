"""What is said of a plate, by one picture of it or by many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from platereader.errors import InvalidArgumentError
from platereader.plates._characters import Region
from platereader.results import _checks as check
from platereader.results._evidence import Candidate, Character

Status: TypeAlias = Literal["read", "uncertain", "unreadable"]
"""Whether to act on a reading, to look at it, or that there is nothing to look at."""

Reason: TypeAlias = Literal[
    "not_a_plate",
    "nothing_legible",
    "cut_off",
    "hidden_character",
    "too_small",
    "low_confidence",
    "weak_character",
    "overexposed",
    "unknown_format",
    "unknown_region",
    "unknown_country",
    "ambiguous_country",
]
"""Why a reading is not ``read``; see ``platereader.trust``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one plate.

    Attributes:
        text: best text in Latin spelling; None when unreadable.
        confidence: probability that the whole text is right, 0 to 1.
        status: ``read``, ``uncertain`` or ``unreadable``.
        reason: why the status is not ``read``; None when it is.
        calibrated: whether ``confidence`` was fitted for exactly these parts.
        characters: each character of ``text`` with its own posterior probability.
        candidates: all texts considered, best first.
        country: ISO 3166 code of the country whose plate format the text fits; None when it fits none, or several.
        format: name of the plate format that the text fits, or None.
        region: what its region code stands for; None when there is none or it is unknown.
        text_local: the text in the script of its country, such as Cyrillic.
        masked_text: the text with ``?`` for every character that is too improbable to act on, such as ``A1?3BC77``.
        number_order: places of the characters of ``text`` in the order in which they are registered, where that is not
            the printed one, as on some two-line plates. A text of another length in the place of this one has none.

    Raises:
        InvalidArgumentError: a field is something else, a text that is unreadable, none that is not, or a reason why
            something is ``read``.
    """

    text: str | None
    confidence: float
    status: Status
    reason: Reason | None = None
    calibrated: bool = False
    characters: tuple[Character, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    country: str | None = None
    format: str | None = None
    region: Region | None = None
    text_local: str | None = None
    masked_text: str | None = None
    number_order: tuple[int, ...] = field(default=(), compare=False)  # it follows from text and format

    def __post_init__(self) -> None:
        check.optional(self, text=str, country=str, format=str, region=Region, text_local=str, masked_text=str)
        check.choice(self.status, Status, name="status")
        if self.reason is not None:
            check.choice(self.reason, Reason, name="reason")
        if (not self.text) != (self.status == "unreadable") or (self.reason is not None and self.status == "read"):
            raise InvalidArgumentError(
                f"text is {self.text!r} with status {self.status!r} and reason {self.reason!r}: what is unreadable has "
                "no text, everything else has one, and what is read has no reason."
            )
        check.tuples(self, number_order=int, characters=Character, candidates=Candidate)
        if self.number_order and sorted(self.number_order) != list(range(len(self.text or ""))):
            check.set_fields(self, number_order=())
        check.fields(self, confidence=check.probability, calibrated=check.flag)

    def __repr__(self) -> str:
        return check.shown(self, **self.short_fields())

    @property
    def number(self) -> str | None:
        """The text in the order in which it is registered, on some two-line plates not the printed one."""
        if self.text is None or not self.number_order:
            return self.text
        return "".join(map(self.text.__getitem__, self.number_order))

    def short_fields(self) -> dict[str, Any]:
        """What a ``repr`` shows."""
        return {"text": self.text, "confidence": self.confidence, "status": self.status, "reason": self.reason}

    def to_row(self) -> dict[str, Any]:
        """Plain columns, as for CSV or a data frame; candidates and characters are left out."""
        return {
            **check.to_dict(self, "text", "number", "text_local", "masked_text", "confidence", "calibrated"),
            **check.to_dict(self, "status", "reason", "country", "format"),
            "region_code": None if self.region is None else self.region.code,
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            **check.to_dict(self, "text", "number", "text_local", "masked_text", "country", "format"),
            "region": None if self.region is None else asdict(self.region),
            **check.to_dict(self, "confidence", "calibrated", "status", "reason"),
            "characters": [character.to_dict() for character in self.characters],
            "candidates": [candidate.to_dict() for candidate in self.candidates],
        }

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Inverse of ``to_dict``; other keys are left alone."""
        same = ("confidence", "status", "reason", "calibrated", "country", "format", "text_local", "masked_text")
        return cls(
            data["text"],
            **{name: data[name] for name in same},
            characters=tuple(Character.from_dict(item) for item in data["characters"]),
            candidates=tuple(Candidate.from_dict(item) for item in data["candidates"]),
            region=None if data["region"] is None else Region(**data["region"]),
            number_order=_order(data["text"] or "", data.get("number") or ""),  # older documents have no number
        )


def _order(text: str, number: str) -> tuple[int, ...]:
    """Where each character of a number stands in the text; nowhere for the text itself, or one of other characters."""
    if number == text or sorted(number) != sorted(text):
        return ()
    left = list(enumerate(text))
    return tuple(left.pop(next(i for i, (_, char) in enumerate(left) if char == one))[0] for one in number)


@dataclass(frozen=True, slots=True)
class HasVerdict:
    """Base of the results that say something of a plate: what the ``Verdict`` says, they say.

    Attributes:
        verdict: what is said of the plate.
    """

    verdict: Verdict

    @property
    def text(self) -> str | None:
        """Best text in Latin spelling; None when unreadable."""
        return self.verdict.text

    @property
    def number(self) -> str | None:
        """The text in the order in which it is registered, on some two-line plates not the printed one."""
        return self.verdict.number

    @property
    def confidence(self) -> float:
        """Probability that the whole text is right, 0 to 1."""
        return self.verdict.confidence

    @property
    def status(self) -> Status:
        """``read``, ``uncertain`` or ``unreadable``."""
        return self.verdict.status

    @property
    def reason(self) -> Reason | None:
        """Why the status is not ``read``; None when it is."""
        return self.verdict.reason

    @property
    def calibrated(self) -> bool:
        """Whether ``confidence`` was fitted for exactly these parts."""
        return self.verdict.calibrated

    @property
    def characters(self) -> tuple[Character, ...]:
        """Each character of ``text`` with its own posterior probability."""
        return self.verdict.characters

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All texts considered, best first."""
        return self.verdict.candidates

    @property
    def country(self) -> str | None:
        """ISO 3166 code of the country whose plate format the text fits; None when it fits none, or several."""
        return self.verdict.country

    @property
    def format(self) -> str | None:
        """Name of the plate format that the text fits, or None."""
        return self.verdict.format

    @property
    def region(self) -> Region | None:
        """What its region code stands for; None when there is none or it is unknown."""
        return self.verdict.region

    @property
    def text_local(self) -> str | None:
        """The text in the script of its country, such as Cyrillic."""
        return self.verdict.text_local

    @property
    def masked_text(self) -> str | None:
        """The text with ``?`` for every character that is too improbable to act on, such as ``A1?3BC77``."""
        return self.verdict.masked_text
