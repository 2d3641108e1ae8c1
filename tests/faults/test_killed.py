"""A process that is killed while it writes, and a standard output that takes no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platereader._files import write_text

ENDLESS = """
import sys
from itertools import count
from pathlib import Path

from platereader._files import write_text

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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_standard_output_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "platereader", "weights", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("platereader: ")
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1
