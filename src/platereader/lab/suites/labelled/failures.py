"""Failures as pictures: each annotated in its frame, and contact sheets of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._files import write_bytes
from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledPlate
from platereader.lab.suites.labelled.outcomes import PlateOutcome
from platereader.media._drawing import draw_readings
from platereader.results import PlateReading

_TILE_PX = (300, 150)
_CAPTION_PX = 54
_COLUMNS = 4
_MARGIN = 0.6
# A JPEG comment in every picture written here, by which a later run knows what it may remove.
_COMMENT = b"platereader evaluation"
_MARK = b"\xff\xfe" + (len(_COMMENT) + 2).to_bytes(2, "big") + _COMMENT


class FailureWriter:
    """Writes failures into a folder as they come; holds only small tiles in memory."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, and remove from it what an earlier run wrote; other files, pictures too, are left alone."""
        clear_pictures(folder)
        self._folder = folder
        self._tiles: list[BgrImage] = []
        self._sheet_numbers, self._numbers = count(1), count(1)

    def add(
        self, frame: BgrImage, readings: Sequence[PlateReading], *, plate: LabelledPlate, outcome: PlateOutcome
    ) -> None:
        """Write one failure: all readings of a frame as the library draws them, the label as a thin blue outline."""
        drawn = draw_readings(frame, readings)
        box = plate.bounds
        if box is not None:
            outline = np.rint((plate.corners or Quad.from_box(box)).to_array()).astype(np.int32)
            cv2.polylines(drawn, [outline], True, (255, 160, 0), 1, cv2.LINE_AA)
        write_picture(self._folder / f"{next(self._numbers):04d}_{Path(outcome.file).stem}.jpg", drawn)
        self._tiles.append(_tile(frame, box, outcome))
        if len(self._tiles) == 10 * _COLUMNS:
            self.write_sheet()

    def write_sheet(self) -> None:
        """Write a contact sheet of the failures since the last one; without any there is none."""
        if not self._tiles:
            return
        while len(self._tiles) % _COLUMNS and len(self._tiles) > _COLUMNS:
            self._tiles.append(np.full_like(self._tiles[0], 255))
        rows = [np.hstack(self._tiles[start : start + _COLUMNS]) for start in range(0, len(self._tiles), _COLUMNS)]
        write_picture(self._folder / f"contact-sheet-{next(self._sheet_numbers)}.jpg", np.vstack(rows))
        self._tiles = []


def _tile(frame: BgrImage, box: Box | None, outcome: PlateOutcome) -> BgrImage:
    """The plate with its surroundings, and what was expected and read below it."""
    height, width = frame.shape[:2]
    whole = Box(0, 0, width, height)
    view = whole if box is None else box.padded(_MARGIN * box.width, _MARGIN * box.width / 2)
    crop = np.ascontiguousarray(cut(frame, view.clipped(width, height) or whole))
    scale = min(_TILE_PX[0] / crop.shape[1], _TILE_PX[1] / crop.shape[0])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    tile = np.full((_TILE_PX[1] + _CAPTION_PX, _TILE_PX[0], 3), 255, np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(crop, size, interpolation=mode)
    for row, line in enumerate(_caption(outcome)):
        place = (3, _TILE_PX[1] + 14 + 17 * row)
        cv2.putText(tile, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def cut(frame: BgrImage, box: Box) -> BgrImage:
    """The part of a picture in a box that lies in it, at least one pixel each way."""
    x1, y1, x2, y2 = (int(value) for value in box.to_tuple())
    return frame[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


def _caption(outcome: PlateOutcome) -> list[str]:
    """Three lines; plate texts are Latin, which is all that OpenCV's font has."""
    if not outcome.boxed:
        reads = "crop"
    elif outcome.found:
        reads = f"{outcome.read_text or '-'} {outcome.status} {outcome.confidence or 0:.2f}"
    else:
        reads = "not found"
    given = f"   given: {outcome.given_text or '-'}" if outcome.given else ""
    return [f"label: {outcome.text or '?'}{given}", f"read: {reads}", outcome.file[-44:]]


def clear_pictures(folder: Path) -> None:
    """Make a folder, or remove from it what an earlier run wrote; other files in it, pictures too, are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.jpg"):
        if path.is_file() and _is_ours(path):
            path.unlink()


def write_picture(path: Path, pixels: BgrImage) -> None:
    """Write a JPEG for ``clear_pictures`` to know; not by ``cv2.imwrite``, which cannot do every path everywhere."""
    _, data = cv2.imencode(".jpg", pixels)
    jpeg = cast("np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", data).tobytes()
    write_bytes(path, jpeg[:2] + _MARK + jpeg[2:])


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2 + len(_MARK))[2:] == _MARK
