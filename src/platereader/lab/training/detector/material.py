"""What the detector is trained on: labelled photographs by kind, and pictures without plates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from platereader._arrays import BgrImage
from platereader.errors import DatasetError
from platereader.lab.datasets import Dataset, LabelledImage, LabelledPlate
from platereader.lab.datasets.labels import is_held_out
from platereader.lab.datasets.photographs import held_out_negatives, load_photographs, trainable
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.lab.training.detector.tiles import LabelledScene, shrunk
from platereader.media._images import read_image
from platereader.results import Lines

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
_VALIDATED = ("russian", "streets", "more", "neighbours")
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

    @property
    def empty(self) -> tuple[LabelledImage, ...]:
        """Scenes without plates: only those in colour, where there are any."""
        return self.of(_EMPTY) or self.of("negatives")


@dataclass(frozen=True, slots=True)
class Material:
    """Photographs by kind, those on which all well boxed plates have known corners, and pictures without plates."""

    sources: tuple[Source, ...]
    cornered: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


@dataclass(frozen=True, slots=True)
class Photographs:
    """What a validation looks at: labelled photographs, and scenes without plates."""

    images: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


def load_sets(*roots: Path) -> LabelledSets:
    """Read and decode what is under the ``roots``; sets of one name are put together.

    A root is a folder with one or more of ``russian``, ``streets``, ``small``, ``more``, ``other``, ``neighbours``,
    ``negatives-colour`` and ``negatives``, or one labelled set, whose pictures count as ``russian`` and without plates
    as ``negatives``.

    Raises:
        DatasetError: a set cannot be used at all.
    """
    images: dict[str, tuple[LabelledImage, ...]] = {}
    skipped = 0
    for root in roots:
        for name, found in _sets_under(root).items():
            images[name] = images.get(name, ()) + found.images
            skipped += len(found.skipped)
    return LabelledSets(images, skipped)


def _sets_under(root: Path) -> dict[str, Dataset]:
    found = {name: load_photographs(root / name) for name in _SETS if (root / name).is_dir()}
    if found:
        return found
    single = load_photographs(root)
    with_plates = tuple(image for image in single.images if image.plates)
    without = tuple(image for image in single.images if not image.plates)
    return {"russian": Dataset(with_plates, single.skipped), "negatives": Dataset(without, ())}


def detector_material(sets: LabelledSets) -> Material:
    """The training photographs by kind, and the empty scenes.

    Pictures that are held out, of the same cars, and with boxes that are known to be wrong are left out. Where there
    are empty scenes in colour, only those are taken.

    Raises:
        DatasetError: there is no plate to learn from, or nothing to learn corners from.
    """
    allowed = {image.path for image in trainable(sets.all)}
    allowed -= {image.path for image in sets.of("more") if image.path.stem in _WRONG_BOXES}
    sources: list[Source] = []
    for name, prefix, share in _KINDS:
        named = (image for image in sets.of(name) if image.path.name.startswith(prefix))
        images = tuple(image for image in named if image.path in allowed and image.good_boxes)
        if images:
            sources.append(Source(images, share))
    usable = (image for source in sources for image in source.images)
    cornered = tuple(image for image in usable if all(plate.corners or plate.is_loose for plate in image.plates))
    allowed -= {image.path for image in held_out_negatives(sets.of("negatives"))}
    empty = tuple(image for image in sets.empty if image.path in allowed)
    if not sources:
        raise DatasetError(
            "data has no photograph to train on: needed are pictures with a plate in a box that is not 'loose', "
            "outside of the calibration fifth."
        )
    if not (cornered or empty):
        raise DatasetError(
            "data has neither photographs with the corners of their plates nor pictures without plates to put rendered "
            "ones on, so corners cannot be learnt: add either of them."
        )
    return Material(tuple(sources), cornered, empty)


def held_out(sets: LabelledSets) -> Photographs:
    """The photographs and the empty scenes in colour that no training sees."""
    images = [
        image
        for name in _VALIDATED
        for image in sets.of(name)
        if is_held_out(image.path) and any(plate.box is not None for plate in image.plates)
    ]
    empty = [image for image in sets.empty if is_held_out(image.path)]
    return Photographs(tuple(images), tuple(empty))


def scene_of(image: LabelledImage, pixels: BgrImage) -> LabelledScene:
    """A labelled photograph as arrays; plates with a loose box become ignored areas, too."""
    boxed = [(plate, plate.box) for plate in image.plates if plate.box is not None]
    plates = tuple(ScenePlate(box, plate.corners, _lines(image, plate)) for plate, box in boxed if not plate.is_loose)
    # A loose box gets a fifth more around it.
    loose = [box.padded(0.2 * box.width, 0.2 * box.height) for plate, box in boxed if plate.is_loose]
    ignored = np.array([box.to_tuple() for box in (*loose, *image.ignored)], np.float32).reshape(-1, 4)
    return LabelledScene.of(Scene(pixels, plates), ignored=ignored, complete=image.shows_all)


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


def _lines(image: LabelledImage, plate: LabelledPlate) -> Lines | None:
    """Lines of text, as labelled or as the shape tells in some of the sets."""
    if plate.plate_type is not None:
        return plate.lines
    if image.path.name.startswith("rl_"):
        return 1
    if image.path.name.startswith("as_") and plate.box is not None:
        return 2 if plate.box.width < _TWO_LINE_ASPECT * plate.box.height else 1
    return None
