"""What a labelled set says: pictures, their plates, the rows that could not be used, and the fixed split."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from platereader._geometry import Box, Quad
from platereader.plates import RUSSIA
from platereader.results import Lines

# Foreign plates of the neighbours are few, so that a fifth of them would measure nothing.
_RARE = "nb_"


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """What somebody says about one plate; None for what the set does not say.

    ``box`` and ``corners`` are in pixels of the picture as ``read_image`` returns it; without both the whole picture is
    the plate. ``text`` is in Latin look-alikes, region included; None when it is not readable for certain.
    ``plate_type`` and ``country`` are as the set names them, such as ``standard`` and ``KZ``; ``box_quality`` is
    ``hand``, ``fitted`` or ``loose``; ``line_count`` counts lines of text.
    """

    box: Box | None
    corners: Quad | None = None
    text: str | None = None
    plate_type: str | None = None
    box_quality: str | None = None
    country: str | None = None
    line_count: Lines | None = None

    @property
    def bounds(self) -> Box | None:
        """The labelled box, or the one around the labelled corners; None for a crop."""
        return self.box if self.box is not None or self.corners is None else self.corners.box

    @property
    def is_loose(self) -> bool:
        """Whether the place is only roughly known: the box may be far larger than the plate."""
        return self.box_quality == "loose"

    @property
    def lines(self) -> Lines | None:
        """Lines of text as counted, or by the label's ``plate_type``; None where neither says.

        A type is known by its name: one of ``platereader.plates.RUSSIA`` (also as part of a longer one, such as
        ``kz_standard``), or one with ``two_line`` or ``square`` in it. Foreign plates come in both shapes.
        """
        if self.line_count is not None or self.plate_type is None:
            return self.line_count
        return _lines_of(self.plate_type)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One picture file and its plates, none for a picture without; None for what the set does not say.

    ``width`` and ``height`` are in pixels. In the places ``ignored`` nobody could say whether there is a plate: nothing
    is learnt and no find is judged there. ``complete`` says whether every plate that can be seen is labelled or
    ignored. ``fires`` is the score of a plate that some detector saw where there is none.
    """

    path: Path
    width: int | None
    height: int | None
    plates: tuple[LabelledPlate, ...]
    country: str | None = None
    ignored: tuple[Box, ...] = ()
    complete: bool | None = None
    fires: float | None = None

    @property
    def texts(self) -> frozenset[str]:
        """What its plates say, as far as that is known."""
        return frozenset(plate.text for plate in self.plates if plate.text)

    @property
    def good_boxes(self) -> list[Box]:
        """The boxes of its plates that are not loose."""
        return [plate.box for plate in self.plates if plate.box is not None and not plate.is_loose]

    @property
    def shows_all(self) -> bool:
        """Whether there is no plate beside those labelled: as the set says, else where there is none at all."""
        return not self.plates if self.complete is None else self.complete


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A label that could not be used: where it stands (``line`` from 1, None for a whole file) and why."""

    path: Path
    line: int | None
    reason: str

    def __str__(self) -> str:
        """Return ``file:line: reason``."""
        return f"{self.path}: {self.reason}" if self.line is None else f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A labelled set: what can be used of it, and what was skipped."""

    images: tuple[LabelledImage, ...]
    skipped: tuple[SkippedRow, ...]


def is_calibration(path: Path) -> bool:
    """Whether a training picture belongs to the fifth that is never trained on: ``sha1(file name) % 5 == 0``."""
    return name_hash(path) % 5 == 0


def is_held_out(path: Path) -> bool:
    """Whether a picture is kept from every training: one of the calibration fifth, and of ``nb_*`` of two fifths."""
    return name_hash(path) % 5 in ((0, 1) if path.name.startswith(_RARE) else (0,))


def name_hash(path: Path) -> int:
    """The sha1 of a file's name as a number, by which sets are split."""
    return int(hashlib.sha1(path.name.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest(), 16)


@lru_cache(maxsize=256)
def _lines_of(plate_type: str) -> Lines | None:
    """Lines of a type by its name; of several format names in it the longest counts."""
    if plate_type.startswith("foreign"):
        return None
    if "two_line" in plate_type or "square" in plate_type:
        return 2
    named = [one for one in RUSSIA.formats if re.search(rf"(?<![a-z]){one.name}(?![a-z])", plate_type)]
    return max(named, key=lambda one: len(one.name)).line_count if named else None
