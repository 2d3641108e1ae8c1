"""What the parts and the pipeline return: frozen, slotted, JSON-safe through ``to_dict``.

Parts may fill them with numpy numbers, which JSON does not know: ``to_dict`` gives plain ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, cast

import numpy as np

from platereader._arrays import BgrImage, LogProbs
from platereader._geometry import Box, Quad
from platereader.plates._alphabet import ILLEGIBLE, to_cyrillic
from platereader.plates._formats import PlateFormat, format_of
from platereader.plates._regions import Region, region_of

__all__ = [
    "MASK_BELOW",
    "Candidate",
    "Character",
    "Detection",
    "Lines",
    "PartDescription",
    "PlateEvidence",
    "PlateImage",
    "PlateReading",
    "Reason",
    "Status",
    "StreamUpdate",
    "TrackAssignment",
    "TrackedPlate",
]

Lines: TypeAlias = Literal[1, 2]
"""Number of text lines on a plate."""

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
    "unknown_format",
    "unknown_region",
]
"""Why a reading is not ``read``; see ``platereader.trust``."""

MASK_BELOW = 0.9
"""Characters less probable than this are shown as ``?`` in ``masked_text``."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One plate found in a frame.

    Attributes:
        box: upright box in pixels of the frame.
        score: 0 to 1, how sure the detector is that this is a plate.
        corners: outer corners as read, in pixels of the frame; None when the detector gives boxes only.
        lines: 1 or 2 text lines; None lets the rectifier decide by the aspect of the quad.
    """

    box: Box
    score: float
    corners: Quad | None = None
    lines: Lines | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        corners = None if self.corners is None else [[float(x), float(y)] for x, y in self.corners.points]
        lines = None if self.lines is None else int(self.lines)
        return {"box": list(self.box.to_tuple()), "score": float(self.score), "corners": corners, "lines": lines}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detection:
        """Inverse of ``to_dict``."""
        corners = None if data["corners"] is None else Quad.from_points(data["corners"])
        return cls(Box(*data["box"]), data["score"], corners, data["lines"])


@dataclass(frozen=True, slots=True, eq=False)
class PlateImage:
    """A rectified plate, laid out as one line of text.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        lines: how many lines the plate had before they were joined.
    """

    pixels: BgrImage
    lines: Lines = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text a plate may carry.

    Attributes:
        text: Latin look-alike spelling, region included.
        log_prob: natural log P(text | picture), over all alignments, unconstrained by any grammar.
        format: name of the plate format that the text fits, or None.
    """

    text: str
    log_prob: float
    format: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"text": self.text, "log_prob": float(self.log_prob), "format": self.format}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Inverse of ``to_dict``."""
        return cls(data["text"], data["log_prob"], data["format"])


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a reading and the posterior probability that it is right (0 to 1)."""

    char: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"char": self.char, "confidence": self.confidence}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Character:
        """Inverse of ``to_dict``."""
        return cls(data["char"], data["confidence"])


