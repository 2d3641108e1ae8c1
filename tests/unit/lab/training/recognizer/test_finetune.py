from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fakes import PatchDetector
from platereader import Pipeline
from platereader.cli import main
from platereader.errors import EngineError
from platereader.lab.training.finetuning import REPORT_NAME
from platereader.lab.training.loop import CHECKPOINT_NAME, LOG_NAME
from platereader.lab.training.recognizer import finetune
from platereader.lab.training.recognizer.data import Sample
from platereader.lab.training.recognizer.finetune import made_up_plates, steps_for
from platereader.lab.training.recognizer.finetune_data import load_tuning_plates
from platereader.lab.training.recognizer.quantize import INT8_NAME, quantize_recognizer
from platereader.lab.training.recognizer.train import WEIGHTS_NAME, RecognizerRun, RecognizerTraining
from platereader.lab.training.report import read_log
from platereader.lab.training.trust.calibrate import CalibrationExample
from platereader.media._images import read_image
from platereader.plates import RUSSIAN
from platereader.recognition._network import ConvCtc
from platereader.registry import Registry, write_sidecar
from platereader.runtimes._tensors import tensors_of, write_tensors
from platereader.trust import Calibration, Signs, TrustPolicy
from ria import write_ria
from small_networks import SMALL, write_small

CALIBRATED = 40


@pytest.fixture(autouse=True)
def few_plates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "SYNTHETIC_PLATES", 4)
    monkeypatch.setattr(finetune, "CALIBRATION_PLATES", CALIBRATED)
    monkeypatch.setattr(finetune, "SCALE_PLATES", 8)


