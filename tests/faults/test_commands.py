"""Each call to the disk fails in turn: what a command writes is whole or absent and said so, and inputs stay."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from command_line import ONE, Command, Outcome, save

from captures import write_video
from fakes import frame_with, patch_pipeline
from faults.injection import Disk, check_whole, digests, names

PICTURE, FRAMES, VIDEO = ("a.png",), ("1.png", "2.png", "3.png", "4.png"), ("b.mp4",)
Words = Callable[[Path, Path], list[str | Path]]
COMMANDS: dict[str, tuple[tuple[str, ...], Words]] = {
    "read": (PICTURE, lambda given, out: ["read", given, "--csv", "--save", out, "--save-crops", out / ".." / "c"]),
    "read-json": (PICTURE, lambda given, out: ["read", given, "--json", "--save", out]),
    "redact": (PICTURE, lambda given, out: ["redact", given, "-o", out, "--report", out.with_name("r") / "r.json"]),
    "redact-video": (VIDEO, lambda given, out: ["redact", given, "-o", out]),
    "watch": (VIDEO, lambda given, out: ["watch", given / VIDEO[0], "--json", "--save", out / "w.mp4"]),
    "watch-crops": (FRAMES, lambda given, out: ["watch", given, "--fps", "10", "--csv", "--save-crops", out]),
}


def prepare(folder: Path, files: Iterable[str]) -> Path:
    """The input of a command."""
    folder.mkdir()
    for name in files:
        if name.endswith(".mp4"):
            write_video(folder / name, [frame_with(ONE)] * 5, fps=10)
        else:
            save(folder / name)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_each_call_to_the_disk_fails_in_turn(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, words = COMMANDS[command]
    platereader = Command(capsys, monkeypatch)
    platereader.over(patch_pipeline())
    given = prepare(tmp_path / "in", files)
    before = digests(given)

    def run(number: int | None) -> tuple[Outcome, Path, Disk]:
        out = tmp_path / f"run-{number}" / "out"
        for folder in (out.parent, out.with_name("r"), out):
            folder.mkdir()
        disk = Disk(tmp_path, fails=number)
        with disk.in_use():
            return platereader(*words(given, out)), out.parent, disk

    outcome, whole, disk = run(None)
    assert outcome.status == 0
    assert "fsync" in disk.calls
    for number, call in enumerate(disk.calls):
        outcome, folder, _ = run(number)
        assert digests(given) == before
        check_whole(folder)
        if outcome.status == 0:
            assert names(folder) == names(whole), call
        else:
            assert outcome.status in {1, 2, 3}
            assert "platereader: " in outcome.err
            assert any(os.strerror(number) in outcome.err for number in (errno.EIO, errno.ENOSPC)), call
            assert "Traceback" not in outcome.err
