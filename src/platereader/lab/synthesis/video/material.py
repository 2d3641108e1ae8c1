"""What the sequences are made of: photographs that nothing was trained on, and that fusion was not fitted on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from platereader._geometry import Box, Quad
from platereader.lab.datasets.labels import name_hash
from platereader.lab.synthesis.scenes import material as scenes
from platereader.lab.synthesis.scenes.frames import Photograph
from platereader.lab.synthesis.scenes.material import PlatePhotograph

_UNLABELLED = Path(__file__).with_name("unlabelled.json")


@dataclass(frozen=True, slots=True)
class Material:
    """Where the photographs are: plates with corners and a Russian text, in the order of the file names.

    Others are put in front of ``streets``, those of them whose vehicle is small. ``unlabelled`` are boxes of plates
    without labels, found by looking at the photographs, by file name.
    """

    places: tuple[PlatePhotograph, ...]
    streets: tuple[PlatePhotograph, ...]
    unlabelled: dict[str, tuple[Box, ...]]

    def load(self, place: PlatePhotograph) -> Photograph:
        """The decoded photograph: the plate of ``place`` first, then every other one that is known in it."""
        photograph = place.load()
        others = [Quad.from_box(box).to_array() for box in self.unlabelled.get(place.image.path.name, ())]
        return Photograph(photograph.pixels, (*photograph.plates, *others))


def load_material(root: Path) -> Material:
    """Find the photographs; they are decoded when they are needed.

    These are ``dev/russian`` and, of the calibration fifth of ``train`` (``russian``, ``more`` and ``other``), the half
    that nothing is fitted on: pictures whose file names have a sha1 with the last digit 5. On those with a 0 the damage
    of the levels was set.

    Raises:
        DatasetError: one of the sets is missing.
    """
    found = scenes.load_material(root)
    calibration = [one for one in found.calibration if one.russian_text and name_hash(one.image.path) % 10 == 5]
    # Without the plates that would have to be enlarged a lot.
    wide = tuple(one for one in (*found.dev, *calibration) if one.corners.width >= 58.0)
    rows: dict[str, list[list[float]]] = json.loads(_UNLABELLED.read_text(encoding="utf-8"))
    unlabelled = {name: tuple(Box(*map(float, box)) for box in boxes) for name, boxes in rows.items()}
    return Material(wide, tuple(one for one in wide if _shows_a_street(one)), unlabelled)


def _shows_a_street(place: PlatePhotograph) -> bool:
    width, height = place.image.width or 0, place.image.height or 1
    return width >= 1000 and width > 1.2 * height and place.corners.width < 0.125 * width
