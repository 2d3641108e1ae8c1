"""The finder: looks at whole frames and proposes places that may show a plate.

Cells of three levels each say a score and the distances to the sides of a box.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader._geometry import Box, is_finite
from platereader.detection._nms import suppress
from platereader.detection._preprocess import STRIDE_PX, Letterbox, apply_letterboxes, plan_letterbox
from platereader.errors import ContractError, InvalidArgumentError
from platereader.registry import WeightEntry, WeightFile
from platereader.results import _checks as check
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import LoadedRuntime

STRIDES = (8, 16, 32)
"""Pixels per cell of the three output levels."""

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float32]

# More pixels at once take more memory and no less time: eight pictures of 640 x 640 px.
_BATCH_PIXELS = 8 * 640 * 640
_MIN_SIDE_PX = 1.0
# Sides of the input of small and of very large frames: up to a number of pixels they are multiples of the step.
_SIDE_STEPS_PX = ((1024, 64), (2048, 128), (math.inf, 256))
_LARGEST_LOG_DISTANCE = 4.0


class Proposal(NamedTuple):
    """A place that may show a plate: its box in pixels of the frame, and how likely that is, 0 to 1."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Finder:
    """Proposes places on frames.

    A frame is shrunk to ``input_size`` px on its longer side, but to no less than ``1 / largest_shrink`` of its own
    size, so that small plates of large frames are seen. Frames of one shape run together.

    Attributes:
        runtime: the network, with the outputs of ``detection._finder_network.FinderNetwork``.
        input_size: longest side of the network input in pixels, a multiple of 32.
        largest_shrink: by how much a frame is shrunk at most.
        min_score: lowest score of a proposal, 0 to 1.
        max_iou: greatest IoU of two proposals, 0 to 1.
        most: proposals of a frame at most.
        weights: what the network was loaded from; None where it is not known.
        note: why it runs with this engine and in this precision.

    Raises:
        InvalidArgumentError: a setting is out of range.
    """

    runtime: Runtime
    input_size: int = 832
    largest_shrink: float = 2.5
    min_score: float = 0.01
    max_iou: float = 0.6
    most: int = 64
    weights: WeightEntry | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if type(self.input_size) is not int or self.input_size < STRIDE_PX or self.input_size % STRIDE_PX:
            raise InvalidArgumentError(
                f"input_size is {self.input_size!r}, allowed are multiples of {STRIDE_PX} px from {STRIDE_PX}: try 832."
            )
        check.fields(self, min_score=check.probability, max_iou=check.probability)
        if not is_finite(self.largest_shrink) or self.largest_shrink <= 0:
            raise InvalidArgumentError(
                f"largest_shrink is {self.largest_shrink!r}, allowed are numbers above 0: try 2.5."
            )
        if type(self.most) is not int or self.most < 1:
            raise InvalidArgumentError(f"most is {self.most!r}, allowed are whole numbers from 1: try 64.")

    @classmethod
    def from_weights(cls, weights: WeightFile, *, options: RuntimeOptions | None = None) -> Self:
        """Load checked weights of the kind ``detector``; what is ``auto`` in the options follows from the file.

        Raises:
            WeightsCorruptError: the weights of another network.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: a setting is unknown or out of range.
        """
        runtime = LoadedRuntime(weights, options, _on_torch)
        settings = weights.settings.get("finder", {})
        try:
            return cls(runtime, **settings, weights=weights.entry)
        except TypeError as error:
            raise InvalidArgumentError(
                f"settings.finder is {settings!r}, allowed are numbers for input_size, largest_shrink, min_score, "
                "max_iou and most."
            ) from error

    def propose(self, frames: Sequence[BgrImage]) -> list[list[Proposal]]:
        """Places of each frame, the likeliest first."""
        plans = [self._plan(frame) for frame in frames]
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, plan in enumerate(plans):
            alike[plan.height, plan.width].append(index)
        found: list[list[Proposal]] = [[] for _ in frames]
        for size, indices in alike.items():
            step = max(1, _BATCH_PIXELS // (size[0] * size[1]))
            for first in range(0, len(indices), step):
                chunk = indices[first : first + step]
                batch = apply_letterboxes([frames[index] for index in chunk], [plans[index] for index in chunk])
                outputs = self.runtime.run(batch)
                if len(outputs) != 2 or outputs[0].shape[:2] != (len(chunk), 1) or len(outputs[1]) != len(chunk):
                    raise ContractError(
                        f"the network gave arrays of shapes {[one.shape for one in outputs]} for {len(chunk)} "
                        "pictures: run one with the outputs of FinderNetwork."
                    )
                scores, sides = outputs  # (N, 1, A), (N, 4, A)
                for row, index in enumerate(chunk):
                    boxes, values = decode_proposals(
                        scores[row, 0], sides[row], size=size, min_score=self.min_score, most=4 * self.most
                    )
                    found[index] = self._proposals(boxes, values, plans[index])
        return found

    def input_scale(self, width: int, height: int) -> float:
        """By how much a frame of ``width`` x ``height`` px is shrunk: pixels of the input a pixel of the frame."""
        longest = max(width, height)
        return min(1.0, max(self.input_size, _side(longest / self.largest_shrink)) / longest)

    def _plan(self, frame: BgrImage) -> Letterbox:
        """How a frame lies in an input of one of few sizes: engines keep memory for each size that they have seen."""
        height, width = frame.shape[:2]
        least = _side(max(height, width) / self.largest_shrink)
        plan = plan_letterbox(width, height, input_size=max(self.input_size, least))
        if max(plan.width, plan.height) == self.input_size:
            return plan
        return replace(plan, width=_side(plan.width), height=_side(plan.height))

    def _proposals(self, boxes: FloatArray, scores: FloatArray, plan: Letterbox) -> list[Proposal]:
        """Boxes of the network input, best first, as proposals in the frame."""
        rows = boxes.tolist()
        kept = suppress(rows, max_iou=self.max_iou)[: self.most]
        corners = plan.to_frame([point for index in kept for point in (rows[index][:2], rows[index][2:])])
        width, height = float(plan.frame_width), float(plan.frame_height)
        proposals: list[Proposal] = []
        for score, (left, top), (right, bottom) in zip(scores[kept].tolist(), corners[::2], corners[1::2], strict=True):
            x1, y1, x2, y2 = max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)
            if x2 - x1 >= _MIN_SIDE_PX and y2 - y1 >= _MIN_SIDE_PX:
                proposals.append(Proposal(Box(x1, y1, x2, y2), score))
        return proposals


