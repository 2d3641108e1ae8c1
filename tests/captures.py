"""Videos made on the spot, and a capture device that does as it is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from platereader._arrays import BgrImage


def write_video(path: Path, frames: Sequence[BgrImage], *, fps: float = 25.0) -> Path:
    """An MP4 video of the frames, all of the size of the first."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def read_video(path: Path) -> list[BgrImage]:
    """All frames of a video."""
    capture = cv2.VideoCapture(str(path))
    frames: list[BgrImage] = []
    while True:
        there, frame = capture.read()
        if not there:
            capture.release()
            return frames
        frames.append(np.asarray(frame, np.uint8))


class ScriptedCapture:
    """Gives the frames of a list, None for a failure; then fails for ever, or waits until it is released.

    Args:
        frames: what `read` returns, one by one.
        stamps_s: container timestamps, one per frame.
        properties: what `get` returns.
        endless: after the last frame, block like a camera in the dark instead of failing.
        pause_s: how long each frame takes.
    """

    def __init__(
        self,
        frames: Sequence[BgrImage | None],
        *,
        stamps_s: Sequence[float] = (),
        properties: dict[int, float] | None = None,
        endless: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self._frames = list(frames)
        self._stamps_s = stamps_s
        self._properties = properties or {}
        self._endless = endless
        self._pause_s = pause_s
        self._index = -1
        self.released = False

    def read(self) -> tuple[bool, BgrImage | None]:
        """The next frame."""
        time.sleep(self._pause_s)
        self._index += 1
        if self._index < len(self._frames):
            frame = self._frames[self._index]
            return frame is not None, frame
        if self._endless:
            time.sleep(0.02)
            return True, self._frames[-1]
        return False, None

    @property
    def given(self) -> int:
        """How many frames were read so far."""
        return self._index + 1

    def get(self, propId: int, /) -> float:  # noqa: N803 # OpenCV's name
        """A property; the position is that of the frame read last."""
        if propId == cv2.CAP_PROP_POS_MSEC and self._stamps_s:
            return 1000 * self._stamps_s[self._index]
        return self._properties.get(propId, 0.0)

    def release(self) -> None:
        """Remember it."""
        self.released = True
