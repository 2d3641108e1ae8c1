"""Frames of a video file, at the times that the file gives them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

from platereader._arrays import BgrImage
from platereader.errors import CaptureError
from platereader.media._source import Capture, TimedFrame

DEFAULT_FPS = 25.0
"""Frames per second of a source that does not report any."""

_MAX_FPS = 1000.0  # some streams report the ticks of their clock instead
_COMPLETE_SHARE = 0.9  # containers round their number of frames, and estimate it from the duration


def reported_fps(capture: Capture) -> float | None:
    """Frames per second as the file or camera reports them; None where the number is impossible."""
    import cv2

    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if math.isfinite(fps) and 0 < fps < _MAX_FPS else None


def reported_frame_count(capture: Capture) -> int | None:
    """Number of frames as the file reports it; None for what has no end."""
    import cv2

    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if math.isfinite(count) and 0 < count < 1e12 else None


class VideoFile:
    """A video file: every frame, in order. See ``FrameSource``.

    Args:
        capture: the opened file.
        name: for messages.
        fps: gives the times instead of the file's own; for files whose own are wrong.
    """

    live: bool = False
    dropped: int = 0

    def __init__(self, capture: Capture, *, name: str, fps: float | None = None) -> None:
        self._capture = capture
        self._forced_fps = fps
        self.name = name
        self.fps: float | None = fps or reported_fps(capture)
        self.frame_count: int | None = reported_frame_count(capture)
        self.stopped: bool = False

    def __iter__(self) -> Iterator[TimedFrame]:
        """All frames with the seconds of the container.

        Where those do not grow, a frame comes one frame's time after the one before.

        Raises:
            CaptureError: no frame can be decoded, or the file breaks off; after all frames that there are.
        """
        import cv2

        step_s = 1 / (self.fps or DEFAULT_FPS)
        start_s: float | None = None
        timestamp_s, count = 0.0, 0
        while not self.stopped:
            received, frame = self._capture.read()
            if not received:
                self._check_complete(count)
                return
            stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            start_s = stamp_s if start_s is None else start_s
            if self._forced_fps is not None:
                timestamp_s = count / self._forced_fps
            elif count:
                stamp_s -= start_s
                timestamp_s = stamp_s if stamp_s > timestamp_s else timestamp_s + step_s
            count += 1
            yield timestamp_s, cast(BgrImage, frame)

    def stop(self) -> None:
        """Give no more frames."""
        self.stopped = True

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _check_complete(self, count: int) -> None:
        """Raise CaptureError when far fewer frames came than the file reports."""
        if not count:
            raise CaptureError(f"{self.name!r} has no frame that can be decoded: convert it, or copy it again.")
        if self.frame_count is not None and count < _COMPLETE_SHARE * self.frame_count - 1:
            raise CaptureError(
                f"{self.name!r} broke off after {count} of about {self.frame_count} frames: it is damaged or cut off; "
                "what was seen up to there is reported."
            )
