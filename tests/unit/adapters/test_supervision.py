"""To and from supervision's ``Detections``, with the package itself."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, Detection, InvalidArgumentError, InvalidGeometryError, MissingDependencyError
from platereader.adapters import from_supervision, to_supervision

FRAME = frame_with({50: Box(20, 30, 100, 50), 200: Box(200, 150, 290, 175)})


@pytest.fixture
def sv() -> Any:
    """The package itself."""
    return pytest.importorskip("supervision", reason="needs the extra platereader-anpr[supervision]")


def test_readings_become_detections_with_their_columns(sv: Any) -> None:
    readings = patch_pipeline().read(FRAME)
    detections: Any = to_supervision(readings)
    assert type(detections) is sv.Detections
    assert detections.xyxy.tolist() == [[20, 30, 100, 50], [200, 150, 290, 175]]
    assert detections.confidence.tolist() == pytest.approx([0.9, 0.9])
    assert detections.tracker_id is None
    assert detections.data["text"].tolist() == ["A123BC77", None]
    assert {*readings[0].to_row(), "class_name"} == set(detections.data)
    (unread,) = detections[detections.data["status"] == "unreadable"].xyxy.tolist()
    assert unread == [200, 150, 290, 175]


def test_detections_go_round(sv: Any) -> None:
    pipeline = patch_pipeline()
    readings = pipeline.read(FRAME)
    found = from_supervision(to_supervision(readings))
    assert [one.box for one in found] == [reading.detection.box for reading in readings if reading.detection]
    assert [one.score for one in found] == pytest.approx([0.9, 0.9])
    assert [one.text for one in pipeline.read_detections(FRAME, found)] == ["A123BC77", None]


def test_no_plates_are_no_detections(sv: Any) -> None:
    nothing = to_supervision([])
    assert len(nothing) == 0
    assert from_supervision(nothing) == []
    assert from_supervision(sv.Detections.empty()) == []
    assert len(sv.Detections.merge([nothing, to_supervision(patch_pipeline().read(FRAME))])) == 2


def test_its_annotators_and_zones_take_them(sv: Any) -> None:
    detections = to_supervision(patch_pipeline().read(FRAME))
    labels = [str(text) for text in detections.data["text"]]
    drawn = sv.LabelAnnotator().annotate(FRAME.copy(), detections, labels=labels)
    assert (drawn != FRAME).any()
    zone = sv.PolygonZone(np.array([[0, 0], [150, 0], [150, 239], [0, 239]]))
    assert zone.trigger(detections).tolist() == [True, False]


def test_plates_of_a_stream_have_the_ids_of_their_passages(sv: Any) -> None:
    update = next(patch_pipeline().read_stream([FRAME], fps=5))
    detections: Any = to_supervision(update.active)
    assert detections.tracker_id.tolist() == [plate.passage_id for plate in update.active]
    assert detections.confidence.tolist() == pytest.approx([0.9] * len(update.active))


def test_a_crop_has_no_place(sv: Any) -> None:
    readings = patch_pipeline().read(FRAME)
    crop = replace(readings[0], evidence=replace(readings[0].evidence, detection=None))
    with pytest.raises(InvalidArgumentError, match=r"plates\[1\] is the reading of a cropped plate"):
        to_supervision([readings[0], crop])


def test_without_scores_they_are_sure() -> None:
    bare = SimpleNamespace(xyxy=np.array([[1, 2, 30, 9]], np.float32), confidence=None)
    assert from_supervision(bare) == [Detection(Box(1, 2, 30, 9), 1.0)]  # type: ignore[arg-type,unused-ignore]


@pytest.mark.parametrize("given", [7, [Detection(Box(0, 0, 1, 1), 0.5)], SimpleNamespace(xyxy=np.zeros((2, 3)))])
def test_what_are_no_detections_is_refused(given: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"expected are supervision\.Detections"):
        from_supervision(given)


def test_boxes_and_scores_are_checked() -> None:
    wrong: Any = SimpleNamespace(xyxy=np.array([[30, 2, 1, 9]]), confidence=None)
    with pytest.raises(InvalidGeometryError, match="inverted"):
        from_supervision(wrong)
    wrong = SimpleNamespace(xyxy=np.array([[1, 2, 30, 9]]), confidence=np.array([70.0]))
    with pytest.raises(InvalidArgumentError, match="score is 70"):
        from_supervision(wrong)


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "platereader-anpr\[supervision\]"'):
        to_supervision([])
