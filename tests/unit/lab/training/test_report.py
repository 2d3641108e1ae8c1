from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from platereader.errors import FileError
from platereader.lab.training.report import (
    TrainingRecord,
    append_log,
    card_of,
    confusion_counts,
    describe_weights,
    draw_confusion,
    draw_curves,
    progress_bar,
    read_log,
)
from platereader.plates import RUSSIAN
from platereader.registry import Registry
from platereader.runtimes._tensors import write_tensors


def test_the_log_comes_back_row_by_row(tmp_path: Path) -> None:
    log = tmp_path / "run" / "log.jsonl"
    assert read_log(log) == []
    append_log(log, {"step": 1, "loss": 0.123456789})
    append_log(log, {"step": 2, "loss": float("nan")})
    assert read_log(log) == [{"step": 1, "loss": 0.123457}, {"step": 2, "loss": None}]


def test_part_of_a_line_does_not_stop_a_run_that_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_log(log, {"step": 1})
    with log.open("ab") as file:
        file.write(b'{"step": 2, "lo\n[1]\n\xff\n' + b"[" * 100_000 + b"\n\n")
    append_log(log, {"step": 3})
    assert read_log(log) == [{"step": 1}, {"step": 3}]


def test_curves_go_through_no_link_and_survive_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0}]
    curves, precious = tmp_path / "curves.png", tmp_path / "precious.png"
    precious.write_bytes(b"precious")
    curves.symlink_to(precious)
    with pytest.raises(FileError, match="symbolic link"):
        draw_curves(rows, curves, panels=[["loss"]])
    assert precious.read_bytes() == b"precious"
    curves.unlink()
    draw_curves(rows, curves, panels=[["loss"]])
    before = curves.read_bytes()

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match="No space left"):
        draw_curves(rows[:1], curves, panels=[["loss"]])
    assert curves.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "precious.png"]


def test_pictures_are_drawn_without_a_display(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "real": 0.5}, {"step": 3, "real": 0.9}]
    draw_curves(rows, tmp_path / "curves.png", panels=[["loss"], ["real"]])
    draw_confusion(np.eye(3, dtype=np.int64) * 5, tmp_path / "confusion.png", names=list("-AB"), title="3 plates")
    for name in ("curves.png", "confusion.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None
        assert min(picture.shape[:2]) > 200
        assert picture.std() > 1


def test_the_bar_starts_where_the_run_was(capsys: pytest.CaptureFixture[str]) -> None:
    bar = progress_bar(initial=40)
    bar.update(20)
    bar.close()
    shown = capsys.readouterr().err
    assert "training" in shown
    assert "60/100" in shown


def test_described_weights_are_known_to_the_registry_and_have_a_card(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    write_tensors(weights, {"weight": torch.zeros(2)})
    figures = [("found", "9/10 90.0 % (59.6-98.2)")]
    record = TrainingRecord("a" * 64, ["photos", "more"], {"seed": 3}, 40, 1.25, figures, "MIT")
    describe_weights(weights, record, kind="detector", settings={"input_size": 64})
    resolved = Registry.default().resolve(weights)
    assert (resolved.kind, resolved.settings, resolved.entry.licence) == ("detector", {"input_size": 64}, "MIT")
    card = card_of(weights).read_text(encoding="utf-8")
    assert card_of(weights) == tmp_path / "mine.md"
    for expected in (
        "# mine\n",
        f"| file | `mine.safetensors`, {weights.stat().st_size} bytes, sha256 `{resolved.sha256}` |",
        "| licence | MIT |",
        f"| began with | the weights of sha256 `{'a' * 64}` |",
        "| labelled sets | photos, more |",
        "| training | 40 steps in 1.2 minutes; seed 3 |",
        "| found | 9/10 90.0 % (59.6-98.2) |",
    ):
        assert expected in card


def test_a_card_without_figures_and_data_says_so(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    write_tensors(weights, {"weight": torch.zeros(2)})
    describe_weights(weights, TrainingRecord(None, [], {}, 1, 0.0), kind="recognizer", settings={})
    card = card_of(weights).read_text(encoding="utf-8")
    assert "| began with | random weights |" in card
    assert "| labelled sets | none |" in card
    assert "Measured" not in card


def test_counts_tell_substituted_missed_and_made_up_characters() -> None:
    counts = confusion_counts([("A1", "A7"), ("A1", "A"), ("1", "11")], alphabet=RUSSIAN)
    a, one, seven = RUSSIAN.encode("A17")
    assert counts[a, a] == 2
    assert counts[one, seven] == 1
    assert counts[one, 0] == 1
    assert counts[0, one] == 1
    assert counts.sum() == 6
