"""Fresh processes: the protocol between the two, their order, and what is said of those that fail."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, Detection, Pipeline
from platereader._arrays import BgrImage
from platereader.errors import EngineError
from platereader.lab.speed import cold_start, fresh_process
from platereader.lab.speed.cold_start import cold_starts, start_fresh


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Two patches."""
    path = tmp_path / "a picture.png"
    cv2.imwrite(str(path), frame_with({50: Box(20, 30, 100, 50), 100: Box(200, 150, 290, 175)}))
    return path


def test_a_process_that_is_not_offered_says_why(picture: Path) -> None:
    """The one test with a real process: this one loads no engine."""
    answer = start_fresh(picture, "onnx", "bf16", reads=1)
    assert isinstance(answer, str)
    assert "bf16" in answer


def test_a_process_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"fresh process with engine 'onnx'.*nothing\.png"):
        start_fresh(tmp_path / "nothing.png", "onnx", "fp32", reads=1)


def test_what_the_process_tells(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[BgrImage] = []

    class Counting(PatchDetector):
        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            seen.extend(frames)
            return super().detect(frames)

    monkeypatch.setattr(Pipeline, "build", lambda **_: Pipeline(replace(patch_pipeline().parts, detector=Counting())))
    fresh_process.main([str(picture), "torch", "fp32", "4"])
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert list(first["steps_s"]) == ["imports", "picture", "build", "first reading"]
    assert all(seconds >= 0 for seconds in first["steps_s"].values())
    assert len(seen) == 1 + 4
    assert second == {} or 0 < second["rss"] <= second["peak"] or set(second) == {"peak"}


def test_memory_grows_with_what_is_held() -> None:
    if "rss" not in fresh_process.memory_mib():
        pytest.skip("the system does not tell the memory of a process")
    code = """
import numpy as np
from platereader.lab.speed.fresh_process import memory_mib
before = memory_mib()
held = np.ones(2**23)  # 64 MiB
after = memory_mib()
print(after["rss"] - before["rss"], after["peak"] >= after["rss"])
"""
    # In a process of its own: what other tests left in this one may go meanwhile.
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert float(said[0]) == pytest.approx(64, abs=8)
    assert said[1] == "True"


def test_medians_of_all_processes_but_the_first(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: dict[str, int] = {}

    def started(path: Path, engine: str, precision: str, *, reads: int) -> object:
        assert (path, reads > 0) == (picture, True)
        number = counts[engine] = counts.get(engine, -1) + 1
        if engine == "onnx":
            return "onnx is not installed"
        slow = 100.0 if number == 0 else float(number)
        return cold_start._Started({"python": 1.0, "build": slow}, {"rss": 10.0 * number, "peak": 50.0})

    monkeypatch.setattr(cold_start, "start_fresh", started)
    combinations = [("torch", "fp32"), ("onnx", "fp32"), ("auto", "auto")]
    ticks: list[None] = []
    starts, absent = cold_starts(
        picture, combinations, rounds=3, rng=np.random.default_rng(0), on_turn=lambda: ticks.append(None)
    )
    assert counts == {"torch": 3, "onnx": 0, "auto": 3}
    assert [one.name for one in starts] == ["torch fp32", "auto"]
    assert [(one.name, one.reason) for one in absent] == [("onnx fp32, fresh process", "onnx is not installed")]
    first = starts[0]
    assert (first.first_reading_s.value, first.first_reading_s.n) == (3.0, 3)
    assert 2.0 <= first.first_reading_s.low <= first.first_reading_s.high <= 4.0
    assert (first.steps_s, first.rss_mib, first.peak_mib) == ({"python": 1.0, "build": 2.0}, 20.0, 50.0)
    assert len(ticks) == 3 + 2 * 3
