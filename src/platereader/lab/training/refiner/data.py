"""Batches for the refiner: crops of tiles, where the finder proposes them, about plates and about other things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from platereader._geometry import Box, iou
from platereader.detection._crops import Window, cut_windows, window_around
from platereader.detection._finder import Finder
from platereader.detection._refiner import CROP_SIZE
from platereader.lab.metrics.rates import best_overlap
from platereader.lab.synthesis.fields import log_uniform
from platereader.lab.training.detector.data import make_tile
from platereader.lab.training.detector.tiles import LabelledScene, SceneSource
from platereader.lab.training.refiner.loss import Targets

FloatArray = NDArray[np.float32]

_BATCH = 64
_SIZES = ((320, 480), (480, 640), (256, 320))
_MOST_PROPOSALS, _RANDOM_PLACES = 16, 2
# A learning refiner is asked about less likely places, too: most of the likely ones are plates.
_MIN_SCORE = 0.004
# A proposal shows the plate that it overlaps so much, and none where it overlaps none by so much.
_SAME, _OTHER = 0.4, 0.15
# How far a box is off in parts of its size, as those of a finder are.
_JITTER = 0.08
# A corner so far outside of the tile makes a plate one that is cut off, in parts of its width.
_CUT = 0.02


@dataclass(frozen=True, slots=True)
class Batch:
    """Crops, uint8 ``(N, 64, 128, 3)`` BGR, and what is known of them."""

    crops: Tensor
    targets: Targets


@dataclass(frozen=True, slots=True)
class _Sample:
    """What is known of one crop; see ``Targets``."""

    kinds: tuple[float, float, float]
    corners: FloatArray
    has_corners: bool
    box: FloatArray
    has_box: bool


class RefinerBatches(Dataset[Batch]):
    """Batches of crops of the scenes that ``draw`` gives.

    The ``finder`` proposes places, so that the refiner learns of what it is asked about later; None takes jittered
    boxes of plates and random places only.
    """

    def __init__(self, draw: SceneSource, *, seed: int, finder: Finder | None) -> None:
        self._draw, self._seed = draw, seed
        self._finder = None if finder is None else replace(finder, min_score=_MIN_SCORE, most=_MOST_PROPOSALS)

    @override
    def __getitem__(self, index: int) -> Batch:
        """Make batch number ``index``."""
        rng = np.random.default_rng((self._seed, index))
        crops: list[NDArray[np.uint8]] = []
        samples: list[_Sample] = []
        while len(samples) < _BATCH:
            size = _SIZES[rng.integers(len(_SIZES))]
            tile = make_tile(self._draw, size=size, mosaic=True, rng=rng)
            windows, known = crops_of(tile, places=self._places(tile, rng))
            crops.append(cut_windows(tile.pixels, windows, size=CROP_SIZE))
            samples += known
        return Batch(torch.from_numpy(np.concatenate(crops)[:_BATCH]), _targets(samples[:_BATCH]))

    def _places(self, tile: LabelledScene, rng: np.random.Generator) -> list[Box]:
        """Boxes to look at: what the finder proposes, every plate not quite exactly, and something random."""
        places = [Box(*row) for row in _jittered(tile.boxes, rng).tolist()]
        places += _random_places(tile, rng)
        if self._finder is not None:
            places += [proposal.box for proposal in self._finder.propose([tile.pixels])[0]]
        height, width = tile.pixels.shape[:2]
        return [box for place in places if (box := place.clipped(width, height)) is not None and box.area > 0]


def crops_of(tile: LabelledScene, *, places: Sequence[Box]) -> tuple[list[Window], list[_Sample]]:
    """The windows of those places of which it is known what they show, and that.

    Nothing is known of a place that overlaps a plate a little or touches an ignored area, nor of one without a label in
    a picture that is not completely labelled.
    """
    windows: list[Window] = []
    samples: list[_Sample] = []
    plates = [Box(*row) for row in tile.boxes.tolist()]
    ignored = [Box(*row) for row in tile.ignored.tolist()]
    for place in places:
        window = window_around(place)
        best, overlap = best_overlap(place, plates)
        if overlap >= _SAME:
            samples.append(_plate_sample(tile, best, window))
        elif tile.complete and overlap <= _OTHER and not any(iou(place, one) for one in ignored):
            nothing = np.zeros((4, 2), np.float32), False, np.zeros(4, np.float32), False
            samples.append(_Sample((0.0, -1.0, -1.0), *nothing))
        else:
            continue
        windows.append(window)
    return windows, samples


def _plate_sample(tile: LabelledScene, row: int, window: Window) -> _Sample:
    """What is known of a plate, in parts of its window."""
    height, width = tile.pixels.shape[:2]
    corners, has_corners = tile.corners[row], bool(tile.has_corners[row])
    slack = _CUT * float(corners[:, 0].max() - corners[:, 0].min())
    outside = (corners < -slack).any() or (corners > np.array([width + slack, height + slack])).any()
    lines = float(tile.lines[row])  # 0 for one line, 1 for two, -1 for unknown
    points = window.from_frame(corners)
    seen = bool((points > 0).all() and (points < 1).all())
    box = window.from_frame(tile.boxes[row].reshape(2, 2)).reshape(4)
    # The hull of a turned plate is that of its corners, which say more.
    return _Sample((1.0, lines, float(outside)), points, has_corners and seen, box, not has_corners)


def _targets(samples: Sequence[_Sample]) -> Targets:
    return Targets(
        kinds=torch.tensor([one.kinds for one in samples]),
        corners=torch.from_numpy(np.stack([one.corners for one in samples])),
        has_corners=torch.tensor([one.has_corners for one in samples]),
        boxes=torch.from_numpy(np.stack([one.box for one in samples])),
        has_box=torch.tensor([one.has_box for one in samples]),
    )


def _jittered(boxes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Boxes ``(M, 4)`` as a finder would place them."""
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved: FloatArray = (boxes + np.clip(rng.normal(0, _JITTER, boxes.shape), -0.25, 0.25) * size).astype(np.float32)
    return moved


def _random_places(tile: LabelledScene, rng: np.random.Generator) -> Iterator[Box]:
    """Boxes of a plate's shape anywhere in the tile."""
    height, width = map(float, tile.pixels.shape[:2])
    for _ in range(_RANDOM_PLACES):
        wide = log_uniform(16.0, 320.0, rng=rng)
        tall = wide / rng.uniform(1.3, 5.0)
        x, y = rng.uniform(0.0, float(width)), rng.uniform(0.0, float(height))
        yield Box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
