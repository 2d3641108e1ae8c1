"""SIGKILL, SIGTERM and errors at each call to the disk in turn, also at those of FFmpeg: ``disk.c`` tells how.

A spread of the calls has its turn; with ``PLATEREADER_ALL_FAULTS=1`` in the environment all of them. Errors at calls of
Python alone are in ``test_commands.py`` and ``test_training.py``, so that by default they come to the commands for
videos only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_line import Command

from fakes import patch_pipeline
from faults.injection import check_whole, digests, names
from faults.test_commands import COMMANDS, prepare

HERE = Path(__file__).resolve().parent
SPREAD, TRAINING_SPREAD = (None, None) if os.environ.get("PLATEREADER_ALL_FAULTS") else (3, 2)
LEFT = re.compile(r"(.*/)?\.[0-9a-f]{32}(\.\w+)?")
FAULTS = {"SIGKILL": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "ENOSPC": -errno.ENOSPC, "EIO": -errno.EIO}

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs a C compiler and Linux"
)


class Ended(NamedTuple):
    """How a run ended: its status, negative for a signal, what it said, and how many calls it made."""

    status: int
    out: str
    err: str
    calls: int | None


class Server:
    """``server.py``, and what it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, words: list[str], folder: Path, *, fault: int = 0, number: int = -1) -> Ended:
        """A command with a fault at the call of that number that concerns the folder; none without a number."""
        said = folder.with_name(f"{folder.name}-said")
        shutil.rmtree(said, ignore_errors=True)
        said.mkdir()
        run = {"words": words, "folder": f"{folder}/", "number": number, "said": str(said)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({**run, "signal": max(fault, 0), "error": max(-fault, 0)}), file=self._process.stdin, flush=True
        )
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Ended(**answer, out=(said / "out").read_text(), err=(said / "err").read_text())


def started(library: Path, *words: str) -> Generator[Server]:
    """A server while it is used."""
    path = os.pathsep.join([str(HERE.parent), *filter(None, sys.path)])
    own = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "server.py"), *words]
    with subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``disk.c``, translated."""
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "disk.c", "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def server(library: Path) -> Generator[Server]:
    """For the commands that read."""
    yield from started(library)


@pytest.fixture(scope="module")
def trainer(library: Path) -> Generator[Server]:
    """For those that train."""
    pytest.importorskip("torch")
    yield from started(library, "train")


def turns(calls: int, spread: int | None) -> list[int]:
    """The numbers of the calls that have their turn: so many of them, or all."""
    return sorted({round(index * (calls - 1) / (spread - 1)) for index in range(spread)} if spread else range(calls))


def prepared(folder: Path) -> Path:
    """The folders that a command writes into, empty."""
    for one in (folder, folder / "r", folder / "out"):
        one.mkdir()
    return folder / "out"


def check_ended(ended: Ended, fault: str, *, what: str) -> None:
    """The status says how a run ended, and a line says why."""
    assert "Traceback" not in ended.err, what
    if fault == "SIGKILL":
        assert ended.status == -signal.SIGKILL, what
    elif ended.status != 0:
        why = "stopped by SIGTERM" if fault == "SIGTERM" else "platereader: "
        assert ended.status in {1, 2, 3, 143}, what
        assert why in ended.err, what


def temporary(folder: Path, fault: str, *, what: str) -> set[str]:
    """The file with a temporary name that SIGKILL may leave; nothing else leaves one."""
    left = {name for name in names(folder) if LEFT.fullmatch(name)}
    assert len(left) <= (fault == "SIGKILL"), what
    return left


def check_left(folder: Path, fault: str, *, what: str) -> set[str]:
    """All is whole, but for the torn last line of a log after SIGKILL; what has a temporary name."""
    left = temporary(folder, fault, what=what)
    for log in folder.rglob("*.jsonl") if fault == "SIGKILL" else ():
        whole = log.read_bytes()
        log.write_bytes(whole[: whole.rfind(b"\n") + 1])
    check_whole(folder, besides=left)
    return left


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_hit_at_each_call_in_turn(
    command: str,
    fault: str,
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files, words = COMMANDS[command]
    if SPREAD and FAULTS[fault] < 0 and not files[0].endswith(".mp4"):
        pytest.skip("all calls are those of Python")
    again = Command(capsys, monkeypatch)
    again.over(patch_pipeline())
    given = prepare(tmp_path / "in", files)
    before = digests(given)

    def run(name: str, **fails: int) -> tuple[Ended, Path]:
        out = prepared(tmp_path / name)
        return server.run([str(word) for word in words(given, out)], tmp_path, **fails), out

    whole, whole_out = run("whole")
    assert whole.status == 0, whole.err
    assert whole.calls
    for number in turns(whole.calls, SPREAD):
        what = f"{fault} at call {number} of {whole.calls}"
        ended, out = run(f"run-{number}", fault=FAULTS[fault], number=number)
        assert digests(given) == before, what
        check_ended(ended, fault, what=f"{what}: {ended}")
        left = check_left(out.parent, fault, what=what)
        if ended.status == 0:
            assert names(out.parent) == names(whole_out.parent), what
        next_run = again(*words(given, out))
        if "already has labels" in next_run.err:  # a set to train on is new
            shutil.rmtree(out.parent / "c")
            next_run = again(*words(given, out))
        assert next_run.status == 0, f"{what}: {next_run.err}"
        assert names(out.parent) >= names(whole_out.parent), what
        check_whole(out.parent, besides=left)
        shutil.rmtree(out.parent)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_training_is_hit_at_each_call_in_turn(fault: str, trainer: Server, tmp_path: Path) -> None:
    from platereader.lab.training.checkpoint import load_checkpoint
    from platereader.lab.training.loop import CHECKPOINT_NAME, CURVES_NAME, LOG_NAME
    from platereader.lab.training.report import read_log

    if TRAINING_SPREAD and FAULTS[fault] < 0:
        pytest.skip("all calls are those of Python")

    def run(name: str, **fails: int) -> tuple[Ended, Path]:
        out = tmp_path / name
        return trainer.run(["train", "recognizer", "--out", str(out)], tmp_path, **fails), out

    whole, _ = run("whole")
    assert whole.status == 0, whole.err
    assert whole.calls
    for number in turns(whole.calls, TRAINING_SPREAD):
        what = f"{fault} at call {number} of {whole.calls}"
        ended, out = run(f"run-{number}", fault=FAULTS[fault], number=number)
        check_ended(ended, fault, what=f"{what}: {ended}")
        left = temporary(out, fault, what=what)
        assert names(out) - left <= {CHECKPOINT_NAME, CURVES_NAME, LOG_NAME}, what
        if CHECKPOINT_NAME in names(out):
            assert load_checkpoint(out / CHECKPOINT_NAME).scalars["step"] in {1, 2, 3}, what
        next_run, _ = run(f"run-{number}")
        assert next_run.status == 0, f"{what}: {next_run.err}"
        assert load_checkpoint(out / CHECKPOINT_NAME).scalars["step"] == 3
        assert [row["step"] for row in read_log(out / LOG_NAME)][-1] == 3, what
        assert names(out) - left == {CHECKPOINT_NAME, CURVES_NAME, LOG_NAME}
