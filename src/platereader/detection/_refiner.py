"""The refiner: looks at places in the pixels of the frame, and says what they show and where its corners are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.detection._crops import cut_upright, cut_windows, to_frame, window_around
from platereader.errors import ContractError
from platereader.registry import WeightEntry, WeightFile
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import LoadedRuntime

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float32]

CROP_SIZE = (64, 128)
"""Height and width of a crop in pixels."""

_BATCH = 64
# Logit of what a crop does not show.
_NOTHING = np.float32(-60)
# A place that may be a plate, by its logit, and is turned by more than this is looked at once more.
_MAYBE_PLATE, _TURNED_DEG = -2.0, 12.0
# Corners that the second look moves by more than this, in widths of the plate, are those of something else.
_FARTHEST_MOVED = 0.5


class Place(NamedTuple):
    """What a place shows.

    Attributes:
        corners: of the plate in pixels of the frame, in reading order; they may lie outside of it.
        plate: logit that it is a plate.
        two_lines: logit that the plate has two lines of text.
        cut: logit that a part of the plate lies outside of the frame.
    """

    corners: Quad
    plate: float
    two_lines: float
    cut: float


@dataclass(frozen=True, slots=True)
class Refiner:
    """Looks at places.

    Attributes:
        runtime: the network, with the outputs of ``detection._refiner_network.RefinerNetwork``.
        weights: what the network was loaded from; None where it is not known.
        note: why it runs with this engine and in this precision.
    """

    runtime: Runtime
    weights: WeightEntry | None = None
    note: str | None = None

    @classmethod
    def from_weights(cls, weights: WeightFile, *, options: RuntimeOptions | None = None) -> Self:
        """Load checked weights of the kind ``refiner``; what is ``auto`` in the options follows from the file.

        Raises:
            WeightsCorruptError: the weights of another network.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
        """
        return cls(LoadedRuntime(weights, options, _on_torch), weights.entry)

    def refine(self, frames: Sequence[BgrImage], boxes: Sequence[Sequence[Box]]) -> list[list[Place]]:
        """What each box of each frame shows; the crops of all frames run together.

        A plate that is turned is looked at once more, laid level: its corners are twice as exact then.

        Args:
            frames: uint8 ``(H, W, 3)`` BGR.
            boxes: for each frame, in its pixels; each meets the frame.
        """
        windows = [[window_around(box) for box in row] for row in boxes]
        crops = [cut_windows(frame, row, size=CROP_SIZE) for frame, row in zip(frames, windows, strict=True) if row]
        if not crops:
            return [[] for _ in windows]
        pixels = crops[0] if len(crops) == 1 else np.concatenate(crops)  # which copies even one alone
        heat, kinds = self._run(pixels)
        points = to_frame(heat_points(heat), [window for row in windows for window in row]).tolist()
        places = (Place(_quad(corners), *row) for corners, row in zip(points, kinds.tolist(), strict=True))
        return self._levelled(frames, [[next(places) for _ in row] for row in windows])

    def _levelled(self, frames: Sequence[BgrImage], places: list[list[Place]]) -> list[list[Place]]:
        """The places, those of turned plates with the corners that they have when they lie level."""
        turned = [
            (row, index)
            for row, frame in enumerate(frames)
            for index, place in enumerate(places[row])
            if place.plate > _MAYBE_PLATE and _is_turned(place.corners, frame)
        ]
        if not turned:
            return places
        cuts = [cut_upright(frames[row], places[row][index].corners, size=CROP_SIZE) for row, index in turned]
        heat, _ = self._run(np.stack([crop for crop, _ in cuts]))
        for (row, index), (_, matrix), points in zip(turned, cuts, heat_points(heat), strict=True):
            corners = points @ matrix[:, :2].T + matrix[:, 2]  # (4, 2)
            place = places[row][index]
            moved = np.abs(corners - place.corners.to_array()).max()
            if moved <= _FARTHEST_MOVED * place.corners.width:
                places[row][index] = place._replace(corners=_quad(corners.tolist()))
        return places

    def _run(self, crops: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """Heat maps ``(N, 4, 16, 32)`` and kinds ``(N, 3)``, some crops at a time, which bounds the memory."""
        outputs = [self._run_batch(crops[first : first + _BATCH]) for first in range(0, len(crops), _BATCH)]
        heat, kinds = (one[0] if len(one) == 1 else np.concatenate(one) for one in zip(*outputs, strict=True))
        return heat, kinds

    def _run_batch(self, crops: NDArray[np.uint8]) -> tuple[FloatArray, FloatArray]:
        """What ``_run`` gives, of one batch; a crop with numbers that are not finite shows nothing.

        Raises:
            ContractError: the network has other outputs.
        """
        outputs = self.runtime.run(crops)
        rows, (height, width) = len(crops), CROP_SIZE
        expected = [(rows, 4, height // 4, width // 4), (rows, 3)]
        if [one.shape for one in outputs] != expected:
            raise ContractError(
                f"the network gave arrays of shapes {[one.shape for one in outputs]}, expected are {expected}: run one "
                "with the outputs of RefinerNetwork."
            )
        heat, kinds = outputs
        numbers = np.concatenate((heat.reshape(rows, -1), kinds), axis=1)
        broken = np.logical_not(np.isfinite(numbers)).max(axis=1, initial=False).reshape(rows, 1)
        if broken.any():
            heat = np.where(broken[:, :, None, None], np.float32(0), heat)
            kinds = np.where(broken, _NOTHING, kinds)
        return heat, kinds


def _quad(corners: Sequence[Sequence[float]]) -> Quad:
    return Quad(*((x, y) for x, y in corners))


def _is_turned(corners: Quad, frame: BgrImage) -> bool:
    """Whether a plate does not lie level, and its middle in the frame."""
    x, y = corners.to_array().mean(axis=0).tolist()
    return abs(corners.tilt_deg) > _TURNED_DEG and 0 <= x < frame.shape[1] and 0 <= y < frame.shape[0]


def heat_points(heat: FloatArray) -> FloatArray:
    """The mean places of heat maps, logits ``(N, K, H, W)``: x and y from 0 to 1, ``(N, K, 2)``."""
    count, maps, height, width = heat.shape
    logits = heat.reshape(count, maps, -1)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    sums = weights @ _moments(height, width)  # (N, K, 3)
    points: FloatArray = sums[..., :2] / sums[..., 2:]
    return points


@lru_cache(maxsize=4)
def _moments(height: int, width: int) -> FloatArray:
    """Of each cell of a heat map, (H * W, 3): x and y of its middle from 0 to 1, and 1."""
    y, x = np.divmod(np.arange(height * width), width)
    return np.stack(((x + 0.5) / width, (y + 0.5) / height, np.ones(len(x))), axis=1).astype(np.float32)


def _on_torch(tensors: Mapping[str, Tensor], options: RuntimeOptions, name: str) -> Runtime:
    from platereader.detection._refiner_network import int8_refiner, refiner_from_state
    from platereader.runtimes._torch import TorchRuntime

    if options.precision == "int8":
        return int8_refiner(tensors, name=name)
    return TorchRuntime.folded(refiner_from_state(tensors, name=name), options)
