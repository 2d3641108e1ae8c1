"""Detectors for tests: fake networks that say what a test wants, and small real ones that have learnt nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from platereader._geometry import Box
from platereader.detection._finder import cell_grid
from platereader.detection._finder_network import FinderNetwork
from platereader.detection._refiner_network import RefinerNetwork
from platereader.registry import write_sidecar
from platereader.runtimes import Batch
from platereader.runtimes._tensors import write_tensors

FloatArray = NDArray[np.float32]

WIDTHS = (4, 4, 8, 8, 8)
"""Of a finder that runs fast."""

FINDER_SETTINGS = {"input_size": 64, "min_score": 0.0, "most": 6}
"""Of one that proposes something everywhere."""


def planted(boxes: Mapping[Box, float], *, size: tuple[int, int], stride: int = 8) -> tuple[FloatArray, FloatArray]:
    """A finder's outputs of one picture that say these boxes (pixels of the input) with these scores."""
    centres, strides = cell_grid(size)
    scores = np.full(len(centres), -20, np.float32)
    sides = np.zeros((4, len(centres)), np.float32)
    for box, score in boxes.items():
        middle = np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2])
        cell = int((np.linalg.norm(centres - middle, axis=1) + 1e6 * (strides[:, 0] != stride)).argmin())
        x, y = centres[cell].tolist()
        scores[cell] = math.log(score / (1 - score))
        sides[:, cell] = np.log(np.array([x - box.x1, y - box.y1, box.x2 - x, box.y2 - y]) / stride)
    return scores, sides


class FakeFinderNetwork:
    """Says the same of every picture, in pixels of its input."""

    engine, precision, threads = "fake", "fp32", 1

    def __init__(self, boxes: Mapping[Box, float]) -> None:
        self.boxes = boxes
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Batch) -> tuple[FloatArray, ...]:
        self.shapes.append(batch.shape)
        scores, sides = planted(self.boxes, size=(batch.shape[1], batch.shape[2]))
        return np.stack([scores[None]] * len(batch)), np.stack([sides] * len(batch))


class FakeRefinerNetwork:
    """Sees the same corners, in parts of the crop, in every crop, and the same kinds of crop after crop."""

    engine, precision, threads = "fake", "fp32", 1

    def __init__(self, points: FloatArray, kinds: Sequence[tuple[float, float, float]]) -> None:
        self.points, self.kinds = points, list(kinds)
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Batch) -> tuple[FloatArray, ...]:
        self.shapes.append(batch.shape)
        x = np.arange(32) + 0.5 - self.points[..., :1] * 32
        y = np.arange(16) + 0.5 - self.points[..., 1:] * 16
        heat = -(y[..., :, None] ** 2 + x[..., None, :] ** 2)
        kinds = [self.kinds[index % len(self.kinds)] for index in range(len(batch))]
        return np.repeat(heat[None], len(batch), axis=0).astype(np.float32), np.array(kinds, np.float32)


def write_small_detector(folder: Path, **settings: Any) -> Path:
    """The weights of two small networks with their sidecars, under the MIT licence; the finder's path.

    Args:
        folder: made if missing.
        settings: of the pair that differ from the defaults.
    """
    torch.manual_seed(0)
    finder, refiner = folder / "small-finder.safetensors", folder / "small-refiner.safetensors"
    write_tensors(finder, FinderNetwork(WIDTHS).state_dict())
    write_tensors(refiner, RefinerNetwork().state_dict())
    described = {"refiner": refiner.name, "finder": FINDER_SETTINGS, "pair": settings}
    write_sidecar(finder, kind="detector", settings=described, licence="MIT")
    write_sidecar(refiner, kind="refiner", settings={}, licence="MIT")
    return finder
