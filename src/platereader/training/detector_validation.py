"""How good the detector is on labelled photographs it is not trained on, measured while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from platereader.arrays import BgrImage
from platereader.datasets import LabelledImage, LabelledPlate, is_calibration, load_dataset, read_image
from platereader.detection.network import fuse_normalisation, network_from_state
from platereader.detection.yolo import YoloDetector
from platereader.geometry import iou
from platereader.results import Detection
from platereader.runtimes.torch import TorchRuntime

_IOUS = np.arange(0.5, 1.0, 0.05)


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """What a validation measured.

    Attributes:
        plates: plates with a good box; n of all figures but the last.
        ap50: average precision at IoU 0.5.
        ap50_95: mean average precision at IoU 0.5, 0.55, ... 0.95.
        recall: share of plates found (IoU >= 0.5) at the score that users get, 0.3.
        corner_error: median distance of a found plate's corners from the labelled ones, in plate widths; None when no
            plate with known corners was found.
        extra: finds per picture at score 0.3 that meet no labelled plate; some are real plates nobody labelled.
    """

    plates: int
    ap50: float
    ap50_95: float
    recall: float
    corner_error: float | None
    extra: float


def validation_slice(root: Path) -> list[LabelledImage]:
    """Photographs of the calibration set under ``root``: Russian ones and a third of the Romanian dash-cam pictures."""
    sets = [load_dataset(root / name).images for name in ("russian", "more", "other")]
    near, courtyard, far = ([image for image in images if is_calibration(image.path)] for images in sets)
    return near + courtyard + [image for image in far if image.path.name.startswith("rl_")][::3]


def validate(
    tensors: Mapping[str, Tensor], images: Sequence[LabelledImage], *, input_size: int = 640
) -> DetectionFigures:
    """Measure a network with the given weights.

    Args:
        tensors: state dict of ``PlateNetwork``.
        images: labelled photographs.
        input_size: as of ``YoloDetector``.
    """
    network = fuse_normalisation(network_from_state(tensors, name="the average of the weights"))
    detector = YoloDetector(TorchRuntime(network), input_size=input_size, min_score=0.01)
    found = [detector.detect([_pixels(image)])[0] for image in images]
    return detection_figures(images, found)


def detection_figures(images: Sequence[LabelledImage], found: Sequence[Sequence[Detection]]) -> DetectionFigures:
    """Figures of detections (best first) against labels; finds on loosely boxed plates count neither way."""
    scores: list[float] = []
    overlaps: list[float] = []
    corner_errors: list[float] = []
    plates = 0
    for image, detections in zip(images, found, strict=True):
        known = [plate for plate in image.plates if plate.box is not None and plate.box_quality != "loose"]
        plates += len(known)
        loose = [plate for plate in image.plates if plate.box_quality == "loose"]
        for detection, plate, overlap in _matches(detections, known):
            if plate is None and any(_overlap(detection, other) > 0.1 for other in loose):
                continue
            scores.append(detection.score)
            overlaps.append(overlap)
            if plate is not None and plate.corners is not None and detection.corners is not None and overlap >= 0.5:
                gap = detection.corners.to_array() - plate.corners.to_array()
                corner_errors.append(float(np.linalg.norm(gap, axis=1).mean()) / plate.corners.width)
    order = np.argsort(-np.array(scores), kind="stable")
    ranked, best = np.array(overlaps)[order], np.array(scores)[order] >= 0.3
    precisions = [_average_precision(ranked >= limit, plates) for limit in _IOUS]
    return DetectionFigures(
        plates,
        round(precisions[0], 4),
        round(float(np.mean(precisions)), 4),
        round(float((best & (ranked >= 0.5)).sum() / max(1, plates)), 4),
        round(float(np.median(corner_errors)), 4) if corner_errors else None,
        round(float((best & (ranked < 0.1)).sum() / max(1, len(images))), 4),
    )


def _matches(
    detections: Sequence[Detection], plates: Sequence[LabelledPlate]
) -> list[tuple[Detection, LabelledPlate | None, float]]:
    """Each detection, best first, with the free plate it overlaps most and their IoU."""
    free = list(plates)
    matches: list[tuple[Detection, LabelledPlate | None, float]] = []
    for detection in sorted(detections, key=lambda item: -item.score):
        plate = max(free, key=lambda item: _overlap(detection, item), default=None)
        overlap = 0.0 if plate is None else _overlap(detection, plate)
        if plate is not None and overlap >= 0.5:
            free.remove(plate)
        matches.append((detection, plate if overlap > 0 else None, overlap))
    return matches


def _overlap(detection: Detection, plate: LabelledPlate) -> float:
    """IoU of the boxes."""
    return 0.0 if plate.box is None else iou(detection.box, plate.box)


def _average_precision(hits: NDArray[np.bool_], plates: int) -> float:
    """Area under the precision-recall curve, precision made monotone (Everingham et al. 2010, all points)."""
    if not len(hits) or not plates:
        return 0.0
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((precision * hits).sum() / plates)


def _pixels(image: LabelledImage) -> BgrImage:
    """The decoded picture."""
    return read_image(image.path)
