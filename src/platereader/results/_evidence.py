"""What the parts say: where plates are, what they look like, which texts they may carry; and what the parts are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from platereader._arrays import BgrImage, LogProbs
from platereader._geometry import Box, Quad, is_finite
from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check

Lines: TypeAlias = Literal[1, 2]
"""Number of text lines on a plate."""

ROUNDING_NATS = 1e-3
"""Rounding may leave a sum over classes or alignments, a probability, so little above one."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One plate found in a frame.

    Attributes:
        box: upright box in pixels of the frame.
        score: 0 to 1, how sure the detector is that this is a plate.
        corners: outer corners as read, in pixels of the frame; None when the detector gives boxes only.
        lines: 1 or 2 text lines; None lets the rectifier decide by the aspect of the quad.
        truncated: whether a part of the plate lies outside of the frame; None when the detector does not say.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    box: Box
    score: float
    corners: Quad | None = None
    lines: Lines | None = None
    truncated: bool | None = None

    def __post_init__(self) -> None:
        check.instance(self.box, Box, name="box")
        check.set_fields(self, score=check.probability(self.score, name="score"))
        if self.corners is not None:
            check.instance(self.corners, Quad, name="corners")
        if self.lines is not None:
            check.set_fields(self, lines=check.line_count(self.lines))
        if self.truncated is not None:
            check.fields(self, truncated=check.flag)

    def __repr__(self) -> str:
        corners = None if self.corners is None else sum(self.corners.points, ())
        rest = {"corners": corners, "lines": self.lines, "truncated": self.truncated}
        return check.shown(self, box=self.box.to_tuple(), score=self.score, **rest)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Detection:
        """Inverse of ``to_dict``."""
        corners = None if data["corners"] is None else Quad.from_points(data["corners"])
        return cls(Box(*data["box"]), data["score"], corners, data["lines"], data.get("truncated"))


def plate_sides(detection: Detection) -> tuple[float, float]:
    """Width and height of a plate in pixels: by its corners, which are more precise, or by its box without any."""
    shape = detection.corners or detection.box
    return shape.width, shape.height


@dataclass(frozen=True, slots=True, eq=False)
class PlateImage:
    """A rectified plate, laid out as one line of text.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        lines: how many lines the plate had before they were joined.

    Raises:
        InvalidArgumentError: neither 1 nor 2 lines.
    """

    pixels: BgrImage
    lines: Lines = 1

    def __post_init__(self) -> None:
        check.fields(self, lines=check.line_count)

    def __repr__(self) -> str:
        return check.shown(self, shape=np.shape(self.pixels), lines=self.lines)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text a plate may carry.

    Attributes:
        text: Latin spelling, region included; one character at least.
        log_prob: natural log P(text | picture), over all alignments, unconstrained by any grammar: 0 at most, and minus
            infinity, which JSON has no number for and ``to_dict`` gives as None.
        format: name of the plate format that the text fits; None for none, or from a decoder that knows no formats.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    text: str
    log_prob: float
    format: str | None

    def __post_init__(self) -> None:
        check.instances(self, text=str)
        check.optional(self, format=str)
        if not self.text:
            raise InvalidArgumentError("text is empty: where nothing is legible there is no candidate.")
        log_prob = self.log_prob
        if type(log_prob) is float and log_prob <= ROUNDING_NATS:
            return
        if not (is_finite(log_prob) or log_prob == -math.inf) or log_prob > ROUNDING_NATS:
            raise InvalidArgumentError(
                f"log_prob of {self.text!r} is {log_prob!r}: natural logarithms of probabilities are 0 at most."
            )
        check.set_fields(self, log_prob=float(log_prob))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        log_prob = None if math.isinf(self.log_prob) else self.log_prob
        return {"text": self.text, "log_prob": log_prob, "format": self.format}

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Inverse of ``to_dict``."""
        return cls(data["text"], -math.inf if data["log_prob"] is None else data["log_prob"], data["format"])


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a reading and the posterior probability that it is right (0 to 1).

    Raises:
        InvalidArgumentError: not one character, or no probability.
    """

    char: str
    confidence: float

    def __post_init__(self) -> None:
        check.instances(self, char=str)
        if len(self.char) != 1:
            raise InvalidArgumentError(f"char is {self.char!r}, expected is one character.")
        confidence = check.probability(self.confidence, name="confidence")
        if confidence is not self.confidence:
            check.set_fields(self, confidence=confidence)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"char": self.char, "confidence": self.confidence}

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Character:
        """Inverse of ``to_dict``."""
        return cls(data["char"], data["confidence"])


