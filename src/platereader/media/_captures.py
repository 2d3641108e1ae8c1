"""Opened cameras: FFmpeg reads those in the network, OpenCV those of this machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader.media._decoding import FrameDecoder, reported_fps, until_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    import cv2
    from av.container import InputContainer
    from av.video.stream import VideoStream


class NetworkCapture:
    """A camera in the network. See ``Capture``.

    Frames that are damaged on the way are left out.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.fps: float | None = reported_fps(stream)
        self._container = container
        self._frames = self._decoded(stream)

    def read(self) -> BgrImage | None:
        """Wait for the next frame; None when the camera is lost."""
        return next(self._frames, None)

    def release(self) -> None:
        """Close the connection."""
        self._container.close()

    def _decoded(self, stream: VideoStream) -> Iterator[BgrImage]:
        decoder = FrameDecoder(stream)
        for packet in until_error(self._container.demux(stream)):
            for frame in decoder.frames_of(packet):
                yield frame.pixels


class Webcam:
    """A camera of this machine. See ``Capture``."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        import cv2

        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps: float | None = fps if math.isfinite(fps) and fps > 0 else None
        self._capture = capture

    @classmethod
    def opened(cls, index: int) -> Self | None:
        """Open a webcam by its number; None when that fails."""
        import cv2

        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            return cls(capture)
        capture.release()
        return None

    def read(self) -> BgrImage | None:
        """Wait for the next frame; None when the camera is lost."""
        there, frame = self._capture.read()
        return cast(BgrImage, frame) if there else None

    def release(self) -> None:
        """Close the device."""
        self._capture.release()
