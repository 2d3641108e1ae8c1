"""Training of the network that proposes places on whole frames: batches of tiles, the loss, and the validation.

Boxes are scored by CIoU (Zheng et al. 2020) and by the distances to their sides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset
from typing_extensions import override

from platereader.detection._finder import Finder, Proposal, cell_grid
from platereader.detection._finder_network import FinderNetwork, finder_from_state
from platereader.lab.datasets import LabelledImage
from platereader.lab.metrics.rates import match, recall
from platereader.lab.suites.labelled.run import picture_boxes
from platereader.lab.training.detector.assignment import assign_cells, complete_overlap, in_boxes
from platereader.lab.training.detector.data import make_tile
from platereader.lab.training.detector.material import Photographs
from platereader.lab.training.detector.tiles import LabelledScene, SceneSource
from platereader.media._images import read_image
from platereader.results import Detection
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

SCORE_WEIGHT, BOX_WEIGHT, SIDES_WEIGHT = 0.5, 5.0, 2.0
"""Weights of the parts of the loss."""

_BATCH, _MIN_BATCH, _LAST_STRETCH = 16, 4, 0.9
_BATCH_PIXELS = _BATCH * 320 * 320
# Tile sizes as (height, width) with their shares, and up to which progress: small tiles are cheap and come first, the
# last ones are of the size of use.
_STRETCHES = (
    (0.4, (((320, 320), 0.7), ((256, 256), 0.2), ((416, 416), 0.1))),
    (0.75, (((320, 320), 0.4), ((416, 416), 0.35), ((320, 512), 0.15), ((448, 320), 0.1))),
    (math.inf, (((576, 832), 0.3), ((480, 640), 0.2), ((384, 640), 0.15), ((640, 640), 0.15), ((320, 320), 0.2))),
)
_LARGEST_LOG_DISTANCE = 4.0
# A find in a picture that may have unlabelled plates is believed from here on.
_BELIEVED_SCORE = 0.3
_GENEROUS, _SURE = 0.05, 0.3


@dataclass(frozen=True, slots=True)
class FinderBatch:
    """N tiles with what is known of them, padded to M plates and K areas.

    Attributes:
        pictures: uint8 ``(N, H, W, 3)`` BGR.
        boxes: float32 ``(N, M, 4)``, ``x1, y1, x2, y2`` in pixels of the tile; zeros where padded.
        is_plate: bool ``(N, M)``: False where padded.
        ignored: float32 ``(N, K, 4)``: areas where nothing is learnt about the absence of plates.
        complete: bool ``(N,)``: whether all plates of the tile are labelled or ignored.
    """

    pictures: Tensor
    boxes: Tensor
    is_plate: Tensor
    ignored: Tensor
    complete: Tensor


class FinderBatches(Dataset[FinderBatch]):
    """Batches of tiles of the scenes that ``draw`` gives.

    ``progress`` is float32 ``(1,)`` in shared memory, set by the training loop: share of the training that is done.
    """

    def __init__(self, draw: SceneSource, *, seed: int, progress: Tensor) -> None:
        self._draw, self._seed, self._progress = draw, seed, progress

    @override
    def __getitem__(self, index: int) -> FinderBatch:
        """Make batch number ``index``; towards the end of the training tiles are large and single."""
        rng, progress = np.random.default_rng((self._seed, index)), float(self._progress[0])
        sizes = next(sizes for until, sizes in _STRETCHES if progress < until)
        size = sizes[rng.choice(len(sizes), p=[share for _, share in sizes])][0]
        count = max(_MIN_BATCH, min(_BATCH, round(_BATCH_PIXELS / (size[0] * size[1]))))
        mosaic = progress < _LAST_STRETCH
        return as_batch([make_tile(self._draw, size=size, mosaic=mosaic, rng=rng) for _ in range(count)])


def as_batch(tiles: Sequence[LabelledScene]) -> FinderBatch:
    """Tiles of one size as tensors, labels padded to the longest."""
    plates = max(1, *(len(tile.boxes) for tile in tiles))
    return FinderBatch(
        pictures=torch.from_numpy(np.stack([tile.pixels for tile in tiles])),
        boxes=_padded([tile.boxes for tile in tiles]),
        is_plate=torch.tensor([[column < len(tile.boxes) for column in range(plates)] for tile in tiles]),
        ignored=_padded([tile.ignored for tile in tiles]),
        complete=torch.tensor([tile.complete for tile in tiles]),
    )


def _padded(rows: Sequence[NDArray[np.float32]]) -> Tensor:
    """Boxes ``(N, M, 4)`` of N lists, zeros where one is shorter; at least one each."""
    stacked = np.zeros((len(rows), max(1, *map(len, rows)), 4), np.float32)
    for target, row in zip(stacked, rows, strict=True):
        target[: len(row)] = row
    return torch.from_numpy(stacked)


def finder_loss(outputs: Sequence[Tensor], batch: FinderBatch) -> dict[str, Tensor]:
    """The weighted parts of the loss of one batch, each a scalar: ``scores``, ``boxes`` and ``sides``.

    ``outputs`` of ``FinderNetwork`` are ``(N, 1, A)`` and ``(N, 4, A)``.
    """
    logits, sides = outputs[0].float()[:, 0], outputs[1].float().transpose(1, 2)  # (N, A), (N, A, 4)
    _, height, width, _ = batch.pictures.shape
    centres, strides = (torch.from_numpy(part) for part in cell_grid((height, width)))  # (A, 2), (A, 1) in pixels
    boxes = decode_boxes(sides, centres, strides)  # (N, A, 4)
    probabilities = logits.detach().sigmoid()
    chosen, index, wanted = assign_cells(
        probabilities, boxes.detach(), centres, true_boxes=batch.boxes, is_plate=batch.is_plate
    )
    total = wanted.sum().clamp(min=1.0)
    excused = in_boxes(centres, batch.ignored).any(1)  # (N, A)
    excused |= (probabilities > _BELIEVED_SCORE) & ~batch.complete[:, None]
    learnt = chosen | ~excused
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")  # (N, A)
    score = (entropy * learnt).sum() / total
    row, cell = chosen.nonzero().unbind(1)  # (F,)
    true_boxes = batch.boxes[row, index[chosen]]  # (F, 4)
    weight = wanted[chosen]  # (F,)
    overlap = complete_overlap(boxes[chosen], true_boxes)
    true_sides = _log_distances(true_boxes, centres[cell], strides[cell])  # (F, 4)
    error = functional.smooth_l1_loss(sides[chosen], true_sides, beta=0.1, reduction="none").mean(-1)
    return {
        "scores": SCORE_WEIGHT * score,
        "boxes": BOX_WEIGHT * ((1 - overlap) * weight).sum() / total,
        "sides": SIDES_WEIGHT * (error * weight).sum() / total,
    }


def decode_boxes(sides: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Boxes ``(..., A, 4)`` in pixels from the logarithms of the distances to their sides ``(..., A, 4)`` in cells."""
    distances = sides.clamp(max=_LARGEST_LOG_DISTANCE).exp() * strides
    return torch.cat((centres - distances[..., :2], centres + distances[..., 2:]), -1)


