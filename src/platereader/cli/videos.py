"""Videos that are written: H.264 that plays everywhere, at the times of its source, with its sound."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader._files import MADE_HERE, InputFiles, make_folder, new_file
from platereader.cli.saving import check_made_here
from platereader.cli.sound import LONGEST_GAP_S, SoundCopy
from platereader.cli.sources import WRITTEN_FORMATS
from platereader.errors import FileError
from platereader.media._decoding import open_file, until_error, video_stream
from platereader.media._source import DEFAULT_FPS, FrameSource
from platereader.media._video_file import VideoFile

DEFAULT_QUALITY = 23
"""Of written videos, as x264 counts (crf): 0 loses nothing, each 6 more halve the size, 51 is the worst."""

MAX_GROWTH = 1.3
"""How many times the bits of its source a video has at most, but for one second's, where no quality is given."""

_THREADS = 2
_TIME_BASE = Fraction(1, 90_000)
_MAX_FPS = 1000.0
_SHORTEST_TICKS = 45  # half a frame at that rate; at the ends of an MP4 file shorter ones are not found again
_REORDERED = 6  # frames over which x264 changes the order: all within the longest gap
_BT_709 = 1  # FFmpeg's number of the colours of HD video, in all of their parts
_VIDEO_RANGE = 1  # black is 16
_ROUNDING_S = 0.002  # Matroska has milliseconds
_MOST_BITS = 2**31 - 1  # that FFmpeg takes
_LIMITED_S = 5.0  # x264 starves a frame that is shown for longer when its bits are limited


def has_comment(path: Path, comment: str) -> bool:
    """Whether a video has these words among its metadata; a file that is no video has not."""
    try:
        with open_file(path) as container:
            return comment in container.metadata.values()  # Matroska has their names in capitals
    except FFmpegError:
        return False


