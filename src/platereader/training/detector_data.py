"""Endless batches for the detector: labelled photographs, replaced and pasted plates, and empty scenes, mixed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from platereader.arrays import BgrImage
from platereader.datasets import LabelledImage, LabelledPlate, read_image
from platereader.datasets.photographs import load_photographs, trainable
from platereader.errors import DatasetError
from platereader.geometry import Box, Quad
from platereader.results import Lines
from platereader.synthesis.paste import paste_plate, random_front, replace_plate
from platereader.synthesis.scene import Scene, ScenePlate
from platereader.training.detector_loss import Targets
from platereader.training.detector_tiles import (
    FloatArray,
    LabelledScene,
    box_points,
    cut_tile,
    join_mosaic,
    relight,
    shrunk,
)

HELD_OUT_NEGATIVES = 300
"""Empty scenes, first by sha1 of the file name, that are kept for measuring false alarms."""

_MOSAIC_SHARE, _LAST_STRETCH = 0.4, 0.9
_BATCH, _MIN_BATCH = 16, 8
_BATCH_PIXELS = _BATCH * 320 * 320
# Tile sizes as (height, width) with their shares, and up to which progress: small tiles are cheap and come first, the
# last ones are near the size of use.
_STRETCHES = (
    (0.45, (((256, 256), 0.8), ((320, 320), 0.2))),
    (_LAST_STRETCH, (((320, 320), 0.82), ((416, 320), 0.06), ((320, 448), 0.06), ((384, 384), 0.06))),
    (math.inf, (((480, 640), 0.5), ((384, 640), 0.25), ((320, 320), 0.25))),
)
_TWO_LINE_ASPECT = 2.4
_MEMORY_SIDE_PX = 1280
_SETS = ("russian", "more", "other", "negatives")
_LINE_CLASSES: dict[Lines | None, int] = {1: 0, 2: 1, None: -1}
_LINES_OF: dict[int, Lines | None] = {label: lines for lines, label in _LINE_CLASSES.items()}


@dataclass(frozen=True, slots=True)
class Batch:
    """Tiles and what is known of them.

    Attributes:
        pictures: uint8 ``(N, 3, H, W)``, RGB.
        targets: the labels.
    """

    pictures: Tensor
    targets: Targets


@dataclass(frozen=True, slots=True)
class Source:
    """One set of labelled photographs.

    Attributes:
        images: pictures with labels.
        share: how often it is drawn from, relative to other sources.
        complete: whether every visible plate is labelled.
    """

    images: tuple[LabelledImage, ...]
    share: float
    complete: bool


@dataclass(frozen=True, slots=True)
class LabelledSets:
    """All labelled pictures of a folder that can be decoded.

    Attributes:
        images: by the name of their set; an absent set is empty.
        skipped: how many labels are broken or pictures cannot be decoded.
    """

    images: Mapping[str, tuple[LabelledImage, ...]]
    skipped: int


@dataclass(frozen=True, slots=True)
class Material:
    """What tiles are made of.

    Attributes:
        sources: photographs by kind.
        cornered: photographs on which the corners of every well boxed plate are known.
        empty: pictures without plates.
    """

    sources: tuple[Source, ...]
    cornered: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


def load_sets(root: Path) -> LabelledSets:
    """Read and decode what is under ``root``.

    Args:
        root: a folder with one or more of ``russian``, ``more``, ``other`` and ``negatives``, or one labelled set,
            whose pictures count as ``russian`` and without plates as ``negatives``.

    Raises:
        DatasetError: a set cannot be used at all.
    """
    found = {name: load_photographs(root / name) for name in _SETS if (root / name).is_dir()}
    if found:
        images = {name: found[name].images if name in found else () for name in _SETS}
        return LabelledSets(images, sum(one.skipped for one in found.values()))
    single = load_photographs(root)
    with_plates, without = (
        tuple(image for image in single.images if bool(image.plates) == wanted) for wanted in (True, False)
    )
    return LabelledSets({"russian": with_plates, "more": (), "other": (), "negatives": without}, single.skipped)


def detector_material(sets: LabelledSets) -> Material:
    """The training photographs by kind, and the empty scenes.

    Pictures of the calibration set, of the same cars, and the held-out empty scenes are left out.

    Raises:
        DatasetError: there is no plate to learn from, or nothing to learn corners from.
    """
    allowed = {image.path for image in trainable(image for images in sets.images.values() for image in images)}
    usable = {
        name: [
            image
            for image in images
            if image.path in allowed and any(plate.box is not None and not plate.is_loose for plate in image.plates)
        ]
        for name, images in sets.images.items()
    }
    kinds = [
        ("russian", "", 0.42, False),
        ("more", "", 0.16, False),
        ("other", "rl_", 0.24, False),
        ("other", "as_", 0.07, True),
        ("other", "yo", 0.03, True),
        ("other", "ch_", 0.08, True),
    ]
    sources = [
        Source(tuple(image for image in usable[name] if image.path.name.startswith(prefix)), share, complete)
        for name, prefix, share, complete in kinds
    ]
    incomplete = [image for source in sources if not source.complete for image in source.images]
    cornered = tuple(image for image in incomplete if all(plate.corners or plate.is_loose for plate in image.plates))
    held_out = {image.path for image in held_out_negatives(sets.images["negatives"])}
    empty = tuple(image for image in sets.images["negatives"] if image.path in allowed - held_out)
    material = Material(tuple(source for source in sources if source.images), cornered, empty)
    _check_material(material)
    return material


def _check_material(material: Material) -> None:
    """Refuse what no detector can be learnt from."""
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


def held_out_negatives(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """The empty scenes that are never trained on: 300, but of a small set no more than two thirds."""
    ordered = sorted(
        images, key=lambda image: hashlib.sha1(image.path.name.encode(), usedforsecurity=False).hexdigest()
    )
    return ordered[: min(HELD_OUT_NEGATIVES, 2 * len(ordered) // 3)]


def scene_of(image: LabelledImage, pixels: BgrImage, *, complete: bool) -> LabelledScene:
    """A labelled photograph as arrays; plates with a loose box become ignored areas."""
    height, width = pixels.shape[:2]
    known = [plate for plate in image.plates if plate.box is not None and plate.box_quality != "loose"]
    loose = [_padded(plate) for plate in image.plates if plate.box is not None and plate.box_quality == "loose"]
    boxes = _rows([_outline(plate) for plate in known])
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
        _rows(loose),
        _rows([] if complete else [(0.0, 0.0, float(width), float(height))]),
    )


class TileStream(IterableDataset[Batch]):
    """Batches without end; meant to run in the worker process of a ``torch.utils.data.DataLoader``.

    Args:
        material: the training photographs.
        progress: shared float32 ``(1,)``: how much of the training is done, 0 to 1; set by the training loop.
        seed: of the random stream; each worker draws its own from it.
    """

    def __init__(self, material: Material, *, progress: Tensor, seed: int) -> None:
        self.material = material
        self.progress = progress
        self.seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, 0 if worker is None else worker.id))
        if worker is not None:
            cv2.setNumThreads(1)
        maker = TileMaker(self.material)
        while True:
            yield maker.batch(progress=float(self.progress[0]), rng=rng)


class TileMaker:
    """Draws scenes from all sources and cuts tiles; keeps decoded pictures in memory, at most 1280 px on a side.

    Args:
        material: the training photographs; kinds of scenes that it has nothing for are not drawn.
    """

    def __init__(self, material: Material) -> None:
        self._sources, self._cornered, self._empty = material.sources, material.cornered, material.empty
        self._known: dict[Path, LabelledScene] = {}
        kinds: list[tuple[Callable[[np.random.Generator], LabelledScene], float, bool]] = [
            (self._photograph, 0.42, True),
            (self._replaced, 0.30, bool(self._cornered)),
            (self._pasted, 0.20, bool(self._empty)),
            (self._negative, 0.08, bool(self._empty)),
        ]
        self._kinds = [(draw, share) for draw, share, possible in kinds if possible]

    def batch(self, *, progress: float, rng: np.random.Generator) -> Batch:
        """One batch; towards the end of the training (``progress`` 0.9 of 1) tiles are large and single."""
        last = progress >= _LAST_STRETCH
        choices = next(sizes for until, sizes in _STRETCHES if progress < until)
        size = choices[rng.choice(len(choices), p=[share for _, share in choices])][0]
        count = max(_MIN_BATCH, min(_BATCH, round(_BATCH_PIXELS / (size[0] * size[1]))))
        return as_batch([self.tile(size=size, mosaic=not last, rng=rng) for _ in range(count)])

    def tile(self, *, size: tuple[int, int], mosaic: bool, rng: np.random.Generator) -> LabelledScene:
        """One tile of ``(height, width)`` px, with probability 0.4 a mosaic of four where that is allowed."""
        if mosaic and rng.random() < _MOSAIC_SHARE:
            tile = join_mosaic([self._scene(rng) for _ in range(4)], size=size, rng=rng)
        else:
            tile = cut_tile(self._scene(rng), size=size, rng=rng)
        return relight(tile, rng=rng)

    def _scene(self, rng: np.random.Generator) -> LabelledScene:
        """A random scene of a random kind."""
        shares = np.array([share for _, share in self._kinds])
        draw = self._kinds[rng.choice(len(shares), p=shares / shares.sum())][0]
        return draw(rng)

    def _photograph(self, rng: np.random.Generator) -> LabelledScene:
        """A labelled photograph."""
        shares = np.array([source.share for source in self._sources])
        source = self._sources[rng.choice(len(shares), p=shares / shares.sum())]
        image = source.images[rng.integers(len(source.images))]
        return self._remembered(image, complete=source.complete)

    def _replaced(self, rng: np.random.Generator) -> LabelledScene:
        """A real car with a rendered plate in the place of its own."""
        image = self._cornered[rng.integers(len(self._cornered))]
        scene = self._remembered(image, complete=False)
        index = int(rng.integers(len(scene.boxes)))
        plates = tuple(_scene_plate(scene, row) for row in range(len(scene.boxes)))
        front = random_front(rng, height_px=_front_height(plates[index].quad.height, rng))
        return _with_plates(replace_plate(Scene(scene.pixels, plates), index=index, front=front, rng=rng), scene)

    def _pasted(self, rng: np.random.Generator) -> LabelledScene:
        """An empty scene with one to three rendered plates on it."""
        empty = self._negative(rng)
        scene = Scene(empty.pixels)
        for _ in range(1 + int(rng.integers(3) * (rng.random() < 0.3))):
            front = random_front(rng, height_px=int(rng.integers(24, 72)))
            scene = paste_plate(scene, front=front, rng=rng)
        return _with_plates(scene, empty)

    def _negative(self, rng: np.random.Generator) -> LabelledScene:
        """A scene without a plate."""
        image = self._empty[rng.integers(len(self._empty))]
        return self._remembered(image, complete=True)

    def _remembered(self, image: LabelledImage, *, complete: bool) -> LabelledScene:
        """The decoded picture with its labels, from memory after the first time."""
        if image.path not in self._known:
            self._known[image.path] = shrunk(
                scene_of(image, read_image(image.path), complete=complete), side_px=_MEMORY_SIDE_PX
            )
        return self._known[image.path]


def _scene_plate(scene: LabelledScene, row: int) -> ScenePlate:
    """One plate of a scene with corners in the words of the synthesis."""
    box = scene.boxes[row]
    lines = _LINES_OF[int(scene.lines[row])]
    return ScenePlate(
        Box(float(box[0]), float(box[1]), float(box[2]), float(box[3])), Quad.from_points(scene.corners[row]), lines
    )


def _with_plates(made: Scene, scene: LabelledScene) -> LabelledScene:
    """A scene with pixels and plates as the synthesis left them; areas as they were."""
    corners = np.array([plate.quad.to_array() for plate in made.plates], np.float32).reshape(-1, 4, 2)
    boxes = np.concatenate((corners.min(1), corners.max(1)), -1) if len(corners) else np.zeros((0, 4), np.float32)
    return replace(
        scene,
        pixels=made.pixels,
        boxes=boxes,
        lines=np.array([_LINE_CLASSES[plate.lines] for plate in made.plates], np.int64),
        corners=corners,
        has_corners=np.ones(len(corners), np.bool_),
    )


def _front_height(plate_px: float, rng: np.random.Generator) -> int:
    """Height to render a plate at: somewhat above its height in the picture, as far as that pays."""
    return int(np.clip(plate_px * rng.uniform(1.0, 2.0), 24, 96))


def as_batch(tiles: Sequence[LabelledScene]) -> Batch:
    """Tiles of one size as tensors, labels padded to the longest."""
    pictures = np.stack([tile.pixels[:, :, ::-1].transpose(2, 0, 1) for tile in tiles])
    plates = max(1, *(len(tile.boxes) for tile in tiles))
    is_plate = np.array([[column < len(tile.boxes) for column in range(plates)] for tile in tiles])
    targets = Targets(
        boxes=_padded_stack([tile.boxes for tile in tiles]),
        lines=_padded_stack([tile.lines for tile in tiles]),
        corners=_padded_stack([tile.corners for tile in tiles]),
        has_corners=_padded_stack([tile.has_corners.astype(np.float32) for tile in tiles]),
        is_plate=torch.from_numpy(is_plate),
        ignored=_padded_stack([tile.ignored for tile in tiles]),
        unsure=_padded_stack([tile.unsure for tile in tiles]),
    )
    return Batch(torch.from_numpy(np.ascontiguousarray(pictures)), targets)


def _padded_stack(rows: Sequence[NDArray[np.float32] | NDArray[np.int64]]) -> Tensor:
    """Arrays of different lengths as one tensor, zeros where one is shorter; at least one row each."""
    longest = max(1, *(len(row) for row in rows))
    stacked = np.zeros((len(rows), longest, *rows[0].shape[1:]), rows[0].dtype)
    for target, row in zip(stacked, rows, strict=True):
        target[: len(row)] = row
    return torch.from_numpy(stacked)


def _line_class(image: LabelledImage, plate: LabelledPlate) -> int:
    """0 for one line of text, 1 for two, -1 where neither type nor shape tells."""
    if plate.plate_type is not None:
        return _LINE_CLASSES[plate.lines]
    if image.path.name.startswith("rl_"):
        return 0
    if image.path.name.startswith("as_") and plate.box is not None:
        return int(plate.box.width < _TWO_LINE_ASPECT * plate.box.height)
    return -1


def _outline(plate: LabelledPlate) -> tuple[float, float, float, float]:
    """The upright box around the corners, or the labelled box where there are none."""
    box = plate.box if plate.corners is None else plate.corners.box
    return (0.0, 0.0, 0.0, 0.0) if box is None else box.to_tuple()


def _padded(plate: LabelledPlate) -> tuple[float, float, float, float]:
    """A loose box with a fifth more around it."""
    box = plate.box
    return (0.0, 0.0, 0.0, 0.0) if box is None else box.padded(0.2 * box.width, 0.2 * box.height).to_tuple()


def _rows(boxes: Sequence[tuple[float, float, float, float]]) -> FloatArray:
    """Boxes as float32 ``(M, 4)``, also for none."""
    return np.array(boxes, np.float32).reshape(-1, 4)
