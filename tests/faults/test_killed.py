"""A process that is killed while it writes, and a standard output that takes no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platereader._files import append_text, new_file, write_text

ENDLESS = """
import sys
from itertools import count
from pathlib import Path

from platereader._files import append_text, new_file, write_text

for number in count():
    write_text(Path(sys.argv[1]), f"{number:08d}" * 200_000)
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
def test_a_killed_process_leaves_the_old_file_or_the_new_one(number: str, tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    with subprocess.Popen([sys.executable, "-c", ENDLESS, str(target)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        while writer.stdout.readline() != "2\n":
            assert writer.poll() is None
        time.sleep(0.01)
        writer.send_signal(getattr(signal, number))
        writer.wait(timeout=60)
    text = target.read_text(encoding="utf-8")
    assert text == text[:8] * 200_000
    assert int(text[:8]) >= 2
    write_text(target, "the next run")
    assert target.read_text(encoding="utf-8") == "the next run"


@pytest.mark.parametrize("write", [lambda path: write_text(path, "new"), lambda path: new_file(path).__enter__()])
def test_a_signal_as_a_temporary_file_is_made_leaves_nothing(
    write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def interrupted(path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = opened(path, flags, mode)
        if flags & os.O_EXCL:
            os.close(descriptor)
            raise KeyboardInterrupt
        return descriptor

    monkeypatch.setattr(os, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'one\n{"tw')
    append_text(log, "three\n")
    append_text(log, "four\n")
    assert log.read_bytes() == b'one\n{"tw\nthree\nfour\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_standard_output_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "platereader", "weights", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("platereader: ")
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1
