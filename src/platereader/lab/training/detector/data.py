"""Scenes and tiles for finder and refiner: labelled photographs, replaced and pasted plates, and empty ones, mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from platereader.lab.datasets import LabelledImage
from platereader.lab.synthesis.distractors import coloured
from platereader.lab.synthesis.paste import paste_plate, random_front, replace_plate
from platereader.lab.synthesis.scene import Scene
from platereader.lab.training.detector.hard_negatives import scene_plate, with_distractors, without_plates
from platereader.lab.training.detector.material import Material, loaded_scene
from platereader.lab.training.detector.tiles import (
    LINE_CLASSES,
    LabelledScene,
    SceneSource,
    cut_tile,
    join_mosaic,
    relight,
)

_MOSAIC_SHARE = 0.4
_COLOURED_SHARE = 0.6


def make_tile(draw: SceneSource, *, size: tuple[int, int], mosaic: bool, rng: np.random.Generator) -> LabelledScene:
    """One tile of ``(height, width)`` px, with probability 0.4 a mosaic of four where that is allowed."""
    if mosaic and rng.random() < _MOSAIC_SHARE:
        tile = join_mosaic([draw(rng) for _ in range(4)], size=size, rng=rng)
    else:
        tile = cut_tile(draw(rng), size=size, rng=rng)
    return relight(tile, rng=rng)


class TileMaker:
    """Draws scenes from all sources and cuts tiles; keeps decoded pictures in memory, at most 1280 px on a side.

    Args:
        material: the training photographs; kinds of scenes that it has nothing for are not drawn.
    """

    def __init__(self, material: Material) -> None:
        self._sources, self._cornered, self._empty = material.sources, material.cornered, material.empty
        self._known: dict[Path, LabelledScene] = {}
        kinds: list[tuple[Callable[[np.random.Generator], LabelledScene], float, bool]] = [
            (self._photograph, 0.38, True),
            (self._replaced, 0.25, bool(self._cornered)),
            (self._pasted, 0.16, bool(self._empty)),
            (self._negative, 0.13, bool(self._empty)),
            (self._erased, 0.08, bool(self._cornered)),
        ]
        self._kinds = [(draw, share) for draw, share, possible in kinds if possible]

    def scene(self, rng: np.random.Generator) -> LabelledScene:
        """A random scene of a random kind."""
        shares = np.array([share for _, share in self._kinds])
        draw = self._kinds[rng.choice(len(shares), p=shares / shares.sum())][0]
        return draw(rng)

    def _photograph(self, rng: np.random.Generator) -> LabelledScene:
        """A labelled photograph, four times in ten with one or two things that look like plates."""
        shares = np.array([source.share for source in self._sources])
        source = self._sources[rng.choice(len(shares), p=shares / shares.sum())]
        image = source.images[rng.integers(len(source.images))]
        return with_distractors(self._remembered(image), most=int(rng.integers(3)), rng=rng)

    def _replaced(self, rng: np.random.Generator) -> LabelledScene:
        """A real car with a rendered plate in the place of its own."""
        image = self._cornered[rng.integers(len(self._cornered))]
        scene = self._remembered(image)
        index = int(rng.integers(len(scene.boxes)))
        plates = tuple(scene_plate(scene, row) for row in range(len(scene.boxes)))
        front = random_front(rng, height_px=_front_height(plates[index].quad.height, rng))
        made = _with_plates(replace_plate(Scene(scene.pixels, plates), index=index, front=front, rng=rng), scene)
        return with_distractors(made, most=int(rng.integers(3)), rng=rng)

    def _pasted(self, rng: np.random.Generator) -> LabelledScene:
        """An empty scene with one to three rendered plates on it."""
        empty = self._emptied(rng)
        scene = Scene(empty.pixels)
        for _ in range(1 + int(rng.integers(3) * (rng.random() < 0.3))):
            front = random_front(rng, height_px=int(rng.integers(24, 72)))
            scene = paste_plate(scene, front=front, rng=rng)
        return with_distractors(_with_plates(scene, empty), most=3, rng=rng)

    def _negative(self, rng: np.random.Generator) -> LabelledScene:
        """A scene without a plate, but with things that look like one."""
        return with_distractors(self._emptied(rng), most=6, rng=rng)

    def _erased(self, rng: np.random.Generator) -> LabelledScene:
        """A real car without its plates: what is left in their places is none."""
        scene = self._remembered(self._cornered[rng.integers(len(self._cornered))])
        return with_distractors(without_plates(scene, rng=rng), most=2, rng=rng)

    def _emptied(self, rng: np.random.Generator) -> LabelledScene:
        """A picture without a plate; most are grey, and get colours often enough that grey does not say empty."""
        scene = self._remembered(self._empty[rng.integers(len(self._empty))])
        return replace(scene, pixels=coloured(scene.pixels, rng=rng)) if rng.random() < _COLOURED_SHARE else scene

    def _remembered(self, image: LabelledImage) -> LabelledScene:
        """The decoded picture with its labels, from memory after the first time."""
        if image.path not in self._known:
            self._known[image.path] = loaded_scene(image)
        return self._known[image.path]


def _with_plates(made: Scene, scene: LabelledScene) -> LabelledScene:
    """A scene with pixels and plates as the synthesis left them; areas as they were."""
    corners = np.array([plate.quad.to_array() for plate in made.plates], np.float32).reshape(-1, 4, 2)
    boxes = np.concatenate((corners.min(1), corners.max(1)), -1) if len(corners) else np.zeros((0, 4), np.float32)
    return replace(
        scene,
        pixels=made.pixels,
        boxes=boxes,
        lines=np.array([LINE_CLASSES[plate.lines] for plate in made.plates], np.int64),
        corners=corners,
        has_corners=np.ones(len(corners), np.bool_),
    )


def _front_height(plate_px: float, rng: np.random.Generator) -> int:
    """Height to render a plate at: somewhat above its height in the picture, as far as that pays."""
    return int(np.clip(plate_px * rng.uniform(1.0, 2.0), 24, 96))


def padded_stack(rows: Sequence[NDArray[np.float32] | NDArray[np.int64]]) -> Tensor:
    """Arrays of different lengths as one tensor, zeros where one is shorter; at least one row each."""
    longest = max(1, *(len(row) for row in rows))
    stacked = np.zeros((len(rows), longest, *rows[0].shape[1:]), rows[0].dtype)
    for target, row in zip(stacked, rows, strict=True):
        target[: len(row)] = row
    return torch.from_numpy(stacked)