@dataclass(slots=True, eq=False)
class VideoWriter:
    """Writes a video beside its final place and moves it there when it is whole; use it in a ``with`` statement.

    Args:
        path: of the new video, ending as one of ``WRITTEN_FORMATS``; made with the first frame.
        source: whose frames are written. Of a video file the sound is copied, too, where the new file can hold it.
        quality: as ``DEFAULT_QUALITY``; None takes that, within ``MAX_GROWTH``.
        mute: leave out the sound.
        inputs: files that are not replaced.

    Attributes:
        left_out: what is said of sound that could not be copied; None where there is nothing to say.
    """

    path: Path
    _: KW_ONLY
    source: FrameSource
    quality: int | None = None
    mute: bool = False
    inputs: InputFiles | None = None
    left_out: str | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _encoder: _Encoder | None = None
    _closed: bool = False

    def __enter__(self) -> Self:
        return self

    def write(self, frame: BgrImage, timestamp_s: float) -> None:
        """Add a frame at a time that grows from 0; one of another size than the first is fitted into it, on black.

        Raises:
            FileError: the video cannot be written; nothing of it is kept.
        """
        with self._abandoned_on_error():
            if self._encoder is None:
                self._encoder = self._started(frame)
            self._encoder.add(frame, timestamp_s)

    def finish(self) -> None:
        """Give the video its name; without a frame, and after an error, there is none.

        Raises:
            FileError: it cannot be written, or not be read back; nothing of it is kept.
        """
        if self._encoder is not None and not self._closed:
            with self._abandoned_on_error():
                self._encoder.finish(self.source.last_duration_s if isinstance(self.source, VideoFile) else None)
                self._check_complete(self._encoder)
                self._stack.close()
            self._closed = True

    def abandon(self) -> None:
        """Leave nothing of the video."""
        if not self._closed:
            self._closed = True
            self._stack.__exit__(InterruptedError, InterruptedError("abandoned"), None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        elif not self._closed:
            self._stack.__exit__(kind, error, traceback)

    def _started(self, frame: BgrImage) -> _Encoder:
        check_made_here(self.path)
        make_folder(self.path.parent)
        part = self._stack.enter_context(new_file(self.path, inputs=self.inputs))
        options = _options(self.source, self.quality)
        encoder = _Encoder(part, frame, fps=self.source.fps or DEFAULT_FPS, options=options)
        self._stack.callback(encoder.close)
        if not self.mute and isinstance(self.source, VideoFile) and self.source.path is not None:
            sound = SoundCopy(self.source.path, encoder.container, start_s=self.source.start_s)
            self._stack.callback(sound.close)
            encoder.sound = sound
            if sound.left_out:
                names = ", ".join(sound.left_out)
                self.left_out = f"its sound ({names}) does not go into {self.path.suffix} and is left out: try .mov"
        return encoder

    @contextmanager
    def _abandoned_on_error(self) -> Generator[None]:
        """Remove what was written when anything goes wrong, and say which file an error of FFmpeg is about."""
        try:
            yield
        except BaseException as error:
            self._closed = True
            self._stack.__exit__(type(error), error, error.__traceback__)
            if isinstance(error, FFmpegError):
                raise FileError(
                    f"cannot write the video {str(self.path)!r} ({error.strerror}); nothing of it was kept: name "
                    "another file, or make room."
                ) from error
            raise

    def _check_complete(self, encoder: _Encoder) -> None:
        """Count the frames that can be read back, and decode the last ones."""
        count, last_s = 0, -1.0
        try:
            with open_file(encoder.part) as container:
                stream = container.streams.video[0]
                base = stream.time_base or _TIME_BASE
                count = sum(packet.size > 0 for packet in container.demux(stream))
                container.seek(round(encoder.last_s / base), stream=stream)
                for frame in container.decode(stream):
                    last_s = float((frame.pts or 0) * base)
        except (FFmpegError, IndexError):
            pass  # what could be read is compared
        if count != encoder.written or abs(last_s - encoder.last_s) > _ROUNDING_S:
            raise FileError(
                f"cannot write the video {str(self.path)!r}: {count} of its {encoder.written} frames can be read back; "
                "nothing of it was kept: is the disk full?"
            )


class _Encoder:
    """Encodes frames into a file.

    Args:
        first: its size is that of the video.
        fps: about: frames have times of their own.
    """

    def __init__(self, part: Path, first: BgrImage, *, fps: float, options: dict[str, str]) -> None:
        self.part = part
        self.sound: SoundCopy | None = None
        self.written: int = 0
        self._size = (first.shape[1], first.shape[0])
        self._step = _ticks(1 / fps)
        self._waiting: Any = None
        self._left_out = 0  # of the time of the frames
        self._delay: int | None = None
        kind = WRITTEN_FORMATS[part.suffix.lower()]
        index_first = {} if kind == "matroska" else {"movflags": "+faststart"}
        self.container: OutputContainer = av.open(f"file:{part}", "w", format=kind, options=index_first)
        self.container.metadata["comment"] = MADE_HERE
        rate = Fraction(min(fps, _MAX_FPS)).limit_denominator(1001)
        self._stream: VideoStream = self.container.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height = (length + length % 2 for length in self._size)
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = _TIME_BASE
        context.thread_count = _THREADS
        context.flags |= Flags.frame_duration
        context.colorspace = context.color_primaries = context.color_trc = _BT_709
        context.color_range = _VIDEO_RANGE

    @property
    def last_s(self) -> float:
        return float(self._waiting.pts * _TIME_BASE)

    def add(self, frame: BgrImage, timestamp_s: float) -> None:
        """Encode a frame; the last one waits, as its length is only known when the next one comes."""
        tick = round(timestamp_s / _TIME_BASE) - self._left_out
        if self._waiting is not None:
            if tick - self._waiting.pts > LONGEST_GAP_S / _TIME_BASE:
                self._left_out += tick - self._waiting.pts - self._step
                tick = self._waiting.pts + self._step
            tick = max(tick, self._waiting.pts + _SHORTEST_TICKS)
            self._step = tick - self._waiting.pts
            self._encode_waiting()
        converted = av.VideoFrame.from_ndarray(_even(_fitted(frame, self._size)), format="bgr24").reformat(
            format="yuv420p", dst_colorspace=_BT_709, dst_color_range=_VIDEO_RANGE, threads=1
        )
        converted.pts, converted.time_base = tick, _TIME_BASE
        self._waiting = converted
        self.written += 1

    def finish(self, last_duration_s: float | None) -> None:
        """Write what is left, and the index; the last frame is shown as long as the one before where None is given."""
        if last_duration_s is not None:
            self._step = _ticks(last_duration_s)
        self._encode_waiting()
        self._mux(self._stream.encode(), last=True)
        if self.sound is not None:
            self.sound.copy_until(self.last_s + float(self._step * _TIME_BASE))
        self.container.close()

    def close(self) -> None:
        """Close the file; one that is not finished is given up."""
        with suppress(FFmpegError):
            self.container.close()

    def _encode_waiting(self) -> None:
        self._waiting.duration = self._step
        self._mux(self._stream.encode(self._waiting))
        if self.sound is not None:
            self.sound.copy_until(self.last_s)

    def _mux(self, packets: Any, *, last: bool = False) -> None:
        for packet in packets:
            if self._delay is None:
                self._delay = packet.pts - packet.dts
        if last and self.container.format.name != "matroska":
            # The file adds up lengths in the order of decoding. Where frames come unevenly, the last one in that order
            # makes up for those that were decoded early, or players end before them.
            needed = self._waiting.pts + self._step - packets[-1].dts
            if needed > (packets[-1].duration or 0) + (self._delay or 0):
                packets[-1].duration = needed
        self.container.mux(packets)


def _ticks(duration_s: float) -> int:
    """How long a frame is shown, in ``_TIME_BASE``: for some time, and no longer than a file can hold."""
    return max(_SHORTEST_TICKS, round(min(duration_s, LONGEST_GAP_S) / _TIME_BASE))


def _options(source: FrameSource, quality: int | None) -> dict[str, str]:
    """How x264 encodes the frames of a source."""
    options = {"preset": "faster", "crf": str(DEFAULT_QUALITY if quality is None else quality)}
    packets = _packets_of(source)
    if quality is None and (limit := _bits_per_s(packets)) is not None:
        rate = str(min(_MOST_BITS, round(MAX_GROWTH * limit)))
        options |= {"maxrate": rate, "bufsize": rate}
    decoded_s = [packet.decoded_s for packet in packets if packet.decoded_s is not None]
    steps_s = [after - before for before, after in pairwise(decoded_s)]
    if max(steps_s, default=1 / (source.fps or DEFAULT_FPS)) * _REORDERED > LONGEST_GAP_S:
        options["bf"] = "0"
    return options


class _Packet(NamedTuple):
    """One frame of a video as it is stored: when it is shown and decoded, and how long it is, in bytes."""

    shown_s: float | None
    decoded_s: float | None
    size: int


def _packets_of(source: FrameSource) -> list[_Packet]:
    """The frames of a video file on this machine, in the order of decoding; none of other sources."""
    if not isinstance(source, VideoFile) or source.path is None:
        return []
    with open_file(source.path) as container:
        stream = video_stream(container)
        if stream is None:
            return []

        def seconds(stamp: int | None) -> float | None:
            return None if stamp is None else float(stamp * (stream.time_base or 0))

        packets = until_error(container.demux(stream))
        return [_Packet(seconds(one.pts), seconds(one.dts), one.size) for one in packets if one.size]


def _bits_per_s(packets: Sequence[_Packet]) -> float | None:
    """Of a video, while its frames come; None where there is no limit."""
    # Lengths and rates that are stated mean nothing where there are gaps in the time.
    shown_s = sorted({packet.shown_s for packet in packets if packet.shown_s is not None})
    steps_s = [after - before for before, after in pairwise(shown_s)]
    if not steps_s or max(steps_s) > _LIMITED_S:
        return None
    return 8 * sum(packet.size for packet in packets) / len(packets) / median(steps_s)


def _even(frame: BgrImage) -> BgrImage:
    """The frame with its last column and row doubled where their number is odd, as H.264 has pixels in pairs."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


def _fitted(frame: BgrImage, size: tuple[int, int]) -> BgrImage:
    """The whole frame inside ``size`` (width, height), in its own proportions."""
    width, height = size
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inside = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inside[0]) // 2, (height - inside[1]) // 2
    canvas[top : top + inside[1], left : left + inside[0]] = cv2.resize(frame, inside, interpolation=cv2.INTER_AREA)
    return canvas
