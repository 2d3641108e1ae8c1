"""Short trainings of the finder, and of the refiner with that finder, on tiny pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from platereader.detection._finder import Finder
from platereader.detection._finder_network import finder_from_state
from platereader.detection._refiner import Refiner
from platereader.detection._refiner_network import refiner_from_state
from platereader.lab.training.finder import data as finder_data
from platereader.lab.training.finder.train import FinderTraining, train_finder
from platereader.lab.training.loop import LOG_NAME
from platereader.lab.training.refiner import data as refiner_data
from platereader.lab.training.refiner.train import RefinerTraining, train_refiner
from platereader.runtimes._tensors import read_tensors
from platereader.runtimes._torch import TorchRuntime

WIDTHS = (4, 4, 8, 8, 8)


@pytest.fixture
def photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny sets, tiny tiles and tiny batches."""
    monkeypatch.setattr(finder_data, "_STRETCHES", ((2.0, (((64, 64), 1.0),)),))
    monkeypatch.setattr(finder_data, "_BATCH", 2)
    monkeypatch.setattr(finder_data, "_MIN_BATCH", 2)
    monkeypatch.setattr(refiner_data, "_SIZES", ((64, 96),))
    monkeypatch.setattr(refiner_data, "_BATCH", 4)
    plate = {"box": [30, 40, 90, 60], "corners": [[30, 40], [90, 40], [90, 60], [30, 60]], "plate_type": "standard"}
    _write(tmp_path / "data" / "russian", "gr_", [plate])
    _write(tmp_path / "data" / "neighbours", "nb_", [{**plate, "corners": None}])
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


def _log(output: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (output / LOG_NAME).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["kind"] == kind]


def test_finder_then_refiner_stop_resume_and_end_in_weights_that_run(photographs: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "finder", tmp_path / "refiner"
    for steps in (1, 2):
        training = FinderTraining(steps=steps, workers=0, log_every_steps=1)
        weights = train_finder(photographs, output=first, training=training, widths=WIDTHS)
    assert [row["step"] for row in _log(first, "train")] == [1, 2]
    assert _log(first, "validation")[-1]["plates"] > 0
    network = finder_from_state(read_tensors(weights), name=weights.name)
    finder = Finder(TorchRuntime(network), min_score=0.0, most=3)

    for steps in (1, 2):
        schedule = RefinerTraining(steps=steps, workers=0, log_every_steps=1)
        weights = train_refiner(photographs, output=second, training=schedule, finder=finder)
    assert [row["step"] for row in _log(second, "train")] == [1, 2]
    assert "accepted" in _log(second, "validation")[-1]
    refiner = Refiner(TorchRuntime(refiner_from_state(read_tensors(weights), name=weights.name)))
    frame = np.zeros((96, 128, 3), np.uint8)
    boxes = [proposal.box for proposal in finder.propose([frame])[0]]
    assert len(refiner.refine([frame], [boxes])[0]) == len(boxes) > 0
