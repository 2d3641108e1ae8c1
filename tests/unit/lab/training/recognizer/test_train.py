from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fakes import PatchDetector
from platereader import Pipeline
from platereader.errors import DatasetError, InvalidArgumentError
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.loop import CHECKPOINT_NAME, LOG_NAME
from platereader.lab.training.optimizer_step import fast_arithmetic
from platereader.lab.training.recognizer import train as training
from platereader.lab.training.recognizer.train import (
    RecognizerTraining,
    train_recognizer,
    write_recognizer_weights,
)
from platereader.lab.training.report import read_log
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._shape import ConvCtcConfig
from platereader.registry import Registry, write_sidecar
from platereader.results import PlateImage
from platereader.runtimes._tensors import tensors_of
from small_networks import SMALL, write_small


@pytest.fixture(autouse=True)
def few_plates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SYNTHETIC_PLATES", 4)


def train(output: Path, *, alphabet: Alphabet = RUSSIAN, **changes: Any) -> Path:
    """A run of seconds."""
    usual: dict[str, Any] = {"steps": 2, "batch_size": 2, "workers": 0, "validate_every_s": 0.0, "warmup_steps": 10}
    return train_recognizer([], output=output, training=RecognizerTraining(**{**usual, **changes}), alphabet=alphabet)


def validations(output: Path) -> list[dict[str, Any]]:
    return [row for row in read_log(output / LOG_NAME) if row["kind"] == "validation"]


def test_labelled_sets_without_a_plate_to_train_on_are_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.new("RGB", (40, 20)).save(tmp_path / "set" / "street.png")
    (tmp_path / "set" / "labels.jsonl").write_text('{"file": "street.png", "plates": [{"box": [0, 0, 20, 10]}]}')
    settings = RecognizerTraining(steps=1, workers=0)
    with pytest.raises(DatasetError, match="no plate with a text and a place"):
        train_recognizer([tmp_path / "set"], output=tmp_path / "run", training=settings)


@pytest.mark.usefixtures("drawn")
def test_a_run_leaves_weights_that_a_pipeline_takes(tmp_path: Path) -> None:
    weights = train(tmp_path / "run")
    resolved = Registry.default().resolve(weights)
    assert (resolved.kind, resolved.entry.alphabet) == ("recognizer", RUSSIAN.characters)
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=weights)
    log_probs = pipeline.recognizer.recognize([PlateImage(np.zeros((48, 192, 3), np.uint8))])
    total = np.exp(log_probs).sum(axis=2)  # what is missing to one is the share of the illegible
    assert ((total > 0) & (total < 1 + 1e-4)).all()
    assert [row["step"] for row in validations(weights.parent)] == [1, 2]
    assert validations(weights.parent)[-1]["synthetic_n"] == 4
    assert {"curves.png", "confusion.png"} <= {path.name for path in weights.parent.iterdir()}
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert resolved.sha256 in card
    assert "2 steps" in card
    assert "| made-up plates, whole text right, greedy | 0/4 0.0 % (0.0-49.0) |" in card
    before = weights.read_bytes()
    weights.unlink()
    assert write_recognizer_weights(weights.parent).read_bytes() == before


def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    output = tmp_path / "run"  # the rate of the first steps does not depend on their number
    train(output, steps=1)
    resumed = train(output, steps=3)
    whole = train(tmp_path / "whole", steps=3)
    assert [row["step"] for row in validations(output)] == [1, 2, 3]
    first, second = (load_checkpoint(path.parent / CHECKPOINT_NAME) for path in (resumed, whole))
    assert {**first.scalars, "elapsed_s": 0.0} == {**second.scalars, "elapsed_s": 0.0}
    for name, tensor in first.tensors.items():
        assert torch.allclose(tensor.float(), second.tensors[name].float(), atol=1e-5), name


def test_a_run_goes_on_with_its_own_settings_only(tmp_path: Path) -> None:
    train(tmp_path, steps=1)
    with pytest.raises(InvalidArgumentError, match="batch_size is 3"):
        train(tmp_path, batch_size=3)
    with pytest.raises(InvalidArgumentError, match="alphabet"):
        train(tmp_path, alphabet=Alphabet("0123456789ABC"))


def test_a_run_begins_with_given_weights(tmp_path: Path) -> None:
    small, _ = write_small(tmp_path)
    write_sidecar(small, kind="recognizer", settings=SMALL)
    start = Registry.default().resolve(small)
    training = RecognizerTraining(steps=1, batch_size=2, workers=0, learning_rate=1e-9)
    weights = Registry.default().resolve(train_recognizer([], output=tmp_path / "on", training=training, start=start))
    assert weights.entry.alphabet == RUSSIAN.characters
    assert ConvCtcConfig.from_settings(weights.settings) == ConvCtcConfig.from_settings(SMALL)
    before, after = (tensors_of(one.data, name="weights") for one in (start, weights))
    assert before.keys() == after.keys()
    for name in before:
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(before[name], after[name], atol=1e-6), name
    assert start.sha256 in weights.path.with_suffix(".md").read_text(encoding="utf-8")
    with pytest.raises(InvalidArgumentError, match="the checkpoint was made with"):
        train_recognizer([], output=tmp_path / "on", training=training)


def test_batches_come_from_a_worker_too(tmp_path: Path) -> None:
    train(tmp_path, workers=1)
    assert validations(tmp_path)[-1]["step"] == 2


def test_a_torch_that_does_not_tell_about_amx_computes_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for question in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, question, raising=False)
    with fast_arithmetic():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
