"""Parts of a user's own that err in use are named, with what they gave, what is allowed and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import platereader
from fakes import PatchDetector, PatchRecognizer, Says, frame_with, patch_pipeline
from platereader import (
    Box,
    Candidate,
    ContractError,
    Detection,
    InvalidArgumentError,
    InvalidGeometryError,
    Pipeline,
    PlateImage,
    Quad,
    TrackAssignment,
)
from platereader._arrays import BgrImage
from platereader.results import Lines
from platereader.video._tracking.tracker import MotionTracker

TEXT = "A123BC77"
PLATE = Box(40, 60, 120, 80)
FRAME = frame_with({50: PLATE})
LINES: tuple[Lines | None, ...] = (None, 1, 2)
NAN = float("nan")
THREE: Any = 3


@dataclass(frozen=True)
class Detect:
    """Gives the same answer for every frame."""

    answer: Callable[[], Any]

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return [self.answer() for _ in frames]


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (lambda: [Detection(Box(900, 10, 950, 20), 0.5)], ContractError, r"Detect\.detect.*no area inside its 320x240"),
        (lambda: [Detection(Box(0.1, 0.2, 0.1, 0.4), 0.5)], ContractError, "not fractions"),
        (lambda: [Detection(Box(-1e300, -1e300, 1e300, 1e300), 0.5)], ContractError, "within 1000000 px"),
        (lambda: [Detection(Box(50, 10, 20, 30), 0.5)], InvalidGeometryError, r"is inverted: pass \(x1, y1, x2, y2\)"),
        (lambda: [Detection(Box(NAN, 10, 20, 30), 0.5)], InvalidGeometryError, "not finite: pass"),
        (lambda: [Detection(PLATE, 0.5, Quad((0, NAN), (1, 0), (1, 1), (0, 1)))], InvalidGeometryError, "top_left is"),
        (lambda: [Detection(PLATE, 0.5, Quad.from_points([(0, 0), (1,)]))], InvalidGeometryError, "4 points of"),
        (lambda: [Detection(PLATE, NAN)], InvalidArgumentError, "score is nan, allowed are numbers from 0 to 1"),
        (lambda: [Detection(PLATE, 97.0)], InvalidArgumentError, "score is 97.0, allowed are numbers"),
        (lambda: [Detection(PLATE, 0.5, None, THREE)], InvalidArgumentError, "lines is 3, allowed are 1 and 2"),
        (lambda: None, ContractError, "a NoneType, expected is a list"),
        (lambda: [(40, 60, 120, 80)], ContractError, "a tuple where a Detection is expected"),
    ],
)
def test_a_detector_of_ones_own_that_errs_is_told_so(answer: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        Pipeline(replace(patch_pipeline().parts, detector=Detect(answer))).read(FRAME)


def test_boxes_beyond_the_frame_and_senseless_corners_are_read_all_the_same() -> None:
    crossed = Quad((40, 60), (120, 80), (120, 60), (40, 80))
    nowhere = Quad((1e30, 0), (-1e300, 5), (1e308, 1e308), (-1e308, 3))
    point = Quad((0, 0), (0, 0), (0, 0), (0, 0))
    boxes = [Box(-50, -50, 60, 30), Box(300, 200, 9000, 9000), Box(-1e6, -1e6, 1e6, 1e6), Box(5, 5, 5 + 1e-9, 6)]
    detections = [Detection(box, 0.5) for box in boxes]
    detections += [Detection(PLATE, 0.5, quad, lines) for quad in (crossed, nowhere, point) for lines in LINES]
    pipeline = Pipeline.build(detector=Detect(lambda: detections), recognizer=PatchRecognizer())
    readings = pipeline.read(FRAME)
    assert [reading.detection for reading in readings] == detections
    assert all(min(reading.evidence.plate.pixels.shape) > 0 for reading in readings)


def test_numpy_numbers_from_a_part_come_out_as_json() -> None:
    row = np.asarray([40, 60, 120, 80], np.float32)
    corners = Quad((row[0], row[1]), (row[2], row[1]), (row[2], row[3]), (row[0], row[3]))
    score: Any = np.float32(0.75)
    lines: Any = np.int64(1)
    timestamp_s: Any = np.float32(1.5)
    own = Detect(lambda: [Detection(Box(*row), score, corners, lines)])
    update = Pipeline(replace(patch_pipeline().parts, detector=own)).stream().update(FRAME, timestamp_s)
    text = json.dumps(update.to_dict())
    assert json.loads(text)["active"][0]["best"]["detection"]["box"] == [40, 60, 120, 80]


SURE = PatchRecognizer().recognize([PlateImage(FRAME)])


@pytest.mark.parametrize(
    ("part", "answer", "says"),
    [
        ("detector", [], r"Says\.detect returned 0 items for 1"),
        (
            "rectifier",
            [PlateImage(np.full((32, 150, 3), np.nan))],
            r"Says\.rectify's plate 0 has dtype float64, exp.* uint8",
        ),
        ("rectifier", [PlateImage(np.zeros((32, 150), np.uint8))], r"shape \(32, 150\).*GRAY2BGR"),
        ("rectifier", [PlateImage(np.zeros((0, 150, 3), np.uint8))], "150x0 px"),
        ("rectifier", [FRAME], "a ndarray where a PlateImage is expected"),
        ("rectifier", [None], "a NoneType where a PlateImage is expected"),
        ("recognizer", np.where(SURE < -1, SURE, np.nan), r"Says\.recognize gave NaN or positive.*log_softmax"),
        ("recognizer", np.full_like(SURE, np.inf), "NaN or positive"),
        ("recognizer", np.exp(SURE), "NaN or positive"),
        ("recognizer", SURE[:, :0], r"shape \(1, 0, 24\).*expected \(N, T, C\)"),
        ("recognizer", SURE[0], r"shape \(24, 24\)"),
        ("recognizer", SURE[..., :5], r"shape \(1, 24, 5\)"),
        ("recognizer", [[1.0], [1.0, 2.0]], "no array of numbers"),
        ("recognizer", TEXT, "no array of numbers"),
        ("recognizer", SURE + 0.5j, "no array of numbers.*complex"),
        ("recognizer", SURE.astype(str), "no array of numbers.*dtype <U"),
        ("recognizer", None, "gave shape"),
        ("decoder", [(Candidate("a123", -1.0, None),)], "the text 'a123', allowed are"),
        ("decoder", [(TEXT,)], "a str where a Candidate is expected"),
        ("decoder", [None], "a NoneType, expected is a list"),
    ],
)
def test_a_part_of_ones_own_that_errs_is_told_so(part: str, answer: Any, says: str) -> None:
    parts: Any = patch_pipeline().parts
    with pytest.raises(ContractError, match=says):
        Pipeline(replace(parts, **{part: Says(answer)})).read(FRAME)


def test_a_recognizer_that_rules_everything_out_gives_an_unreadable_plate() -> None:
    nothing = Says(np.full_like(SURE, -np.inf))
    (reading,) = Pipeline.build(detector=PatchDetector(), recognizer=nothing).read(FRAME)
    assert (reading.text, reading.status, reading.reason) == (None, "unreadable", "nothing_legible")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, r"Says\.update returned the NoneType None: return a TrackAssignment"),
        ([1], r"the list \[1\]: return a TrackAssignment"),
        (TrackAssignment((), ended=()), "0 ids for 1 detections"),
    ],
)
def test_a_tracker_of_ones_own_that_errs_is_told_so(answer: Any, says: str) -> None:
    stream = Pipeline(replace(patch_pipeline().parts, tracker=lambda: Says(answer))).stream()
    with pytest.raises(ContractError, match=says):
        stream.update(FRAME, 0.0)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"detector": "yolo"}, "detector is the str 'yolo', expected is a detector, .* the method detect"),
        ({"detector": PatchRecognizer()}, "detector is .*PatchRecognizer.*, expected is a detector"),
        ({"detector": PatchDetector}, "detector is the class PatchDetector, expected is an object of it"),
        ({"rectifier": PatchDetector()}, "expected is a rectifier, .* the method rectify"),
        ({"recognizer": PatchDetector()}, "expected is a recognizer, .* the method recognize"),
        ({"decoder": None}, "decoder is the NoneType None, expected is a decoder"),
        ({"decoder": Mock(spec=["decode"])}, "decoder is a Mock without an alphabet"),
    ],
)
def test_what_is_no_such_part_is_refused_before_it_is_called(parts: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        replace(patch_pipeline().parts, **parts)


def test_parts_are_called_in_one_place() -> None:
    source = Path(platereader.__file__).parent
    call = re.compile(r"\.(detect|rectify|recognize)\(|(decoder|tracker)\.(decode|update)\(")
    callers = [path.name for path in source.rglob("*.py") if call.search(path.read_text(encoding="utf-8"))]
    assert callers == ["_contracts.py"]


def test_one_tracker_for_all_streams_is_refused() -> None:
    tracker: Any = MotionTracker()
    with pytest.raises(InvalidArgumentError, match=r"tracker is an object of MotionTracker, .*pass the class"):
        Pipeline(replace(patch_pipeline().parts, tracker=tracker))
