"""Frames of a video file, at growing times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.errors import CaptureError
from platereader.media._source import DEFAULT_FPS, TimedFrame

if TYPE_CHECKING:
    from platereader.media._video_readers import VideoReader

_CLOCK_JUMP_S = 1.0  # a clock that goes back by more was set anew


class VideoFile:
    """A video file: every frame, in order. See ``FrameSource``.

    Args:
        fps: gives the times instead of the file's own; for files whose own are wrong.
        path: of a file on this machine, whose sound has the same times; None for none.

    Attributes:
        start_s: the time in the file of the first frame, once it has come.
        last_duration_s: how long the latest frame is shown; None where the file does not say.
    """

    live: bool = False
    dropped: int = 0

    def __init__(self, reader: VideoReader, *, name: str, fps: float | None = None, path: Path | None = None) -> None:
        self._reader = reader
        self._forced_fps = fps
        self.name = name
        self.path = path
        self.start_s: float = 0.0
        self.last_duration_s: float | None = None
        self.fps: float | None = fps or reader.fps
        self.frame_count: int | None = reader.frame_count
        self.stopped: bool = False

    def __iter__(self) -> Iterator[TimedFrame]:
        """All frames with the seconds of the container, from 0.

        Where those do not grow, a frame comes half of one frame's time after the one before, and the next a whole one
        after that; where the clock was set back, it comes a whole one after it, and so do all that follow.

        Raises:
            CaptureError: no frame can be decoded, the file breaks off or is damaged; after all frames that there are.
        """
        clock = GrowingClock(1 / (self.fps or DEFAULT_FPS))
        count = 0
        for frame in self._reader.frames():
            if self.stopped:
                return
            if not count:
                self.start_s = frame.stamp_s or 0.0
            if self._forced_fps is not None:
                timestamp_s = count / self._forced_fps
            else:
                timestamp_s = clock.time_of(frame.stamp_s, frame.duration_s)
                self.last_duration_s = frame.duration_s
            count += 1
            yield timestamp_s, frame.pixels
        if not count:
            raise CaptureError(f"{self.name!r} has no frame that can be decoded: convert it, or copy it again.")
        if (problem := self._reader.problem()) is not None:
            raise CaptureError(f"{self.name!r} {problem}; what was seen is reported.")

    def stop(self) -> None:
        """Give no more frames."""
        self.stopped = True

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class GrowingClock:
    """Turns the stamps of a stream into seconds from its first one that grow strictly."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._origin_s: float | None = None
        self._last_s = 0.0
        self._stands = False

    def time_of(self, stamp_s: float | None, duration_s: float | None) -> float:
        """The time of the next frame, from what the stream says of it."""
        expected_s = self._last_s + self._step_s
        if self._origin_s is None:
            self._origin_s, time_s = stamp_s or 0.0, 0.0
        elif stamp_s is None:
            time_s = expected_s
        elif stamp_s - self._origin_s < self._last_s - _CLOCK_JUMP_S:
            self._origin_s, time_s = stamp_s - expected_s, expected_s
        else:
            time_s = stamp_s - self._origin_s
            if stands := time_s <= self._last_s:
                # Half a step leaves room to catch up where one stamp stands twice.
                time_s = expected_s if self._stands else self._last_s + self._step_s / 2
            self._stands = stands
        self._last_s = time_s
        self._step_s = duration_s or self._step_s
        return time_s
