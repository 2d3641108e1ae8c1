"""Raw network outputs that say what a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader.detection._decode import BINS, cell_grid

FloatArray = NDArray[np.float32]
Outputs = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True)
class Wanted:
    """One plate in pixels of the network input."""

    box: tuple[float, float, float, float]
    corners: FloatArray
    line_class: int = 0
    logit: float = 5.0
    stride: int = 16


def encode(plates: Sequence[Wanted], *, size: tuple[int, int]) -> Outputs:
    """Outputs of one picture that hold exactly these plates, each in the cell at its centre."""
    centres, strides = cell_grid(size)
    sides = np.zeros((4 * BINS, len(centres)), np.float32)
    classes = np.full((2, len(centres)), -20, np.float32)
    offsets = np.zeros((8, len(centres)), np.float32)
    for plate in plates:
        x1, y1, x2, y2 = plate.box
        middle = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        far = np.linalg.norm(centres - middle, axis=1) + 1e6 * (strides[:, 0] != plate.stride)
        cell = int(far.argmin())
        cx, cy = centres[cell]
        distances = np.array([cx - x1, cy - y1, x2 - cx, y2 - cy]) / plate.stride
        for side, distance in enumerate(distances):
            low = int(distance)
            row = np.full(BINS, -50.0)
            row[low], row[low + 1] = np.log(1 - (distance - low) + 1e-9), np.log(distance - low + 1e-9)
            sides[side * BINS : (side + 1) * BINS, cell] = row
        classes[plate.line_class, cell] = plate.logit
        offsets[:, cell] = ((plate.corners - centres[cell]) / (2 * plate.stride)).ravel()
    return sides, classes, offsets


@dataclass
class FakeRuntime:
    """Answers every picture with the same outputs and remembers the shapes it was asked."""

    outputs: Outputs
    engine: str = "fake"
    precision: str = "fp32"
    threads: int = 1
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, batch: FloatArray) -> tuple[FloatArray, ...]:
        self.shapes.append(batch.shape)
        return tuple(np.stack([part] * len(batch)) for part in self.outputs)