@dataclass(frozen=True, slots=True, eq=False)
class PlateEvidence:
    """What was seen of one plate: all that trust and fusion need.

    Attributes:
        detection: where it is in the frame; None for an already cropped plate.
        plate: the rectified picture that was read.
        log_probs: float32 ``(T, C)`` of the recognizer.
        candidates: best first; empty when nothing was legible.
    """

    detection: Detection | None
    plate: PlateImage
    log_probs: LogProbs
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class PlateReading:
    """What is said of one plate.

    Attributes:
        text: best text in Latin look-alike spelling; None when unreadable.
        confidence: probability that the whole text is right, 0 to 1.
        calibrated: whether ``confidence`` was fitted for exactly these parts.
        characters: each character of ``text`` with its own posterior probability.
        status: ``read``, ``uncertain`` or ``unreadable``.
        reason: why the status is not ``read``; None when it is.
        evidence: what the judgement rests on; not compared and not in ``to_dict`` but for detection and candidates.
    """

    text: str | None
    confidence: float
    calibrated: bool
    characters: tuple[Character, ...]
    status: Status
    reason: Reason | None
    evidence: PlateEvidence = field(compare=False, repr=False)

    @property
    def detection(self) -> Detection | None:
        """Where the plate is in the frame; None for an already cropped plate."""
        return self.evidence.detection

    @property
    def lines(self) -> Lines:
        """Number of text lines on the plate; tells apart types that share a pattern."""
        return self.evidence.plate.lines

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All texts considered, best first."""
        return self.evidence.candidates

    @property
    def text_cyrillic(self) -> str | None:
        """The text in Cyrillic letters, as a Russian reader writes it."""
        return None if self.text is None else to_cyrillic(self.text)

    @property
    def format(self) -> PlateFormat | None:
        """The plate format that the text fits, or None."""
        return None if self.text is None else format_of(self.text, lines=self.lines)

    @property
    def region(self) -> Region | None:
        """The federal subject of the region code, or None when there is none or it is unknown."""
        return None if self.text is None else region_of(self.text, lines=self.lines)

    @property
    def masked_text(self) -> str | None:
        """The text with ``?`` for every character below ``MASK_BELOW``, such as ``A1?3BC77``."""
        if self.text is None:
            return None
        return "".join(c.char if c.confidence >= MASK_BELOW else ILLEGIBLE for c in self.characters)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form; pixels and posteriors are left out."""
        return {
            "text": self.text,
            "text_cyrillic": self.text_cyrillic,
            "masked_text": self.masked_text,
            "confidence": self.confidence,
            "calibrated": self.calibrated,
            "status": self.status,
            "reason": self.reason,
            "lines": int(self.lines),
            "format": None if self.format is None else self.format.name,
            "region": _region_dict(self.region),
            "characters": [character.to_dict() for character in self.characters],
            "detection": None if self.detection is None else self.detection.to_dict(),
            "candidates": [candidate.to_dict() for candidate in self.candidates],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PlateReading:
        """Inverse of ``to_dict``; the evidence comes back with an empty picture and empty posteriors."""
        evidence = PlateEvidence(
            None if data["detection"] is None else Detection.from_dict(data["detection"]),
            PlateImage(np.zeros((0, 0, 3), np.uint8), data["lines"]),
            np.zeros((0, 0), np.float32),
            tuple(Candidate.from_dict(item) for item in data["candidates"]),
        )
        return cls(
            data["text"],
            data["confidence"],
            data["calibrated"],
            tuple(Character.from_dict(item) for item in data["characters"]),
            cast(Status, data["status"]),
            cast("Reason | None", data["reason"]),
            evidence,
        )


@dataclass(frozen=True, slots=True)
class TrackAssignment:
    """What a tracker says of one frame.

    Attributes:
        track_ids: one per detection, in their order; None = not confirmed yet.
        coasting: tracks without a detection in this frame, with their predicted box.
        ended: tracks that will not come back.
    """

    track_ids: tuple[int | None, ...]
    coasting: tuple[tuple[int, Box], ...] = ()
    ended: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackedPlate:
    """One passage of one plate: everything that was read of it, and what it comes to.

    Attributes:
        track_id: unique within its stream, from 1.
        text: best text so far; None while unreadable.
        confidence: probability that ``text`` is right, 0 to 1.
        calibrated: whether ``confidence`` was fitted for exactly these parts.
        status: as of a single reading, by the fused confidence.
        reason: why it is not ``read``.
        settled: whether more frames are not expected to change the text.
        candidates: texts considered, best first; ``log_prob`` is the fused one.
        readings: number of readings fused.
        first_seen_s: timestamp of the first detection, seconds.
        last_seen_s: timestamp of the last detection, seconds.
        box: last known or predicted box, pixels.
        best: the most confident single reading, of ``text`` if there is one, with the picture it was read from.
        best_frame_index: index of its frame in the stream, from 0.
    """

    track_id: int
    text: str | None
    confidence: float
    calibrated: bool
    status: Status
    reason: Reason | None
    settled: bool
    candidates: tuple[Candidate, ...]
    readings: int
    first_seen_s: float
    last_seen_s: float
    box: Box
    best: PlateReading
    best_frame_index: int

    @property
    def text_cyrillic(self) -> str | None:
        """The text in Cyrillic letters, as a Russian reader writes it."""
        return None if self.text is None else to_cyrillic(self.text)

    @property
    def format(self) -> PlateFormat | None:
        """The plate format that the text fits, or None."""
        return None if self.text is None else format_of(self.text, lines=self.best.lines)

    @property
    def region(self) -> Region | None:
        """The federal subject of the region code, or None when there is none or it is unknown."""
        return None if self.text is None else region_of(self.text, lines=self.best.lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "track_id": int(self.track_id),
            "text": self.text,
            "text_cyrillic": self.text_cyrillic,
            "confidence": self.confidence,
            "calibrated": self.calibrated,
            "status": self.status,
            "reason": self.reason,
            "settled": self.settled,
            "format": None if self.format is None else self.format.name,
            "region": _region_dict(self.region),
            "candidates": [candidate.to_dict() for candidate in self.candidates],
            "readings": self.readings,
            "first_seen_s": float(self.first_seen_s),
            "last_seen_s": float(self.last_seen_s),
            "box": list(self.box.to_tuple()),
            "best": self.best.to_dict(),
            "best_frame_index": self.best_frame_index,
        }


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
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StreamUpdate:
    """What one frame changed.

    Attributes:
        timestamp_s: time of the frame, seconds.
        active: plates in view or predicted.
        finished: plates that have gone, each reported once.
    """

    timestamp_s: float
    active: tuple[TrackedPlate, ...]
    finished: tuple[TrackedPlate, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "timestamp_s": float(self.timestamp_s),
            "active": [plate.to_dict() for plate in self.active],
            "finished": [plate.to_dict() for plate in self.finished],
        }


def _region_dict(region: Region | None) -> dict[str, str] | None:
    if region is None:
        return None
    return {"code": region.code, "subject_en": region.subject_en, "subject_ru": region.subject_ru}
