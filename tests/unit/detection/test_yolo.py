"""YOLO models of others in ONNX files: told by metadata and shapes, decoded in every layout, and others refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_models import METADATA, write_exported

from platereader import InvalidArgumentError, Pipeline, Registry, WeightsCorruptError, WeightsNotFoundError
from platereader.detection import RefinedDetector, TiledDetector, YoloDetector
from platereader.detection._yolo import corners_of
from platereader.testing import check_detector

# Two boxes of one plate, one too faint, one that is not finite, and one half outside.
RAW = np.array(
    [
        [48, 49, 20, 30, 0],
        [32, 32, 20, 30, 32],
        [24, 24, 8, 8, 16],
        [8, 8, 4, 4, 8],
        [0.9, 0.8, 0.2, np.nan, 0.5],
    ]
)[None]
# The same plates once suppressed: two corners, score, class; the last rows are filled up with zeros.
FINAL = np.array([[36, 28, 60, 36, 0.9, 0], [-8, 28, 8, 36, 0.5, 0], [10, 10, 20, 15, 0.2, 0], [0] * 6])
# Picture, two corners, class, score.
OPEN_IMAGE_MODELS = np.column_stack((np.zeros(3), FINAL[:3, :4], FINAL[:3, 5], FINAL[:3, 4]))
EXPECTED: list[Any] = [((36, 28, 60, 36), 0.9), ((0, 28, 8, 36), 0.5)]
CORNERS = [(37.0, 29.0), (59.0, 30.0), (58.0, 36.0), (36.0, 35.0)]
FRAME = np.zeros((64, 96, 3), np.uint8)


def yolo_at(path: Path, *, engine: str = "onnx", **settings: Any) -> YoloDetector:
    """The model itself, without the refiner."""
    detector = Pipeline.build(detector=str(path), engine=engine, precision="fp32").detector
    inner = detector.inner if isinstance(detector, RefinedDetector) else detector
    assert isinstance(inner, YoloDetector)
    return replace(inner, **settings)


def pose(layout: str, *, numbers: int, order: Any = range(4), visible: float = 1.0) -> Any:
    """The output of a pose model for one plate and a filling row."""
    points = [[*CORNERS[index], visible][:numbers] for index in order]
    keypoints = np.array(points).ravel()
    if layout == "final":
        return np.array([[36, 28, 60, 36, 0.9, 0, *keypoints], [0] * (6 + len(keypoints))])[None]
    return np.array([[48, 32, 24, 8, 0.9, *keypoints], [8, 8, 4, 4, 0.1, *keypoints]]).T[None]


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_a_path_is_all_that_is_needed(tmp_path: Path, engine: str) -> None:
    detector = yolo_at(write_exported(tmp_path / "plates.onnx", RAW), engine=engine)
    same_size, tall = detector.detect([FRAME, np.zeros((128, 96, 3), np.uint8)])
    assert [found.score for found in same_size] == pytest.approx([0.9, 0.5])
    assert [found.box.to_tuple() for found in same_size] == [box for box, _ in EXPECTED]
    # 128 rows in 64: at half its size, 24 pixels from the left.
    assert [found.box.to_tuple() for found in tall] == [pytest.approx((24, 56, 72, 72))]
    description = detector.description
    assert (description.implementation, description.weights) == ("YoloDetector", "plates")
    assert (description.engine, description.precision) == (engine, "fp32")
    check_detector(detector)


@pytest.mark.parametrize(
    ("output", "metadata", "rows"),
    [
        (RAW, METADATA, None),
        (FINAL[None], {**METADATA, "end2end": "True"}, None),  # YOLO26
        (FINAL[None], METADATA, "boxes"),  # nms=True, dynamic=True
        (FINAL[None], {}, None),  # YOLOv10 by others
        (OPEN_IMAGE_MODELS, {}, "boxes"),  # YOLOv9 of open-image-models
        (np.repeat(RAW, 2, axis=2), {}, None),  # YOLOv9 by others, one class
    ],
)
def test_every_layout_says_the_same(tmp_path: Path, output: Any, metadata: dict[str, str], rows: str | None) -> None:
    detector = yolo_at(write_exported(tmp_path / "plates.onnx", output, metadata=metadata, rows=rows))
    found = detector.detect([FRAME])[0]
    assert [(item.box.to_tuple(), pytest.approx(item.score)) for item in found] == EXPECTED
    assert all(item.corners is None for item in found)


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_found_is_an_empty_list(tmp_path: Path, rows: int) -> None:
    for name, output in (("a", np.zeros((rows, 7))), ("b", np.zeros((1, rows, 6)))):
        path = write_exported(tmp_path / f"{name}.onnx", output, metadata={}, rows="boxes")
        assert yolo_at(path, min_score=0.0).detect([FRAME]) == [[]]


@pytest.mark.parametrize("layout", ["raw", "final"])
@pytest.mark.parametrize("numbers", [2, 3])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (0, 3, 2, 1), (0, 1, 3, 2)])
def test_a_pose_model_gives_corners(tmp_path: Path, layout: str, numbers: int, order: tuple[int, ...]) -> None:
    metadata = {**METADATA, "task": "pose", "kpt_shape": f"[4, {numbers}]"}
    path = write_exported(tmp_path / "pose.onnx", pose(layout, numbers=numbers, order=order), metadata=metadata)
    detector = Pipeline.build(detector=path, engine="onnx").detector
    assert isinstance(detector, YoloDetector)  # its own corners are not looked for again
    (found,) = detector.detect([FRAME])[0]
    assert found.corners is not None
    assert found.corners.points == tuple(CORNERS)
    assert found.box.to_tuple() == (36, 28, 60, 36)


def test_corners_that_are_not_seen_and_other_keypoints_are_left_out(tmp_path: Path) -> None:
    for shape, output in (("[4, 3]", pose("raw", numbers=3, visible=0.4)), ("[2, 2]", pose("raw", numbers=2)[:, :9])):
        metadata = {**METADATA, "task": "pose", "kpt_shape": shape}
        (found,) = yolo_at(write_exported(tmp_path / "pose.onnx", output, metadata=metadata)).detect([FRAME])[0]
        assert found.corners is None


def test_corners_are_none_without_a_convex_quad() -> None:
    assert corners_of(np.array([(0, 0), (10, 0), (5, 0), (10, 5)])) is None
    assert corners_of(np.zeros((4, 2))) is None


@pytest.mark.parametrize(
    ("names", "scores"),
    [
        ("{0: 'car', 1: 'License_Plate'}", [0.9, 0.7]),
        ("{0: 'car', 1: 'номерной знак'}", [0.9, 0.7]),
        ("{0: 'LP', 1: 'car'}", [0.7, 0.9]),
        ("{1: 'car', 0: 'LP'}", [0.7, 0.9]),
        ("{0: 'plate', 1: 'two-line plate'}", [0.1, 0.7]),
    ],
)
@pytest.mark.parametrize("final", [False, True])
def test_of_several_classes_those_named_so_are_plates(
    tmp_path: Path, names: str, scores: list[float], final: bool
) -> None:
    plate = scores.index(0.7)
    boxes = [[48, 32, 24, 8, *scores], [8, 8, 8, 8, *([0.9, 0.1] if plate else [0.1, 0.9])]]
    rows = [[36, 28, 60, 36, 0.7, plate], [4, 4, 12, 12, 0.9, 1 - plate]]
    if names.count("plate") == 2:
        boxes, rows = boxes[:1], rows[:1]
    output = np.array(rows)[None] if final else np.array(boxes).T[None]
    path = write_exported(tmp_path / "two.onnx", output, metadata={**METADATA, "names": names})
    assert [item.score for item in yolo_at(path).detect([FRAME])[0]] == pytest.approx([0.7])


def test_which_classes_are_plates_can_be_said(tmp_path: Path) -> None:
    names = {**METADATA, "names": "{0: 'ru', 1: 'kz', 2: 'car'}"}
    path = write_exported(tmp_path / "three.onnx", [[[48], [32], [24], [8], [0.1], [0.6], [0.9]]], metadata=names)
    with pytest.raises(WeightsCorruptError, match=r"finds ru, kz, car, expected .* plates=\[...\]"):
        Pipeline.build(detector=path, engine="onnx")
    file = Registry.default().resolve(path)
    (found,) = YoloDetector.from_weights(file, plates=["kz", "ru"]).detect([FRAME])[0]
    assert found.score == pytest.approx(0.6)
    with pytest.raises(InvalidArgumentError, match=r"the classes of .* are ru, kz, car"):
        YoloDetector.from_weights(file, plates=["by"])


def test_what_is_said_of_it_is_right_inside_of_others(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "plates.onnx", RAW)
    refined = Pipeline.build(detector=path, engine="onnx").detector
    part = Pipeline.build(detector=TiledDetector(refined, tile_px=64, overlap_px=16)).describe()[0]
    assert part.implementation == "TiledDetector(RefinedDetector(YoloDetector))"
    assert (part.weights, part.sha256) == ("plates", Registry.default().resolve(path).sha256)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"task": "segment"}, "for the task 'segment', allowed are 'detect' and 'pose'"),
        ({"task": "pose"}, "kpt_shape = None"),
        ({"task": "pose", "kpt_shape": "[4, 2]"}, r"shape \(1, 5, 5\), expected is \(1, 13, N\), \(1, N, 14\) for"),
        ({"task": "pose", "kpt_shape": "[4, 9]"}, r"keypoints is \(4, 9\)"),
        ({"imgsz": "640"}, "has the metadata imgsz = '640'"),
        ({"imgsz": "__import__('os').getcwd()"}, "has the metadata imgsz"),
        ({"names": "{}"}, "names = '{}'"),
        ({"names": "{0: 'plate', 1: 'b', 2: 'c'}"}, r"shape \(1, 5, 5\), expected is \(1, 7, N\), .* or \(N, 7\)"),
        ({"imgsz": "[640, 640]"}, "does not give"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, change: dict[str, str], says: str) -> None:
    path = write_exported(tmp_path / "other.onnx", RAW, metadata={**METADATA, **change})
    with pytest.raises((WeightsCorruptError, InvalidArgumentError), match=says):
        Pipeline.build(detector=path, engine="onnx")


@pytest.mark.parametrize(
    "shape", [(5,), (1, 1000), (1, 84, 84), (1, 85, 5), (1, 25200, 85), (1, 25200, 6), (1, 5, 4, 4)]
)
def test_a_file_of_no_known_shape_has_no_description(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_exported(tmp_path / "silent.onnx", np.zeros(shape), metadata={"author": "someone"})
    with pytest.raises(WeightsNotFoundError, match="has no description") as caught:
        Pipeline.build(detector=path)
    assert "(1, 4 + classes, N) of N > 4 + classes boxes, (1, N, 6) or (N, 7)" in str(caught.value)
    shown = ", ".join(map(str, shape))
    assert str(caught.value).endswith(f"the inputs here are (1, 3, 64, 96), the outputs ({shown}).")


def test_numbers_out_of_range_are_refused(tmp_path: Path) -> None:
    detector = yolo_at(write_exported(tmp_path / "plates.onnx", RAW))
    changes: list[dict[str, Any]] = [
        {"min_score": 2.0},
        {"max_iou": -1.0},
        {"classes": 0},
        {"input_size_px": (0, 64)},
        {"plates": (1,)},
        {"plates": ()},
        {"keypoints": (4, 1)},
    ]
    for change in changes:
        with pytest.raises(InvalidArgumentError, match=next(iter(change))):
            replace(detector, **change)
    with pytest.raises(InvalidArgumentError, match="is no YOLO model"):
        YoloDetector.from_weights(Registry.default().resolve("plate-detector"))
