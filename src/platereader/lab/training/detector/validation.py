"""How good the detector is on labelled photographs it is not trained on, measured while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from platereader._contracts import checked_detect
from platereader._geometry import Box, iou
from platereader.detection._network import network_from_state
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.lab.datasets.photographs import held_out_negatives
from platereader.lab.metrics.rates import COCO_IOUS, PictureBoxes, average_precision, corner_error, match, rank, recall
from platereader.lab.training.detector.material import LabelledSets
from platereader.media._images import read_image
from platereader.results import Detection
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

_SCORE = 0.3
_EXTRA_IOU = 0.1
_EVERY_EMPTY = 3


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """What a validation measured; None of nothing.

    Attributes:
        plates: plates with a good box; n of all figures but the last two.
        ap50: average precision at IoU 0.5, as in the report of ``platereader evaluate``.
        ap50_95: mean average precision at IoU 0.5, 0.55, ... 0.95.
        recall: share of plates found (IoU >= 0.5) at score 0.3.
        corner_error: median distance of a found plate's corners from the labelled ones, in per cent of its width.
        extra: detections per picture at score 0.3 that meet no labelled plate; some are real plates nobody labelled.
        false_alarms: detections per empty scene at score 0.3.
    """

    plates: int
    ap50: float | None
    ap50_95: float | None
    recall: float | None
    corner_error: float | None
    extra: float | None
    false_alarms: float | None


@dataclass(frozen=True, slots=True)
class ValidationSlice:
    """What a validation looks at.

    Attributes:
        images: labelled photographs.
        empty: scenes without plates.
    """

    images: tuple[LabelledImage, ...]
    empty: tuple[LabelledImage, ...]


def validation_slice(sets: LabelledSets) -> ValidationSlice:
    """Russian photographs of the calibration set and a third of its Romanian dash-cam ones and of the empty scenes."""
    near, courtyard, far = (
        [image for image in sets.of(name) if is_calibration(image.path)] for name in ("russian", "more", "other")
    )
    dash_cam = [image for image in far if image.path.name.startswith("rl_")][::3]
    return ValidationSlice(
        (*near, *courtyard, *dash_cam), tuple(held_out_negatives(sets.of("negatives"))[::_EVERY_EMPTY])
    )


def validate(tensors: Mapping[str, Tensor], photographs: ValidationSlice, *, input_size: int = 640) -> DetectionFigures:
    """Measure a network with the given weights.

    Args:
        tensors: state dict of ``PlateNetwork``.
        photographs: what to look at.
        input_size: as of ``PlateDetector``.
    """
    network = fuse_normalisation(network_from_state(tensors, name="the average of the weights"))
    detector = PlateDetector(TorchRuntime(network), input_size=input_size, min_score=0.01)
    found, false = (
        [checked_detect(detector, [read_image(image.path)])[0] for image in images]
        for images in (photographs.images, photographs.empty)
    )
    return detection_figures(photographs.images, found, on_empty=false)


def detection_figures(
    images: Sequence[LabelledImage],
    found: Sequence[Sequence[Detection]],
    *,
    on_empty: Sequence[Sequence[Detection]] = (),
) -> DetectionFigures:
    """Figures of detections against labels; detections on loosely boxed plates and in ignored places count neither way.

    Args:
        images: labelled photographs.
        found: detections on each of them.
        on_empty: detections on each of some scenes without plates.
    """
    pictures = [picture_boxes(image, detections) for image, detections in zip(images, found, strict=True)]
    precisions = [_average_precision(pictures, limit) for limit in COCO_IOUS]
    known = [precision for precision in precisions if precision is not None]
    sure = [
        picture_boxes(image, [detection for detection in detections if detection.score >= _SCORE])
        for image, detections in zip(images, found, strict=True)
    ]
    extra = sum(int((~match(picture, min_iou=_EXTRA_IOU).right).sum()) for picture in sure)
    alarms = sum(detection.score >= _SCORE for detections in on_empty for detection in detections)
    errors = [error for pair in zip(images, found, strict=True) for error in corner_errors(*pair)]
    return DetectionFigures(
        plates=sum(len(picture.labelled) for picture in pictures),
        ap50=precisions[0],
        ap50_95=float(np.mean(known)) if known else None,
        recall=recall([match(picture, min_iou=0.5) for picture in sure]).value,
        corner_error=float(np.median(errors)) if errors else None,
        extra=extra / len(images) if images else None,
        false_alarms=alarms / len(on_empty) if on_empty else None,
    )


def _average_precision(pictures: Sequence[PictureBoxes], min_iou: float) -> float | None:
    return average_precision(rank([match(picture, min_iou=min_iou) for picture in pictures])) if pictures else None


def picture_boxes(image: LabelledImage, detections: Sequence[Detection]) -> PictureBoxes:
    """Boxes of one picture as the measures take them."""
    loose = [plate.box for plate in image.plates if plate.box is not None and plate.box_quality == "loose"]
    return PictureBoxes(
        _rows([detection.box for detection in detections]),
        np.array([detection.score for detection in detections], np.float64),
        _rows([box for box, _ in _well_boxed(image)]),
        _rows((*loose, *image.ignored)),
    )


def _well_boxed(image: LabelledImage) -> list[tuple[Box, LabelledPlate]]:
    """The plates that have to be found, with their boxes."""
    return [(plate.box, plate) for plate in image.plates if plate.box is not None and plate.box_quality != "loose"]


def _rows(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Boxes as float64 ``(N, 4)``, also for none."""
    return np.array([box.to_tuple() for box in boxes], np.float64).reshape(-1, 4)


def corner_errors(image: LabelledImage, detections: Sequence[Detection]) -> list[float]:
    """Corner error in per cent of each plate with known corners, by the detection that overlaps it most."""
    errors: list[float] = []
    for box, plate in _well_boxed(image):
        best = max(detections, key=lambda detection: iou(detection.box, box), default=None)
        if best is not None and iou(best.box, box) >= 0.5 and plate.corners is not None and best.corners is not None:
            errors.append(corner_error(best.corners, plate.corners))
    return errors
