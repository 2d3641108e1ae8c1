"""Corners for plates that are labelled by boxes alone."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader import Box, Detection, Quad
from platereader._arrays import BgrImage
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.datasets.plates import cut_plates, with_corners

BOX = Box(40, 30, 140, 60)
QUAD = Quad((42, 31), (139, 33), (138, 59), (41, 57))


class Finding:
    """Always the same detections; counts the frames that it is shown."""

    def __init__(self, *found: Detection) -> None:
        self.found = list(found)
        self.frames = 0

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        self.frames += len(frames)
        return [self.found for _ in frames]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.full((120, 200, 3), 90, np.uint8))
    return path


def image(path: Path, *plates: LabelledPlate) -> LabelledImage:
    return LabelledImage(path, 200, 120, plates)


def test_the_detection_that_meets_the_box_gives_its_corners(picture: Path) -> None:
    far = Quad.from_box(Box(150, 80, 190, 100))
    detector = Finding(Detection(far.box, 0.9, far), Detection(QUAD.box, 0.6, QUAD))
    (done,) = with_corners([image(picture, LabelledPlate(BOX, text="A123BC77"))], detector)
    assert done.plates[0].corners == QUAD
    assert done.plates[0].text == "A123BC77"


def test_a_plate_outside_of_its_picture_is_not_cut_out(picture: Path) -> None:
    inside = LabelledPlate(QUAD.box, corners=QUAD, text="A123BC77")
    outside = LabelledPlate(QUAD.box, corners=Quad.from_box(Box(200, 30, 300, 60)), text="B337PE164")
    assert [one.text for one in cut_plates([image(picture, outside, inside)])] == ["A123BC77"]


def test_what_is_not_found_stays_as_it_is(picture: Path) -> None:
    before = image(picture, LabelledPlate(BOX, text="A123BC77"))
    boxes_only = Finding(Detection(BOX, 0.9))
    elsewhere = Finding(Detection(Box(0, 0, 60, 40), 0.9, Quad.from_box(Box(0, 0, 60, 40))))
    assert with_corners([before], boxes_only) == [before]
    assert with_corners([before], elsewhere) == [before]


def test_a_plate_that_is_the_whole_picture_has_its_corners_there(picture: Path) -> None:
    plate = LabelledPlate(None, text="AB12", box_quality="whole")
    (done,) = with_corners([image(picture, plate)], Finding())
    assert done.plates[0].corners == Quad.from_box(Box(0, 0, 200, 120))
    assert [one.text for one in cut_plates([done])] == ["AB12"]


def test_a_crop_has_the_corners_that_are_found_in_it_or_its_own(picture: Path) -> None:
    inside = Quad((10, 4), (190, 14), (188, 116), (8, 106))
    crop, straight = LabelledPlate(None, text="A123BC77"), LabelledPlate(None, text="A123BC77", box_quality="whole")
    for plate, found, corners in (
        (crop, inside, inside),
        (crop, Quad.from_box(Box(0, 0, 60, 40)), Quad.from_box(Box(0, 0, 200, 120))),
        (straight, inside, Quad.from_box(Box(0, 0, 200, 120))),
    ):
        (done,) = with_corners([image(picture, plate)], Finding(Detection(found.box, 0.9, found)))
        assert done.plates[0].corners == corners


def test_only_pictures_that_lack_corners_are_opened(picture: Path) -> None:
    detector = Finding()
    known = image(picture, LabelledPlate(BOX, QUAD, "A123BC77"), LabelledPlate(BOX), LabelledPlate(None))
    loose = image(picture, LabelledPlate(BOX, text="A123BC77", box_quality="loose"))
    assert with_corners([known, loose], detector) == [known, loose]
    assert detector.frames == 0
