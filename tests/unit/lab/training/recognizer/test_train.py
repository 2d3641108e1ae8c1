from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from platereader.errors import InvalidArgumentError
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.recognizer import train as training
from platereader.lab.training.recognizer.train import RecognizerTraining, export_recognizer, train_recognizer
from platereader.lab.training.report import read_log
from platereader.plates._alphabet import Alphabet
from platereader.recognition._recognizer import CtcRecognizer
from platereader.results import PlateImage


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecognizerTraining:
    """A run of seconds."""
    monkeypatch.setattr(training, "MADE_UP_TRIALS", 4)
    return RecognizerTraining(output=tmp_path / "run", steps=2, batch_size=2, workers=0, pause_s=0.0, warmup_steps=1)


def test_a_run_leaves_weights_that_read(short: RecognizerTraining) -> None:
    weights = train_recognizer(short)
    recognizer = CtcRecognizer.from_file(weights)
    log_probs = recognizer.recognize([PlateImage(np.zeros((48, 192, 3), np.uint8))])
    total = np.exp(log_probs).sum(axis=2)  # what is missing to one is the share of the illegible
    assert ((total > 0) & (total < 1 + 1e-4)).all()
    assert [row["step"] for row in read_log(short.output / training.LOG)] == [1, 2]
    assert read_log(short.output / training.LOG)[-1]["synthetic_n"] == 4
    assert {"curves.png", "confusion.png"} <= {path.name for path in short.output.iterdir()}


def test_a_stopped_run_goes_on_as_if_it_had_not_been(short: RecognizerTraining, tmp_path: Path) -> None:
    steady = dataclasses.replace(short, warmup_steps=10)  # the rate of the first steps does not depend on their number
    train_recognizer(dataclasses.replace(steady, steps=1))
    resumed = train_recognizer(dataclasses.replace(steady, steps=3))
    whole = train_recognizer(dataclasses.replace(steady, steps=3, output=tmp_path / "whole"))
    assert [row["step"] for row in read_log(short.output / training.LOG)] == [1, 2, 3]
    first, second = (load_checkpoint(path.parent / training.CHECKPOINT) for path in (resumed, whole))
    assert {**first.scalars, "elapsed_s": 0.0} == {**second.scalars, "elapsed_s": 0.0}
    for name, tensor in first.tensors.items():
        assert torch.allclose(tensor.float(), second.tensors[name].float(), atol=1e-5), name


def test_a_run_goes_on_with_its_own_settings_only(short: RecognizerTraining) -> None:
    train_recognizer(dataclasses.replace(short, steps=1))
    with pytest.raises(InvalidArgumentError, match="batch_size is 3"):
        train_recognizer(dataclasses.replace(short, batch_size=3))
    with pytest.raises(InvalidArgumentError, match="alphabet"):
        train_recognizer(short, alphabet=Alphabet("0123456789ABC"))


def test_batches_come_from_a_worker_too(short: RecognizerTraining) -> None:
    train_recognizer(dataclasses.replace(short, workers=1))
    assert [row["step"] for row in read_log(short.output / training.LOG)][-1] == 2


def test_a_torch_that_does_not_tell_about_amx_computes_as_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    for question in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, question, raising=False)
    with fast_arithmetic():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_finished_run_is_left_alone(short: RecognizerTraining) -> None:
    weights = train_recognizer(short).read_bytes()
    assert train_recognizer(short).read_bytes() == weights


def test_weights_can_be_exported_while_a_run_goes_on(short: RecognizerTraining) -> None:
    weights = train_recognizer(short)
    before = weights.read_bytes()
    weights.unlink()
    assert export_recognizer(short.output).read_bytes() == before


def test_the_arithmetic_is_ordinary_or_bf16() -> None:
    with fast_arithmetic():
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype in (torch.float32, torch.bfloat16)
