"""Training of the network that looks at each place: batches of crops, the loss, and the validation.

The crops lie where the finder proposes them, about plates and about other things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset
from typing_extensions import override

from platereader._geometry import Box, iou
from platereader.detection._crops import Window, cut_windows, window_around
from platereader.detection._finder import Finder, Proposal
from platereader.detection._refiner import CROP_SIZE, Place, Refiner
from platereader.detection._refiner_network import RefinerNetwork, refiner_from_state
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics.rates import best_overlap, corner_error
from platereader.lab.synthesis.fields import log_uniform
from platereader.lab.training.detector.data import make_tile
from platereader.lab.training.detector.material import Photographs
from platereader.lab.training.detector.tiles import FloatArray, LabelledScene, SceneSource
from platereader.media._images import read_image
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

KIND_WEIGHTS = (1.0, 0.3, 0.3)
"""Weights of the kinds: plate, two lines, cut."""

CORNER_WEIGHT, HEAT_WEIGHT, HULL_WEIGHT = 20.0, 0.1, 5.0
"""Weights of the parts of the loss."""

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
class RefinerBatch:
    """N crops with what is known of them; places in parts of the crop, 0 to 1.

    ``crops`` are uint8 ``(N, 64, 128, 3)`` BGR. Of the ``kinds``, float32 ``(N, 3)``, plate, two lines of text and cut
    by the edge of the frame, each is 1, 0 or -1 for unknown. ``corners``, float32 ``(N, 4, 2)``, and ``boxes``,
    ``(N, 4)``, the upright hulls of the plates, mean nothing where ``has_corners`` and ``has_box``, bool ``(N,)``, say
    that they are not known or not well placed.
    """

    crops: Tensor
    kinds: Tensor
    corners: Tensor
    has_corners: Tensor
    boxes: Tensor
    has_box: Tensor


class _Sample(NamedTuple):
    """What is known of one crop, in the order of ``RefinerBatch``."""

    kinds: FloatArray
    corners: FloatArray
    has_corners: bool
    box: FloatArray
    has_box: bool


class RefinerBatches(Dataset[RefinerBatch]):
    """Batches of crops of the scenes that ``draw`` gives.

    The ``finder`` proposes places, so that the refiner learns of what it is asked about later; None takes jittered
    boxes of plates and random places only.
    """

    def __init__(self, draw: SceneSource, *, seed: int, finder: Finder | None) -> None:
        self._draw, self._seed = draw, seed
        self._finder = None if finder is None else replace(finder, min_score=_MIN_SCORE, most=_MOST_PROPOSALS)

    @override
    def __getitem__(self, index: int) -> RefinerBatch:
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
        columns = (torch.from_numpy(np.stack(column)) for column in zip(*samples[:_BATCH], strict=True))
        return RefinerBatch(torch.from_numpy(np.concatenate(crops)[:_BATCH]), *columns)

    def _places(self, tile: LabelledScene, rng: np.random.Generator) -> list[Box]:
        """Boxes to look at: what the finder proposes, every plate not quite exactly, and something random."""
        # Boxes of plates as a finder would place them.
        size = np.tile(tile.boxes[:, 2:] - tile.boxes[:, :2], 2)
        jitter = np.clip(rng.normal(0, _JITTER, tile.boxes.shape), -0.25, 0.25)
        places = [Box(*row) for row in (tile.boxes + jitter * size).astype(np.float32).tolist()]
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
            samples.append(_Sample(np.array([0, -1, -1], np.float32), *nothing))
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
    kinds = np.array([1, tile.lines[row], outside], np.float32)  # lines: 0 for one, 1 for two, -1 for unknown
    points = window.from_frame(corners)
    seen = bool((points > 0).all() and (points < 1).all())
    box = window.from_frame(tile.boxes[row].reshape(2, 2)).reshape(4)
    # The hull of a turned plate is that of its corners, which say more.
    return _Sample(kinds, points, has_corners and seen, box, not has_corners)


def _random_places(tile: LabelledScene, rng: np.random.Generator) -> Iterator[Box]:
    """Boxes of a plate's shape anywhere in the tile."""
    height, width = map(float, tile.pixels.shape[:2])
    for _ in range(_RANDOM_PLACES):
        wide = log_uniform(16.0, 320.0, rng=rng)
        tall = wide / rng.uniform(1.3, 5.0)
        x, y = rng.uniform(0.0, float(width)), rng.uniform(0.0, float(height))
        yield Box(x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)


def refiner_loss(outputs: Sequence[Tensor], batch: RefinerBatch) -> dict[str, Tensor]:
    """The weighted parts of the loss of one batch, each a scalar: ``kinds``, ``corners``, ``heat`` and ``hulls``.

    ``outputs`` of ``RefinerNetwork`` are ``(N, 4, 16, 32)`` and ``(N, 3)``.
    """
    heat, logits = (output.float() for output in outputs)
    known = batch.kinds >= 0
    weights = torch.tensor(KIND_WEIGHTS) * known
    entropy = functional.binary_cross_entropy_with_logits(logits, batch.kinds.clamp(min=0), reduction="none")
    points = soft_argmax(heat)  # (N, 4, 2)
    hulls = torch.cat((points.amin(1), points.amax(1)), -1)  # (N, 4)
    return {
        "kinds": (entropy * weights).sum() / len(logits),
        "corners": CORNER_WEIGHT * _mean(_distance(points, batch.corners), batch.has_corners),
        "heat": HEAT_WEIGHT * _mean(_surprise(heat, batch.corners), batch.has_corners),
        "hulls": HULL_WEIGHT * _mean(_distance(hulls, batch.boxes), batch.has_box),
    }


