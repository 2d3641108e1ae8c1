"""Real videos with a list of what drives through them: each plate has to be answered once, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from platereader.errors import CaptureError, DatasetError, MediaFileError
from platereader.media import open_source
from platereader.media._source import TimedFrame
from platereader.pipeline import Pipeline
from platereader.results import TrackedPlate


@dataclass(frozen=True, slots=True)
class RealVideo:
    """A video, and the texts of the plates that pass in it; None where they are not listed."""

    path: Path
    plates: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class VideoOutcome:
    """The result on a real video: the finished tracks of status ``read`` as texts, and how many there were of any.

    ``plates`` pass in it; None where they are not listed. ``frames_per_s`` leaves out the decoding.
    """

    file: str
    plates: tuple[str, ...] | None
    read: tuple[str, ...]
    tracks: int
    frames: int
    frames_per_s: float

    @property
    def right(self) -> bool | None:
        """Whether every plate was read exactly once and nothing else was; None where the plates are not known."""
        return None if self.plates is None else Counter(self.read) == Counter(self.plates)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "right": self.right}


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
    finished: list[TrackedPlate] = []
    seconds, frames = 0.0, 0
    for timestamp_s, pixels in _frames(video.path):
        start = perf_counter()
        finished += stream.update(pixels, timestamp_s).finished
        seconds += perf_counter() - start
        frames += 1
    finished += stream.finish().finished
    read = tuple(plate.text for plate in finished if plate.status == "read" and plate.text is not None)
    speed = frames / seconds if seconds else 0.0
    return VideoOutcome(video.path.name, video.plates, read, len(finished), frames, speed)


def _plates(listed: Any) -> tuple[str, ...] | None:
    return None if listed is None else tuple(map(str, listed))


def _frames(path: Path) -> Iterator[TimedFrame]:
    """All frames of a video, with their seconds."""
    try:
        with closing(open_source(path)) as video:
            yield from video
    except CaptureError as error:
        raise MediaFileError(str(error)) from error
