"""The training loop, with a network of one number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from platereader.errors import InvalidArgumentError, WeightsCorruptError
from platereader.lab.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from platereader.lab.training.loop import (
    CHECKPOINT_NAME,
    LOG_NAME,
    TrainingLoop,
    last_validation,
    record_of,
)
from platereader.lab.training.report import read_log
from platereader.lab.training.settings import TrainingSettings

SETTINGS: dict[str, Any] = {
    "warmup_steps": 1,
    "learning_rate": 0.1,
    "workers": 0,
    "save_every_s": 1e6,
    "validate_every_s": 1e6,
}


class Batches(Dataset[Tensor]):
    def __getitem__(self, index: int) -> Tensor:
        return torch.full((4, 1), 1.0 + index % 3)  # (N, 1)


def run(output: Path, *, origin: Mapping[str, Any] | None = None, **settings: Any) -> TrainingLoop:
    """Train a line through the origin, with dropout, towards y = 3 x."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Dropout(0.2), nn.Linear(1, 1, bias=False))
    loop = TrainingLoop(
        network,
        output=output,
        settings=TrainingSettings(**{**SETTINGS, **settings}),
        optimizer=torch.optim.AdamW(network.parameters()),
        origin=origin or {},
        panels=[["loss"]],
    )

    def loss_of(batch: Tensor) -> dict[str, Tensor]:
        error = network(batch) - 3 * batch
        return {"squared": error.square().mean(), "absolute": 0.1 * error.abs().mean()}

    loop.fit(Batches(), loss_of=loss_of, validate=lambda tensors: {"weight": float(tensors["1.weight"])})
    return loop


def rows(output: Path, kind: str) -> list[dict[str, Any]]:
    return [row for row in read_log(output / LOG_NAME) if row["kind"] == kind]


def test_the_sum_of_the_losses_falls_and_the_weights_are_averaged(tmp_path: Path) -> None:
    loop = run(tmp_path, steps=60, log_every_steps=20)
    first, second, last = rows(tmp_path, "train")
    assert (first["step"], second["step"], last["step"]) == (20, 40, 60)
    assert first["squared"] + first["absolute"] > last["squared"] + last["absolute"] > 0
    assert last["gradient"] > 0
    assert last["skipped_steps"] == 0
    assert last_validation(tmp_path)["weight"] == pytest.approx(float(loop.ema.tensors["1.weight"]), abs=1e-4)
    assert float(loop.shared_progress[0]) == 1.0


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    constant: dict[str, Any] = {"final_rate_share": 1.0}  # the rate does not depend on the length
    run(stopped, steps=3, **constant)
    assert run(stopped, steps=7, **constant).step == 7
    run(whole, steps=7, **constant)
    first, second = (load_checkpoint(folder / CHECKPOINT_NAME) for folder in (stopped, whole))
    assert {**first.scalars, "elapsed_s": 0.0} == {**second.scalars, "elapsed_s": 0.0}
    assert first.scalars["ema_updates"] == 7
    assert all(torch.equal(tensor, second.tensors[name]) for name, tensor in first.tensors.items())


@pytest.mark.parametrize(
    ("left_out", "error"),
    [
        ("settings", WeightsCorruptError),
        ("step", WeightsCorruptError),
        ("ema_updates", WeightsCorruptError),
        ("elapsed_s", WeightsCorruptError),
        ("ema.1.weight", InvalidArgumentError),
        ("network.1.weight", InvalidArgumentError),
    ],
)
def test_a_checkpoint_that_lacks_something_is_named(left_out: str, error: type[Exception], tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    whole = load_checkpoint(tmp_path / CHECKPOINT_NAME)
    tensors, scalars = (
        {name: value for name, value in group.items() if name != left_out} for group in (whole.tensors, whole.scalars)
    )
    save_checkpoint(tmp_path / CHECKPOINT_NAME, Checkpoint(tensors, scalars))
    with pytest.raises(error, match=left_out.partition(".")[2] or left_out):
        run(tmp_path, steps=4)


def test_a_finished_run_does_nothing(tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    before = (tmp_path / CHECKPOINT_NAME).read_bytes(), (tmp_path / LOG_NAME).read_bytes()
    run(tmp_path, steps=2)
    assert ((tmp_path / CHECKPOINT_NAME).read_bytes(), (tmp_path / LOG_NAME).read_bytes()) == before


def test_a_run_that_was_killed_before_its_last_validation_makes_up_for_it(tmp_path: Path) -> None:
    run(tmp_path, steps=2)
    lines = (tmp_path / LOG_NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / LOG_NAME).write_bytes(b"".join(lines[:-1]))
    run(tmp_path, steps=2)
    assert [row["step"] for row in rows(tmp_path, "validation")] == [2]


def test_validations_are_as_often_as_asked_and_one_at_the_end(tmp_path: Path) -> None:
    run(tmp_path / "seldom", steps=3)
    assert [row["step"] for row in rows(tmp_path / "seldom", "validation")] == [3]
    run(tmp_path / "often", steps=3, validate_every_s=0.0)
    assert [row["step"] for row in rows(tmp_path / "often", "validation")] == [1, 2, 3]


def test_a_length_in_minutes_ends_by_the_clock(tmp_path: Path) -> None:
    loop = run(tmp_path, minutes=0.001)
    assert loop.elapsed_s >= 0.06
    assert loop.step < 1000


def test_another_origin_or_setting_does_not_go_on(tmp_path: Path) -> None:
    run(tmp_path, steps=1, origin={"data": "one"})
    with pytest.raises(InvalidArgumentError, match="data is 'two'"):
        run(tmp_path, steps=2, origin={"data": "two"})
    with pytest.raises(InvalidArgumentError, match="max_gradient is 1"):
        run(tmp_path, steps=2, origin={"data": "one"}, max_gradient=1.0)


def test_a_record_says_how_the_weights_were_made(tmp_path: Path) -> None:
    loop = run(tmp_path, steps=2, origin={"data": "one"})
    record = record_of(tmp_path, start=None, data=[tmp_path / "photos"], figures=[("right", "1/2")])
    assert (record.start, list(record.data), record.steps) == (None, ["photos"], 2)
    assert record.settings == {**loop.settings.fixed(), "data": "one"}
    assert 0 < record.minutes <= loop.elapsed_s / 60