@dataclass(frozen=True, slots=True, eq=False)
class PlateEvidence:
    """What was seen of one plate: all that trust and fusion need.

    Attributes:
        detection: where it is in the frame; None for an already cropped plate.
        plate: the rectified picture that was read.
        log_probs: float32 ``(T, C)`` of the recognizer, marks left out.
        candidates: best first; empty when nothing was legible.
        marks: probability that the national mark of each country is on it, by ISO 3166 code; empty from a recognizer
            that does not look for them.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    detection: Detection | None
    plate: PlateImage
    log_probs: LogProbs
    candidates: tuple[Candidate, ...]
    marks: Mapping[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        if self.detection is not None:
            check.instances(self, detection=Detection)
        check.instances(self, plate=PlateImage)
        check.tuples(self, candidates=Candidate)
        check.fields(self, marks=check.probabilities)

    def __repr__(self) -> str:
        texts = [candidate.text for candidate in self.candidates]
        return check.shown(self, detection=self.detection, plate=self.plate, candidates=texts)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form; pixels and posteriors are left out."""
        candidates = [candidate.to_dict() for candidate in self.candidates]
        detection = check.plain(self.detection)
        return {"detection": detection, "lines": self.plate.lines, "candidates": candidates, "marks": dict(self.marks)}

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> PlateEvidence:
        """Inverse of ``to_dict``, with an empty picture and empty posteriors; other keys are left alone."""
        return cls(
            None if data["detection"] is None else Detection.from_dict(data["detection"]),
            PlateImage(np.zeros((0, 0, 3), np.uint8), data["lines"]),
            np.zeros((0, 0), np.float32),
            tuple(Candidate.from_dict(item) for item in data["candidates"]),
            data.get("marks", {}),
        )


@dataclass(frozen=True, slots=True)
class TrackAssignment:
    """What a tracker says of one frame.

    Attributes:
        track_ids: one per detection, in their order; None = not confirmed yet.
        ended: tracks that will not come back. A tracker that names none lets its streams wait for every plate.
        coasting: tracks without a detection in this frame, with their predicted box.

    Raises:
        InvalidArgumentError: a field is something else, an id is given twice, or to a detection although it has ended.
    """

    track_ids: tuple[int | None, ...]
    _: KW_ONLY
    ended: tuple[int, ...]
    coasting: tuple[tuple[int, Box], ...] = ()

    def __post_init__(self) -> None:
        check.tuples(self, track_ids=object, ended=object, coasting=tuple)
        check.set_fields(
            self,
            track_ids=tuple(None if one is None else check.any_whole(one, name="track_ids") for one in self.track_ids),
            ended=tuple(check.any_whole(one, name="ended") for one in self.ended),
            coasting=tuple(map(_predicted, self.coasting)),
        )
        ids = [track_id for track_id in self.track_ids if track_id is not None]
        if len(set(ids)) != len(ids) or set(ids) & set(self.ended):
            raise InvalidArgumentError(
                f"track_ids are {self.track_ids} with {self.ended} ended: an id belongs to one detection of a frame, "
                "and not to a track that has ended."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> TrackAssignment:
        """Inverse of ``to_dict``."""
        coasting = tuple((track_id, Box(*box)) for track_id, box in data["coasting"])
        return cls(tuple(data["track_ids"]), ended=tuple(data["ended"]), coasting=coasting)


def _predicted(pair: tuple[object, ...]) -> tuple[int, Box]:
    if len(pair) != 2 or not isinstance(pair[1], Box):
        raise InvalidArgumentError(f"coasting has {pair!r}, expected are pairs of an id and a Box.")
    return check.any_whole(pair[0], name="coasting"), pair[1]


@dataclass(frozen=True, slots=True)
class PartDescription:
    """What one part of a pipeline is and how it runs.

    Attributes:
        part: ``detector``, ``rectifier``, ``recognizer``, ``decoder``, ``trust`` or ``tracker``.
        implementation: name of its class or function.
        weights: name of its weights; None without weights, or in a part that the caller gave.
        sha256: of the weight file, hexadecimal.
        engine: such as ``torch``.
        precision: such as ``fp32``.
        threads: threads that the engine uses.
        note: why it runs in this precision.
    """

    part: str
    implementation: str
    weights: str | None = None
    sha256: str | None = None
    engine: str | None = None
    precision: str | None = None
    threads: int | None = None
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> PartDescription:
        """Inverse of ``to_dict``."""
        return cls(**data)
