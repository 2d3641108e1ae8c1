"""What ``platereader watch`` reports: that a plate has settled, that it has gone, each once for a passage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from platereader.results import Status, StreamUpdate, TrackedPlate

SCHEMA = 2
"""Version of the lines of ``--json``; grows when a field changes its meaning or goes."""

_ALIKE_FRAMES = 3

End: TypeAlias = Literal["ended", "stopped", "failed"]
"""Why there are no more frames: the source has no more, the user stopped, or the source was lost or damaged."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first line: what is watched.

    Attributes:
        source: name without passwords.
        live: whether times count from ``started_at``, and not from the start of a video.
        started_at: when watching began.
        fps: as the source says; None when it does not.
        frame_count: about; None for a camera.
        version: of the package.
    """

    source: str
    live: bool
    started_at: datetime
    fps: float | None
    frame_count: int | None
    version: str

    def at(self, timestamp_s: float) -> datetime | None:
        """The time of day of a frame; None for a video."""
        return self.started_at + timedelta(seconds=timestamp_s) if self.live else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, with the ``schema`` that all lines follow."""
        return {
            "event": "started",
            "schema": SCHEMA,
            "version": self.version,
            "source": self.source,
            "live": self.live,
            "started_at": self.started_at.isoformat(timespec="milliseconds"),
            "fps": self.fps,
            "frame_count": self.frame_count,
        }


@dataclass(frozen=True, slots=True)
class PlateEvent:
    """Something final about one passage.

    Attributes:
        kind: ``settled`` when further frames are not expected to change the text, ``finished`` when it has gone.
        timestamp_s: of the frame that brought it, seconds.
        plate: what is known of it.
        crop: file with the picture of the best reading; None without ``--save-crops``, or while it is in view.
    """

    kind: Literal["settled", "finished"]
    timestamp_s: float
    plate: TrackedPlate
    crop: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "event": self.kind,
            "timestamp_s": float(self.timestamp_s),
            "plate": self.plate.to_dict(),
            "crop": None if self.crop is None else str(self.crop),
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """The last line: what there was in all.

    Attributes:
        why: there are no more frames.
        frames: that were looked at.
        dropped: that came and were not looked at.
        passages: that finished and were reported.
        left_out: that finished and were not reported: what was read differed from frame to frame.
    """

    why: End
    frames: int
    dropped: int
    passages: int
    left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "event": "ended",
            "why": self.why,
            "frames": self.frames,
            "dropped": self.dropped,
            "passages": self.passages,
            "left_out": self.left_out,
        }


class Passages:
    """Turns updates into events.

    Args:
        save_crop: called once for each reported plate that has finished; returns where its picture is.
        everything: report all passages, also those that ``is_reported`` leaves out.
    """

    def __init__(self, save_crop: Callable[[TrackedPlate], Path | None], *, everything: bool = False) -> None:
        self.left_out: int = 0
        self._save_crop = save_crop
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
        for plate in (*update.active, *update.finished):
            if plate.settled and plate.passage_id not in self._settled:
                self._settled.add(plate.passage_id)
                yield PlateEvent("settled", update.timestamp_s, plate)
        for plate in update.finished:
            self._settled.discard(plate.passage_id)  # ids are not used again: memory stays bounded
            if self._everything or is_reported(plate):
                self._statuses[plate.status] += 1
                yield PlateEvent("finished", update.timestamp_s, plate, self._save_crop(plate))
            else:
                self.left_out += 1


def is_reported(plate: TrackedPlate) -> bool:
    """Whether a passage is reported by default: it is ``read``, or read alike in three frames or in all of fewer.

    The rest are mostly pieces of plates, advertisements and grilles, which read differently in every frame.
    """
    if plate.text is None:
        return False
    alike = plate.agreeing >= _ALIKE_FRAMES or plate.agreeing == plate.readings
    return plate.settled or plate.status == "read" or alike
