"""Frames of a video file, at growing times: FFmpeg reads it, and Pillow what FFmpeg cannot decode."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from platereader._arrays import MAX_SIDE_PX
from platereader.errors import CaptureError
from platereader.media._cut_off import is_cut_off
from platereader.media._decoding import DecodedFrame, FrameDecoder, reported_fps
from platereader.media._images import DECODER_ERRORS
from platereader.media._source import DEFAULT_FPS, ClosedAtExit, TimedFrame

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream


# Containers whose header states the length, rather than FFmpeg's estimate from the size of the file.
_STATING_LENGTH = ("matroska", "avi", "asf", "flv")
_COMPLETE_SHARE = 0.98  # they round it, and count frames that were dropped


class ContainerReader:
    """Reads a video with FFmpeg: a file of this machine, or without a path one on a server."""

    def __init__(self, container: InputContainer, stream: VideoStream, *, path: Path | None = None) -> None:
        self._path = path
        self._container = container
        self._stream = stream
        self._decoder = FrameDecoder(stream)
        self._packets = 0
        self._end_s = -math.inf
        self._broken = False
        self.fps: float | None = reported_fps(stream)
        duration_s = self._duration_s()
        # Matroska states when it ends, and may begin late.
        late_s = (container.start_time or 0) / 1e6 if container.format.name.startswith("matroska") else 0.0
        estimate = None if duration_s is None or self.fps is None else round((duration_s - late_s) * self.fps)
        self.frame_count: int | None = stream.frames or estimate or None
        # Only MP4 lists all of its frames before the first.
        self._listed = len(stream.index_entries) if "mp4" in container.format.name else 0

    def frames(self) -> Iterator[DecodedFrame]:
        """All frames that can be decoded, in order."""
        # AVI has stamps in the order of decoding, and frames come out in the order of time.
        reordered = self._container.format.name == "avi" and self._stream.codec_context.has_b_frames
        stamps: list[float] = []  # those that no frame has had

        def restamped(frame: DecodedFrame) -> DecodedFrame:
            return replace(frame, stamp_s=heapq.heappop(stamps) if stamps else None) if reordered else frame

        for packet in self._demuxed():
            if reordered and packet.size and packet.dts is not None:
                heapq.heappush(stamps, float(packet.dts * packet.time_base))
            yield from map(restamped, self._decoder.frames_of(packet))
        yield from map(restamped, self._decoder.flush())

    def problem(self) -> str | None:
        """What was missing or damaged, after ``frames`` has ended; None when nothing was."""
        if (missing := self._missing()) is not None:
            return f"broke off after {missing}: it is damaged or cut off"
        if self._decoder.damaged:
            return f"is damaged: {self._decoder.damaged} of its frames could not be decoded and were left out"
        return None

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _demuxed(self) -> Iterator[Packet[Any]]:
        """The packets of the video; those of its sound are only looked at for their times."""
        from av.error import FFmpegError

        try:
            for packet in self._container.demux():
                start = packet.dts if packet.pts is None else packet.pts
                if start is not None and packet.stream.type in {"video", "audio"}:
                    self._end_s = max(self._end_s, float((start + (packet.duration or 0)) * packet.time_base))
                if packet.stream.index == self._stream.index and (packet.size or start is not None):
                    self._packets += 1
                    yield packet
        except FFmpegError:
            self._broken = True

    def _duration_s(self) -> float | None:
        """The length that the container states, or FFmpeg estimates."""
        duration = self._container.duration  # in microseconds
        return None if duration is None or duration <= 0 else duration / 1e6

    def _missing(self) -> str | None:
        """How far the file goes when it is shorter than it says; None when it is whole."""
        listed = self._listed
        states_length = self._container.format.name.startswith(_STATING_LENGTH)
        if states_length and self._stream.frames:
            listed = math.floor(_COMPLETE_SHARE * self._stream.frames - 1)
        cut_off = self._path is not None and is_cut_off(self._path, self._container.format.name)
        if self._broken or cut_off or self._packets < listed:
            total = "" if self.frame_count is None else f" of about {self.frame_count}"
            return f"{self._packets - self._decoder.damaged}{total} frames"
        duration_s = self._duration_s()
        step_s = 1 / (self.fps or DEFAULT_FPS)
        if states_length and duration_s is not None and self._end_s < _COMPLETE_SHARE * duration_s - step_s:
            return f"{self._end_s:.1f} of {duration_s:.1f} s"
        return None


class AnimationReader:
    """Reads an animated WebP with Pillow, as FFmpeg cannot; ``OSError`` where it is no picture."""

    def __init__(self, path: Path) -> None:
        from PIL import Image

        try:
            self._image = Image.open(path)
            self.frame_count: int | None = getattr(self._image, "n_frames", 1)
        except (*DECODER_ERRORS, EOFError) as error:
            raise OSError(str(error) or type(error).__name__) from error
        self.fps: float | None = None
        self._problem: str | None = None

    def frames(self) -> Iterator[DecodedFrame]:
        """All frames, in order."""
        stamp_s = 0.0
        for index in range(self.frame_count or 0):
            try:
                self._image.seek(index)
                pixels = np.asarray(self._image.convert("RGB"))
            except (*DECODER_ERRORS, EOFError):
                self._problem = f"broke off after {index} of {self.frame_count} frames: it is damaged or cut off"
                return
            duration_s = self._image.info.get("duration", 0) / 1000
            yield DecodedFrame(stamp_s, duration_s or None, np.ascontiguousarray(pixels[:, :, ::-1]))
            stamp_s += duration_s

    def problem(self) -> str | None:
        """What was missing, after ``frames`` has ended; None when nothing was."""
        return self._problem

    def close(self) -> None:
        """Close the file."""
        self._image.close()


VideoReader: TypeAlias = ContainerReader | AnimationReader


_CLOCK_JUMP_S = 1.0  # a clock that goes back by more was set anew


class VideoFile(ClosedAtExit):
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
        self._forced_fps = None if fps is None else float(fps)
        self.name = name
        self.path = path
        self.start_s: float = 0.0
        self.last_duration_s: float | None = None
        self.fps: float | None = self._forced_fps or reader.fps
        self.frame_count: int | None = reader.frame_count
        self.stopped: bool = False

    def __iter__(self) -> Iterator[TimedFrame]:
        """All frames with the seconds of the container, from 0; a ``CaptureError`` comes after all that there are.

        Where those do not grow, a frame comes half of one frame's time after the one before, and the next a whole one
        after that; where the clock was set back, it comes a whole one after it, and so do all that follow.
        """
        clock = GrowingClock(1 / (self.fps or DEFAULT_FPS))
        count = too_large = 0
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
            if max(frame.pixels.shape) > MAX_SIDE_PX:
                too_large += 1
                continue
            yield timestamp_s, frame.pixels
        if not count:
            raise CaptureError(f"{self.name!r} has no frame that can be decoded: convert it, or copy it again.")
        if (problem := self._reader.problem()) is not None:
            raise CaptureError(f"{self.name!r} {problem}; what was seen is reported.")
        if too_large:
            raise CaptureError(
                f"{self.name!r} has {too_large} frames of more than {MAX_SIDE_PX} px a side, which were left out: "
                "shrink it, such as with `ffmpeg -i VIDEO -vf scale=3840:-2 video.mp4`."
            )

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
