"""Importing ultralytics through us leaves a process and a home folder as they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PROBE = """
import json, logging, os, socket, sys, threading, warnings

opened = []
def refuse(*args, **kwargs):
    opened.append(str(args))
    raise OSError("no network in this test")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
socket.create_connection = refuse

import cv2, numpy, torch
from torch._tensor_str import PRINT_OPTS
cv2.setNumThreads(2)
torch.set_num_threads(2)

def state():
    return {
        "environment": dict(os.environ),
        "threads": [cv2.getNumThreads(), torch.get_num_threads()],
        "numpy": repr(numpy.get_printoptions()),
        "torch": repr(vars(PRINT_OPTS)),
        "save": torch.save.__module__,
        "filters": repr(warnings.filters),
        "handlers": len(logging.getLogger("ultralytics").handlers) + len(logging.getLogger().handlers),
        "running": threading.active_count(),
    }

before = state()
from platereader.runtimes._quiet_import import import_ultralytics
import_ultralytics("ultralytics.models")
print(json.dumps({"before": before, "after": state(), "opened": opened, "loaded": "ultralytics" in sys.modules}))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    home = tmp_path_factory.mktemp("home")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO", "OMP", "MPL", "XDG"))}
    kept |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": os.pathsep.join(sys.path)}
    (home / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], env=kept, cwd=home, capture_output=True, text=True, check=True
    )
    *chatter, line = done.stdout.splitlines()
    return json.loads(line), "".join(chatter) + done.stderr, home


def test_ultralytics_was_really_imported(probe: tuple[dict[str, Any], str, Path]) -> None:
    assert probe[0]["loaded"]


def test_process_is_as_before(probe: tuple[dict[str, Any], str, Path]) -> None:
    assert probe[0]["after"] == probe[0]["before"]


def test_nothing_is_printed(probe: tuple[dict[str, Any], str, Path]) -> None:
    assert probe[1] == ""


def test_no_host_is_looked_up_or_connected_to(probe: tuple[dict[str, Any], str, Path]) -> None:
    assert probe[0]["opened"] == []


def test_no_file_is_left_in_home_or_temporary_folder(probe: tuple[dict[str, Any], str, Path]) -> None:
    assert [path.name for path in probe[2].rglob("*") if path.is_file()] == []
