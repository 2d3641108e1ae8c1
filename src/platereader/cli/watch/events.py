"""What ``platereader watch`` reports: that a plate has settled, that it has gone, each once for a passage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import platereader
from platereader.plates import schemes_of
from platereader.results import Status, StreamUpdate, TrackedPlate

if TYPE_CHECKING:
    from platereader.media._source import FrameSource

SCHEMA = 2
"""Version of the lines of ``--json``; grows when a field changes its meaning or goes."""

_ALIKE_FRAMES = 3

_PIECE_CONFIDENCE = 0.01
"""Less is next to no confidence: of texts in one or two frames below it hardly any is even nearly right."""

End: TypeAlias = Literal["ended", "stopped", "failed"]
"""Why there are no more frames: the source has no more, the user stopped, or the source was lost or damaged."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first line of a source: what is watched.

    Attributes:
        source: name without passwords.
        first_frame_at: the time of day from which times count; None for a video where it is unknown.
        frame_count: about; None for a camera.
    """

    source: str
    live: bool
    started_at: datetime
    first_frame_at: datetime | None
    fps: float | None
    frame_count: int | None
    version: str

    @classmethod
    def of(cls, source: FrameSource, start: datetime | None) -> Started:
        """Of a source that begins now; ``start`` is the time of day of a video's first frame."""
        now = datetime.now().astimezone()
        at = now if source.live else start
        return cls(source.name, source.live, now, at, source.fps, source.frame_count, platereader.__version__)

    def at(self, timestamp_s: float) -> datetime | None:
        """The time of day of a frame; None where it is unknown."""
        return later(self.first_frame_at, timestamp_s)

    def iso_at(self, timestamp_s: float) -> str | None:
        """The same, as ISO 8601 with milliseconds and the zone."""
        at = self.at(timestamp_s)
        return None if at is None else at.isoformat(timespec="milliseconds")

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, with the ``schema`` that all lines follow."""
        times = {"started_at": self.started_at.isoformat(timespec="milliseconds"), "first_frame_at": self.iso_at(0.0)}
        return {"event": "started", "schema": SCHEMA, "version": self.version, **asdict(self), **times}


@dataclass(frozen=True, slots=True)
class PlateEvent:
    """Something final about one passage.

    Attributes:
        kind: ``settled`` when further frames are not expected to change the text, ``finished`` when it has gone.
        timestamp_s: of the frame that brought it, seconds.
        crop: file with the picture of the best reading; None without ``--save-crops``, or while it is in view.
    """

    kind: Literal["settled", "finished"]
    timestamp_s: float
    plate: TrackedPlate
    started: Started
    crop: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "event": self.kind,
            "source": self.started.source,
            "timestamp_s": float(self.timestamp_s),
            "at": self.started.iso_at(self.timestamp_s),
            "first_seen_at": self.started.iso_at(self.plate.first_seen_s),
            "last_seen_at": self.started.iso_at(self.plate.last_seen_s),
            "plate": self.plate.to_dict(),
            "crop": None if self.crop is None else str(self.crop),
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """The last line of a source: what there was in all.

    Attributes:
        dropped: frames that came and were not looked at.
        passages: that finished and were reported.
        left_out: that finished and were not reported: pieces, and what was read differently from frame to frame.
    """

    source: str
    why: End
    frames: int
    dropped: int
    passages: int
    left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"event": "ended", **asdict(self)}


class Passages:
    """Turns updates of one source into events.

    Args:
        save_crop: called once for each reported plate that has finished; returns where its picture is, if anywhere.
        everything: report all passages, also those that ``is_reported`` leaves out.
    """

    def __init__(
        self, save_crop: Callable[[TrackedPlate], Path | None], *, started: Started, everything: bool = False
    ) -> None:
        self.left_out: int = 0
        self._save_crop = save_crop
        self._started = started
        self._everything = everything
        self._settled: set[int] = set()
        self._statuses: Counter[Status] = Counter()

    @property
    def finished(self) -> int:
        """How many have finished so far and were reported."""
        return self._statuses.total()

    def counts(self) -> str:
        """How many have finished with which status, and how many were left out: numbers only."""
        statuses: tuple[Status, ...] = ("read", "uncertain", "unreadable")
        told = f"{self.finished} ({', '.join(f'{self._statuses[status]} {status}' for status in statuses)})"
        more = f"; {self.left_out} more, read differently from frame to frame or not at all: --all shows them"
        return told + more if self.left_out else told

    def events_of(self, update: StreamUpdate) -> Iterator[PlateEvent]:
        """Settled plates first; one that is settled only as it goes is reported as both."""
        self._settled.difference_update(old for old, _ in update.joined)
        for plate in (*update.active, *update.finished):
            if plate.settled and plate.passage_id not in self._settled:
                self._settled.add(plate.passage_id)
                yield PlateEvent("settled", update.timestamp_s, plate, self._started)
        for plate in update.finished:
            self._settled.discard(plate.passage_id)  # ids are not used again: memory stays bounded
            if is_reported(plate, everything=self._everything):
                self._statuses[plate.status] += 1
                yield PlateEvent("finished", update.timestamp_s, plate, self._started, self._save_crop(plate))
            else:
                self.left_out += 1


def later(time: datetime | None, seconds: float) -> datetime | None:
    """The time so many seconds later; None where it is unknown, or after the last year that there is."""
    try:
        return None if time is None else time + timedelta(seconds=seconds)
    except OverflowError:
        return None


def is_reported(plate: TrackedPlate, *, everything: bool = False) -> bool:
    """Whether a passage is reported: it was ``read``, or is no piece and reads alike in three frames or all of fewer.

    The rest are mostly pieces of plates, advertisements and grilles, which read differently in every frame.
    """
    if everything or plate.text is None:
        return everything
    if plate.settled or "read" in (plate.status, plate.best.status):
        return True
    alike = plate.agreeing >= _ALIKE_FRAMES or plate.agreeing == plate.readings
    return alike and not _is_piece(plate.text, plate)


def _is_piece(text: str, plate: TrackedPlate) -> bool:
    """Whether it is shorter than every plate of every country, or has next to no confidence in one or two frames."""
    doubtful = plate.readings < _ALIKE_FRAMES and plate.confidence < _PIECE_CONFIDENCE
    return doubtful or len(text) < _shortest_plate()


@cache
def _shortest_plate() -> int:
    """Characters of the shortest plate that there is a format for."""
    return min(min(form.lengths) for scheme in schemes_of("all").members for form in scheme.formats)
