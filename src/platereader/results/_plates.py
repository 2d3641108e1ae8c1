"""What the pipeline says of a picture, and a stream of its frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platereader._geometry import Box
from platereader.errors import InvalidArgumentError
from platereader.results import _checks as check
from platereader.results._evidence import Detection, Lines, PlateEvidence
from platereader.results._html import plate_html
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

    def _repr_html_(self) -> str:
        return plate_html(self.verdict, self.evidence.plate.pixels)

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
class Sighting:
    """One detection of a plate.

    Attributes:
        timestamp_s: time of the frame, seconds.
        frame_index: index of the frame in its stream, from 0.
        box: as measured in that frame, pixels; it lies inside the frame.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    timestamp_s: float
    frame_index: int
    box: Box

    def __post_init__(self) -> None:
        check.instance(self.box, Box, name="box")
        check.set_fields(
            self,
            timestamp_s=check.number(self.timestamp_s, name="timestamp_s"),
            frame_index=check.whole(self.frame_index, name="frame_index"),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "timestamp_s": self.timestamp_s,
            "frame_index": self.frame_index,
            "box": list(self.box.to_tuple()),
        }

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Sighting:
        """Inverse of ``to_dict``."""
        return cls(data["timestamp_s"], data["frame_index"], Box(*data["box"]))


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
        agreeing: how many of the readings that are kept have ``text`` as their own best one.
        first: the first detection.
        last: the latest detection.
        box: where the plate is in the frame, pixels; the part inside the frame.
        predicted: whether ``box`` is only predicted; False where it was measured, in ``last``.
        best: the most confident single reading, of ``text`` if there is one, with the picture it was read from.
        best_frame_index: index of its frame in the stream, from 0.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    passage_id: int
    track_id: int
    settled: bool
    readings: int
    agreeing: int
    first: Sighting
    last: Sighting
    box: Box
    predicted: bool
    best: PlateReading
    best_frame_index: int

    def __post_init__(self) -> None:
        check.instance(self.verdict, Verdict, name="verdict")
        check.instance(self.first, Sighting, name="first")
        check.instance(self.last, Sighting, name="last")
        check.instance(self.box, Box, name="box")
        check.instance(self.best, PlateReading, name="best")
        check.set_fields(
            self,
            passage_id=check.whole(self.passage_id, name="passage_id", least=1),
            track_id=check.whole(self.track_id, name="track_id", least=None),
            settled=check.flag(self.settled, name="settled"),
            readings=check.whole(self.readings, name="readings", least=1),
            agreeing=check.whole(self.agreeing, name="agreeing"),
            predicted=check.flag(self.predicted, name="predicted"),
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

    def _repr_html_(self) -> str:
        return plate_html(self.verdict, self.best.evidence.plate.pixels)

    @property
    def first_seen_s(self) -> float:
        """Timestamp of the first detection, seconds."""
        return self.first.timestamp_s

    @property
    def last_seen_s(self) -> float:
        """Timestamp of the latest detection, seconds."""
        return self.last.timestamp_s

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "passage_id": self.passage_id,
            "track_id": self.track_id,
            **self.verdict.to_dict(),
            "settled": self.settled,
            "readings": self.readings,
            "agreeing": self.agreeing,
            "first_seen_s": self.first_seen_s,
            "last_seen_s": self.last_seen_s,
            "first": self.first.to_dict(),
            "last": self.last.to_dict(),
            "box": list(self.box.to_tuple()),
            "predicted": self.predicted,
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
            "agreeing": self.agreeing,
            "first_seen_s": self.first_seen_s,
            "last_seen_s": self.last_seen_s,
            "first_frame_index": self.first.frame_index,
            "last_frame_index": self.last.frame_index,
            **_columns(self.box),
            "predicted": self.predicted,
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
            agreeing=data["agreeing"],
            first=Sighting.from_dict(data["first"]),
            last=Sighting.from_dict(data["last"]),
            box=Box(*data["box"]),
            predicted=data["predicted"],
            best=PlateReading.from_dict(data["best"]),
            best_frame_index=data["best_frame_index"],
        )


@dataclass(frozen=True, slots=True)
class StreamUpdate:
    """What one frame changed.

    Attributes:
        timestamp_s: time of the frame, seconds.
        active: plates in view, and those predicted in it: not seen for a second at most.
        finished: plates that have gone, each reported once.
        joined: passages that turned out to be of the same plate as others, which go on in their place: pairs of the
            ``passage_id`` that there is no more, which is never reported as finished, and that of the other.

    Raises:
        InvalidArgumentError: a field is something else.
    """

    timestamp_s: float
    active: tuple[TrackedPlate, ...]
    finished: tuple[TrackedPlate, ...]
    joined: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        check.items(self.active, TrackedPlate, name="active")
        check.items(self.finished, TrackedPlate, name="finished")
        check.items(self.joined, tuple, name="joined")
        if any(len(pair) != 2 for pair in self.joined):
            raise InvalidArgumentError(f"joined is {self.joined!r}, expected are pairs of numbers of passages.")
        joined = tuple((check.whole(old, name="joined"), check.whole(new, name="joined")) for old, new in self.joined)
        check.set_fields(self, timestamp_s=check.number(self.timestamp_s, name="timestamp_s"), joined=joined)

    def __repr__(self) -> str:
        active, finished = (tuple(plate.text for plate in plates) for plates in (self.active, self.finished))
        return f"StreamUpdate(timestamp_s={self.timestamp_s:.3f}, active={active}, finished={finished})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "timestamp_s": self.timestamp_s,
            "active": [plate.to_dict() for plate in self.active],
            "finished": [plate.to_dict() for plate in self.finished],
            "joined": [list(pair) for pair in self.joined],
        }

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> StreamUpdate:
        """Inverse of ``to_dict``."""
        active, finished = (tuple(map(TrackedPlate.from_dict, data[name])) for name in ("active", "finished"))
        joined = tuple((old, new) for old, new in data.get("joined", ()))  # older documents have none
        return cls(data["timestamp_s"], active, finished, joined)


def _columns(box: Box | None) -> dict[str, float | None]:
    """The edges of a box, a column each."""
    edges = (None,) * 4 if box is None else box.to_tuple()
    return dict(zip(("x1", "y1", "x2", "y2"), edges, strict=True))
