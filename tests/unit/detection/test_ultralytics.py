"""A user's own ultralytics file, in a fresh process that has no network and an empty home, which stay as they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from platereader.detection._ultralytics import UltralyticsDetector
from platereader.errors import UntrustedPickleError, WeightsCorruptError, WeightsNotFoundError

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
torch.manual_seed(0)
plan = {"nc": 1, "kpt_shape": [4, 2], "scales": {"n": [0.33, 0.25, 1024]}, "scale": "n",
        "backbone": [[-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Conv", [64, 3, 2]]],
        "head": [[[2], 1, "Pose", ["nc", "kpt_shape"]]]}
model = import_ultralytics("ultralytics.nn.tasks").PoseModel(plan, ch=3, nc=1, verbose=False)
model.args = {"task": "pose"}
torch.save({"model": model, "train_args": {"task": "pose"}}, sys.argv[1])

from platereader.detection._ultralytics import UltralyticsDetector
detector = UltralyticsDetector(sys.argv[1], trust_pickle=True, input_size=64, min_score=0.0, max_iou=0.3)
frame = numpy.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=numpy.uint8)
frame.setflags(write=False)
found = detector.detect([frame, frame[::-1, ::-1], numpy.zeros((30, 90, 3), numpy.uint8)])
from platereader.detection._thresholds import min_score_of, with_min_score
strict = with_min_score(detector, found[0][0].score)
from ultralytics.utils.events import events
print(json.dumps({
    "before": before, "after": state(), "opened": opened, "reports": events.enabled,
    "found": [[plate.to_dict() for plate in plates] for plates in found],
    "limits": [min_score_of(detector), min_score_of(strict)],
    "strict": len(strict.detect([frame])[0]), "as_before": len(detector.detect([frame])[0]),
}))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    home, files = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("files")
    (home / "tmp").mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("YOLO", "OMP", "MPL", "XDG"))}
    kept |= {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _PROBE, str(files / "mine.pt")]
    done = subprocess.run(command, env=kept, cwd=home, capture_output=True, text=True, check=True)
    *chatter, line = done.stdout.splitlines()
    return json.loads(line), "".join(chatter) + done.stderr, home


@pytest.mark.slow
def test_plates_come_best_first_with_their_corners(probe: tuple[dict[str, Any], str, Path]) -> None:
    found = probe[0]["found"]
    assert len(found) == 3
    for plates in found:
        scores = [plate["score"] for plate in plates]
        assert scores == sorted(scores, reverse=True)
        assert all(plate["lines"] is None for plate in plates)
        # Random weights put corners anywhere: those that enclose no convex quad are left out.
        assert all(plate["corners"] is None or len(plate["corners"]) == 4 for plate in plates)
    assert found[0]
    for plate in found[0]:
        x1, y1, x2, y2 = plate["box"]
        assert -1 <= x1 <= x2 <= 65
        assert -1 <= y1 <= y2 <= 49


@pytest.mark.slow
def test_another_threshold_leaves_the_first_detector_as_it_is(probe: tuple[dict[str, Any], str, Path]) -> None:
    result = probe[0]
    first = result["found"][0]
    assert result["limits"] == [0.0, first[0]["score"]]
    assert result["strict"] < result["as_before"] == len(first)


@pytest.mark.slow
def test_process_and_home_are_left_alone(probe: tuple[dict[str, Any], str, Path]) -> None:
    result, chatter, home = probe
    assert result["after"] == result["before"]
    assert result["opened"] == []
    assert result["reports"] is False
    assert chatter == ""
    assert [path.name for path in home.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["model.pt", "model.onnx"])
def test_refused_without_trust(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UntrustedPickleError, match="trust_pickle=True"):
        UltralyticsDetector(tmp_path / name)


def test_missing_file_is_not_downloaded(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match="yolov8n"):
        UltralyticsDetector(tmp_path / "yolov8n.pt", trust_pickle=True)


def test_a_missing_file_is_called_missing_and_not_untrusted(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"nothing\.pt does not exist"):
        UltralyticsDetector(tmp_path / "nothing.pt")


@pytest.mark.parametrize("data", [b"", b"no model", b"PK\x03\x04 half of one"])
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plates.pt").write_bytes(data)
    with pytest.raises(WeightsCorruptError, match=r"plates\.pt cannot be loaded by ultralytics .*is whole"):
        UltralyticsDetector(tmp_path / "plates.pt", trust_pickle=True)
