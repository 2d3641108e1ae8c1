"""Models that ultralytics exported to ONNX: told by what they say of themselves, decoded, and others refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exported_models import METADATA, write_exported

from platereader import InvalidArgumentError, Pipeline, Registry, WeightsCorruptError, WeightsNotFoundError
from platereader.detection import TiledDetector, UltralyticsOnnxDetector
from platereader.testing import check_detector

# Two boxes of one plate, one too faint, one that is not finite, and one half outside.
BOXES = np.array(
    [
        [48, 49, 20, 30, 0],
        [32, 32, 20, 30, 32],
        [24, 24, 8, 8, 16],
        [8, 8, 4, 4, 8],
        [0.9, 0.8, 0.2, np.nan, 0.5],
    ]
)


def detector_in(folder: Path, *, engine: str = "onnx") -> UltralyticsOnnxDetector:
    path = write_exported(folder / "plates.onnx", BOXES)
    detector = Pipeline.build(detector=str(path), engine=engine, precision="fp32").detector
    assert isinstance(detector, UltralyticsOnnxDetector)
    return detector


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_a_path_is_all_that_is_needed(tmp_path: Path, engine: str) -> None:
    detector = detector_in(tmp_path, engine=engine)
    frames = [np.zeros((64, 96, 3), np.uint8), np.zeros((128, 96, 3), np.uint8)]
    same_size, tall = detector.detect(frames)
    assert [found.score for found in same_size] == pytest.approx([0.9, 0.5])
    assert [found.box.to_tuple() for found in same_size] == [(36, 28, 60, 36), (0, 28, 8, 36)]
    # 128 rows in 64: at half its size, 24 pixels from the left.
    assert [found.box.to_tuple() for found in tall] == [pytest.approx((24, 56, 72, 72))]
    description = detector.description
    assert (description.implementation, description.weights) == ("UltralyticsOnnxDetector", "plates")
    assert (description.engine, description.precision) == (engine, "fp32")
    check_detector(detector)


def test_several_classes_all_count_as_plates(tmp_path: Path) -> None:
    boxes = [[48.0], [32.0], [24.0], [8.0], [0.1], [0.7]]
    metadata = {**METADATA, "names": "{0: 'car', 1: 'plate'}"}
    path = write_exported(tmp_path / "two.onnx", boxes, metadata=metadata)
    (found,) = Pipeline.build(detector=path).detector.detect([np.zeros((64, 96, 3), np.uint8)])[0]
    assert found.score == pytest.approx(0.7)


def test_what_is_said_of_it_is_right_inside_of_tiles(tmp_path: Path) -> None:
    pipeline = Pipeline.build(detector=TiledDetector(detector_in(tmp_path), tile_px=64, overlap_px=16))
    part = pipeline.describe()[0]
    assert (part.implementation, part.weights) == ("TiledDetector(UltralyticsOnnxDetector)", "plates")
    assert part.sha256 == Registry.default().resolve(tmp_path / "plates.onnx").sha256


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"task": "pose"}, "for the task 'pose', allowed is 'detect'"),
        ({"imgsz": "640"}, "has the metadata imgsz = '640'"),
        ({"imgsz": "__import__('os').getcwd()"}, "has the metadata imgsz"),
        ({"names": "{}"}, "names = '{}'"),
        ({"names": "{0: 'a', 1: 'b', 2: 'c'}"}, r"gives an output of shape \(1, 5, 5\), expected is \(1, 7, N\)"),
        ({"imgsz": "[640, 640]"}, "does not give"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, change: dict[str, str], says: str) -> None:
    path = write_exported(tmp_path / "other.onnx", BOXES, metadata={**METADATA, **change})
    with pytest.raises(WeightsCorruptError, match=says):
        Pipeline.build(detector=path, engine="onnx")


def test_a_file_that_says_nothing_of_itself_has_no_description(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "silent.onnx", BOXES, metadata={"author": "someone"})
    with pytest.raises(WeightsNotFoundError, match="has no description"):
        Pipeline.build(detector=path)


def test_numbers_out_of_range_are_refused(tmp_path: Path) -> None:
    detector = detector_in(tmp_path)
    for change in ({"min_score": 2.0}, {"max_iou": -1.0}, {"classes": 0}, {"input_size_px": (0, 64)}):
        with pytest.raises(InvalidArgumentError, match=next(iter(change))):
            replace(detector, **change)
    with pytest.raises(InvalidArgumentError, match="no model that ultralytics exported"):
        UltralyticsOnnxDetector.from_weights(Registry.default().resolve("plate-detector"))
