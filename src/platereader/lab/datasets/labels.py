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

_LOOSE = "loose"
# Foreign plates of the neighbours are few, so that a fifth of them would measure nothing.
_RARE = "nb_"


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """What somebody says about one plate.

    Attributes:
        box: in pixels of the picture as ``read_image`` returns it; None when the whole picture is the plate.
        corners: outer corners as read, in the same pixels; None when not known.
        text: Latin look-alikes, region included; None when it is not readable for certain.
        plate_type: as the set names it, such as ``standard``; None when it says nothing.
        box_quality: ``hand``, ``fitted`` or ``loose``; None when the set says nothing.
        country: as the set names it, such as ``KZ``; None when it says nothing of this plate.
        line_count: lines of text, where the set counts them.
        registry_text: the text in the order of the registry, where it is printed in another one.
    """

    box: Box | None
    corners: Quad | None = None
    text: str | None = None
    plate_type: str | None = None
    box_quality: str | None = None
    country: str | None = None
    line_count: Lines | None = None
    registry_text: str | None = None

    @property
    def bounds(self) -> Box | None:
        """The labelled box, or the one around the labelled corners; None for a crop."""
        return self.box if self.box is not None or self.corners is None else self.corners.box

    @property
    def is_loose(self) -> bool:
        """Whether the place is only roughly known: the box may be far larger than the plate."""
        return self.box_quality == _LOOSE

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
    """One picture file and its plates.

    Attributes:
        path: where it is.
        width: in pixels as labelled; None when the set does not say.
        height: in pixels as labelled; None when the set does not say.
        plates: in the order of the labels; empty for a picture without plates.
        country: country of the plates as the set names it, such as ``KZ``; None when it says nothing.
        ignored: places where nobody could say whether there is a plate, in the same pixels: nothing is learnt and no
            find is judged there.
        complete: whether every plate that can be seen is labelled or ignored; None when the set says nothing.
        fires: score of a plate that some detector saw where there is none; None when none did.
    """

    path: Path
    width: int | None
    height: int | None
    plates: tuple[LabelledPlate, ...]
    country: str | None = None
    ignored: tuple[Box, ...] = ()
    complete: bool | None = None
    fires: float | None = None


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
    return _fifth(path) == 0


def is_held_out(path: Path) -> bool:
    """Whether a picture is kept from every training: one of the calibration fifth, and of ``nb_*`` of two fifths."""
    return _fifth(path) in ((0, 1) if path.name.startswith(_RARE) else (0,))


def _fifth(path: Path) -> int:
    """A number from 0 to 4 that a file has by its name."""
    return int(hashlib.sha1(path.name.encode("utf-8"), usedforsecurity=False).hexdigest(), 16) % 5


@lru_cache(maxsize=256)
def _lines_of(plate_type: str) -> Lines | None:
    """Lines of a type by its name; of several format names in it the longest counts."""
    if plate_type.startswith("foreign"):
        return None
    if "two_line" in plate_type or "square" in plate_type:
        return 2
    named = [one for one in RUSSIA.formats if re.search(rf"(?<![a-z]){one.name}(?![a-z])", plate_type)]
    return max(named, key=lambda one: len(one.name)).line_count if named else None
