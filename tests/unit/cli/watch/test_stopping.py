"""The letter q: from a pipe, from a terminal, and where nobody may listen."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest

from platereader.cli.watch.stopping import stopping_by_key

pty = pytest.importorskip("pty", reason="needs a system with terminals like those of Unix")
termios = pytest.importorskip("termios", reason="needs a system with terminals like those of Unix")

# Takes the terminal on its input for its own, as a shell arranges it.
IN_TERMINAL = """
import fcntl, sys, termios, threading
from platereader.cli.watch.stopping import stopping_by_key
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
stopped = threading.Event()
with stopping_by_key(stopped.set) as listening:
    print("listening" if listening else "deaf", flush=True)
    print("stopped" if stopped.wait(10) else "too late", flush=True)
    if "fail" in sys.argv:
        raise SystemExit(5)
"""


def is_line_by_line(terminal: int) -> bool:
    """Whether a terminal waits for Enter."""
    return bool(termios.tcgetattr(terminal)[3] & termios.ICANON)


@pytest.mark.parametrize("ending", ["", "fail"])
def test_q_on_a_terminal_needs_no_enter_and_the_terminal_is_put_back(ending: str) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_TERMINAL, ending]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        assert not is_line_by_line(theirs)
        os.write(ours, b"x")
        os.write(ours, b"q")
        assert process.stdout.readline() == "stopped\n"
        assert process.wait(10) == (5 if ending else 0)
    assert is_line_by_line(theirs)
    os.close(ours)
    os.close(theirs)


def listened(monkeypatch: pytest.MonkeyPatch, stdin: IO[str] | None, *, for_s: float = 0.4) -> tuple[bool, bool]:
    """Whether anybody listens to that input, and whether q came."""
    stopped = threading.Event()
    monkeypatch.setattr(sys, "stdin", stdin)
    with stopping_by_key(stopped.set) as listening:
        return listening, listening and stopped.wait(for_s)


@pytest.mark.parametrize(
    ("typed", "stops"), [(b"q\n", True), (b"x\n Q \r\n", True), (b"quit\n", False), (b"q", False), (b"", False)]
)
def test_a_line_from_a_pipe(typed: bytes, stops: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, typed)
    with os.fdopen(reading) as stdin:
        assert listened(monkeypatch, stdin) == (True, stops)
    os.close(writing)


def test_a_pipe_that_is_closed_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    started_s = time.process_time()
    with os.fdopen(reading) as stdin:
        assert listened(monkeypatch, stdin) == (True, False)
    assert time.process_time() - started_s < 0.2, "keeps asking"


def test_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.txt").write_text("q\n")
    with (tmp_path / "list.txt").open() as stdin:
        assert listened(monkeypatch, stdin) == (False, False)
        assert stdin.read() == "q\n"


def test_without_an_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listened(monkeypatch, None) == (False, False)


def test_a_terminal_of_somebody_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"q\n")
    with os.fdopen(theirs) as stdin:
        assert listened(monkeypatch, stdin) == (False, False)
        assert is_line_by_line(theirs)
    os.close(ours)