def soft_argmax(heat: Tensor) -> Tensor:
    """The mean places ``(N, K, 2)`` of heat-map logits ``(N, K, H, W)``, x and y in parts of the crop."""
    height, width = heat.shape[2:]
    shares = heat.flatten(2).softmax(-1).reshape(heat.shape)
    x = shares.sum(2) @ ((torch.arange(width) + 0.5) / width)
    y = shares.sum(3) @ ((torch.arange(height) + 0.5) / height)
    return torch.stack((x, y), -1)


def _distance(points: Tensor, true_points: Tensor) -> Tensor:
    """Smooth-L1 ``(N,)`` between places ``(N, ...)``, a mean of their numbers; x and y count in parts of the width."""
    scale = torch.tensor([1.0, 0.5]) if points.shape[-1] == 2 else torch.tensor([1.0, 0.5, 1.0, 0.5])
    error = functional.smooth_l1_loss(points * scale, true_points * scale, beta=0.01, reduction="none")
    return error.flatten(1).mean(1)


def _surprise(heat: Tensor, corners: Tensor) -> Tensor:
    """Cross-entropy ``(N,)`` of heat maps ``(N, 4, H, W)`` against round spots about the corners ``(N, 4, 2)``."""
    height, width = heat.shape[2:]
    x = torch.arange(width) + 0.5 - corners[..., :1] * width  # (N, 4, W) cells
    y = torch.arange(height) + 0.5 - corners[..., 1:] * height  # (N, 4, H) cells
    spot = -(y.square()[..., :, None] + x.square()[..., None, :]) / 2  # one cell wide
    wanted = spot.flatten(2).softmax(-1)
    return -(wanted * heat.flatten(2).log_softmax(-1)).sum(-1).mean(-1)


def _mean(values: Tensor, known: Tensor) -> Tensor:
    """The mean of the values ``(N,)`` that are known; 0 of none."""
    return (values * known).sum() / known.sum().clamp(min=1)


def averaged_refiner(tensors: Mapping[str, Tensor]) -> RefinerNetwork:
    """The refiner with the average of the weights, as it runs."""
    return fuse_normalisation(refiner_from_state(tensors, name="the average of the weights"))


def validate_refiner(
    tensors: Mapping[str, Tensor], photographs: Photographs, *, finder: Finder
) -> dict[str, float | None]:
    """Measure a network with the given weights on what a finder proposes.

    Returns:
        plates: proposals that meet a labelled plate, one a plate; n of ``accepted`` and ``hull``.
        accepted: share of them that it calls plates.
        hull: median IoU of the hull of the corners and the labelled box.
        corner_error: median distance of the corners from the labelled ones, in per cent of the plate's width.
        false: share of the proposals on empty scenes that it calls plates.
    """
    refiner = Refiner(TorchRuntime(averaged_refiner(tensors)))
    pairs = [pair for image in photographs.images for pair in _refined(image, finder=finder, refiner=refiner)]
    false = [place for image in photographs.empty for _, place in places_in(image, finder=finder, refiner=refiner)]
    hulls = [iou(place.corners.box, plate.box) for plate, place in pairs if plate.box is not None]
    errors = [corner_error(place.corners, plate.corners) for plate, place in pairs if plate.corners is not None]
    return {
        "plates": len(pairs),
        "accepted": _share([place for _, place in pairs]),
        "hull": float(np.median(hulls)) if hulls else None,
        "corner_error": float(np.median(errors)) if errors else None,
        "false": _share(false),
    }


def _refined(image: LabelledImage, *, finder: Finder, refiner: Refiner) -> list[tuple[LabelledPlate, Place]]:
    """Each well boxed plate of a picture that a proposal meets, with what the refiner says there."""
    found = places_in(image, finder=finder, refiner=refiner)
    pairs: list[tuple[LabelledPlate, Place]] = []
    for plate in image.plates:
        if plate.box is None or plate.is_loose:
            continue
        best, overlap = best_overlap(plate.box, [proposal.box for proposal, _ in found])
        if overlap >= 0.4:
            pairs.append((plate, found[best][1]))
    return pairs


def places_in(image: LabelledImage, *, finder: Finder, refiner: Refiner) -> list[tuple[Proposal, Place]]:
    """What a finder proposes in a picture, and what the refiner says of it."""
    frame = read_image(image.path)
    proposals = finder.propose([frame])[0]
    places = refiner.refine([frame], [[proposal.box for proposal in proposals]])[0]
    return list(zip(proposals, places, strict=True))


def _share(places: Sequence[Place]) -> float | None:
    """How many are called plates."""
    return sum(place.plate > 0 for place in places) / len(places) if places else None
