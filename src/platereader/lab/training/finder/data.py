"""Batches for the finder: tiles of labelled photographs, of rendered plates in them, and of scenes without plates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from platereader.lab.training.detector.data import make_tile, padded_stack
from platereader.lab.training.detector.tiles import LabelledScene, SceneSource
from platereader.lab.training.finder.loss import Targets

_BATCH, _MIN_BATCH, _LAST_STRETCH = 16, 4, 0.9
_BATCH_PIXELS = _BATCH * 320 * 320
# Tile sizes as (height, width) with their shares, and up to which progress: small tiles are cheap and come first, the
# last ones are of the size of use.
_STRETCHES = (
    (0.4, (((320, 320), 0.7), ((256, 256), 0.2), ((416, 416), 0.1))),
    (0.75, (((320, 320), 0.4), ((416, 416), 0.35), ((320, 512), 0.15), ((448, 320), 0.1))),
    (math.inf, (((576, 832), 0.3), ((480, 640), 0.2), ((384, 640), 0.15), ((640, 640), 0.15), ((320, 320), 0.2))),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tiles, uint8 ``(N, H, W, 3)`` BGR, and what is known of them."""

    pictures: Tensor
    targets: Targets


class FinderBatches(Dataset[Batch]):
    """Batches of tiles of the scenes that ``draw`` gives.

    ``progress`` is float32 ``(1,)`` in shared memory, set by the training loop: share of the training that is done.
    """

    def __init__(self, draw: SceneSource, *, seed: int, progress: Tensor) -> None:
        self._draw, self._seed, self._progress = draw, seed, progress

    @override
    def __getitem__(self, index: int) -> Batch:
        """Make batch number ``index``; towards the end of the training tiles are large and single."""
        rng, progress = np.random.default_rng((self._seed, index)), float(self._progress[0])
        sizes = next(sizes for until, sizes in _STRETCHES if progress < until)
        size = sizes[rng.choice(len(sizes), p=[share for _, share in sizes])][0]
        count = max(_MIN_BATCH, min(_BATCH, round(_BATCH_PIXELS / (size[0] * size[1]))))
        mosaic = progress < _LAST_STRETCH
        return as_batch([make_tile(self._draw, size=size, mosaic=mosaic, rng=rng) for _ in range(count)])


def as_batch(tiles: Sequence[LabelledScene]) -> Batch:
    """Tiles of one size as tensors, labels padded to the longest."""
    plates = max(1, *(len(tile.boxes) for tile in tiles))
    targets = Targets(
        boxes=padded_stack([tile.boxes for tile in tiles]),
        is_plate=torch.tensor([[column < len(tile.boxes) for column in range(plates)] for tile in tiles]),
        ignored=padded_stack([tile.ignored for tile in tiles]),
        complete=torch.tensor([tile.complete for tile in tiles]),
    )
    return Batch(torch.from_numpy(np.stack([tile.pixels for tile in tiles])), targets)
