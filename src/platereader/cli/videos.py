"""Videos that are written: a new one appears only once it is whole."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader.errors import MediaFileError

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm", ".wmv", ".mpg", ".mpeg", ".ts", ".flv"})
"""Lower-case file name endings that are taken for videos."""

WRITTEN_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".avi"})
"""Endings of videos that can be written; others become ``.mp4``."""

# The length that some containers state is slightly wrong.
_MIN_COMPLETE_SHARE = 0.98


class VideoWriter:
    """Writes a video beside its final place and moves it there when it is whole; use it in a ``with`` statement.

    Args:
        path: of the new video, ending as one of ``WRITTEN_SUFFIXES``.
        fps: frames per second.
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        self.path = path
        self.written: int = 0
        self._partial = path.with_name(f".{path.stem}.part{path.suffix}")
        self._fps = fps
        self._size: tuple[int, int] | None = None
        self._video: cv2.VideoWriter | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, frame: BgrImage) -> None:
        """Add a frame.

        Raises:
            MediaFileError: the video cannot be written, or the frame has another size than the first.
        """
        size = (frame.shape[1], frame.shape[0])
        if self._video is None or self._size is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            codec = cv2.VideoWriter.fourcc(*("MJPG" if self.path.suffix.lower() == ".avi" else "mp4v"))
            self._video = cv2.VideoWriter(str(self._partial), cv2.CAP_FFMPEG, codec, self._fps, size)
            self._size = size
            if not self._video.isOpened():
                raise MediaFileError(f"video {str(self.path)!r} cannot be written: check the folder and the ending.")
        if size != self._size:
            raise MediaFileError(f"video {str(self.path)!r}: a frame of {size} px follows frames of {self._size} px.")
        self._video.write(frame)
        self.written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._video is not None:
            self._video.release()
        try:
            if kind is None:
                self._check_complete()
                Path(self._partial).replace(self.path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _check_complete(self) -> None:
        """OpenCV does not say when the disk is full: count what can be read back."""
        video = cv2.VideoCapture(str(self._partial), cv2.CAP_FFMPEG)
        readable = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        video.release()
        if readable < _MIN_COMPLETE_SHARE * self.written - 1 or not self.written:
            raise MediaFileError(
                f"video {str(self.path)!r}: {readable} of {self.written} frames can be read back: is the disk full?"
            )
