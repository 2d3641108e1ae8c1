"""Videos made on the spot, and a camera that does as it is told."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

from platereader._arrays import BgrImage

_FINE = Fraction(1, 90_000)


@dataclass(frozen=True, slots=True)
class VideoKind:
    """How a video is encoded: FFmpeg's names of the encoder and the pixel format, and options of the encoder."""

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    title: str = "a video of the tests"


def write_video(
    path: Path,
    frames: Sequence[BgrImage],
    *,
    fps: float = 25.0,
    times_s: Sequence[float] | None = None,
    kind: VideoKind = VideoKind(),  # it is frozen
    sound: str | None = None,
    rotation: int = 0,
) -> Path:
    """A video of the frames, all of the size of the first.

    Args:
        path: its ending says the container.
        frames: uint8 `(H, W, 3)` BGR.
        fps: frames per second.
        times_s: when each is shown, instead of `fps`.
        kind: how it is encoded.
        sound: encoder of a tone that is as long as the video.
        rotation: degrees counter-clockwise by which it is to be shown turned.
    """
    height, width = frames[0].shape[:2]
    rate = Fraction(fps).limit_denominator(1001)
    time_base = 1 / rate if times_s is None else _FINE
    times_s = [index / fps for index in range(len(frames))] if times_s is None else times_s
    with av.open(path, "w", options={"movflags": "faststart"} if path.suffix in {".mp4", ".mov"} else {}) as container:
        container.metadata["title"] = kind.title
        stream = cast(av.VideoStream, container.add_stream(kind.codec, rate=rate))
        stream.width, stream.height, stream.pix_fmt = width, height, kind.pixel_format
        stream.options = dict(kind.options)
        stream.codec_context.time_base = time_base
        if rotation:
            stream.set_display_rotation(rotation)
        tone = None if sound is None else cast(av.AudioStream, container.add_stream(sound, rate=16_000))
        for frame, time_s in zip(frames, times_s, strict=True):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24")
            picture.time_base = time_base
            picture.pts = round(time_s / time_base)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
        if tone is not None:
            _add_tone(container, tone, times_s[-1] + 1 / fps)
    return path


def _add_tone(container: Any, tone: Any, length_s: float) -> None:
    """A tone of that length, from the start."""
    samples = (8000 * np.sin(np.arange(round(length_s * 16_000)) / 4)).astype(np.int16)
    resampler = av.AudioResampler(format=tone.codec_context.format, layout=tone.codec_context.layout, rate=16_000)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts = 16_000, 0
    for part in (*resampler.resample(frame), *resampler.resample(None), None):
        container.mux(tone.encode(part))


def read_video(path: Path) -> list[BgrImage]:
    """All frames of a video."""
    return [frame for _, frame in read_timed(path)]


def read_timed(path: Path) -> list[tuple[float, BgrImage]]:
    """All frames of a video with their times in the file."""
    with av.open(path) as container:
        return [(frame.time, cast(BgrImage, frame.to_ndarray(format="bgr24"))) for frame in container.decode(video=0)]


class ScriptedCapture:
    """Gives the frames of a list, None for a failure; then fails for ever, or waits until it is released.

    Args:
        frames: what `read` returns, one by one.
        fps: what it reports.
        endless: after the last frame, block like a camera in the dark instead of failing.
        pause_s: how long each frame takes.
    """

    def __init__(
        self,
        frames: Sequence[BgrImage | None],
        *,
        fps: float | None = None,
        endless: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self._frames = list(frames)
        self._endless = endless
        self._pause_s = pause_s
        self._index = -1
        self.fps = fps
        self.released = False

    def read(self) -> BgrImage | None:
        """The next frame."""
        time.sleep(self._pause_s)
        self._index += 1
        if self._index < len(self._frames):
            return self._frames[self._index]
        if self._endless:
            time.sleep(0.02)
            return self._frames[-1]
        return None

    @property
    def given(self) -> int:
        """How many frames were read so far."""
        return self._index + 1

    def release(self) -> None:
        """Remember it."""
        self.released = True
