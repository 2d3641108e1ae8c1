"""Corners for labelled plates that are known by their boxes alone, as a detector finds them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from platereader._contracts import checked_detect
from platereader._geometry import Quad, iou
from platereader.lab.datasets.labels import LabelledImage, LabelledPlate
from platereader.media._images import read_image
from platereader.protocols import Detector
from platereader.results import Detection

_LEAST_OVERLAP = 0.6
_WHOLE_PICTURE = "whole"


def with_corners(images: Iterable[LabelledImage], detector: Detector) -> list[LabelledImage]:
    """The pictures, with corners for plates whose label has a text and a box but no corners, where they are found.

    A plate that is the whole picture has its corners there. What is not found stays as it is.

    Args:
        images: labelled pictures; only those that lack corners are opened.
        detector: finds corners.
    """
    return [_completed(image, detector) if any(map(_lacks_corners, image.plates)) else image for image in images]


def _lacks_corners(plate: LabelledPlate) -> bool:
    return plate.text is not None and plate.box is not None and plate.corners is None and not plate.is_loose


def _completed(image: LabelledImage, detector: Detector) -> LabelledImage:
    found = checked_detect(detector, [read_image(image.path)])[0]
    plates = (_with_found(plate, found) if _lacks_corners(plate) else plate for plate in image.plates)
    return replace(image, plates=tuple(plates))


def _with_found(plate: LabelledPlate, found: Iterable[Detection]) -> LabelledPlate:
    """The plate with the corners of the detection that meets its box best."""
    box = plate.box
    if box is None:
        return plate
    if plate.box_quality == _WHOLE_PICTURE:
        return replace(plate, corners=Quad.from_box(box))
    quads = [one.corners for one in found if one.corners is not None and iou(one.box, box) >= _LEAST_OVERLAP]
    best = max(quads, key=lambda quad: iou(quad.box, box), default=None)
    return plate if best is None else replace(plate, corners=best)
