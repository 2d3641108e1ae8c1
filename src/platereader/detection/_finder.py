"""The finder: looks at whole frames and proposes places that may show a plate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.detection._decode import cell_grid
from platereader.detection._nms import suppress
from platereader.detection._preprocess import Letterbox, apply_letterboxes, plan_letterbox
from platereader.errors import ContractError
from platereader.runtimes import Runtime

__all__ = ["Finder", "Proposal", "decode_proposals"]

FloatArray = NDArray[np.float32]

# More pixels at once take more memory and no less time: eight pictures of 640 x 640 px.
_BATCH_PIXELS = 8 * 640 * 640
_MIN_SIDE_PX = 1.0
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
    """

    runtime: Runtime
    input_size: int = 640
    largest_shrink: float = 2.5
    min_score: float = 0.05
    max_iou: float = 0.6
    most: int = 64

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
                scores, sides = self.runtime.run(batch)  # (N, 1, A), (N, 4, A)
                for row, index in enumerate(chunk):
                    boxes, values = decode_proposals(
                        scores[row, 0], sides[row], size=size, min_score=self.min_score, most=4 * self.most
                    )
                    found[index] = self._proposals(boxes, values, plans[index])
        return found

    def _plan(self, frame: BgrImage) -> Letterbox:
        height, width = frame.shape[:2]
        least = max(height, width) / self.largest_shrink
        size = max(self.input_size, 32 * round(least / 32))
        return plan_letterbox(width, height, input_size=size)

    def _proposals(self, boxes: FloatArray, scores: FloatArray, plan: Letterbox) -> list[Proposal]:
        """Boxes of the network input, best first, as proposals in the frame."""
        proposals: list[Proposal] = []
        rows = boxes.tolist()
        for index in suppress(rows, max_iou=self.max_iou)[: self.most]:
            x1, y1, x2, y2 = rows[index]
            (left, top), (right, bottom) = plan.to_frame([(x1, y1), (x2, y2)])
            box = Box(left, top, right, bottom).clipped(plan.frame_width, plan.frame_height)
            if box is not None and box.width >= _MIN_SIDE_PX and box.height >= _MIN_SIDE_PX:
                proposals.append(Proposal(box, float(scores[index])))
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

    Raises:
        ContractError: the network has not the cells of an input of this size.
    """
    centres, strides = _cells(size)
    if scores.shape != (len(centres),) or sides.shape != (4, len(centres)):
        raise ContractError(
            f"the network gave {scores.shape} scores and {sides.shape} sides for {len(centres)} cells of a "
            f"{size[1]}x{size[0]} px input: run one with the outputs of FinderNetwork."
        )
    least = np.log(min_score / (1 - min_score)) if 0 < min_score < 1 else (-np.inf if min_score <= 0 else np.inf)
    picked = np.nonzero((scores >= least) & np.isfinite(scores))[0]
    picked = picked[np.isfinite(sides[:, picked]).all(axis=0)]
    picked = picked[np.argsort(-scores[picked], kind="stable")[:most]]
    distances = np.exp(np.minimum(sides[:, picked].T, _LARGEST_LOG_DISTANCE)) * strides[picked]  # (M, 4)
    middle = centres[picked]
    boxes = np.concatenate((middle - distances[:, :2], middle + distances[:, 2:]), axis=1)
    return boxes.astype(np.float32), (1 / (1 + np.exp(-scores[picked]))).astype(np.float32)


@lru_cache(maxsize=16)
def _cells(size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Centres ``(A, 2)`` and strides ``(A, 1)`` of an input, kept for the sizes that come again and again."""
    return cell_grid(size)
