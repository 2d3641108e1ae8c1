from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_detector import FINDER_SETTINGS, write_small_detector

from platereader._loading import load_detector, resolve_detector
from platereader.cli import main
from platereader.detection._finder_network import FinderNetwork
from platereader.detection._refiner_network import RefinerNetwork
from platereader.lab.metrics import estimates
from platereader.lab.metrics.estimates import Estimate
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.detector import finetune as finetune_detector
from platereader.lab.training.detector import finetune_data
from platereader.lab.training.detector.comparison import DetectorComparison
from platereader.lab.training.detector.finetune import half_frozen, street_set
from platereader.lab.training.detector.train import FINDER_NAME, REFINER_NAME
from platereader.lab.training.finetuning import REPORT_NAME
from platereader.lab.training.loop import CHECKPOINT_NAME, LOG_NAME
from platereader.lab.training.report import read_log
from platereader.registry import Registry
from platereader.runtimes._tensors import tensors_of, write_tensors

PAIR = {"min_score": 0.0, "refined_share": 0.25}


@pytest.fixture(autouse=True)
def small(tiny_batches: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny tiles, few streets, and intervals of few draws."""
    monkeypatch.setattr(finetune_detector, "STREETS", 2)
    monkeypatch.setattr(finetune_data, "_STREETS", 1)
    monkeypatch.setattr(estimates, "_ROUNDS", 10)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that have learnt nothing."""
    return write_small_detector(tmp_path_factory.mktemp("start"), **PAIR)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YOLO set of 24 pictures with a plate and four without."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for index in range(28):
        cv2.imwrite(str(folder / f"images/p{index}.png"), np.full((48, 64, 3), 8 * index, np.uint8))
        label = "0 0.5 0.5 0.4 0.2\n" if index < 24 else ""
        (folder / f"labels/p{index}.txt").write_text(label, encoding="utf-8")
    return folder


def words(start: Path, data: Path, out: Path, *more: str) -> list[str]:
    """A fine-tuning of three steps, two of the finder."""
    options = {"--from": start, "--data": data, "--out": out, "--steps": 3, "--workers": 0}
    return ["train", "detector", *more, *(str(word) for pair in options.items() for word in pair)]


def changes(monkeypatch: pytest.MonkeyPatch, *gains: float) -> None:
    """Let AP50-95 of each comparison change by so many points, for certain."""
    count = iter(gains)

    def compare(name: str, before: Any, after: Any, *, margin_points: float) -> DetectorComparison:
        gain = next(count)
        known = Estimate(0.5, 0.4, 0.6, 9), Estimate(0.5 + gain / 100, 0.4, 0.6, 9)
        was, now = (replace(side, ap50_95=one) for side, one in zip((before, after), known, strict=True))
        return DetectorComparison(name, was, now, margin_points, Estimate(gain, gain - 0.1, gain + 0.1, 9))

    monkeypatch.setattr(finetune_detector, "compare_scores", compare)


def report_of(out: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((out / REPORT_NAME).read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
def test_the_command_leaves_weights_that_can_be_used_at_once(
    start: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes(monkeypatch, 3.0, 0.0)
    out = tmp_path / "out"
    assert main(words(start, pictures, out)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["PICTURES", "FIGURE", "BEFORE", "AFTER"]
    assert any("AP50-95" in line and "50.0 %" in line and "53.0 %" in line for line in printed)
    assert printed[-1] == str(out / FINDER_NAME)
    report = report_of(out)
    assert report["start_sha256"] == Registry.default().resolve(start).sha256
    assert report["examples"]["train"] + report["examples"]["held_out"] == 28
    assert report["steps"] == 3
    held_out, streets = report["comparisons"]
    assert (held_out["name"], streets["name"]) == ("your pictures, held out", "drawn streets")
    assert held_out["before"]["recall"]["n"] >= 8
    assert streets["before"]["recall"]["n"] >= 2
    files = resolve_detector(out / FINDER_NAME, registry=Registry.default())
    assert files.finder.settings["pair"]["refined_share"] == PAIR["refined_share"]
    assert files.finder.settings["finder"] == FINDER_SETTINGS
    assert {file.entry.licence for file in files} == {"MIT"}
    assert len(load_detector(out / FINDER_NAME).detect([np.zeros((48, 64, 3), np.uint8)])) == 1
    began = resolve_detector(start, registry=Registry.default())
    learnt = [load_checkpoint(out / name / CHECKPOINT_NAME).group("ema") for name in ("finder", "refiner")]
    for old, new, ema, learns in zip(began, files, learnt, ("heads.0.1.weight", "heat.1.weight"), strict=True):
        before, after = tensors_of(old.path.read_bytes(), name="a"), tensors_of(new.path.read_bytes(), name="a")
        fixed = [name for name in before if name.startswith("stem.") or "running" in name]
        assert fixed
        assert all(torch.equal(before[name].half(), after[name].half()) for name in fixed)
        assert not torch.equal(before[learns], ema[learns])
        assert torch.equal(after[learns].half(), ((before[learns].float() + ema[learns]) / 2).half())


@pytest.mark.slow
def test_weights_that_find_less_are_refused_and_can_be_insisted_on(
    start: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    changes(monkeypatch, -2.0, 0.0)
    assert main(words(start, pictures, out)) == 3
    error = capsys.readouterr().err
    assert "your pictures, held out AP50-95 50.0 before, 48.0 after (-2.0 points" in error
    assert "drawn streets" not in error
    assert "--even-if-worse" in error
    assert report_of(out)["weights"] is None
    assert not list(out.glob("*.safetensors*"))
    rows = len(read_log(out / "finder" / LOG_NAME))
    changes(monkeypatch, -2.0, 0.0)
    assert main([*words(start, pictures, out), "--even-if-worse"]) == 0
    assert report_of(out)["weights"] == FINDER_NAME
    assert len(read_log(out / "finder" / LOG_NAME)) == rows  # nothing was trained again
    changes(monkeypatch, 3.0, 0.0, -1.0)
    better = [(out / name).read_bytes() for name in (FINDER_NAME, REFINER_NAME)]
    assert main([*words(start, pictures, out)]) == 3
    assert "held out, last time" in capsys.readouterr().err
    assert [(out / name).read_bytes() for name in (FINDER_NAME, REFINER_NAME)] == better


def test_forgetting_older_pictures_is_refused(
    start: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes(monkeypatch, 3.0, -1.5)
    assert main(words(start, pictures, tmp_path / "out", str(pictures))) == 3
    error = capsys.readouterr().err
    assert "older pictures AP50-95 50.0 before, 48.5 after" in error
    assert "held out AP" not in error


def test_a_run_does_not_go_on_with_other_pictures(
    start: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = shutil.copytree(pictures, tmp_path / "data"), tmp_path / "out"
    changes(monkeypatch, 0.0, 0.0)
    assert main(words(start, folder, out)) == 0
    (folder / "labels/p1.txt").write_text("0 0.5 0.5 0.4 0.3\n", encoding="utf-8")
    capsys.readouterr()
    assert main(words(start, folder, out)) == 2
    assert "data is" in capsys.readouterr().err


def test_what_cannot_be_begun_with_is_refused(
    start: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["train", "detector", "--data", str(pictures), "--out", str(out)]) == 2
    assert "--data needs --from" in capsys.readouterr().err
    assert main(["train", "detector", "--from", str(start), "--out", str(out)]) == 2
    assert "DATA names 0 folders" in capsys.readouterr().err
    assert main(["train", "detector", "--out", str(out)]) == 2
    assert "DATA names 0 folders" in capsys.readouterr().err
    assert main(words(start, tmp_path / "nothing", out)) == 3
    assert not out.exists()
    write_tensors(out / FINDER_NAME, {"a": torch.zeros(1)})
    assert main(words(start, pictures, out)) == 2
    assert "holds other weights" in capsys.readouterr().err


def test_first_layers_and_all_statistics_are_fixed() -> None:
    for network in (half_frozen(FinderNetwork()), half_frozen(RefinerNetwork())):
        learns = {name.split(".")[0] for name, parameter in network.named_parameters() if parameter.requires_grad}
        assert learns == {name.split(".")[0] for name, _ in network.named_parameters()} - {"stem"}
        before = {name: value.clone() for name, value in network.named_buffers()}
        network(torch.rand(2, 3, 64, 128))
        assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())


def test_streets_to_compare_on_are_always_the_same() -> None:
    one, two = street_set(), street_set()
    assert one.images == two.images
    assert all(np.array_equal(one.frame(index), two.frame(index)) for index in range(2))
    assert all(plate.corners is not None for image in one.images for plate in image.plates)
