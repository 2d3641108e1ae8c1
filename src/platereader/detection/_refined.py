"""Corners for boxes that come without, by the refiner of the default detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, final

from platereader._arrays import BgrImage
from platereader._contracts import check_part, checked_detect, checked_rectify
from platereader._geometry import Box
from platereader.detection._nms import suppress
from platereader.detection._plate_detector import combined_box, probability
from platereader.detection._refiner import Place, Refiner
from platereader.detection._region import RegionDetector
from platereader.errors import InvalidArgumentError
from platereader.protocols import Detector, Rectifier
from platereader.registry import Registry
from platereader.results import Detection, PlateImage
from platereader.results._checks import instance

REFINER_WEIGHTS: Final = "plate-refiner"
"""The weights of the refiner that comes with the library."""

_REFINED_SHARE = 0.5
# Logit from which on the refiner says that a place shows a plate; of a black one it says about 0.
_MIN_PLATE = 1.0
_MAX_IOU = 0.5


@cache
def packaged_refiner() -> Refiner:
    """The refiner that comes with the library, on ONNX Runtime, loaded once in a process."""
    weights = Registry.default().resolve(REFINER_WEIGHTS, precision="fp32", file_format="onnx")
    return Refiner.from_weights(weights)


@final
@dataclass(frozen=True, slots=True)
class RefinedDetector:
    """Finds plates with any detector, and looks at each again in the frame's own pixels for its four corners.

    What the refiner takes for a plate gets its corners, its number of lines, whether it is cut off, and a box half way
    to the hull of the corners; anything else stays as ``inner`` gave it. Scores are those of ``inner``. Streams look
    with the refiner alone where a plate is expected.

    Attributes:
        inner: any detector.
        refiner: looks at each box; by default the one that comes with the library, on ONNX Runtime.

    Raises:
        InvalidArgumentError: ``inner`` is no detector, or one for a part of the frame; or ``refiner`` is none.
    """

    inner: Detector
    refiner: Refiner = field(default_factory=packaged_refiner)

    def __post_init__(self) -> None:
        check_part(self.inner, kind="detector", name="inner")
        instance(self.refiner, Refiner, name="refiner")
        if isinstance(self.inner, RegionDetector):
            raise InvalidArgumentError(
                "inner is a RegionDetector, and streams look for plates without it: put the region around, "
                "RegionDetector(RefinedDetector(detector), region)."
            )

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame in the order of ``inner``.

        Raises:
            ContractError: ``inner`` broke its contract.
        """
        found = checked_detect(self.inner, frames)
        places = self.refiner.refine(frames, [[item.box for item in row] for row in found])
        return [
            [_refined(item, place, frame) for item, place in zip(row, seen, strict=True)]
            for frame, row, seen in zip(frames, found, places, strict=True)
        ]

    def refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        """As ``RefiningDetector`` says it: the plates where they are expected, best first, scored by the refiner."""
        (places,) = self.refiner.refine([frame], [boxes])
        seen = [(Detection(box, probability(place.plate)), place) for box, place in zip(boxes, places, strict=True)]
        plates = [_refined(item, place, frame) for item, place in seen if place.plate > _MIN_PLATE]
        ranked = sorted(plates, key=lambda plate: -plate.score)
        return [ranked[kept] for kept in suppress([plate.box.to_tuple() for plate in ranked], max_iou=_MAX_IOU)]


@final
@dataclass(frozen=True, slots=True)
class RefinedRectifier:
    """Straightens plates by their corners, which the refiner looks for where a detection has none; a ``Rectifier``.

    The refiner that comes with the library is loaded when the first detection without corners comes.

    Attributes:
        inner: straightens the plates; it gets those without corners, too, in which the refiner sees no plate.

    Raises:
        InvalidArgumentError: ``inner`` is no rectifier.
    """

    inner: Rectifier

    def __post_init__(self) -> None:
        check_part(self.inner, kind="rectifier", name="inner")

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        """One upright one-line picture per detection.

        Raises:
            ContractError: ``inner`` broke its contract.
        """
        return checked_rectify(self.inner, frame, with_corners(frame, detections))


def with_corners(frame: BgrImage, detections: Sequence[Detection]) -> list[Detection]:
    """The detections, and of those that have no corners what the refiner sees there; lines that are known stay."""
    bare = [index for index, item in enumerate(detections) if item.corners is None and _meets(item.box, frame)]
    completed = list(detections)
    if bare:
        (places,) = packaged_refiner().refine([frame], [[detections[index].box for index in bare]])
        for index, place in zip(bare, places, strict=True):
            refined = _refined(detections[index], place, frame)
            completed[index] = replace(refined, lines=detections[index].lines or refined.lines)
    return completed


def _meets(box: Box, frame: BgrImage) -> bool:
    return box.clipped(frame.shape[1], frame.shape[0]) is not None


def _refined(item: Detection, place: Place, frame: BgrImage) -> Detection:
    """The detection with what the refiner saw at its place."""
    if place.plate <= _MIN_PLATE:
        return item
    box = combined_box(item.box, place.corners, share=_REFINED_SHARE).clipped(frame.shape[1], frame.shape[0])
    return replace(
        item,
        box=box or item.box,
        corners=place.corners,
        lines=2 if place.two_lines > 0 else 1,
        truncated=place.cut > 0,
    )
