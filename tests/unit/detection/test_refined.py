"""Boxes of any detector get the corners that the refiner finds; what it takes for no plate stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from exported_models import write_exported

from platereader import BgrImage, Box, Detection, InvalidArgumentError, Pipeline, read_image
from platereader._defaults import default_rectifier
from platereader._geometry import iou
from platereader.detection import PlateDetector, RefinedDetector, YoloDetector
from platereader.detection._refined import RefinedRectifier, with_corners
from platereader.detection._region import RegionDetector
from platereader.detection._thresholds import with_min_score
from platereader.rectification._corners import BoxRectifier, CornerRectifier
from platereader.testing import check_detector

PICTURE = Path(__file__).resolve().parents[3] / "examples" / "pictures" / "street-1.jpg"


@dataclass(frozen=True)
class Boxes:
    """Finds the same boxes in every frame."""

    boxes: tuple[Box, ...]
    min_score: float = 0.25

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        scores = np.linspace(0.9, 0.3, len(self.boxes))
        found = [Detection(box, float(score)) for box, score in zip(self.boxes, scores, strict=True)]
        return [[item for item in found if item.score >= self.min_score] for _ in frames]


@pytest.fixture(scope="module")
def frame() -> BgrImage:
    return read_image(PICTURE)


@pytest.fixture(scope="module")
def plates(frame: BgrImage) -> list[Detection]:
    """What the default detector sees, its corners included."""
    detector = Pipeline.build(engine="onnx", precision="fp32").detector
    assert isinstance(detector, PlateDetector)
    found = [plate for plate in detector.detect([frame])[0] if plate.score > 0.8]
    assert found
    return found


def loose(box: Box) -> Box:
    """As roughly as a detector of boxes may put it."""
    return box.padded(0.1 * box.width, 0.15 * box.height).moved(0.05 * box.width, -0.1 * box.height)


def test_boxes_get_corners_and_come_nearer(frame: BgrImage, plates: list[Detection]) -> None:
    inner = Boxes(tuple(loose(plate.box) for plate in plates))
    detector = RefinedDetector(inner)
    found, nothing = detector.detect([frame, np.zeros_like(frame)])
    assert [item.score for item in found] == [item.score for item in inner.detect([frame])[0]]
    for item, rough, plate in zip(found, inner.boxes, plates, strict=True):
        assert plate.corners is not None
        assert item.corners is not None
        error = np.abs(item.corners.to_array() - plate.corners.to_array()).max()
        assert error < 0.15 * plate.corners.height
        assert iou(item.box, plate.box) > iou(rough, plate.box) + 0.05
        assert item.lines == plate.lines
        assert item.truncated is False
    assert nothing == inner.detect([frame])[0]  # the refiner sees no plate in the dark


def test_the_default_rectifier_finds_the_corners_of_boxes(frame: BgrImage, plates: list[Detection]) -> None:
    boxes = [Detection(loose(plate.box), 0.9) for plate in plates]
    completed = with_corners(frame, [plates[0], *boxes])
    assert completed[0] is plates[0]  # what has corners keeps them
    for found, plate in zip(completed[1:], plates, strict=True):
        assert found.corners is not None
        assert plate.corners is not None
        assert np.abs(found.corners.to_array() - plate.corners.to_array()).max() < 0.15 * plate.corners.height
    straight = CornerRectifier().rectify(frame, completed[1:])
    for one, other in zip(default_rectifier().rectify(frame, boxes), straight, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    (two_lines,) = with_corners(frame, [replace(boxes[0], lines=2)])
    assert two_lines.lines == 2  # the label knows better


def test_what_the_refiner_sees_no_plate_in_is_cut_out_by_its_box() -> None:
    dark = np.zeros((200, 300, 3), np.uint8)
    nothing = [Detection(Box(50, 50, 200, 90), 0.9), Detection(Box(400, 50, 500, 90), 0.9)]
    assert with_corners(dark, nothing) == nothing
    plates = default_rectifier().rectify(dark, nothing[:1])
    assert np.array_equal(plates[0].pixels, BoxRectifier().rectify(dark, nothing[:1])[0].pixels)


def test_a_stream_may_look_at_places_only(frame: BgrImage, plates: list[Detection]) -> None:
    detector = RefinedDetector(Boxes(()))
    places = [loose(plate.box) for plate in plates]
    found = detector.refine(frame, [Box(0, 0, 60, 15), *places])
    assert len(found) == len(plates)
    assert all(item.corners is not None and item.score > 0.5 for item in found)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_a_region_goes_around() -> None:
    with pytest.raises(InvalidArgumentError, match=r"RegionDetector\(RefinedDetector\(detector\), region\)"):
        RefinedDetector(RegionDetector(Boxes(()), [(0, 0), (9, 0), (9, 9)]))


def test_two_places_of_one_plate_give_it_once(frame: BgrImage, plates: list[Detection]) -> None:
    places = [plates[0].box, loose(plates[0].box)]
    assert len(RefinedDetector(Boxes(())).refine(frame, places)) == 1


def test_a_threshold_is_that_of_the_inner_detector(frame: BgrImage, plates: list[Detection]) -> None:
    detector = with_min_score(RefinedDetector(Boxes((plates[0].box, Box(0, 0, 60, 15)))), 0.8)
    assert detector is not None
    assert len(detector.detect([frame])[0]) == 1


def test_a_model_without_corners_is_refined_when_it_is_loaded(
    tmp_path: Path, frame: BgrImage, plates: list[Detection]
) -> None:
    height, width = frame.shape[:2]
    size_px = (32 * -(-height // 32), 32 * -(-width // 32))
    x, y = (size_px[1] - width) / 2, (size_px[0] - height) / 2
    box = loose(plates[0].box)
    output = [[[box.center[0] + x], [box.center[1] + y], [box.width], [box.height], [0.8]]]
    repeated = np.repeat(np.array(output), 6, axis=2)  # more boxes than numbers of each, as in a real model
    path = write_exported(tmp_path / "plates.onnx", repeated, metadata={}, size_px=size_px)
    pipeline = Pipeline.build(detector=path, engine="onnx", precision="fp32")
    assert isinstance(pipeline.detector, RefinedDetector)
    assert isinstance(pipeline.detector.inner, YoloDetector)
    (reading,) = pipeline.read(frame)
    expected = pipeline.read_detections(frame, plates)[0]
    assert (reading.text, reading.status) == (expected.text, expected.status)


def test_the_contract_holds() -> None:
    check_detector(RefinedDetector(Boxes((Box(2, 2, 30, 12), Box(-5, 20, 30, 32)))))


def test_something_else_than_a_detector_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="inner is"):
        RefinedDetector(Boxes)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="inner is the class CornerRectifier"):
        RefinedRectifier(CornerRectifier)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match=r"refiner is .*expected is a Refiner"):
        RefinedDetector(Boxes(()), "plate-refiner")  # type: ignore[arg-type]
