"""Labelled plates cut out of photographs, with some of their surroundings, and corners for those that have none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._geometry import Box, Quad, iou
from platereader.lab.datasets.labels import LabelledImage, LabelledPlate
from platereader.media._images import read_image
from platereader.protocols import Detector
from platereader.rectification._layout import lines_by_aspect
from platereader.results import Lines

_WHOLE_PICTURE = "whole"
_LEAST_IOU = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class RealPlate:
    """A labelled plate with some of its surroundings, uint8 ``(H, W, 3)`` BGR, and the ``name`` of its file.

    ``corners`` are float32 ``(4, 2)`` in these pixels, as in ``Quad``; ``country`` is None where the label says
    nothing.
    """

    pixels: BgrImage
    corners: NDArray[np.float32]
    lines: Lines
    text: str
    name: str
    country: str | None = None

    @property
    def quad(self) -> Quad:
        """The corners as a ``Quad``."""
        return Quad.from_points(self.corners)


def cut_plates(images: Iterable[LabelledImage]) -> list[RealPlate]:
    """All plates that have a text and corners worth trusting; a picture is decoded only if it has one."""
    return [plate for image in images for plate in _plates_of(image)]


def _plates_of(image: LabelledImage) -> Iterator[RealPlate]:
    frame: BgrImage | None = None
    for plate in image.plates:
        if not plate.text or plate.corners is None or plate.is_loose:
            continue
        shape = lines_by_aspect(plate.corners)
        if plate.lines == 2 and shape == 1:
            continue  # a long plate with a label of two lines: one of both is wrong
        frame = read_image(image.path) if frame is None else frame
        if plate.corners.box.clipped(frame.shape[1], frame.shape[0]) is None:
            continue  # of another picture, or of another size of it
        pixels, origin = surroundings(frame, plate.corners.box)
        corners = plate.corners.to_array() - origin
        # A plate seen steeply is as narrow as one with two lines: the label knows better.
        lines, country = plate.lines or shape, plate.country or image.country
        yield RealPlate(pixels, corners, lines, plate.text, image.path.name, country)


def surroundings(frame: BgrImage, box: Box) -> tuple[BgrImage, NDArray[np.float32]]:
    """The plate and what is near, so that hundreds of photographs fit in memory, and the origin (x, y) of the cut."""
    room = 0.8 * box.width
    near = box.padded(room, room).clipped(frame.shape[1], frame.shape[0]) or box
    left, top, right, bottom = (int(side) for side in near.to_tuple())
    return frame[top:bottom, left:right].copy(), np.array((left, top), np.float32)


def with_corners(images: Iterable[LabelledImage], detector: Detector | None) -> list[LabelledImage]:
    """The pictures, with corners for plates whose label has a text but no corners, where the ``detector`` finds them.

    A plate whose picture shows nothing else, and in which nothing is found, has its corners there. Another that is not
    found stays as it is, and without a ``detector`` all do. Only pictures that lack corners are opened.
    """
    if detector is None:
        return list(images)
    return [_completed(image, detector) if any(map(_lacks_corners, image.plates)) else image for image in images]


def _lacks_corners(plate: LabelledPlate) -> bool:
    return plate.text is not None and plate.corners is None and not plate.is_loose


def _completed(image: LabelledImage, detector: Detector) -> LabelledImage:
    frame = read_image(image.path)
    whole = Quad.from_box(Box(0.0, 0.0, float(frame.shape[1]), float(frame.shape[0])))
    found = [one.corners for one in checked_detect(detector, [frame])[0] if one.corners is not None]
    plates = tuple(_with_found(plate, whole, found) if _lacks_corners(plate) else plate for plate in image.plates)
    return replace(image, plates=plates)


def _with_found(plate: LabelledPlate, whole: Quad, found: Iterable[Quad]) -> LabelledPlate:
    """The plate with those of the corners found that meet its box best, or with those of the whole picture."""
    box = plate.box or whole.box
    near = [quad for quad in found if iou(quad.box, box) >= _LEAST_IOU]
    if plate.box is None and (not near or plate.box_quality == _WHOLE_PICTURE):
        return replace(plate, corners=whole)
    return replace(plate, corners=max(near, key=lambda quad: iou(quad.box, box))) if near else plate
