"""What the pipeline says of a picture, and a stream of its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platereader._geometry import Box
from platereader.results import _checks as check
from platereader.results._evidence import Detection, Lines, PlateEvidence
from platereader.results._verdict import HasVerdict, Verdict


@dataclass(frozen=True, slots=True)
class PlateReading(HasVerdict):
    """What is said of one plate in one picture; the fields of its ``verdict`` are properties of it.

    Attributes:
        verdict: text, confidence, status and what follows from them.
        evidence: what the verdict rests on; not compared and not in ``to_dict`` but for detection and candidates.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    evidence: PlateEvidence = field(compare=False)

    def __post_init__(self) -> None:
        check.instance(self.verdict, Verdict, name="verdict")
        check.instance(self.evidence, PlateEvidence, name="evidence")

    def __repr__(self) -> str:
        box = None if self.detection is None else self.detection.box.to_tuple()
        return check.shown(self, **self.verdict.short_fields(), box=box)

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
        return {**self.verdict.to_dict(), **self.evidence.to_dict()}

    def to_row(self) -> dict[str, Any]:
        """Plain columns, as for CSV or a data frame."""
        score = None if self.detection is None else self.detection.score
        box = None if self.detection is None else self.detection.box
        return {**self.verdict.to_row(), "lines": self.lines, "score": score, **_columns(box)}

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> PlateReading:
        """Inverse of ``to_dict``; the evidence comes back with an empty picture and empty posteriors."""
        return cls(Verdict.from_dict(data), PlateEvidence.from_dict(data))


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

    Raises:
        InvalidArgumentError: a field is something else.
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

    def __post_init__(self) -> None:
        check.instance(self.verdict, Verdict, name="verdict")
        check.instance(self.box, Box, name="box")
        check.instance(self.best, PlateReading, name="best")
        check.set_fields(
            self,
            passage_id=check.whole(self.passage_id, name="passage_id", least=1),
            track_id=check.whole(self.track_id, name="track_id", least=None),
            settled=check.flag(self.settled, name="settled"),
            readings=check.whole(self.readings, name="readings", least=1),
            first_seen_s=check.number(self.first_seen_s, name="first_seen_s"),
            last_seen_s=check.number(self.last_seen_s, name="last_seen_s"),
            best_frame_index=check.whole(self.best_frame_index, name="best_frame_index"),
        )

    def __repr__(self) -> str:
        return check.shown(
            self,
            passage_id=self.passage_id,
            **self.verdict.short_fields(),
            readings=self.readings,
            settled=self.settled,
            box=self.box.to_tuple(),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "passage_id": self.passage_id,
            "track_id": self.track_id,
            **self.verdict.to_dict(),
            "settled": self.settled,
            "readings": self.readings,
            "first_seen_s": self.first_seen_s,
            "last_seen_s": self.last_seen_s,
            "box": list(self.box.to_tuple()),
            "best": self.best.to_dict(),
            "best_frame_index": self.best_frame_index,
        }

    def to_row(self) -> dict[str, Any]:
        """Plain columns, as for CSV or a data frame; of ``best`` only the number of its frame."""
        return {
            "passage_id": self.passage_id,
            "track_id": self.track_id,
            **self.verdict.to_row(),
            "settled": self.settled,
            "readings": self.readings,
            "first_seen_s": self.first_seen_s,
            "last_seen_s": self.last_seen_s,
            **_columns(self.box),
            "best_frame_index": self.best_frame_index,
        }

    @classmethod
    @check.refuses_damage
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

    Raises:
        InvalidArgumentError: a field is something else.
    """

    timestamp_s: float
    active: tuple[TrackedPlate, ...]
    finished: tuple[TrackedPlate, ...]

    def __post_init__(self) -> None:
        check.items(self.active, TrackedPlate, name="active")
        check.items(self.finished, TrackedPlate, name="finished")
        check.set_fields(self, timestamp_s=check.number(self.timestamp_s, name="timestamp_s"))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "timestamp_s": self.timestamp_s,
            "active": [plate.to_dict() for plate in self.active],
            "finished": [plate.to_dict() for plate in self.finished],
        }

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> StreamUpdate:
        """Inverse of ``to_dict``."""
        active, finished = (tuple(map(TrackedPlate.from_dict, data[name])) for name in ("active", "finished"))
        return cls(data["timestamp_s"], active, finished)


def _columns(box: Box | None) -> dict[str, float | None]:
    """The edges of a box, a column each."""
    edges = (None,) * 4 if box is None else box.to_tuple()
    return dict(zip(("x1", "y1", "x2", "y2"), edges, strict=True))
