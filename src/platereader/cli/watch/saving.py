"""What ``platereader watch`` writes to disk: an annotated video, and the best picture of each passage."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from platereader._arrays import BgrImage
from platereader.cli.saving import write_picture
from platereader.errors import InvalidArgumentError
from platereader.results import StreamUpdate, TrackedPlate

if TYPE_CHECKING:
    import cv2

_MAX_GAP_S = 2.0  # after a longer loss of the camera the video cuts, rather than show a still picture


class AnnotatedVideo:
    """An MP4 video of the frames with their plates drawn on, in the time in which they were taken.

    Args:
        path: ends in ``.mp4``; a file of that name is written over.
        fps: frames per second of the video. A frame is written as often as it takes to fill the time to the next.
        source: must not be the same file.
        show_country: whether the code of its country stands beside each plate.

    Raises:
        InvalidArgumentError: another ending, or the path of the source.
    """

    def __init__(self, path: Path, *, fps: float, source: str, show_country: bool = False) -> None:
        if path.suffix.lower() != ".mp4":
            raise InvalidArgumentError(f"--save is {str(path)!r}: name a file that ends in .mp4.")
        if path.resolve() == Path(source).resolve():
            raise InvalidArgumentError(f"--save is {str(path)!r}, which is the source: name another file.")
        self._path = path
        self._fps = fps
        self._show_country = show_country
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._start_s = 0.0
        self._last_s = 0.0
        self._written = 0

    def add(self, frame: BgrImage, update: StreamUpdate) -> None:
        """Write one frame; one of another size than the first is fitted into it, with black beside it.

        Raises:
            InvalidArgumentError: the file cannot be written.
        """
        from platereader.media._drawing import draw_update

        timestamp_s = update.timestamp_s
        if self._writer is None:
            self._size = (frame.shape[1], frame.shape[0])
            self._writer = self._opened()
            self._start_s = self._last_s = timestamp_s
        if timestamp_s - self._last_s > _MAX_GAP_S:
            self._start_s += timestamp_s - self._last_s - 1 / self._fps
        self._last_s = timestamp_s
        end = math.floor((timestamp_s - self._start_s) * self._fps + 0.5) + 1
        if end > self._written:
            picture = _fitted(draw_update(frame, update, show_country=self._show_country), self._size)
            for _ in range(end - self._written):
                self._writer.write(picture)
            self._written = end

    def close(self) -> None:
        """Finish the file, which cannot be played before."""
        if self._writer is not None:
            self._writer.release()

    def _opened(self) -> cv2.VideoWriter:
        import cv2

        self._path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(self._path), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self._size)
        if not writer.isOpened():
            raise InvalidArgumentError(
                f"--save is {str(self._path)!r} which cannot be written: check the folder and its free space."
            )
        return writer


class PassageCrops:
    """The rectified plate of each passage's best reading, as PNG.

    Args:
        folder: made when needed. What is there stays: numbers go on from the highest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        there = (path.stem.removeprefix("passage-") for path in folder.glob("passage-*.png"))
        self._number = max((int(number) for number in there if number.isdecimal()), default=0)

    def save(self, plate: TrackedPlate) -> Path | None:
        """Write one; None when the reading has no picture."""
        pixels = plate.best.evidence.plate.pixels
        if pixels.size == 0:
            return None
        self._number += 1
        path = self._folder / f"passage-{self._number:05d}.png"
        write_picture(path, pixels)
        return path


def _fitted(frame: BgrImage, size: tuple[int, int]) -> BgrImage:
    """The whole frame inside ``size`` (width, height), in its own proportions."""
    import cv2

    width, height = size
    if frame.shape[:2] == (height, width):
        return frame
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inside = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inside[0]) // 2, (height - inside[1]) // 2
    canvas[top : top + inside[1], left : left + inside[0]] = cv2.resize(frame, inside, interpolation=cv2.INTER_AREA)
    return canvas
