"""What the detector is trained on: labelled photographs by kind, and pictures without plates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.errors import DatasetError
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.datasets.photographs import held_out_negatives, load_photographs, trainable
from platereader.lab.training.detector.tiles import LINE_CLASSES, FloatArray, LabelledScene, box_points, shrunk
from platereader.media._images import read_image

_TWO_LINE_ASPECT = 2.4
_MEMORY_SIDE_PX = 1280
# Set, beginning of the file name, share of the drawn photographs.
_KINDS = (
    ("russian", "", 0.24),
    ("streets", "", 0.26),
    ("small", "", 0.14),
    ("more", "", 0.10),
    ("other", "rl_", 0.12),
    ("neighbours", "", 0.14),
)
_EMPTY = "negatives-colour"
_SETS = (*dict.fromkeys(name for name, _, _ in _KINDS), _EMPTY, "negatives")
# Labels of ``more`` whose boxes are known to be wrong.
_WRONG_BOXES = ("aamenkov_001", "KostyaKulakov_006", "dstaroff_kz_012", "dstaroff_kz_021", "dstaroff_kz_059")


@dataclass(frozen=True, slots=True)
class Source:
    """One set of labelled photographs, and how often it is drawn from, relative to other ones."""

    images: tuple[LabelledImage, ...]
    share: float


@dataclass(frozen=True, slots=True)
class LabelledSets:
    """All labelled pictures of a folder that can be decoded, by set; ``skipped`` labels or pictures cannot be used."""

    images: Mapping[str, tuple[LabelledImage, ...]]
    skipped: int

    @property
    def all(self) -> list[LabelledImage]:
        """The pictures of all sets."""
        return [image for images in self.images.values() for image in images]

    def of(self, name: str) -> tuple[LabelledImage, ...]:
        """The pictures of a set; none of an absent one."""
        return self.images.get(name, ())


@dataclass(frozen=True, slots=True)
class Material:
    """Photographs by kind, those on which all well boxed plates have known corners, and pictures without plates."""

    sources: tuple[Source, ...]
    cornered: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


def load_sets(root: Path) -> LabelledSets:
    """Read and decode what is under ``root``.

    That is a folder with one or more of ``russian``, ``streets``, ``small``, ``more``, ``other``, ``neighbours``,
    ``negatives-colour`` and ``negatives``, or one labelled set, whose pictures count as ``russian`` and without plates
    as ``negatives``.

    Raises:
        DatasetError: a set cannot be used at all.
    """
    found = {name: load_photographs(root / name) for name in _SETS if (root / name).is_dir()}
    if found:
        images = {name: photographs.images for name, photographs in found.items()}
        return LabelledSets(images, sum(len(one.skipped) for one in found.values()))
    single = load_photographs(root)
    with_plates = tuple(image for image in single.images if image.plates)
    without = tuple(image for image in single.images if not image.plates)
    return LabelledSets({"russian": with_plates, "negatives": without}, len(single.skipped))


def detector_material(sets: LabelledSets) -> Material:
    """The training photographs by kind, and the empty scenes.

    Pictures that are held out, of the same cars, and with boxes that are known to be wrong are left out. Where there
    are empty scenes in colour, only those are taken.

    Raises:
        DatasetError: there is no plate to learn from, or nothing to learn corners from.
    """
    allowed = {image.path for image in trainable(sets.all)}
    wrong = {image.path for image in sets.of("more") if image.path.stem in _WRONG_BOXES}
    usable = {
        name: [image for image in images if image.path in allowed - wrong and image.good_boxes]
        for name, images in sets.images.items()
    }
    sources = [
        Source(tuple(image for image in usable.get(name, ()) if image.path.name.startswith(prefix)), share)
        for name, prefix, share in _KINDS
    ]
    cornered = tuple(
        image
        for source in sources
        for image in source.images
        if all(plate.corners or plate.is_loose for plate in image.plates)
    )
    held_out = {image.path for image in held_out_negatives(sets.of("negatives"))}
    scenes = sets.of(_EMPTY) or sets.of("negatives")
    empty = tuple(image for image in scenes if image.path in allowed - held_out)
    material = Material(tuple(source for source in sources if source.images), cornered, empty)
    _check_material(material)
    return material


def _check_material(material: Material) -> None:
    if not material.sources:
        raise DatasetError(
            "data has no photograph to train on: needed are pictures with a plate in a box that is not 'loose', "
            "outside of the calibration fifth."
        )
    if not (material.cornered or material.empty):
        raise DatasetError(
            "data has neither photographs with the corners of their plates nor pictures without plates to put rendered "
            "ones on, so corners cannot be learnt: add either of them."
        )


def scene_of(image: LabelledImage, pixels: BgrImage) -> LabelledScene:
    """A labelled photograph as arrays; plates with a loose box become ignored areas, too."""
    boxed = [(plate, plate.box) for plate in image.plates if plate.box is not None]
    known = [plate for plate, _ in boxed if not plate.is_loose]
    # A loose box gets a fifth more around it.
    loose = [box.padded(0.2 * box.width, 0.2 * box.height) for plate, box in boxed if plate.is_loose]
    boxes = _rows([plate.corners.box if plate.corners else box for plate, box in boxed if not plate.is_loose])
    corners = box_points(boxes)
    for row, plate in enumerate(known):
        if plate.corners is not None:
            corners[row] = plate.corners.to_array()
    return LabelledScene(
        pixels,
        boxes,
        np.array([_line_class(image, plate) for plate in known], np.int64),
        corners,
        np.array([plate.corners is not None for plate in known], np.bool_),
        _rows((*loose, *image.ignored)),
        image.shows_all,
    )


class DecodedScenes:
    """Labelled photographs as arrays, at most 1280 px on a side, each decoded once."""

    def __init__(self) -> None:
        self._known: dict[Path, LabelledScene] = {}

    def of(self, image: LabelledImage) -> LabelledScene:
        """The picture with its labels, from memory after the first time."""
        if image.path not in self._known:
            scene = scene_of(image, read_image(image.path))
            self._known[image.path] = shrunk(scene, side_px=_MEMORY_SIDE_PX)
        return self._known[image.path]


def _line_class(image: LabelledImage, plate: LabelledPlate) -> int:
    """0 for one line of text, 1 for two, -1 where neither type nor shape tells."""
    if plate.plate_type is not None:
        return LINE_CLASSES[plate.lines]
    if image.path.name.startswith("rl_"):
        return 0
    if image.path.name.startswith("as_") and plate.box is not None:
        return int(plate.box.width < _TWO_LINE_ASPECT * plate.box.height)
    return -1


def _rows(boxes: Sequence[Box]) -> FloatArray:
    """Boxes as float32 ``(M, 4)``, also for none."""
    return np.array([box.to_tuple() for box in boxes], np.float32).reshape(-1, 4)
