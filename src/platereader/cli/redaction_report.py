"""What redaction has covered: in numbers, and as one picture of the frames where it is most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from platereader._arrays import BgrImage
from platereader.cli.secrets import without_passwords
from platereader.results import Detection

LARGEST_FRAMES = 12
"""How many frames with the largest cover are listed of each file, and shown of all files together."""

_COLUMNS = 3
_TILE_PX = (480, 320)
_CAPTION_PX = 26
_FONT_PX = 16
_MAX_NAME = 36
_OUTLINE = (0, 0, 255)


@dataclass(frozen=True, slots=True, eq=False)
class CoveredFrame:
    """One frame of which something is covered.

    Attributes:
        share: how much of its area that is, 0 to 1.
        index: its number in the file, from 0.
        time_s: when it is shown, seconds; 0 for a picture.
        places: what was covered; a margin around each was covered, too.
        preview: uint8 ``(H, W, 3)`` BGR, small; as it was written, with the places outlined. None where it is not kept.
    """

    share: float
    index: int
    time_s: float
    places: tuple[Detection, ...]
    preview: BgrImage | None

    @property
    def rank(self) -> tuple[float, int]:
        """Less where more is covered; of equal frames, where it comes earlier."""
        return -self.share, self.index

    def to_dict(self) -> dict[str, Any]:
        """The frame as it stands in JSON."""
        places = [
            {"box": [round(value, 1) for value in one.box.to_tuple()], "score": round(one.score, 3)}
            for one in self.places
        ]
        return {
            "index": self.index,
            "time_s": round(self.time_s, 3),
            "covered_share": round(self.share, 5),
            "places": places,
        }


@dataclass(slots=True)
class FileCover:
    """What was covered in one file; the frames with the largest cover, the largest first."""

    source: Path
    target: Path
    frames: int = 0
    covered_frames: int = 0
    places: int = 0
    largest: list[CoveredFrame] = field(default_factory=list[CoveredFrame])
    _share_sum: float = 0.0

    def add(self, frame: BgrImage, places: Sequence[Detection], *, share: float, time_s: float = 0.0) -> None:
        """Take in the next frame, as it is written, and what is covered: places, and their share of its area."""
        index = self.frames
        self.frames += 1
        if not places:
            return
        self.covered_frames += 1
        self.places += len(places)
        self._share_sum += share
        if len(self.largest) < LARGEST_FRAMES or share > self.largest[-1].share:
            one = CoveredFrame(share, index, time_s, tuple(places), _preview(frame, places))
            self.largest = sorted([*self.largest, one], key=lambda each: each.rank)[:LARGEST_FRAMES]

    def to_dict(self) -> dict[str, Any]:
        """The file as it stands in JSON."""
        return {
            "source": str(self.source),
            "result": str(self.target),
            "frames": self.frames,
            "covered_frames": self.covered_frames,
            "places": self.places,
            "mean_covered_share": round(self._share_sum / max(self.frames, 1), 5),
            "largest": [one.to_dict() for one in self.largest],
        }


@dataclass(slots=True)
class RedactionReport:
    """All files of a run: those that were written, and those that could not be redacted, or not wholly, and why.

    Pictures are kept of the frames of all files with the largest cover only: those of each file would fill the memory.
    """

    files: list[FileCover] = field(default_factory=list[FileCover])
    problems: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])
    _shown: list[tuple[CoveredFrame, str]] = field(default_factory=list[tuple[CoveredFrame, str]])

    def add(self, file: FileCover) -> None:
        """Take in a file that was written."""
        named = [*self._shown, *((one, file.source.name) for one in file.largest)]
        self._shown = sorted(named, key=lambda pair: pair[0].rank)[:LARGEST_FRAMES]
        file.largest = [replace(one, preview=None) for one in file.largest]
        self.files.append(file)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "files": [one.to_dict() for one in self.files],
            "problems": [
                {"source": without_passwords(str(path)), "problem": without_passwords(problem)}
                for path, problem in self.problems
            ],
        }

    def contact_sheet(self) -> BgrImage:
        """The frames of all files with the largest cover, the largest first, each with its file, time and share."""
        width, height = _TILE_PX[0], _TILE_PX[1] + _CAPTION_PX
        rows = max(1, -(-len(self._shown) // _COLUMNS))
        sheet = np.full((rows * height, _COLUMNS * width, 3), 255, np.uint8)
        for number, (one, name) in enumerate(self._shown):
            top, left = number // _COLUMNS * height, number % _COLUMNS * width
            sheet[top : top + height, left : left + width] = _tile(one, name)
        return sheet


def _preview(frame: BgrImage, places: Sequence[Detection]) -> BgrImage:
    """The frame inside of a tile, in its own proportions, with what was covered outlined."""
    import cv2

    scale = min(1.0, _TILE_PX[0] / frame.shape[1], _TILE_PX[1] / frame.shape[0])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    for one in places:
        inside = one.box.clipped(frame.shape[1], frame.shape[0])
        if inside is not None:
            x1, y1, x2, y2 = (round(value * scale) for value in inside.to_tuple())
            cv2.rectangle(small, (x1 - 3, y1 - 3), (x2 + 3, y2 + 3), _OUTLINE, 1)
    return small


def _tile(one: CoveredFrame, name: str) -> BgrImage:
    """A frame with a line of text below it."""
    from PIL import Image, ImageDraw

    from platereader.media._drawing import font_of

    picture = Image.new("RGB", (_TILE_PX[0], _TILE_PX[1] + _CAPTION_PX), "white")
    if one.preview is not None:
        picture.paste(Image.fromarray(np.ascontiguousarray(one.preview[:, :, ::-1])))
    short = name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 3]}..."
    text = f"{100 * one.share:.2f} %   {short}   {one.time_s:.2f} s"
    ImageDraw.Draw(picture).text((4, _TILE_PX[1] + 3), text, fill="black", font=font_of(_FONT_PX))
    return np.asarray(picture)[:, :, ::-1]
