"""A folder of frames, one picture file each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from platereader.errors import CaptureError, MediaFileError
from platereader.media._images import IMAGE_SUFFIXES, read_image
from platereader.media._source import TimedFrame


class FrameFolder:
    """The pictures of a folder in the order of their names, numbers in them by value. See ``FrameSource``.

    Args:
        folder: is not searched below its top; hidden files are left out.
        fps: frames per second.
        notify: called with a message for each picture that cannot be read; its place in time stays empty.

    Raises:
        CaptureError: no picture in the folder.
    """

    live: bool = False
    dropped: int = 0

    def __init__(self, folder: Path, *, fps: float, notify: Callable[[str], None]) -> None:
        named = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
        self._pictures = sorted((path for path in named if not path.name.startswith(".")), key=name_order)
        if not self._pictures:
            endings = " ".join(sorted(IMAGE_SUFFIXES))
            raise CaptureError(f"the folder {str(folder)!r} holds no pictures: looked for {endings}.")
        self._notify = notify
        self.fps: float = fps
        self.name: str = str(folder)
        self.frame_count: int | None = len(self._pictures)
        self.stopped: bool = False

    def __iter__(self) -> Iterator[TimedFrame]:
        """All pictures that can be read.

        Raises:
            CaptureError: some could not; after all others.
        """
        failed = 0
        for index, path in enumerate(self._pictures):
            if self.stopped:
                return
            try:
                frame = read_image(path)
            except MediaFileError as error:
                failed += 1
                self._notify(str(error))
                continue
            yield index / self.fps, frame
        if failed:
            raise CaptureError(f"{failed} of the {len(self._pictures)} pictures in {self.name!r} could not be read.")

    def stop(self) -> None:
        """Give no more frames."""
        self.stopped = True

    def close(self) -> None:
        """Nothing is open."""


def name_order(path: Path) -> tuple[list[str | int], str]:
    """frame-9.png before frame-10.png; text and numbers alternate, so that like is compared with like."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if part.isdecimal() else part.casefold() for part in parts], str(path)
