"""From the packets of a video to its frames: upright, without interlacing, of square pixels, in BGR."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from platereader._arrays import BgrImage

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.filter import Graph
    from av.packet import Packet
    from av.video.stream import VideoStream

OPEN_TIMEOUT_S = 10.0
"""How long a network camera may take to answer."""

READ_TIMEOUT_S = 10.0
"""How long a network camera may be silent before it counts as lost."""

_THREADS = 2
_MAX_FPS = 1000.0  # some streams report the ticks of their clock instead
_SQUARE = (0.98, 1.02)  # width of a pixel in heights of it; what is outside of the other bounds is a mistake
_POSSIBLE = (0.25, 4.0)
_DEINTERLACED_PX = 3  # the shortest side that FFmpeg's filter takes


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """One frame of a video."""

    stamp_s: float | None  # the time that the file gives it, of any origin; None where it gives none
    duration_s: float | None  # how long it is shown; None where the file does not say
    pixels: BgrImage


def open_file(path: Path) -> InputContainer:
    """Open a video file, and no other file or address that it may refer to."""
    import av

    # The prefix keeps a name such as `http:x` from being an address, the pattern type one such as `%d.png` from being
    # many files. A clock that goes back is not taken for one that ran over.
    options = {"protocol_whitelist": "file", "pattern_type": "none", "correct_ts_overflow": "0"}
    return av.open(f"file:{path}", "r", options=options, metadata_errors="replace")


def open_address(address: str) -> InputContainer:
    """Open a network camera or a video on a server; the text of an ``FFmpegError`` may hold the password."""
    import av

    timeouts_s = (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
    return av.open(address, "r", options={"rtsp_transport": "tcp"}, metadata_errors="replace", timeout=timeouts_s)


def video_stream(container: InputContainer) -> VideoStream | None:
    """The stream of frames that FFmpeg takes for the main one; None when there is none, or none that can be decoded."""
    best = container.streams.best("video")
    # Without a decoder there is no context, whatever the annotations say.
    if best is None or cast(Any, best.codec_context) is None:
        return None
    return cast("VideoStream", best)


def reported_fps(stream: VideoStream) -> float | None:
    """Frames per second on average, as a stream reports them; None where the number is impossible."""
    rate = float(stream.average_rate or 0)
    return rate if 0 < rate < _MAX_FPS else None


def until_error(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Packets up to the first error of FFmpeg."""
    from av.error import FFmpegError

    with suppress(FFmpegError):
        yield from packets


class FrameDecoder:
    """Decodes the packets of one stream; ``damaged`` counts packets and frames that could not be, and are left out."""

    def __init__(self, stream: VideoStream) -> None:
        from av.video.reformatter import VideoReformatter

        # With one thread, or threads within a frame, FFmpeg 8 does not mark damaged frames of H.264.
        stream.codec_context.thread_count = _THREADS
        stream.codec_context.thread_type = "AUTO"
        self.damaged: int = 0
        self._stream = stream
        # In a transport stream a packet before a joint is marked, too, and is often whole.
        self._marks_joints = stream.container.format.name == "mpegts"
        self._reformatter = VideoReformatter()
        self._deinterlacer: _Deinterlacer | None = None

    def frames_of(self, packet: Packet[Any]) -> Iterator[DecodedFrame]:
        """The frames that one more packet completes."""
        if packet.is_corrupt and not self._marks_joints:
            self.damaged += 1  # half of it is missing
        elif packet.size:  # the decoder would take an empty one for the end
            yield from self._decode(packet)

    def flush(self) -> Iterator[DecodedFrame]:
        """The frames that are left after the last packet."""
        yield from self._decode(None)
        if self._deinterlacer is not None:
            yield from map(self._finished, self._deinterlacer.add(None))

    def _decode(self, packet: Packet[Any] | None) -> Iterator[DecodedFrame]:
        from av.error import FFmpegError

        try:
            frames = self._stream.codec_context.decode(packet)
        except FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            if frame.is_corrupt:
                self.damaged += 1
                continue
            try:
                finished = [self._finished(progressive) for progressive in self._progressive(frame)]
            except FFmpegError:
                self.damaged += 1
                continue
            yield from finished

    def _progressive(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """The frame, or those that the deinterlacer gives for it; it looks one frame ahead."""
        layout = (frame.width, frame.height, frame.format.name)
        if self._deinterlacer is not None and self._deinterlacer.layout != layout:
            yield from self._deinterlacer.add(None)
            self._deinterlacer = None
        if self._deinterlacer is None and frame.interlaced_frame and min(layout[:2]) >= _DEINTERLACED_PX:
            self._deinterlacer = _Deinterlacer(frame, self._stream)
        if self._deinterlacer is None:
            yield frame
        else:
            yield from self._deinterlacer.add(frame)

    def _finished(self, frame: VideoFrame) -> DecodedFrame:
        base = float(frame.time_base or self._stream.time_base or 0)
        width, height = square_size(frame.width, frame.height, float(self._stream.sample_aspect_ratio or 1))
        converted = self._reformatter.reformat(frame, width, height, format="bgr24", threads=1)
        pixels = upright(cast(BgrImage, converted.to_ndarray()), _display_matrix(frame))
        stamp_s = None if frame.pts is None else frame.pts * base
        return DecodedFrame(stamp_s, frame.duration * base or None, pixels)


def square_size(width: int, height: int, pixel_aspect: float) -> tuple[int, int]:
    """Width and height at which pixels that are ``pixel_aspect`` times as wide as tall are square; none is lost."""
    if _SQUARE[0] <= pixel_aspect <= _SQUARE[1] or not _POSSIBLE[0] <= pixel_aspect <= _POSSIBLE[1]:
        return width, height
    return (round(width * pixel_aspect), height) if pixel_aspect > 1 else (width, round(height / pixel_aspect))


class _Deinterlacer:
    """Makes one progressive frame of each interlaced one; frames that are not interlaced pass unchanged."""

    def __init__(self, first: VideoFrame, stream: VideoStream) -> None:
        from av.filter import Graph

        self.layout = (first.width, first.height, first.format.name)
        self._graph: Graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=stream.time_base
        )
        bwdif = self._graph.add("bwdif", "mode=send_frame:deint=interlaced")
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink"))
        self._graph.configure()

    def add(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """The frames that one more completes, or None, the end."""
        self._graph.vpush(frame)
        with suppress(BlockingIOError, EOFError):  # FFmpeg's errors of these kinds are also the built-in ones
            while True:
                yield self._graph.vpull()


def _display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """How ``(x, y)`` of the frame lies on the screen: a, b, c, d of ``(a x + c y, b x + d y)``; at least the signs."""
    from av.sidedata.sidedata import Type

    data = cast(Any, frame.side_data).get(Type.DISPLAYMATRIX)  # the annotations know no keys
    if data is None:
        return (1, 0, 0, 1)
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    return (a, b, c, d)


def upright(pixels: BgrImage, matrix: tuple[int, int, int, int]) -> BgrImage:
    """Turn and mirror a frame to the nearest right angle, as a matrix a, b, c, d of ``_display_matrix`` says."""
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, (a, d) = pixels.transpose(1, 0, 2), (c, b)
    pixels = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(pixels)
