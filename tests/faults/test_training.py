"""Each call to the disk fails in turn while a network is trained: the run ends with an error, and goes on later."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from faults.injection import Disk  # noqa: E402
from platereader._files import write_bytes  # noqa: E402
from platereader.lab.training.checkpoint import load_checkpoint  # noqa: E402
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop  # noqa: E402
from platereader.lab.training.settings import TrainingSettings  # noqa: E402

READS = {"read", "fsync"}


def train(output: Path, *, steps: int) -> None:
    """A line through the origin; a checkpoint and a line of the log with every step."""
    network = torch.nn.Linear(1, 1, bias=False)
    loop = TrainingLoop(
        network,
        output=output,
        settings=TrainingSettings(steps=steps, workers=0, log_every_steps=1, save_every_s=0.0, validate_every_s=1e6),
        optimizer=torch.optim.AdamW(network.parameters()),
        origin={},
        panels=[],
    )

    batches: Any = [torch.ones(4, 1)] * steps
    loop.fit(
        batches,
        loss_of=lambda batch: {"squared": (network(batch) - 3).square().mean()},
        validate=lambda tensors: {"weight": float(tensors["weight"])},
    )


def test_each_call_to_the_disk_fails_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(rows: Any, path: Path, *, panels: Any) -> None:
        write_bytes(path, b"\x89PNG")

    monkeypatch.setattr("platereader.lab.training.loop.draw_curves", draw)
    (tmp_path / "whole").mkdir()
    disk = Disk(tmp_path)
    with disk.in_use():
        train(tmp_path / "whole", steps=2)
    for number, call in enumerate(disk.calls):
        failure = None
        output = tmp_path / f"run-{number}"
        output.mkdir()
        with Disk(tmp_path, fails=number).in_use():
            try:
                train(output, steps=2)
            except OSError as error:
                failure = str(error)
        # A folder that cannot be made and is there is no failure.
        assert call == "mkdir" or (failure and os.strerror(errno.EIO if call in READS else errno.ENOSPC) in failure)
        left = {path.name for path in output.iterdir()}
        assert not any(name.startswith(".") for name in left)
        if CHECKPOINT_NAME in left:
            assert load_checkpoint(output / CHECKPOINT_NAME).scalars["step"] in {1, 2}
        train(output, steps=3)
        assert load_checkpoint(output / CHECKPOINT_NAME).scalars["step"] == 3
