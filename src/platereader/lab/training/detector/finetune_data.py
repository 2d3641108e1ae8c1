"""Labelled pictures of the user: which of them can be used, which are held out, and scenes in which they are mixed.

Nothing else may be at hand to keep the old knowledge alive, so the rest can be made up: rendered plates with
exact corners, on drawn streets and on the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from platereader.errors import DatasetError
from platereader.lab.datasets import LabelledImage, SkippedRow, is_calibration
from platereader.lab.datasets.labels import name_hash
from platereader.lab.datasets.photographs import load_photographs, without_cars_of
from platereader.lab.synthesis.paste import paste_plate, random_front, replace_plate
from platereader.lab.synthesis.scene import Scene
from platereader.lab.synthesis.street import generated_street
from platereader.lab.training.detector.material import DecodedScenes
from platereader.lab.training.detector.tiles import LabelledScene, SceneSource
from platereader.lab.training.finetuning import TuningSet, check_enough

MIN_PICTURES = 20
"""With fewer pictures with a plate there is next to nothing to learn from and nothing to measure on."""

MIN_HELD_OUT = 8
"""Pictures with a plate that are held out if a fifth of them is fewer."""

_STREETS, _STREET_SHARE = 48, 0.5


TuningPictures: TypeAlias = TuningSet[LabelledImage]
"""A labelled set of the user."""


def load_tuning_pictures(folder: Path) -> TuningPictures:
    """Read a labelled set of any layout of ``load_dataset``, of which every picture is decoded once.

    Raises:
        DatasetError: the set cannot be used at all, or has fewer than 20 pictures with a plate in a good box.
    """
    dataset = load_photographs(folder)
    skipped, usable = list(dataset.skipped), list[LabelledImage]()
    for image in dataset.images:
        if all(plate.box is not None for plate in image.plates):
            usable.append(image)
        else:
            reason = "a crop, or a plate without a box: the detector learns from whole pictures"
            skipped.append(SkippedRow(image.path, None, reason))
    with_plates = sum(bool(image.good_boxes) for image in usable)
    check_enough(folder, with_plates, least=MIN_PICTURES, what="pictures with a plate", skipped=skipped)
    return TuningSet(*split(usable), skipped=skipped, label=lambda image: f"{image.path.name} {image.plates}")


def split(images: Sequence[LabelledImage]) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Pictures to train on, and those held out: the fifth by ``is_calibration``, and at least 8 with a plate.

    Raises:
        DatasetError: too many say the same for anything to be left to train on.
    """
    ordered = sorted(images, key=lambda image: (not is_calibration(image.path), name_hash(image.path)))
    count = sum(is_calibration(image.path) for image in images)
    while sum(bool(image.good_boxes) for image in ordered[:count]) < MIN_HELD_OUT and count < len(ordered):
        count += 1
    held_out = ordered[:count]
    train = without_cars_of(held_out, ordered[count:])
    if not any(image.good_boxes for image in train):
        raise DatasetError(
            f"of {len(images)} pictures {count} are held out, and the others show the same plates: label more cars."
        )
    return train, held_out


@dataclass(eq=False)
class MixedScenes:
    """Scenes of which a share, 0 to 1, is the user's: at least one picture. The ``rest`` draws all others."""

    images: Sequence[LabelledImage]
    rest: SceneSource
    share: float
    decoded: DecodedScenes = field(default_factory=DecodedScenes)

    def scene(self, rng: np.random.Generator) -> LabelledScene:
        """A picture of the user, or one of the rest."""
        if rng.random() >= self.share:
            return self.rest(rng)
        return self.decoded.of(self.images[int(rng.integers(len(self.images)))])


@dataclass(eq=False)
class MadeUpScenes:
    """What is known of plates without any older picture: rendered ones on drawn streets and on given pictures.

    The pictures' own labels stay; none will do.
    """

    images: Sequence[LabelledImage]
    streets: dict[int, Scene] = field(default_factory=dict[int, Scene])
    decoded: DecodedScenes = field(default_factory=DecodedScenes)

    def scene(self, rng: np.random.Generator) -> LabelledScene:
        """A street whose plates were exchanged, or a picture with one plate more."""
        if not self.images or rng.random() < _STREET_SHARE:
            return self._street(rng)
        image = self.images[int(rng.integers(len(self.images)))]
        scene = self.decoded.of(image)
        front = random_front(rng, height_px=int(rng.integers(24, 72)))
        return scene.remade(paste_plate(scene.scene(), front=front, rng=rng))

    def _street(self, rng: np.random.Generator) -> LabelledScene:
        """One of a few streets, which take long to draw, with another plate on each car."""
        index = int(rng.integers(_STREETS))
        if index not in self.streets:
            self.streets[index] = drawn_street(np.random.default_rng(index))
        street = self.streets[index]
        for row, plate in enumerate(street.plates):
            height_px = 1.5 * plate.quad.height / (plate.lines or 1)
            front = random_front(rng, height_px=int(np.clip(height_px, 24, 96)))
            street = replace_plate(street, index=row, front=front, rng=rng)
        return LabelledScene.of(street)


def drawn_street(rng: np.random.Generator) -> Scene:
    """A street with one to three cars and their plates."""
    fronts = [random_front(rng, height_px=64) for _ in range(int(rng.integers(1, 4)))]
    return generated_street(rng, size_px=(960, 540), fronts=fronts)
