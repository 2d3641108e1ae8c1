"""How two networks' scores and boxes become one, fitted on held-out pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from small_detector import FakeFinderNetwork, FakeRefinerNetwork

from platereader._geometry import Box
from platereader.detection._finder import Finder
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._refiner import Refiner
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.training.detector.combination import fit_pair, fitted_on
from platereader.lab.training.detector.material import Photographs
from platereader.runtimes import Batch

FloatArray = NDArray[np.float32]
PLACE = Box(30, 40, 90, 60)
HULL = np.array([[1 / 6, 0.28], [5 / 6, 0.28], [5 / 6, 0.72], [1 / 6, 0.72]], np.float32)


class Brightness(FakeRefinerNetwork):
    """The brighter a crop, the more it is a plate."""

    def run(self, batch: Batch) -> tuple[FloatArray, ...]:
        heat, kinds = super().run(batch)
        kinds[:, 0] = 8 * (batch.mean((1, 2, 3)) / 255 - 0.5)
        return heat, kinds


def written(folder: Path, name: str, *, grey: int, plates: tuple[LabelledPlate, ...]) -> LabelledImage:
    path = folder / f"{name}.png"
    cv2.imwrite(str(path), np.full((128, 128, 3), grey, np.uint8))
    return LabelledImage(path, 128, 128, plates)


@pytest.fixture
def photographs(tmp_path: Path) -> Photographs:
    """Bright pictures with a plate where the finder proposes one, dark ones without; of either a few are the others."""
    rng = np.random.default_rng(0)
    plate = LabelledPlate(PLACE)
    bright, dark = (np.clip(rng.normal(mean, 30, 60), 0, 255).astype(int).tolist() for mean in (175, 80))
    images = [written(tmp_path, f"p{index}", grey=grey, plates=(plate,)) for index, grey in enumerate(bright)]
    empty = [written(tmp_path, f"e{index}", grey=grey, plates=()) for index, grey in enumerate(dark)]
    return Photographs(tuple(images), tuple(empty))


def detector(place: Box = PLACE, hull: FloatArray = HULL, *, kind: float = -2.0) -> PlateDetector:
    finder = Finder(FakeFinderNetwork({place: 0.4}), input_size=128)
    return PlateDetector(finder, Refiner(Brightness(hull, [(0.0, kind, kind)])))


def test_the_score_becomes_a_probability(photographs: Photographs) -> None:
    fitted = fit_pair(detector(), photographs)
    assert fitted.score_weights.refiner > 0.2
    rest = set(photographs.images + photographs.empty) - {*fitted_on(photographs).images, *fitted_on(photographs).empty}
    assert 20 < len(rest) < 100
    frames = {image: np.asarray(cv2.imread(str(image.path)), np.uint8) for image in rest}
    found = {image: fitted.detect([frame])[0] for image, frame in frames.items()}
    right = [bool(found[image]) == bool(image.plates) for image in rest]
    assert np.mean(right) > 0.85


def test_the_box_follows_what_lies_nearer_to_the_labels(photographs: Photographs) -> None:
    hull = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]], np.float32)
    assert fit_pair(detector(hull=hull, kind=0.0), photographs).refined_share == 0.0
    # The window of the larger box is 108 px wide: these corners are the plate's own.
    points = (np.array([[24, 17], [84, 17], [84, 37], [24, 37]]) / (108, 54)).astype(np.float32)
    assert fit_pair(detector(Box(24, 36, 96, 64), points, kind=0.0), photographs).refined_share == 1.0


def test_what_is_not_known_teaches_nothing(photographs: Photographs) -> None:
    unsure = tuple(
        LabelledImage(image.path, 128, 128, (LabelledPlate(PLACE, box_quality="loose"),))
        for image in photographs.images
    )
    given = replace(detector(), min_score=0.7)
    assert fit_pair(given, Photographs(unsure, photographs.empty)) is given
    assert fit_pair(given, Photographs(photographs.images, ())) is given
