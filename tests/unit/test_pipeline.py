"""What users call, over fake parts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fakes import PatchDetector, PatchRecognizer, ThresholdDetector, frame_with, patch_pipeline
from platereader import (
    Box,
    Detection,
    InvalidArgumentError,
    InvalidImageError,
    Pipeline,
    PlateImage,
    PlateReading,
    RuntimeOptions,
    TimestampError,
)
from platereader.decoding._greedy import GreedyDecoder
from platereader.detection import TiledDetector
from platereader.plates._alphabet import Alphabet
from platereader.video import MotionTracker

LEFT, RIGHT = Box(20, 30, 100, 50), Box(200, 150, 290, 175)
PAIR = frame_with({50: LEFT, 100: RIGHT})
ONE = frame_with({150: Box(5, 5, 65, 20)}, width=100, height=60)
NONE = np.zeros((50, 60, 3), np.uint8)


def texts(readings: Sequence[PlateReading]) -> set[str | None]:
    return {reading.text for reading in readings}


def test_read_finds_and_reads_every_plate() -> None:
    readings = patch_pipeline().read(PAIR)
    assert texts(readings) == {"A123BC77", "M555KE199"}
    assert all(reading.status == "read" and reading.confidence > 0.9 for reading in readings)


def test_batch_of_mixed_sizes_equals_one_by_one() -> None:
    pipeline = patch_pipeline()
    together = pipeline.read_batch([PAIR, NONE, ONE])
    assert together == [pipeline.read(frame) for frame in (PAIR, NONE, ONE)]
    assert [len(readings) for readings in together] == [2, 0, 1]


def test_no_frames_no_readings() -> None:
    assert patch_pipeline().read_batch([]) == []
    assert patch_pipeline().read_plates([]) == []
    assert patch_pipeline().read_detections(NONE, []) == []


def test_read_detections_keeps_their_order() -> None:
    readings = patch_pipeline().read_detections(PAIR, [Detection(RIGHT, 0.2), Detection(LEFT, 0.9)])
    assert [reading.text for reading in readings] == ["M555KE199", "A123BC77"]
    assert readings[0].detection == Detection(RIGHT, 0.2)


def test_read_plates_takes_crops_and_plate_images() -> None:
    crop = frame_with({50: Box(0, 0, 40, 10)}, width=40, height=10)
    readings = patch_pipeline().read_plates([crop, PlateImage(crop)])
    assert [reading.text for reading in readings] == ["A123BC77", "A123BC77"]
    assert readings[0].detection is None
    with pytest.raises(InvalidImageError, match=r"plates\[1\]"):
        patch_pipeline().read_plates([crop, crop[..., 0]])


def test_illegible_plate_is_reported_not_dropped() -> None:
    (reading,) = patch_pipeline().read(frame_with({200: LEFT}))
    assert (reading.text, reading.status, reading.reason) == (None, "unreadable", "not_a_plate")


def test_detection_outside_the_frame_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"detections\[0\] has the box .* no area inside"):
        patch_pipeline().read_detections(ONE, [Detection(Box(500, 0, 600, 20), 0.5)])


def test_box_partly_outside_is_fine() -> None:
    (reading,) = patch_pipeline().read_detections(PAIR, [Detection(Box(-40, 25, 100, 50), 0.5)])
    assert reading.text == "A123BC77"


def test_alphabets_must_agree() -> None:
    with pytest.raises(InvalidArgumentError, match="alphabet"):
        Pipeline(replace(patch_pipeline().parts, decoder=GreedyDecoder(Alphabet("ABC"))))


def test_read_stream_follows_a_plate_and_flushes_at_the_end() -> None:
    frames = [frame_with({50: LEFT.moved(3 * i, 0)}) for i in range(6)]
    updates = list(patch_pipeline().read_stream(frames, fps=10))
    assert len(updates) == 7
    (finished,) = updates[-1].finished
    assert (finished.text, finished.readings, finished.settled) == ("A123BC77", 3, True)  # then it was settled
    assert finished.first_seen_s == 0.0
    assert finished.last_seen_s == pytest.approx(0.5)


def test_read_stream_takes_timestamps() -> None:
    updates = list(patch_pipeline().read_stream([(10.0, PAIR), (10.5, PAIR)]))
    assert [update.timestamp_s for update in updates] == [10.0, 10.5, 10.5]
    with pytest.raises(TimestampError, match="grow"):
        list(patch_pipeline().read_stream([(10.0, PAIR), (10.0, PAIR)]))


@pytest.mark.parametrize("time", [10**400, True, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(time: Any) -> None:
    with pytest.raises(TimestampError, match=r"^timestamp_s is"):
        list(patch_pipeline().read_stream([(time, PAIR)]))


@pytest.mark.parametrize("frames", [None, 5, PAIR[0, 0, 0]])
def test_what_is_no_list_of_frames_is_refused(frames: Any) -> None:
    pipeline = patch_pipeline()
    for call in (pipeline.read_batch, lambda some: list(pipeline.read_stream(some, fps=25))):
        with pytest.raises(InvalidArgumentError, match=r"^frames is the .*expected is a list"):
            call(frames)
    with pytest.raises(InvalidArgumentError, match=r"^plates is the .*expected is a list"):
        pipeline.read_plates(frames)


@pytest.mark.parametrize("made", [None, MotionTracker, "tracker"])
def test_what_makes_no_tracker_is_told_when_a_stream_is_made(made: Any) -> None:
    pipeline = Pipeline(replace(patch_pipeline().parts, tracker=lambda: made))
    with pytest.raises(InvalidArgumentError, match=r"^tracker is .*method update"):
        pipeline.stream()


@pytest.mark.parametrize("fps", [None, 0.0, -3.0, float("nan"), float("inf"), "25", 10**400, True])
def test_bare_frames_need_a_frame_rate(fps: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="fps"):
        list(patch_pipeline().read_stream([PAIR], fps=fps))


def test_build_with_own_networks_needs_no_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.registry.Registry.default", lambda: pytest.fail("looked for weights"))
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer())
    assert pipeline.read(NONE) == []
    assert [part.implementation for part in pipeline.describe()[:2]] == ["PatchDetector", "PatchRecognizer"]


def test_parts_and_options_of_another_kind_are_refused() -> None:
    wrong: Any = "onnx"
    makers: dict[str, Callable[[], object]] = {
        "runtime": lambda: Pipeline.build(runtime=wrong),
        "registry": lambda: Pipeline.build(registry=wrong),
        "parts": lambda: Pipeline(wrong),
        "schemes": lambda: replace(patch_pipeline().parts, schemes=wrong),
    }
    for name, make in makers.items():
        with pytest.raises(InvalidArgumentError, match=f"{name} is the str 'onnx'"):
            make()


def test_detections_are_any_iterable_and_not_a_single_one() -> None:
    box = Detection(Box(10, 10, 40, 20), 1.0)
    several: Any = iter([box, box])
    assert len(patch_pipeline().read_detections(frame_with({}), several)) == 2
    single: Any = box
    with pytest.raises(InvalidArgumentError, match=r"detections is the Detection .*expected is a list"):
        patch_pipeline().read_detections(frame_with({}), single)


def built(**options: Any) -> Pipeline:
    parts = patch_pipeline().parts
    detector = options.pop("detector", ThresholdDetector())
    return Pipeline.build(
        detector=detector, rectifier=parts.rectifier, recognizer=parts.recognizer, decoder=parts.decoder, **options
    )


def test_min_score_is_that_of_the_detector() -> None:
    assert texts(built().read(PAIR)) == {"A123BC77"}
    assert texts(built(min_score=0.1).read(PAIR)) == {"A123BC77", "M555KE199"}
    assert built(min_score=0.95).read(PAIR) == []
    tiled = TiledDetector(ThresholdDetector(0.1))
    assert texts(built(detector=tiled, min_score=0.4).read(PAIR)) == {"A123BC77"}


def test_plates_outside_of_the_area_are_left_out() -> None:
    left = [(0, 0), (150, 0), (150, 240), (0, 240)]
    assert texts(built(area=left, min_score=0.1).read(PAIR)) == {"A123BC77"}
    assert built(area=np.array(left, np.float32), min_score=0.95).read(PAIR) == []
    update = next(built(area=left, min_score=0.1).read_stream([PAIR], fps=5))
    assert [plate.text for plate in update.active] == ["A123BC77"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"min_score": 40}, "min_score is 40, allowed are numbers from 0 to 1"),
        ({"min_score": 0.4, "detector": PatchDetector().detect}, "detector is .* expected is a detector"),
        ({"min_score": 0.4, "detector": PatchDetector()}, "PatchDetector has no threshold that can be set"),
        ({"area": [(0, 0), (1, 1)]}, "^area has 2 different points"),
        ({"area": "left"}, "^area is 'left', no list of points"),
        ({"area": [(0, 0), (9, 9), (9, 0), (0, 9)]}, "^area crosses"),
        ({"threads": 99_999_999_999}, "^threads is 99999999999, allowed are 1 to 1024"),
        ({"runtime": RuntimeOptions(threads=1025)}, "^threads is 1025, allowed are 1 to 1024"),
    ],
)
def test_what_cannot_restrict_a_detector_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        built(**options)


def test_an_area_outside_of_the_frame_is_called_so() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^area, from \(5000, 0\) .* lies outside of the frame"):
        built(area=[(5000, 0), (6000, 0), (6000, 100)], min_score=0.1).read(PAIR)
