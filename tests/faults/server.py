"""Runs commands in forks of a process that is warm, each with a fault at one of its calls to the disk.

Started with ``disk.c`` in front of the C library. Each line on standard input is a ``Run`` as JSON; the answer is one
with the status, negative for a signal, and how many calls the run made.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
from PIL import Image

from fakes import patch_pipeline
from platereader.cli import main

# What the commands import when they need it: else every fork would.
WARM = (
    "cli.explain",
    "cli.videos",
    "cli.watch.saving",
    "media._drawing",
    "media._images",
    "media._opening",
    "media._redaction",
    "media._turned",
)
_BUILT_BY = ("evaluate", "info", "read", "redact", "watch.command")


def put_fakes() -> None:
    """Fakes in the place of the shipped weights, whatever the options say."""
    pipeline = patch_pipeline()
    for module in _BUILT_BY:
        command: Any = sys.modules[f"platereader.cli.{module}"]
        command.build_pipeline = lambda _: pipeline


def put_small_training() -> None:
    """A line through the origin in the place of a recognizer."""
    import platereader.lab.training.recognizer.train as training
    from faults.small_training import draw_nothing, train
    from platereader.lab.training import loop

    def stand_in(_data: Any, *, output: Path, **_options: Any) -> Path:
        train(output, steps=3)
        return output

    patched: dict[str, Any] = {"train_recognizer": (training, stand_in), "draw_curves": (loop, draw_nothing)}
    for name, (module, other) in patched.items():
        setattr(module, name, other)


def answered(disk: ctypes.CDLL, run: dict[str, Any]) -> dict[str, Any]:
    """Run it in a fork."""
    said = Path(run["said"])
    child = os.fork()
    if child == 0:
        _run(disk, run, said)
    _, status = os.waitpid(child, 0)
    calls = int((said / "calls").read_text()) if (said / "calls").exists() else None
    return {"status": os.waitstatus_to_exitcode(status), "calls": calls}


def _run(disk: ctypes.CDLL, run: dict[str, Any], said: Path) -> None:
    """Never returns."""
    status = 70
    try:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(said / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        disk.disk_arm(run["folder"].encode(), run["number"], run["signal"], run["error"])
        status = _status(main, run["words"])
        (said / "calls").write_text(str(disk.disk_calls()))
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def _status(command: Callable[[Sequence[str]], int], words: Sequence[str]) -> int:
    """As of ``sys.exit(main())``."""
    try:
        return command(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1


def serve() -> None:
    """Answer until there is nothing more to do."""
    cv2.setNumThreads(1)
    Image.init()
    for module in WARM:
        importlib.import_module(f"platereader.{module}")
    put_fakes()
    if "train" in sys.argv:
        put_small_training()
    disk = ctypes.CDLL(None)
    disk.disk_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int]
    disk.disk_calls.restype = ctypes.c_long
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answered(disk, json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
