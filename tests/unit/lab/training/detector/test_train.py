"""Short trainings of a detector on tiny pictures: both networks, and how they are put together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_detector import WIDTHS, write_small_detector

from fakes import PatchRecognizer
from platereader import Pipeline
from platereader._loading import resolve_detector
from platereader.detection import PlateDetector
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import photographs as labelled
from platereader.lab.training.detector import train as detector_training
from platereader.lab.training.detector.train import DetectorTraining, train_detector
from platereader.lab.training.loop import CHECKPOINT_NAME, CURVES_NAME, LOG_NAME
from platereader.registry import Registry


@pytest.fixture
def photographs(tmp_path: Path, tiny_batches: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny sets, tiny tiles, tiny batches; and of networks that have learnt nothing, nothing is fitted."""
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 2)
    monkeypatch.setattr(detector_training, "fit_pair", lambda detector, _: replace(detector, min_score=0.0))
    plate = {"box": [30, 40, 90, 60], "corners": [[30, 40], [90, 40], [90, 60], [30, 60]], "plate_type": "standard"}
    for name, prefix, plates in (("russian", "gr_", [plate]), ("neighbours", "nb_", [{**plate, "corners": None}])):
        _write(tmp_path / "data" / name, prefix, plates)
    _write(tmp_path / "data" / "negatives-colour", "nc_", [])
    return tmp_path / "data"


def _write(folder: Path, prefix: str, plates: list[dict[str, Any]]) -> None:
    (folder / "images").mkdir(parents=True)
    rows: list[str] = []
    for index in range(10):
        name = f"images/{prefix}{index}.jpg"
        cv2.imwrite(str(folder / name), np.full((96, 128, 3), 20 * index, np.uint8))
        rows.append(json.dumps({"file": name, "width": 128, "height": 96, "plates": plates}))
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")


def log_of(output: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (output / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["kind"] == kind]


@pytest.mark.usefixtures("drawn")
def test_training_stops_resumes_and_ends_in_weights_that_run(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for steps in (3, 6):  # two thirds of them for the finder
        training = DetectorTraining(steps=steps, workers=0, log_every_steps=1)
        weights = train_detector(photographs, output=out, training=training, widths=WIDTHS)
    assert [row["step"] for row in log_of(out / "finder", "train")] == [1, 2, 3, 4]
    assert [row["step"] for row in log_of(out / "refiner", "train")] == [1, 2]
    assert log_of(out / "finder", "validation")[-1]["plates"] > 0
    assert "accepted" in log_of(out / "refiner", "validation")[-1]
    assert {CHECKPOINT_NAME, CURVES_NAME} <= {path.name for path in (out / "finder").iterdir()}
    files = resolve_detector(weights, registry=Registry.default())
    for file in files:
        assert file.sha256 in file.path.with_suffix(".md").read_text(encoding="utf-8")
    pipeline = Pipeline.build(detector=weights, recognizer=PatchRecognizer())
    assert pipeline.describe()[0].sha256 == files.finder.sha256
    assert isinstance(pipeline.detector, PlateDetector)
    assert pipeline.detector.min_score == 0.0
    assert len(pipeline.detector.detect([np.zeros((64, 64, 3), np.uint8)])) == 1


def test_a_run_goes_on_with_its_own_settings_only(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = (photographs / "russian" / "images" / "gr_1.jpg").read_bytes()
    (photographs / "russian" / "images" / "gr_1.jpg").write_bytes(whole[: len(whole) // 2])
    train_detector(photographs, output=out, training=DetectorTraining(steps=2, workers=0), widths=WIDTHS)
    same = DetectorTraining(steps=3, workers=0)
    for name, other in (("learning_rate", replace(same, learning_rate=1e-4)), ("seed", replace(same, seed=5))):
        with pytest.raises(InvalidArgumentError, match=name):
            train_detector(photographs, output=out, training=other, widths=WIDTHS)
    with pytest.raises(InvalidArgumentError, match="widths"):
        train_detector(photographs, output=out, training=same)
    assert [row["count"] for row in log_of(out / "finder", "skipped")] == [1]
    files = resolve_detector(write_small_detector(tmp_path / "start"), registry=Registry.default())
    with pytest.raises(InvalidArgumentError, match="start is"):
        train_detector(photographs, output=out, training=same, start=files, widths=WIDTHS)


def test_time_and_steps_are_shared_out() -> None:
    first, second = DetectorTraining(minutes=90, steps=300).split()
    assert (first.minutes, second.minutes) == pytest.approx((60, 30))
    assert (first.steps, second.steps) == (200, 100)
    assert DetectorTraining(steps=1).split()[1].steps == 1
