"""Real videos with a list of what drives through them: each plate has to be answered once, and nothing else."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from platereader.errors import CaptureError, DatasetError, MediaFileError
from platereader.media import open_source
from platereader.media._source import TimedFrame
from platereader.pipeline import Pipeline
from platereader.results import StreamUpdate, TrackedPlate


@dataclass(frozen=True, slots=True)
class RealVideo:
    """A video, and the texts of the plates that pass in it; None where they are not listed."""

    path: Path
    plates: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class VideoOutcome:
    """The result on a real video: the finished tracks of status ``read`` as texts, and how many there were of any.

    Attributes:
        plates: that pass in it; None where they are not listed, and then ``found`` and ``mixed`` say nothing.
        found: of the listed plates those that are the text of a finished track, as often as they are.
        mixed: tracks that had the texts of two listed plates, one after the other.
        outside: boxes that were not wholly in the frame.
        settled_after: of each track of a listed plate that settled, the frames in which it had been read until then.
        frames_per_s: without the decoding.
    """

    file: str
    plates: tuple[str, ...] | None
    read: tuple[str, ...]
    tracks: int
    frames: int
    frames_per_s: float
    found: tuple[str, ...] = ()
    mixed: int = 0
    outside: int = 0
    settled_after: tuple[int, ...] = ()

    @property
    def right(self) -> bool | None:
        """Whether every plate was read exactly once and nothing else was; None where the plates are not known."""
        return None if self.plates is None else Counter(self.read) == Counter(self.plates)

    @property
    def lost(self) -> int:
        """Listed plates that are the text of no track."""
        return (Counter(self.plates or ()) - Counter(self.found)).total()

    @property
    def doubled(self) -> int:
        """Tracks of a listed plate beyond one for each passage."""
        return (Counter(self.found) - Counter(self.plates or ())).total()

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "right": self.right, "lost": self.lost, "doubled": self.doubled}


def load_videos(folder: Path) -> tuple[RealVideo, ...]:
    """The videos that ``labels.json`` lists, if it is there; raises DatasetError if it is broken or one is missing."""
    labels = folder / "labels.json"
    if not labels.is_file():
        return ()
    try:
        rows = cast("dict[str, dict[str, Any]]", json.loads(labels.read_text(encoding="utf-8")))
        videos = tuple(RealVideo(folder / name, _plates(row["plates"])) for name, row in rows.items())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f'{labels} is no list of videos ({error!r}): expected is {{"file.mp4": {{"plates": ["A123BC77"]}}, '
            "with null where the plates are not listed."
        ) from error
    for video in videos:
        if not video.path.is_file():
            raise DatasetError(f"{labels} lists {video.path.name}, which is not there.")
    return videos


def watch_video(pipeline: Pipeline, video: RealVideo) -> VideoOutcome:
    """Follow the plates through a video; raises MediaFileError where it cannot be decoded."""
    stream = pipeline.stream()
    seen = _Seen(frozenset(video.plates or ()))
    seconds, frames = 0.0, 0
    for timestamp_s, pixels in _frames(video.path):
        start = perf_counter()
        update = stream.update(pixels, timestamp_s)
        seconds += perf_counter() - start
        seen.add(update, size=(pixels.shape[1], pixels.shape[0]))
        frames += 1
    seen.finished += stream.finish().finished
    finished, known = seen.finished, [seen.texts[plate.passage_id] for plate in seen.finished]
    found = [plate for plate in finished if plate.text in seen.listed]
    return VideoOutcome(
        file=video.path.name,
        plates=video.plates,
        read=tuple(plate.text for plate in finished if plate.status == "read" and plate.text is not None),
        tracks=len(finished),
        frames=frames,
        frames_per_s=frames / seconds if seconds else 0.0,
        found=tuple(plate.text for plate in found if plate.text is not None),
        mixed=sum(len(texts) > 1 for texts in known),
        outside=seen.outside,
        settled_after=tuple(seen.settled[one.passage_id] for one in found if one.passage_id in seen.settled),
    )


@dataclass(slots=True)
class _Seen:
    """What a stream said of a video so far; by passage the listed texts that it had, and its readings until settled."""

    listed: frozenset[str]
    finished: list[TrackedPlate] = field(default_factory=list[TrackedPlate])
    texts: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    settled: dict[int, int] = field(default_factory=dict[int, int])
    outside: int = 0

    def add(self, update: StreamUpdate, *, size: tuple[int, int]) -> None:
        """Take in an update of a frame of that width and height."""
        self.finished += update.finished
        self.outside += boxes_outside(update, size=size)
        for plate in update.active:
            if plate.text in self.listed:
                self.texts[plate.passage_id].add(plate.text)
            if plate.settled:
                self.settled.setdefault(plate.passage_id, plate.readings)


def boxes_outside(update: StreamUpdate, *, size: tuple[int, int]) -> int:
    """How many boxes of an update are not wholly in its frame of that width and height."""
    return sum(plate.box.clipped(*size) != plate.box for plate in update.active)


def _plates(listed: Any) -> tuple[str, ...] | None:
    return None if listed is None else tuple(map(str, listed))


def _frames(path: Path) -> Iterator[TimedFrame]:
    """All frames of a video, with their seconds."""
    try:
        with closing(open_source(path)) as video:
            yield from video
    except CaptureError as error:
        raise MediaFileError(str(error)) from error