def decode_proposals(
    scores: FloatArray, sides: FloatArray, *, size: tuple[int, int], min_score: float, most: int
) -> tuple[FloatArray, FloatArray]:
    """The boxes that one picture's cells say, the best first, before suppression.

    Args:
        scores: score logits ``(A,)``.
        sides: logarithms of the distances to the sides in cells, ``(4, A)``.
        size: height and width of the network input in pixels.
        min_score: lowest score that is kept, 0 to 1.
        most: boxes at most.

    Returns:
        Boxes ``(M, 4)`` in pixels of the input and their scores ``(M,)``, 0 to 1. Cells with numbers that are not
        finite are left out.
    """
    centres, strides = _cells(size)
    if scores.shape != (len(centres),) or sides.shape != (4, len(centres)):
        raise ContractError(
            f"the network gave {scores.shape} scores and {sides.shape} sides for {len(centres)} cells of a "
            f"{size[1]}x{size[0]} px input: run one with the outputs of FinderNetwork."
        )
    least = np.log(min_score / (1 - min_score)) if 0 < min_score < 1 else (-np.inf if min_score <= 0 else np.inf)
    picked = np.flatnonzero(scores >= least)
    picked = picked[np.isfinite(scores[picked]) & np.isfinite(sides[:, picked]).all(axis=0)]
    picked = picked[np.argsort(-scores[picked], kind="stable")[:most]]
    distances = np.exp(np.minimum(sides[:, picked].T, _LARGEST_LOG_DISTANCE)) * strides[picked]  # (M, 4)
    middle = centres[picked]
    boxes = np.concatenate((middle - distances[:, :2], middle + distances[:, 2:]), axis=1)
    return boxes.astype(np.float32), (1 / (1 + np.exp(-scores[picked]))).astype(np.float32)


def _side(px: float) -> int:
    """The side of an input that holds so many pixels: larger ones in larger steps."""
    step = next(step for largest, step in _SIDE_STEPS_PX if px <= largest)
    return step * math.ceil(px / step)


def cell_grid(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(A, 2)`` and strides ``(A, 1)`` of all cells of a ``(height, width)`` px input, in pixels.

    They are in the order of the network's outputs: finest level first, row by row. Height and width are multiples of
    the coarsest stride.
    """
    centres: list[FloatArray] = []
    strides: list[FloatArray] = []
    for stride in STRIDES:
        rows, columns = size[0] // stride, size[1] // stride
        y, x = np.divmod(np.arange(rows * columns), columns)
        centres.append(((np.stack((x, y), -1) + 0.5) * stride).astype(np.float32))
        strides.append(np.full((rows * columns, 1), stride, np.float32))
    return np.concatenate(centres), np.concatenate(strides)


_cells = lru_cache(maxsize=16)(cell_grid)  # kept for the sizes that come again and again


def _on_torch(tensors: Mapping[str, Tensor], options: RuntimeOptions, name: str) -> Runtime:
    from platereader.detection._finder_network import finder_from_state, int8_finder
    from platereader.runtimes._torch import TorchRuntime

    if options.precision == "int8":
        return int8_finder(tensors, name=name)
    return TorchRuntime.folded(finder_from_state(tensors, name=name), options)
