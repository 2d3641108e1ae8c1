"""Writing pictures: annotated copies, and crops with labels that training takes."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from platereader._arrays import BgrImage
from platereader._files import MADE_HERE, InputFiles, append_text, make_folder, open_regular, write_bytes
from platereader._geometry import Box, Point
from platereader.cli.parser import refused
from platereader.cli.sources import STDIN, Source, made_here, resolved
from platereader.errors import FileError
from platereader.results import Detection, PlateReading

# How much around a plate is kept with it, in plate widths: enough to train on other corners than the found ones.
_MARGIN = 0.3
_LOSSY = frozenset({".jpg", ".jpeg"})


class AnnotatedCopies:
    """A folder of pictures with their readings and the area drawn on; none of the sources is written over.

    Attributes:
        show_country: whether the code of its country stands beside each plate.

    Args:
        folder: where they go, in subfolders as the sources have them.
        sources: the pictures that are read.
        area: the polygon in which plates are looked for.
        unreadable: the label of a plate without a text.

    Raises:
        InvalidArgumentError: the folder has sources in it, or a copy would take the place of one.
    """

    option: ClassVar[str] = "--save"

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        *,
        area: Sequence[Point] | None = None,
        unreadable: str = "unreadable",
    ) -> None:
        from platereader.media._drawing import draw_readings

        check_folder(folder, option=self.option)
        _check_apart(folder, sources, option=self.option)
        self._draw = partial(draw_readings, area=area, unreadable=unreadable)
        self.show_country: bool = False
        self._folder = folder
        self._inputs = InputFiles(source.path for source in sources)
        self._targets: dict[Path, Path] = {}
        self._used: set[Path] = set()
        for source in sources:
            suffix = ".jpg" if source.relative_path.suffix.lower() in _LOSSY else ".png"
            path = _unused_path((folder / source.relative_path).with_suffix(suffix), self._used)
            if path in self._inputs:
                problem = f"where {str(path)!r} is one of the pictures that are read: name another folder."
                raise refused(self.option, folder, problem)
            self._targets[source.path] = path

    def save(self, source: Source, frame: BgrImage, readings: Sequence[PlateReading], *, index: int | None) -> None:
        """Write one annotated copy; the index of a frame of an animated picture becomes part of the name."""
        path = self._targets[source.path]
        if index is not None:
            path = _unused_path(path.with_stem(f"{path.stem}-{index}"), self._used)
        _make_folders(self._folder, path.parent)
        drawn = self._draw(frame, readings, show_country=self.show_country)
        write_picture(path, drawn, inputs=self._inputs)


class Crops:
    """A labelled set of plates: ``images/*.png`` and ``labels.jsonl``, as ``load_dataset`` takes it.

    A sure reading becomes the label. Any other is only suggested, in ``suggestion``, and ``text`` is left null for a
    person to fill in.

    Raises:
        InvalidArgumentError: the folder has sources in it, or already labels or a folder ``images`` with files.
    """

    option: ClassVar[str] = "--save-crops"

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        check_folder(folder, option=self.option)
        _check_apart(folder, sources, option=self.option)
        check_new_set(folder, option=self.option)
        self._folder = folder
        self._inputs = InputFiles(source.path for source in sources)
        self._used: set[Path] = set()

    def save(self, source: Source, frame: BgrImage, readings: Sequence[PlateReading], *, index: int | None) -> None:
        """Write the plates of one picture, each with a little of what is around it; the index as for copies."""
        stem = source.relative_path.stem if index is None else f"{source.relative_path.stem}-{index}"
        for number, reading in enumerate(readings, start=1):
            detection = reading.detection
            window = None if detection is None else _crop_window(frame, detection.box)
            if detection is None or window is None:
                continue
            x1, y1, x2, y2 = window
            path = self._write(f"{stem}-{number}.png", frame[y1:y2, x1:x2])
            row = {"file": f"images/{path.name}", "width": x2 - x1, "height": y2 - y1}
            row |= {"plates": [_label(reading, detection, left=x1, top=y1)], "source": str(source.path)}
            row |= {"country": reading.country if reading.status == "read" else None}
            append_text(self._folder / "labels.jsonl", json.dumps(row, ensure_ascii=False) + "\n")

    def _write(self, name: str, pixels: BgrImage) -> Path:
        """Write a crop under a name that nothing has: another run may write into this folder, too."""
        _make_folders(self._folder, self._folder / "images")
        while True:
            path = _unused_path(self._folder / "images" / name, self._used)
            with suppress(FileExistsError):
                write_picture(path, pixels, inputs=self._inputs, new=True)
                return path


def check_folder(folder: Path, *, option: str) -> None:
    """Refuse a folder for results that cannot be made or written to, before anything is done; it need not exist."""
    there = next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent)), Path())
    if not there.is_dir():
        raise refused(option, folder, f"but {str(there)!r} is no folder: name another one.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise refused(option, folder, f"but {str(there)!r} may not be written to: name another folder.")


def _check_apart(folder: Path, sources: Iterable[Source], *, option: str) -> None:
    """Refuse a folder for results in which pictures to read lie: a second run would read the results of the first."""
    files = [source for source in sources if not source.error and source.path != STDIN]
    roots = {source.path.parents[len(source.relative_path.parts) - 1] for source in files}
    if resolved(folder) in map(resolved, roots):
        raise refused(option, folder, "the folder of pictures that are read: name another one, or one below it.")


def check_new_set(folder: Path, *, option: str) -> None:
    """Refuse a folder that already has labels, or files in ``images`` but for hidden ones, as killed runs leave."""
    images = folder / "images"
    has_pictures = images.is_dir() and any(not path.name.startswith(".") for path in images.iterdir())
    if (folder / "labels.jsonl").exists() or has_pictures:
        raise refused(option, folder, "which already has labels or pictures in images/: name a new folder.")


def _make_folders(root: Path, folder: Path) -> None:
    """Make a folder below the one that was named, where none in between may be a link to another place."""
    for parent in (folder, *folder.parents):
        if parent == root:
            break
        if parent.is_symlink():
            raise FileError(f"cannot write into {str(parent)!r}, which is a link: remove it or name another folder.")
    make_folder(folder)


def _crop_window(frame: BgrImage, box: Box) -> tuple[int, int, int, int] | None:
    """Whole pixels around a plate: x1, y1, x2, y2; None when it is outside of the frame."""
    margin_px = _MARGIN * box.width
    window = box.padded(margin_px, margin_px).clipped(frame.shape[1], frame.shape[0])
    if window is None:
        return None
    return int(window.x1), int(window.y1), int(np.ceil(window.x2)), int(np.ceil(window.y2))


def _label(reading: PlateReading, detection: Detection, *, left: int, top: int) -> dict[str, Any]:
    """A plate of ``labels.jsonl``, in pixels of its crop."""
    moved = detection.box.moved(-left, -top)
    corners = detection.corners and [[round(x - left, 1), round(y - top, 1)] for x, y in detection.corners.points]
    sure = reading.status == "read"
    return {
        "text": reading.text if sure else None,
        "suggestion": None if sure else reading.masked_text,
        "plate_type": reading.format if sure else None,
        "box": [round(value, 1) for value in moved.to_tuple()],
        "corners": corners,
    }


def _unused_path(path: Path, used: set[Path]) -> Path:
    """``path``, or the next numbered one that this run has not; marks it as used."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    unused = next(one for one in chain([path], numbered) if resolved(one) not in used)
    used.add(resolved(unused))
    return unused


def write_picture(path: Path, pixels: BgrImage, *, inputs: InputFiles | None = None, new: bool = False) -> None:
    """Write a JPEG or PNG, by the ending of the name; the folder is made if missing.

    Raises:
        FileExistsError: a ``new`` picture was to be written, and something has its name.
        FileError: it cannot be written, or what has its name was not made by this program.
    """
    from PIL import Image, PngImagePlugin

    if not new:
        check_made_here(path)
    encoded = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    if path.suffix.lower() in _LOSSY:
        picture.save(encoded, format="JPEG", quality=92, comment=MADE_HERE.encode())
    else:
        note = PngImagePlugin.PngInfo()
        note.add_text("Comment", MADE_HERE)
        picture.save(encoded, format="PNG", pnginfo=note)
    make_folder(path.parent)
    write_bytes(path, encoded.getvalue(), inputs=inputs, new=new)


def check_made_here(path: Path) -> None:
    """Raise FileError if a file has the name that ``write_picture`` did not write; links are refused later on."""
    if path.is_symlink() or not path.is_file() or not path.stat().st_size:
        return
    with open_regular(path, what="the picture there"):
        pass
    if not made_here(path):
        raise FileError(
            f"cannot write {str(path)!r}: a file of that name is there that this program did not make. Move it, or "
            "name another folder."
        )
