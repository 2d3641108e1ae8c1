"""Scenes and tiles for finder and refiner: labelled photographs, replaced and pasted plates, and empty ones, mixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from platereader._geometry import Box
from platereader.lab.synthesis.distractors import coloured, paste_distractors
from platereader.lab.synthesis.paste import erase_plates, paste_plate, random_front, replace_plate, set_plate
from platereader.lab.synthesis.scene import Scene
from platereader.lab.training.detector.material import DecodedScenes, Material
from platereader.lab.training.detector.tiles import LabelledScene, SceneSource, cut_tile, join_mosaic, relight

_COLOURED_SHARE = 0.6
_UNIT_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def make_tile(draw: SceneSource, *, size: tuple[int, int], mosaic: bool, rng: np.random.Generator) -> LabelledScene:
    """One tile of ``(height, width)`` px, with probability 0.4 a mosaic of four where that is allowed."""
    if mosaic and rng.random() < 0.4:
        tile = join_mosaic([draw(rng) for _ in range(4)], size=size, rng=rng)
    else:
        tile = cut_tile(draw(rng), size=size, rng=rng)
    return relight(tile, rng=rng)


class TileMaker:
    """Draws scenes from all sources and cuts tiles; keeps decoded pictures in memory, at most 1280 px on a side.

    Kinds of scenes that the ``material`` has nothing for are not drawn.
    """

    def __init__(self, material: Material) -> None:
        self._sources, self._cornered, self._empty = material.sources, material.cornered, material.empty
        # What looked like a plate to some detector teaches most.
        self._empty_weights = np.array([3.0 if image.fires else 1.0 for image in self._empty])
        self._decoded = DecodedScenes()
        kinds: list[tuple[Callable[[np.random.Generator], LabelledScene], float, bool]] = [
            (self._photograph, 0.37, True),
            (self._replaced, 0.25, bool(self._cornered)),
            (self._pasted, 0.16, bool(self._empty)),
            (self._wall, 0.01, bool(self._empty)),
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
        return with_distractors(self._decoded.of(image), most=int(rng.integers(3)), rng=rng)

    def _replaced(self, rng: np.random.Generator) -> LabelledScene:
        """A real car with a rendered plate in the place of its own."""
        image = self._cornered[rng.integers(len(self._cornered))]
        scene = self._decoded.of(image)
        index = int(rng.integers(len(scene.boxes)))
        given = scene.scene()
        # Rendered somewhat above its height in the picture, as far as that pays.
        height_px = int(np.clip(given.plates[index].quad.height * rng.uniform(1.0, 2.0), 24, 96))
        front = random_front(rng, height_px=height_px)
        made = replace_plate(given, index=index, front=front, rng=rng)
        return with_distractors(scene.remade(made), most=int(rng.integers(3)), rng=rng)

    def _pasted(self, rng: np.random.Generator) -> LabelledScene:
        """An empty scene with one to three rendered plates on it."""
        empty = self._emptied(rng)
        scene = Scene(empty.pixels)
        for _ in range(1 + int(rng.integers(3) * (rng.random() < 0.3))):
            front = random_front(rng, height_px=int(rng.integers(24, 72)))
            scene = paste_plate(scene, front=front, rng=rng)
        return with_distractors(empty.remade(scene), most=3, rng=rng)

    def _wall(self, rng: np.random.Generator) -> LabelledScene:
        """An empty scene with rows of rendered plates, as on the wall of a shop."""
        empty = self._emptied(rng)
        scene, (height, width) = Scene(empty.pixels), empty.pixels.shape[:2]
        columns, rows = int(rng.integers(2, 6)), int(rng.integers(2, 7))
        step_x, step_y = width / (columns + 1), height / (rows + 1)
        turn = np.array([[1, rng.normal(0, 0.05)], [rng.normal(0, 0.05), 1]])
        wide = step_x * rng.uniform(0.6, 0.95)
        for row, column in np.ndindex(rows, columns):
            front = random_front(rng, height_px=int(np.clip(0.3 * wide, 16, 72)))
            size = np.array([wide, wide * front.pixels.shape[0] / front.pixels.shape[1]])
            size *= min(1.0, 0.95 * step_y / size[1])
            corners = np.array([(column + 1) * step_x, (row + 1) * step_y]) + size * _UNIT_CORNERS @ turn
            scene = set_plate(scene, front=front, corners=corners.astype(np.float32), rng=rng)
        return empty.remade(scene)

    def _negative(self, rng: np.random.Generator) -> LabelledScene:
        """A scene without a plate, but with things that look like one."""
        return with_distractors(self._emptied(rng), most=6, rng=rng)

    def _erased(self, rng: np.random.Generator) -> LabelledScene:
        """A real car without its plates: what is left in their places is none."""
        scene = self._decoded.of(self._cornered[rng.integers(len(self._cornered))])
        return with_distractors(without_plates(scene, rng=rng), most=2, rng=rng)

    def _emptied(self, rng: np.random.Generator) -> LabelledScene:
        """A picture without a plate; most are grey, and get colours often enough that grey does not say empty."""
        index = rng.choice(len(self._empty), p=self._empty_weights / self._empty_weights.sum())
        scene = self._decoded.of(self._empty[index])
        return replace(scene, pixels=coloured(scene.pixels, rng=rng)) if rng.random() < _COLOURED_SHARE else scene


def with_distractors(scene: LabelledScene, *, most: int, rng: np.random.Generator) -> LabelledScene:
    """The scene with 0 to ``most`` things that are no plates, beside its plates and its ignored areas."""
    count = int(rng.integers(most + 1))
    if not count:
        return scene
    ignored = [Box(*row) for row in scene.ignored.tolist()]
    made, _ = paste_distractors(scene.scene(), count=count, rng=rng, kept_clear=ignored)
    return replace(scene, pixels=made.pixels)


def without_plates(scene: LabelledScene, *, rng: np.random.Generator) -> LabelledScene:
    """The scene with its plates painted over, or empty fields in their places; other areas as they were.

    All of its plates need corners: of a plate known only by its box too much or too little would be painted over.
    """
    return scene.remade(erase_plates(scene.scene(), rng=rng))
