"""What the pipeline says of a picture, and a stream of its frames."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.errors import InvalidArgumentError
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
        check.instances(self, verdict=Verdict, evidence=PlateEvidence)

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
        check.instances(self, box=Box)
        check.fields(self, timestamp_s=check.number, frame_index=check.whole)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

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
        check.instances(self, verdict=Verdict, first=Sighting, last=Sighting, box=Box, best=PlateReading)
        check.fields(self, passage_id=check.positive, track_id=check.any_whole, settled=check.flag)
        check.fields(self, readings=check.positive, agreeing=check.whole)
        check.fields(self, predicted=check.flag, best_frame_index=check.whole)

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
            **check.to_dict(self, "passage_id", "track_id"),
            **self.verdict.to_dict(),
            **check.to_dict(self, "settled", "readings", "agreeing", "first_seen_s", "last_seen_s"),
            **check.to_dict(self, "first", "last", "box", "predicted", "best", "best_frame_index"),
        }

    def to_row(self) -> dict[str, Any]:
        """Plain columns, as for CSV or a data frame; of ``best`` only the number of its frame."""
        return {
            **check.to_dict(self, "passage_id", "track_id"),
            **self.verdict.to_row(),
            **check.to_dict(self, "settled", "readings", "agreeing", "first_seen_s", "last_seen_s"),
            "first_frame_index": self.first.frame_index,
            "last_frame_index": self.last.frame_index,
            **_columns(self.box),
            **check.to_dict(self, "predicted", "best_frame_index"),
        }

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> TrackedPlate:
        """Inverse of ``to_dict``; the evidence of ``best`` comes back without picture and posteriors."""
        same = ("passage_id", "track_id", "settled", "readings", "agreeing", "predicted", "best_frame_index")
        return cls(
            verdict=Verdict.from_dict(data),
            first=Sighting.from_dict(data["first"]),
            last=Sighting.from_dict(data["last"]),
            box=Box(*data["box"]),
            best=PlateReading.from_dict(data["best"]),
            **{name: data[name] for name in same},
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
        check.tuples(self, active=TrackedPlate, finished=TrackedPlate, joined=tuple)
        if any(len(pair) != 2 for pair in self.joined):
            raise InvalidArgumentError(f"joined is {self.joined!r}, expected are pairs of numbers of passages.")
        joined = tuple((check.whole(old, name="joined"), check.whole(new, name="joined")) for old, new in self.joined)
        check.set_fields(self, joined=joined)
        check.fields(self, timestamp_s=check.number)

    def __repr__(self) -> str:
        active, finished = (tuple(plate.text for plate in plates) for plates in (self.active, self.finished))
        return f"StreamUpdate(timestamp_s={self.timestamp_s:.3f}, active={active}, finished={finished})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return check.to_dict(self)

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


_HEIGHT_PX = 48
_INK = {"read": "#0a8c3c", "uncertain": "#b47a00", "unreadable": "#7a7a7a"}


def plate_html(verdict: Verdict, pixels: BgrImage) -> str:
    """A notebook's line: the crop, if it was kept, text with ``?`` where it is doubtful, country, status and reason."""
    shown = verdict.masked_text if verdict.status == "uncertain" else verdict.text
    percent = f"{math.floor(100 * verdict.confidence)}%" if verdict.text else None
    words = [word for word in (verdict.text_local, verdict.country, percent) if word is not None]
    reason = "" if verdict.reason is None else f": {verdict.reason.replace('_', ' ')}"
    ink = f"color:{_INK[verdict.status]}"
    return (
        f'<div style="display:flex;align-items:center;gap:1em">{_picture(pixels)}'
        f'<b style="font:bold 1.4em monospace">{html.escape(shown or "-")}</b>'
        f"<span>{html.escape(' '.join(words))}</span>"
        f'<span style="{ink}">{html.escape(verdict.status + reason)}</span></div>'
    )


def _picture(pixels: BgrImage) -> str:
    if not pixels.size:
        return ""
    import cv2

    encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))[1]
    data = base64.b64encode(encoded.tobytes()).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" style="height:{_HEIGHT_PX}px" alt=""/>'