@pytest.fixture(scope="module")
def ria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ria(tmp_path_factory.mktemp("ria"), 24)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network that has learned nothing; they carry a calibration that will not hold."""
    weights, _ = write_small(tmp_path_factory.mktemp("start"))
    old = {"bias": 9.0, "weights": dict.fromkeys(("text", "lead"), 0.0), "plates": 1}
    write_sidecar(weights, kind="recognizer", settings=SMALL, calibration=old, licence="MIT")
    return weights


def words(start: Path, ria: Path, out: Path, *more: str) -> list[str]:
    """A fine-tuning of two steps."""
    options = {"--from": start, "--data": ria, "--out": out, "--steps": 2, "--batch-size": 4, "--workers": 0}
    return ["train", "recognizer", *(str(word) for pair in options.items() for word in pair), *more]


def half_right(recognizer: Any, decoder: Any, samples: Sequence[Sample]) -> list[CalibrationExample]:
    """As ``calibration_examples``, of a network that is right in every second case."""
    assert len(samples) == CALIBRATED
    return [
        CalibrationExample(Signs(0.9 if i % 2 else 0.5, 2.0, 0.9, 0.0, 0.0, True, True), bool(i % 2))
        for i in range(len(samples))
    ]


def reads(monkeypatch: pytest.MonkeyPatch, *results: list[bool]) -> None:
    """Let own and made-up plates be read like this before and like that after, again and again."""
    count = 0

    def read(recognizer: Any, decoder: Any, samples: Sequence[Sample]) -> list[bool]:
        nonlocal count
        count += 1
        result = results[(count - 1) % len(results)]
        return (result * len(samples))[: len(samples)]

    monkeypatch.setattr(finetune, "read_right", read)


def report_of(out: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((out / REPORT_NAME).read_text(encoding="utf-8"))
    return report


def test_the_command_leaves_calibrated_weights_and_their_int8_form(
    ria: Path,
    start: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finetune, "calibration_examples", half_right)
    out = tmp_path / "out"
    assert main(words(start, ria, out)) == 0
    printed = capsys.readouterr()
    header, held_out_row, made_up, *paths = printed.out.splitlines()
    assert header.split() == ["EXACT", "MATCH", "BEFORE", "AFTER", "CHANGED"]
    assert [Path(path).name for path in paths] == [WEIGHTS_NAME, INT8_NAME]
    report = report_of(out)
    held_out = report["examples"]["held_out"]
    assert report["examples"] == {"train": 24 - held_out, "held_out": held_out, "skipped": []}
    assert f"0/{held_out} 0.00 %" in held_out_row
    assert "0/4 0.00 % (0.00-48.99)" in made_up
    assert [row["after"]["n"] for row in report["comparisons"]] == [held_out, 4]
    assert report["steps"] == 2
    for path, precision in zip(paths, ("fp32", "int8"), strict=True):
        weights = Registry.default().resolve(Path(path))
        fitted = Calibration.from_dict(weights.entry.calibration or {})
        assert (fitted.plates, fitted.precision) == (CALIBRATED, precision)
        assert {name: weights.settings[name] for name in SMALL} == SMALL
        assert weights.entry.licence == "MIT"
        pipeline = Pipeline.build(detector=PatchDetector(), recognizer=path)
        assert pipeline.describe()[1].precision == precision
        assert isinstance(pipeline.trust, TrustPolicy)
        assert pipeline.trust.calibration == fitted
        assert len(pipeline.read_plates([read_image(next((ria / "img").iterdir()))])) == 1
    before, after = tensors_of(start.read_bytes(), name="a"), tensors_of((out / WEIGHTS_NAME).read_bytes(), name="a")
    moved = (before["classify.weight"] - after["classify.weight"]).abs().max()
    assert 0 < moved < 0.01


def test_int8_weights_that_cannot_run_are_not_left_behind(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "calibration_examples", half_right)
    out = tmp_path / "out"

    def quantize(*arguments: Any, output: Path, **named: Any) -> None:
        quantize_recognizer(*arguments, output=output, **named)
        raise EngineError("no such instructions here")

    monkeypatch.setattr(finetune, "quantize_recognizer", quantize)
    assert main(words(start, ria, out)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [Path(line).name for line in printed if Path(line).exists()] == [WEIGHTS_NAME]
    assert any("no int8 weights: no such instructions here" in note for note in report_of(out)["notes"])
    assert not list(out.glob("*int8*"))


def test_weights_that_read_worse_are_refused_and_can_be_insisted_on(
    ria: Path,
    start: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads(monkeypatch, [True], [True], [False, True, True], [True])
    out = tmp_path / "out"
    assert main(words(start, ria, out)) == 3
    error = capsys.readouterr().err
    first, _ = report_of(out)["comparisons"]
    n = first["before"]["n"]
    assert (first["before"]["count"], first["after"]["count"], first["is_worse"]) == (n, n - -(-n // 3), True)
    assert f"your plates, held out {n}/{n} 100.0 %" in error
    assert f"{first['after']['count']}/{n}" in error
    assert "made-up" not in error
    assert "--even-if-worse" in error
    assert report_of(out)["weights"] is None
    assert {path.name for path in out.glob("*.safetensors*")} == {CHECKPOINT_NAME}
    rows = len(read_log(out / LOG_NAME))
    assert main(words(start, ria, out, "--even-if-worse")) == 0
    assert {path.name for path in out.glob("*.safetensors")} == {CHECKPOINT_NAME, WEIGHTS_NAME, INT8_NAME}
    assert report_of(out)["weights"] == WEIGHTS_NAME
    assert len(read_log(out / LOG_NAME)) == rows  # nothing was trained again
    # Every plate is read wrong, which no calibration can be fitted on: the old one is not handed on.
    assert "has no calibration" in capsys.readouterr().err
    assert Registry.default().resolve(out / WEIGHTS_NAME).entry.calibration is None


def test_forgetting_the_rest_of_the_world_is_refused(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "SYNTHETIC_PLATES", 6)
    reads(monkeypatch, [False], [True], [True], [False])
    assert main(words(start, ria, tmp_path / "out")) == 3
    error = capsys.readouterr().err
    assert "made-up plates 6/6 100.0 % (61.0-100.0) right before, 0/6" in error
    assert "held out" not in error


def test_going_on_does_not_replace_better_weights_of_the_same_run(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    reads(monkeypatch, [False], [True], [True], [True])
    assert main(words(start, ria, out)) == 0
    better = (out / WEIGHTS_NAME).read_bytes()
    reads(monkeypatch, [False], [True], [False, True, True], [True], [True])
    assert main(words(start, ria, out, "--steps", "3")) == 3
    assert "your plates, held out, last time" in capsys.readouterr().err
    assert (out / WEIGHTS_NAME).read_bytes() == better
    assert Registry.default().resolve(out / WEIGHTS_NAME).kind == "recognizer"


def test_held_out_cars_are_not_trained_on_in_older_sets_either(start: Path, ria: Path) -> None:
    tuning = load_tuning_plates(ria, alphabet=RUSSIAN)
    training = RecognizerTraining(steps=1)
    run = RecognizerRun(ConvCtc(), output=start.parent / "none", training=training, alphabet=RUSSIAN, origin={})
    older = [one.real for one in (*tuning.train, *tuning.held_out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetune, "training_plates", lambda images, *, alphabet: older)
        rest = finetune._other_plates(run, tuning, older=(), negatives=None)
    assert {one.text for one in rest.real} == {one.text for one in tuning.train}


@pytest.mark.parametrize("name", ["plate-recognizer.safetensors", CHECKPOINT_NAME])
def test_a_folder_with_other_weights_is_left_alone(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_tensors(tmp_path / name, {"a": torch.zeros(1)}, metadata={"platereader": '{"settings": {"seed": 0}}'})
    before = (tmp_path / name).read_bytes()
    assert main(words(start, ria, tmp_path)) == 2
    assert f"holds other weights ({name}): name a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


def test_a_run_does_not_go_on_with_other_plates(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(ria, tmp_path / "data")
    reads(monkeypatch, [True], [True], [False], [False])
    assert main(words(start, folder, tmp_path / "out")) == 3
    next((folder / "ann").iterdir()).unlink()
    capsys.readouterr()
    assert main(words(start, folder, tmp_path / "out")) == 2
    assert "data is" in capsys.readouterr().err


def test_what_cannot_be_begun_with_is_refused(
    ria: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    int8 = start.with_name("small-int8.safetensors")
    write_sidecar(int8, kind="recognizer", settings=SMALL)
    assert main(words(int8, ria, tmp_path / "out")) == 2
    assert "int8 weights: give the fp32 file" in capsys.readouterr().err
    assert main(["train", "recognizer", "--data", str(ria), "--out", str(tmp_path / "out")]) == 2
    assert "--data needs --from" in capsys.readouterr().err
    assert main(words(start, tmp_path / "nothing", tmp_path / "out")) == 3
    assert not (tmp_path / "out").exists()


def test_steps_grow_slower_than_the_data() -> None:
    steps = [steps_for(plates) for plates in (20, 100, 1000, 10_000, 50_000)]
    assert steps == [300, 400, 1265, 4000, 8000]


def test_made_up_plates_are_always_the_same_and_legible() -> None:
    one, two = (made_up_plates(RUSSIAN, count=12) for _ in range(2))
    assert len(one) == 12
    for first, second in zip(one, two, strict=True):
        assert first.text == second.text
        assert np.array_equal(first.plate.pixels, second.plate.pixels)
        assert set(first.text) <= set(RUSSIAN.characters)
