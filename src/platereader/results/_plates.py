"""What the pipeline says of a picture, and a stream of its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from platereader._geometry import Box
from platereader.results._evidence import Detection, Lines, PlateEvidence, PlateImage
from platereader.results._verdict import HasVerdict, Verdict


@dataclass(frozen=True, slots=True)
class PlateReading(HasVerdict):
    """What is said of one plate in one picture; the fields of its ``verdict`` are properties of it.

    Attributes:
        verdict: text, confidence, status and what follows from them.
        evidence: what the verdict rests on; not compared and not in ``to_dict`` but for detection and candidates.
    """

    evidence: PlateEvidence = field(compare=False, repr=False)

    @property
    def detection(self) -> Detection | None:
        """Where the plate is in the frame; None for an already cropped plate."""
        return self.evidence.detection

    @property
    def lines(self) -> Lines:
        """Number of text lines on the plate; tells apart types that share a pattern."""
        return self.evidence.plate.lines

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form; pixels and posteriors are left out."""
        return {
            **self.verdict.to_dict(),
            "lines": int(self.lines),
            "detection": None if self.detection is None else self.detection.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PlateReading:
        """Inverse of ``to_dict``; the evidence comes back with an empty picture and empty posteriors."""
        verdict = Verdict.from_dict(data)
        evidence = PlateEvidence(
            None if data["detection"] is None else Detection.from_dict(data["detection"]),
            PlateImage(np.zeros((0, 0, 3), np.uint8), data["lines"]),
            np.zeros((0, 0), np.float32),
            verdict.candidates,
        )
        return cls(verdict, evidence)


@dataclass(frozen=True, slots=True)
class TrackedPlate(HasVerdict):
    """One passage of one plate: everything that was read of it, and what it comes to.

    The fields of its ``verdict`` are properties of it.

    Attributes:
        verdict: text, confidence, status and what follows from them; ``log_prob`` of its candidates is the fused one,
            and a character's probability that of the candidates that have it.
        passage_id: unique within its stream, from 1.
        track_id: the latest number that the tracker gave the plate; a passage may have had several.
        settled: whether more frames are not expected to change the text.
        readings: number of readings fused.
        first_seen_s: timestamp of the first detection, seconds.
        last_seen_s: timestamp of the last detection, seconds.
        box: last known or predicted box, pixels.
        best: the most confident single reading, of ``text`` if there is one, with the picture it was read from.
        best_frame_index: index of its frame in the stream, from 0.
    """

    passage_id: int
    track_id: int
    settled: bool
    readings: int
    first_seen_s: float
    last_seen_s: float
    box: Box
    best: PlateReading
    best_frame_index: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "passage_id": int(self.passage_id),
            "track_id": int(self.track_id),
            **self.verdict.to_dict(),
            "settled": bool(self.settled),
            "readings": int(self.readings),
            "first_seen_s": float(self.first_seen_s),
            "last_seen_s": float(self.last_seen_s),
            "box": list(self.box.to_tuple()),
            "best": self.best.to_dict(),
            "best_frame_index": int(self.best_frame_index),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrackedPlate:
        """Inverse of ``to_dict``; the evidence of ``best`` comes back without picture and posteriors."""
        return cls(
            verdict=Verdict.from_dict(data),
            passage_id=data["passage_id"],
            track_id=data["track_id"],
            settled=data["settled"],
            readings=data["readings"],
            first_seen_s=data["first_seen_s"],
            last_seen_s=data["last_seen_s"],
            box=Box(*data["box"]),
            best=PlateReading.from_dict(data["best"]),
            best_frame_index=data["best_frame_index"],
        )


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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StreamUpdate:
        """Inverse of ``to_dict``."""
        active, finished = (tuple(map(TrackedPlate.from_dict, data[name])) for name in ("active", "finished"))
        return cls(data["timestamp_s"], active, finished)