def _log_distances(boxes: Tensor, centres: Tensor, strides: Tensor) -> Tensor:
    """Inverse of ``decode_boxes``; a side that lies before its cell's centre is a small part of a cell behind it."""
    distances = torch.cat((centres - boxes[:, :2], boxes[:, 2:] - centres), -1) / strides
    return distances.clamp(min=0.05).log()


def averaged_finder(tensors: Mapping[str, Tensor]) -> FinderNetwork:
    """The finder with the average of the weights, as it runs."""
    return fuse_normalisation(finder_from_state(tensors, name="the average of the weights"))


def validate_finder(tensors: Mapping[str, Tensor], photographs: Photographs) -> dict[str, float | None]:
    """Measure a network with the given weights.

    Returns:
        plates: plates with a good box, n of the recalls.
        recall: share of plates that a proposal of score 0.05 or more meets by IoU 0.5.
        sure_recall: the same from score 0.3 on.
        close_recall: share of plates that a proposal of score 0.05 or more meets by IoU 0.75.
        proposals: proposals a photograph.
        false_alarms: proposals of score 0.3 or more an empty scene.
    """
    finder = Finder(TorchRuntime(averaged_finder(tensors)), min_score=_GENEROUS)
    found = [finder.propose([read_image(image.path)])[0] for image in photographs.images]
    false = [finder.propose([read_image(image.path)])[0] for image in photographs.empty]
    sure = [[proposal for proposal in row if proposal.score >= _SURE] for row in found]
    alarms = sum(proposal.score >= _SURE for row in false for proposal in row)
    return {
        "plates": sum(len(picture_boxes(image, ()).labelled) for image in photographs.images),
        "recall": _recall(photographs.images, found, min_iou=0.5),
        "sure_recall": _recall(photographs.images, sure, min_iou=0.5),
        "close_recall": _recall(photographs.images, found, min_iou=0.75),
        "proposals": sum(map(len, found)) / len(found) if found else None,
        "false_alarms": alarms / len(false) if false else None,
    }


def _recall(images: Sequence[LabelledImage], found: Sequence[Sequence[Proposal]], *, min_iou: float) -> float | None:
    pictures = [
        picture_boxes(image, [Detection(*proposal) for proposal in row])
        for image, row in zip(images, found, strict=True)
    ]
    return recall([match(picture, min_iou=min_iou) for picture in pictures]).value
