"""What the sequences are made of: photographs that nothing was trained on, and that fusion was not fitted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from platereader._geometry import Box, Quad
from platereader.lab.synthesis.scenes import material as scenes
from platereader.lab.synthesis.scenes.frames import Photograph
from platereader.lab.synthesis.scenes.material import PlatePhotograph

_UNLABELLED = Path(__file__).with_name("unlabelled.json")
_MIN_WIDTH_PX = 58.0
_SMALL = 0.125
_HALVES = 10
_SCORED = 5


@dataclass(frozen=True, slots=True)
class Material:
    """Where the photographs are.

    Attributes:
        places: plates with corners and a Russian text, in the order of the file names.
        streets: those of them whose vehicle is small in its photograph: others are put in front of these.
        unlabelled: boxes of plates without labels, found by looking at the photographs, by file name.
    """

    places: tuple[PlatePhotograph, ...]
    streets: tuple[PlatePhotograph, ...]
    unlabelled: dict[str, tuple[Box, ...]]

    def load(self, place: PlatePhotograph) -> Photograph:
        """The decoded photograph: the plate of ``place`` first, then every other one that is known in it."""
        photograph = place.load()
        others = [Quad.from_box(box) for box in self.unlabelled.get(place.image.path.name, ())]
        return Photograph(
            photograph.pixels, (*photograph.plates, *(np.asarray(quad.to_array(), np.float32) for quad in others))
        )


def load_material(root: Path, *, half: int = _SCORED) -> Material:
    """Find the photographs; they are decoded when they are needed.

    With the default ``half`` these are ``dev/russian`` and the half of the calibration fifth of ``train`` (``russian``,
    ``more`` and ``other``) that nothing is fitted on; with 0 it is the other half alone, on which the damage of the
    levels was set. A half is the last digit of the file name's sha1, 5 or 0.

    Raises:
        DatasetError: one of the sets is missing.
    """
    found = scenes.load_material(root)
    calibration = [one for one in found.calibration if one.russian_text and _last_digit(one.image.path) == half]
    places = [*found.dev, *calibration] if half == _SCORED else calibration
    wide = [one for one in _wide(places) if _shows_a_street(one)]
    return Material(tuple(_wide(places)), tuple(wide), _read_unlabelled())


def _wide(places: Sequence[PlatePhotograph]) -> list[PlatePhotograph]:
    """Without the plates that would have to be enlarged a lot."""
    return [one for one in places if one.corners.width >= _MIN_WIDTH_PX]


def _shows_a_street(place: PlatePhotograph) -> bool:
    width, height = place.image.width or 0, place.image.height or 1
    return width >= 1000 and width > 1.2 * height and place.corners.width < _SMALL * width


def _last_digit(path: Path) -> int:
    return int(hashlib.sha1(path.name.encode("utf-8"), usedforsecurity=False).hexdigest(), 16) % _HALVES


def _read_unlabelled() -> dict[str, tuple[Box, ...]]:
    rows: dict[str, list[list[float]]] = json.loads(_UNLABELLED.read_text(encoding="utf-8"))
    return {name: tuple(Box(*map(float, box)) for box in boxes) for name, boxes in rows.items()}
