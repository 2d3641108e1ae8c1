"""Each call to the disk fails in turn while a network is trained: the run ends with an error, and goes on later."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults.injection import Disk
from faults.small_training import draw_nothing, train
from platereader.errors import InvalidArgumentError
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.finetuning import check_output
from platereader.lab.training.loop import CHECKPOINT_NAME

READS = {"read", "fsync"}


def test_each_call_to_the_disk_fails_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platereader.lab.training.loop.draw_curves", draw_nothing)
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


def test_what_a_killed_run_left_of_its_first_checkpoint_is_no_other_weights(tmp_path: Path) -> None:
    (tmp_path / f".{'0' * 32}.safetensors").write_bytes(b"half")
    check_output(tmp_path, start="those it began with")
    (tmp_path / "others.safetensors").write_bytes(b"whole")
    with pytest.raises(InvalidArgumentError, match="holds other weights"):
        check_output(tmp_path, start="those it began with")
