"""Each call to the disk fails in turn: what a command writes is whole or absent and said so, and inputs stay."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captures import write_video
from fakes import frame_with, patch_pipeline
from faults.injection import Disk, check_whole, digests, names
from platereader import Box, Pipeline
from platereader.cli import main

PLATE = {50: Box(40, 60, 120, 80)}
PICTURE, FRAMES, VIDEO = ("a.png",), ("1.png", "2.png", "3.png", "4.png"), ("b.mp4",)
Words = Callable[[Path, Path], list[str | Path]]
COMMANDS: dict[str, tuple[tuple[str, ...], Words]] = {
    "read": (
        PICTURE,
        lambda given, out: ["read", given, "--csv", "--save", out, "--save-crops", out / ".." / "c"],
    ),
    "read-json": (PICTURE, lambda given, out: ["read", given, "--json", "--save", out]),
    "redact": (PICTURE, lambda given, out: ["redact", given, "-o", out, "--report", out.with_name("r") / "r.json"]),
    "redact-video": (VIDEO, lambda given, out: ["redact", given, "-o", out]),
    "watch": (VIDEO, lambda given, out: ["watch", given / VIDEO[0], "--json", "--save", out / "w.mp4"]),
    "watch-crops": (FRAMES, lambda given, out: ["watch", given, "--fps", "10", "--csv", "--save-crops", out]),
}


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes in the place of the shipped weights."""

    def build(arguments: argparse.Namespace) -> Pipeline:
        return patch_pipeline()

    for command in ("read", "redact", "watch.command"):
        monkeypatch.setattr(f"platereader.cli.{command}.build_pipeline", build)


def prepare(folder: Path, files: Iterable[str]) -> Path:
    """The input of a command."""
    folder.mkdir()
    frame = frame_with(PLATE)
    for name in files:
        if name.endswith(".mp4"):
            write_video(folder / name, [frame] * 5, fps=10)
        else:
            Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1])).save(folder / name)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_each_call_to_the_disk_fails_in_turn(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, words = COMMANDS[command]
    given = prepare(tmp_path / "in", files)
    before = digests(given)

    def run(number: int | None) -> tuple[int, Path, Disk]:
        out = tmp_path / f"run-{number}" / "out"
        for folder in (out.parent, out.with_name("r"), out):
            folder.mkdir()
        disk = Disk(tmp_path, fails=number)
        with disk.in_use():
            return main([str(word) for word in words(given, out)]), out.parent, disk

    status, whole, disk = run(None)
    assert status == 0
    assert "fsync" in disk.calls
    capsys.readouterr()
    for number, call in enumerate(disk.calls):
        status, folder, _ = run(number)
        said = capsys.readouterr().err
        assert digests(given) == before
        check_whole(folder)
        if status == 0:
            assert names(folder) == names(whole), call
        else:
            assert status in {1, 2, 3}
            assert "platereader: " in said
            assert "Traceback" not in said
