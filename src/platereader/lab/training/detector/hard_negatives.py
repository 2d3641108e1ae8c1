"""Hard negatives for the detector: things that look like plates beside the labelled ones, and cars without plates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from platereader._geometry import Box, Quad
from platereader.lab.synthesis.distractors import paste_distractors
from platereader.lab.synthesis.paste import erase_plates
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.lab.training.detector.tiles import LINE_CLASSES, FloatArray, LabelledScene
from platereader.results import Lines

_LINES_OF: dict[int, Lines | None] = {label: lines for lines, label in LINE_CLASSES.items()}


def scene_plate(scene: LabelledScene, row: int) -> ScenePlate:
    """One plate of a scene in the words of the synthesis; its corners are those of its box where not known."""
    lines = _LINES_OF[int(scene.lines[row])]
    return ScenePlate(_box(scene.boxes[row]), Quad.from_points(scene.corners[row]), lines)


def with_distractors(scene: LabelledScene, *, most: int, rng: np.random.Generator) -> LabelledScene:
    """The scene with 0 to ``most`` things that are no plates, beside its plates and its ignored areas."""
    count = int(rng.integers(most + 1))
    if not count:
        return scene
    plates = tuple(scene_plate(scene, row) for row in range(len(scene.boxes)))
    ignored = [_box(area) for area in scene.ignored]
    made, _ = paste_distractors(Scene(scene.pixels, plates), count=count, rng=rng, kept_clear=ignored)
    return replace(scene, pixels=made.pixels)


def without_plates(scene: LabelledScene, *, rng: np.random.Generator) -> LabelledScene:
    """The scene with its plates painted over, or empty fields in their places; other areas as they were.

    All of its plates need corners: of a plate known only by its box too much or too little would be painted over.
    """
    plates = tuple(scene_plate(scene, row) for row in range(len(scene.boxes)))
    return LabelledScene(
        erase_plates(Scene(scene.pixels, plates), rng=rng).pixels,
        scene.boxes[:0],
        scene.lines[:0],
        scene.corners[:0],
        scene.has_corners[:0],
        scene.ignored,
        scene.complete,
    )


def _box(row: FloatArray) -> Box:
    x1, y1, x2, y2 = row.tolist()
    return Box(x1, y1, x2, y2)
