"""What ``platereader watch`` writes to disk: an annotated video, and the best picture of each passage."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from platereader._arrays import BgrImage
from platereader._files import InputFiles
from platereader.cli.parser import refused
from platereader.cli.saving import check_folder, check_made_here, write_picture
from platereader.errors import InvalidArgumentError
from platereader.media._source import DEFAULT_FPS
from platereader.results import StreamUpdate, TrackedPlate

if TYPE_CHECKING:
    from platereader.cli.watch.live_state import Draw
    from platereader.media._source import FrameSource

_MAX_GAP_S = 2.0  # after a longer loss of the camera the video cuts, rather than show a still picture


def video_paths(save: Path, names: Sequence[Path], *, several: bool, inputs: InputFiles) -> list[Path]:
    """Where the annotated video of each source goes; all of them are checked before the first is written.

    Args:
        save: a file for one source, a folder for several; for a folder of one video, either.
        names: of the sources, as paths below that folder.
        several: whether more than one source may have been meant.
        inputs: files that are not written over.
    """
    is_file = save.suffix.lower() == ".mp4" or save.is_file()
    if len(names) > 1 and is_file:
        raise InvalidArgumentError(f"--save is {str(save)!r} for {len(names)} sources: name a folder for their videos.")
    ending = (name if name.suffix.lower() == ".mp4" else name.with_name(f"{name.name}.mp4") for name in names)
    paths = [save / name for name in ending] if several and not is_file else [save]
    for path in paths:
        _check_path(path, inputs)
    if len(set(paths)) < len(paths):
        raise InvalidArgumentError("two sources have the same name, and so would their videos of --save: rename one.")
    return paths


def _check_path(path: Path, inputs: InputFiles) -> None:
    """Refuse a place where an annotated video cannot be written."""
    if path in inputs:
        raise refused("--save", path, "which is the source: name another file.")
    if path.suffix.lower() != ".mp4":
        raise InvalidArgumentError(f"--save is {str(path)!r}: name a file that ends in .mp4.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise refused("--save", path, "which cannot be written: it is no regular file.")
    check_folder(path.parent, option="--save")
    check_made_here(path)


class AnnotatedVideo:
    """An MP4 video of the frames with their plates and the area drawn on, at the times at which they were taken."""

    def __init__(self, path: Path, *, source: FrameSource, inputs: InputFiles, quality: int | None, draw: Draw) -> None:
        from platereader.cli.videos import VideoWriter

        self._writer = VideoWriter(path, source=source, quality=quality, inputs=inputs)
        self._draw = draw
        self._live = source.live
        self._step_s = 1 / (source.fps or DEFAULT_FPS)
        self._start_s: float | None = None
        self._last_s = 0.0

    def add(self, frame: BgrImage, update: StreamUpdate) -> None:
        """Write one frame; one of another size than the first is fitted into it, with black beside it."""
        timestamp_s = update.timestamp_s
        if self._start_s is None:
            self._start_s = self._last_s = timestamp_s
        if self._live and timestamp_s - self._last_s > _MAX_GAP_S:
            self._start_s += timestamp_s - self._last_s - self._step_s
        self._last_s = timestamp_s
        self._writer.write(self._draw(frame, update), timestamp_s - self._start_s)

    def close(self) -> None:
        """Finish the file, which has no name before."""
        self._writer.finish()

    def abandon(self) -> None:
        """Leave no file."""
        self._writer.abandon()


class PassageCrops:
    """The rectified plate of each passage's best reading, as PNG; what is in the folder stays, and numbers go on."""

    def __init__(self, folder: Path) -> None:
        check_folder(folder, option="--save-crops")
        self._folder = folder
        there = (path.stem.removeprefix("passage-") for path in folder.glob("passage-*.png"))
        self._numbers = count(1 + max((int(number) for number in there if number.isdecimal()), default=0))

    def save(self, plate: TrackedPlate) -> Path | None:
        """Write one; None when the reading has no picture."""
        pixels = plate.best.evidence.plate.pixels
        if pixels.size == 0:
            return None
        paths = (self._folder / f"passage-{number:05d}.png" for number in self._numbers)
        for path in paths:
            # Another run may write into this folder, too, and take a name between these two lines.
            with suppress(FileExistsError):
                if not os.path.lexists(path):
                    write_picture(path, pixels, new=True)
                    return path
        return None
