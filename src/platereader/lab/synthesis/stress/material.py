"""What the stress suite is made from: photographs that nothing was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platereader._arrays import BgrImage
from platereader.lab.datasets import is_calibration, load_dataset
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.datasets.plates import RealPlate, cut_plates
from platereader.lab.synthesis.lettering import Lettering, cut_lettering
from platereader.media._images import read_image


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Photographed plates, sorted by file name, characters cut out of other pictures, and scenes without plates."""

    plates: tuple[RealPlate, ...]
    lettering: Lettering
    scenes: tuple[BgrImage, ...]


def load_material(root: Path) -> Material:
    """Read what the suite is made from: ``dev/russian``, and the calibration fifth of ``train``.

    Raises:
        DatasetError: one of ``dev/russian``, ``train/russian``, ``train/more`` and ``train/negatives`` is missing.
    """
    plates = sorted(cut_plates(load_dataset(root / "dev" / "russian").images), key=lambda plate: plate.name)
    sets = [load_photographs(root / "train" / name).images for name in ("russian", "more")]
    kept = sorted((one for images in sets for one in images if is_calibration(one.path)), key=lambda one: one.path.name)
    lettering = cut_lettering(plate for plate in cut_plates(kept) if plate.country in (None, "RU"))
    empty = sorted(one.path for one in load_photographs(root / "train" / "negatives").images)
    scenes = [read_image(path) for path in empty if is_calibration(path)][:80]
    return Material(tuple(plates), lettering, tuple(scenes))
