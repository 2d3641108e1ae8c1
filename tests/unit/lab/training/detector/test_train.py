from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fakes import PatchRecognizer
from platereader import Pipeline
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import photographs as labelled
from platereader.lab.training.detector import data as detector_data
from platereader.lab.training.detector.train import DetectorTraining, train_detector, write_detector_weights
from platereader.lab.training.loop import CHECKPOINT_NAME, CURVES_NAME, LOG_NAME
from platereader.registry import Registry


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny sets and tiny tiles."""
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 2)
    monkeypatch.setattr(detector_data, "_STRETCHES", ((2.0, (((64, 64), 1.0),)),))
    monkeypatch.setattr(detector_data, "_BATCH", 2)
    monkeypatch.setattr(detector_data, "_MIN_BATCH", 2)
    plate = {"box": [30, 40, 90, 60], "corners": [[30, 40], [90, 40], [90, 60], [30, 60]], "plate_type": "standard"}
    for name, prefix, plates in (("russian", "gr_", [plate]), ("more", "m_", [plate]), ("other", "rl_", [plate])):
        _write(tmp_path / "data" / name, prefix, plates)
    _write(tmp_path / "data" / "negatives", "oa_", [])
    return tmp_path / "data"


def _write(folder: Path, prefix: str, plates: list[dict[str, Any]]) -> None:
    (folder / "images").mkdir(parents=True)
    rows: list[str] = []
    for index in range(10):
        name = f"images/{prefix}{index}.jpg"
        cv2.imwrite(str(folder / name), np.full((96, 128, 3), 20 * index, np.uint8))
        rows.append(json.dumps({"file": name, "width": 128, "height": 96, "plates": plates}))
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")


def _log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / LOG_NAME).read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("drawn")
def test_training_stops_resumes_and_ends_in_weights_that_run(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train_detector(photographs, output=out, training=DetectorTraining(steps=2, workers=0, log_every_steps=1))
    weights = train_detector(photographs, output=out, training=DetectorTraining(steps=3, workers=0, log_every_steps=1))
    steps = [line["step"] for line in _log(out) if line["kind"] == "train"]
    assert steps == [1, 2, 3]
    assert [line["plates"] for line in _log(out) if line["kind"] == "validation"][-1] > 0
    assert {CHECKPOINT_NAME, CURVES_NAME} <= {path.name for path in out.iterdir()}
    assert weights.stat().st_size < 15e6
    sha256 = Registry.default().resolve(weights).sha256
    assert sha256 in weights.with_suffix(".md").read_text(encoding="utf-8")
    pipeline = Pipeline.build(detector=weights, recognizer=PatchRecognizer())
    assert pipeline.describe()[0].sha256 == sha256
    assert len(pipeline.detector.detect([np.zeros((64, 64, 3), np.uint8)])) == 1
    assert write_detector_weights(out) == weights


def test_a_run_goes_on_with_its_own_settings_only(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = (photographs / "russian" / "images" / "gr_1.jpg").read_bytes()
    (photographs / "russian" / "images" / "gr_1.jpg").write_bytes(whole[: len(whole) // 2])
    train_detector(photographs, output=out, training=DetectorTraining(steps=1, workers=0))
    with pytest.raises(InvalidArgumentError, match="learning_rate"):
        train_detector(photographs, output=out, training=DetectorTraining(steps=2, workers=0, learning_rate=1e-4))
    assert [line["count"] for line in _log(out) if line["kind"] == "skipped"] == [1]
    assert _log(out)[-1]["false_alarms"] is not None
