"""Folders of pictures: as the frames of a video, or read one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from platereader._arrays import BgrImage, check_image
from platereader._files import as_path, is_file, is_picture_made_here, paths_below
from platereader.errors import CaptureError, InvalidImageError, MediaFileError
from platereader.media._images import IMAGE_SUFFIXES, read_image
from platereader.media._source import ClosedAtExit, TimedFrame

_NO_PICTURES = f"holds no pictures: looked for {' '.join(sorted(IMAGE_SUFFIXES))}."


class FrameFolder(ClosedAtExit):
    """The pictures of a folder in the order of their names, numbers in them by value. See ``FrameSource``.

    Folders in it and hidden files are left out, and so is what the commands wrote, such as marked copies of the frames,
    unless there is nothing else. ``notify`` is told how many those are, and of each picture that cannot be read, or is
    too wide or high, whose place in time stays empty.
    """

    live: bool = False
    dropped: int = 0

    def __init__(self, folder: Path, *, fps: float, notify: Callable[[str], None]) -> None:
        try:
            pictures = sorted((path for path in folder.iterdir() if _is_picture(path, folder)), key=name_order)
        except OSError as error:
            raise CaptureError(
                f"the folder {str(folder)!r} cannot be read ({error.strerror or error}): see its rights."
            ) from error
        if not pictures:
            raise CaptureError(f"the folder {str(folder)!r} {_NO_PICTURES}")
        frames = [path for path in pictures if not is_picture_made_here(path)]
        self._pictures = frames or pictures
        self._left_out = len(pictures) - len(self._pictures)
        self._notify = notify
        self.fps: float = float(fps)
        self.name: str = str(folder)
        self.frame_count: int | None = len(self._pictures)
        self.stopped: bool = False

    def __iter__(self) -> Iterator[TimedFrame]:
        """All pictures that can be read; where some could not, ``CaptureError`` after all others."""
        if self._left_out:
            self._notify(f"pictures that platereader wrote in {self.name!r}, left out: {self._left_out}")
        failed = 0
        for index, path in enumerate(self._pictures):
            if self.stopped:
                return
            try:
                frame = check_image(read_image(path), name=f"the picture {str(path)!r}")
            except (InvalidImageError, MediaFileError) as error:
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


def read_images(folder: str | Path, *, notify: Callable[[str], None] | None = None) -> Iterator[tuple[Path, BgrImage]]:
    """The pictures of a folder and of all folders in it, each with its path, sorted by path.

    They are decoded one by one, as they are asked for. Hidden files and folders are left out.

    Args:
        folder: is searched for names that end like pictures.
        notify: called with one line for each picture or folder that cannot be read, which is then left out; by default
            the first such one raises.

    Returns:
        Pairs of a path and of uint8 ``(H, W, 3)`` BGR, as ``read_image`` gives it.

    Raises:
        MediaFileError: no such folder, or no picture in it; or, without ``notify``, what cannot be read.
        InvalidArgumentError: ``folder`` is no path.
    """
    top = as_path(folder, name="folder")
    if not top.is_dir():
        raise MediaFileError(f"folder is {str(top)!r}, which is no folder: for one picture there is read_image.")
    locked: list[str] = []

    def failed(path: Path, error: OSError) -> None:
        if not _is_hidden(path, top):
            locked.append(f"the folder {str(path)!r} cannot be read ({error.strerror}): see its rights.")

    pictures = [path for path in paths_below(top, failed=failed) if _is_picture(path, top)]
    for problem in locked:
        if notify is None:
            raise MediaFileError(problem)
        notify(problem)
    if not pictures:
        raise MediaFileError(f"folder {str(top)!r} {_NO_PICTURES}")
    return _read(pictures, notify)


def _is_picture(path: Path, top: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not _is_hidden(path, top) and is_file(path, unknown=True)


def _is_hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def _read(paths: Sequence[Path], notify: Callable[[str], None] | None) -> Iterator[tuple[Path, BgrImage]]:
    for path in paths:
        try:
            frame = read_image(path)
        except MediaFileError as error:
            if notify is None:
                raise
            notify(str(error))
            continue
        yield path, frame
