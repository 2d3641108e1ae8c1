from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from platereader.errors import FileError, WeightsCorruptError, WeightsNotFoundError
from platereader.lab.training.checkpoint import (
    Checkpoint,
    ModelEma,
    half_precision,
    load_checkpoint,
    restore_optimizer,
    save_checkpoint,
)
from platereader.runtimes._tensors import write_tensors


def test_plain_weights_are_no_checkpoint(tmp_path: Path) -> None:
    write_tensors(tmp_path / "w", {"a": torch.zeros(1)})
    with pytest.raises(WeightsCorruptError, match="no state of a training"):
        load_checkpoint(tmp_path / "w")


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"step": "2"}',
        '{"step": true}',
        '{"step": -1}',
        '{"step": 1.5}',
        '{"ema_updates": null}',
        '{"elapsed_s": NaN}',
        '{"elapsed_s": Infinity}',
        '{"elapsed_s": "long"}',
        '{"settings": []}',
    ],
)
def test_state_that_is_none_is_refused(tmp_path: Path, state: str) -> None:
    write_tensors(tmp_path / "c", {"a": torch.zeros(1)}, metadata={"platereader": state})
    with pytest.raises(WeightsCorruptError, match="state of a training"):
        load_checkpoint(tmp_path / "c")


@pytest.mark.parametrize("name", ["0", "a.step", ".step", "-1.step", "²." + "step"])
def test_tensors_that_belong_to_no_optimizer_are_refused(name: str) -> None:
    optimizer = torch.optim.AdamW(nn.Linear(3, 2).parameters())
    with pytest.raises(WeightsCorruptError, match="of an optimizer"):
        restore_optimizer(optimizer, {name: torch.zeros(1)})


def test_full_disk_leaves_the_older_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path / "c", Checkpoint({"a.x": torch.zeros(9)}, {"step": 1}))
    before = (tmp_path / "c").read_bytes()
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        real(descriptor, bytes(data)[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="No space left"):
        save_checkpoint(tmp_path / "c", Checkpoint({"a.x": torch.ones(9)}, {"step": 2}))
    assert (tmp_path / "c").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_pipe_in_the_place_of_a_checkpoint_does_not_hang(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in folders")
    os.mkfifo(tmp_path / "c")
    with pytest.raises(WeightsNotFoundError, match="no regular file"):
        load_checkpoint(tmp_path / "c")


def test_average_forgets_the_start_soon_and_then_moves_slowly() -> None:
    module = nn.Linear(1, 1)
    nn.init.zeros_(module.weight)
    ema = ModelEma(module, max_decay=0.9)
    nn.init.ones_(module.weight)
    ema.update(module)
    assert float(ema.tensors["weight"]) == pytest.approx(1 - 2 / 11)
    for _ in range(200):
        ema.update(module)
    nn.init.zeros_(module.weight)
    ema.update(module)
    assert float(ema.tensors["weight"]) == pytest.approx(0.9, abs=1e-3)


def test_average_copies_counters_and_is_not_the_module() -> None:
    module = nn.BatchNorm1d(2)
    ema = ModelEma(module)
    module(torch.randn(4, 2))
    assert int(ema.tensors["num_batches_tracked"]) == 0
    ema.update(module)
    assert int(ema.tensors["num_batches_tracked"]) == 1


def test_half_precision_keeps_whole_numbers() -> None:
    halved = half_precision({"w": torch.ones(2), "n": torch.tensor(70_000)})
    assert halved["w"].dtype == torch.float16
    assert int(halved["n"]) == 70_000
