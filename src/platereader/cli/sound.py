"""The sound of a video, copied into another as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader.media._decoding import open_file, until_error

if TYPE_CHECKING:
    from av.container import OutputContainer

LONGEST_GAP_S = 6 * 3600.0
"""A longer gap is left out of written videos: an MP4 cannot hold it."""

_CLOCK_JUMP_S = 1.0  # a clock that goes back by more was set anew


class SoundCopy:
    """Copies packets of sound into a container while its frames are written.

    Args:
        path: the video whose sound it is.
        target: where it goes, before anything was written there. What it cannot hold is left out.
        start_s: the time in ``path`` of the first frame: what sounds before it is left out.

    Attributes:
        left_out: names of the codecs that ``target`` cannot hold.

    Raises:
        FFmpegError: the video cannot be opened.
    """

    def __init__(self, path: Path, target: OutputContainer, *, start_s: float) -> None:
        self._source = open_file(path)
        self._target = target
        self._tracks: dict[int, _Track] = {}
        self.left_out: list[str] = []
        for stream in self._source.streams.audio:
            # Without a decoder there is no context, whatever the annotations say.
            codec = getattr(stream.codec_context, "name", "unknown")
            if codec in target.supported_codecs:
                self._tracks[stream.index] = _Track(target.add_stream_from_template(stream), start_s)
            else:
                self.left_out.append(codec)
        self._packets = self._demuxed()
        self._next: tuple[_Track, Any, float] | None = next(self._packets, None)

    def copy_until(self, time_s: float) -> None:
        """Copy what sounds before a time, seconds from the first frame."""
        while self._next is not None and self._next[2] < time_s:
            track, packet, starts_s = self._next
            packet.pts = packet.dts = round(starts_s / packet.time_base)
            packet.stream = track.target
            self._target.mux(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _demuxed(self) -> Iterator[tuple[_Track, Any, float]]:
        """Packets with their tracks and times, without damaged ones; a file that breaks off gives those before."""
        streams = [stream for stream in self._source.streams.audio if stream.index in self._tracks]
        for packet in until_error(self._source.demux(streams)) if streams else ():
            track = self._tracks[packet.stream.index]
            if packet.size and not packet.is_corrupt and (starts_s := track.time_of(packet)) is not None:
                yield track, packet, starts_s


class _Track:
    def __init__(self, target: Any, start_s: float) -> None:
        self.target = target
        self._start_s = start_s
        self._end_s: float | None = None

    def time_of(self, packet: Any) -> float | None:
        """When a packet sounds, seconds from the first frame; None for one that has no place."""
        if packet.pts is None:
            return None
        time_s = float(packet.pts * packet.time_base) - self._start_s
        if self._end_s is not None and not -_CLOCK_JUMP_S <= time_s - self._end_s <= LONGEST_GAP_S:
            self._start_s += time_s - self._end_s
            time_s = self._end_s
        length_s = float((packet.duration or 0) * packet.time_base)
        if time_s < 0 or (self._end_s is not None and time_s < self._end_s - length_s / 2):
            return None
        self._end_s = time_s + length_s
        return time_s
