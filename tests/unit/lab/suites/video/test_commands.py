"""``platereader evaluate --video`` and ``platereader benchmark stream``, on a few made-up clips."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fakes import patch_pipeline
from platereader import Box, Detection
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.lab.speed import streams as economy
from platereader.lab.speed.streams import PER_FRAME
from platereader.lab.suites.video import run
from platereader.lab.synthesis.video.material import Material
from platereader.pipeline import Pipeline


class RedDetector:
    """Finds the red plates of the made-up photographs."""

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return [self._find(frame) for frame in frames]

    def _find(self, frame: BgrImage) -> list[Detection]:
        red = (frame[..., 2].astype(int) - frame[..., 1] > 60).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(red)
        return [Detection(Box(x, y, x + w, y + h), 0.9) for x, y, w, h, area in stats[1:].tolist() if area > 60]


@pytest.fixture(autouse=True)
def parts(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts without networks: every plate reads alike."""
    pipeline = Pipeline(replace(patch_pipeline().parts, detector=RedDetector()))
    monkeypatch.setattr("platereader.lab.synthesis.video.material.load_material", lambda _: material)
    for command in ("evaluate", "benchmark"):
        monkeypatch.setattr(f"platereader.cli.{command}.build_pipeline", lambda _: pipeline)


def test_the_suite_is_run_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, folder = tmp_path / "video.json", tmp_path / "wrong"
    arguments = ["--video", "--clips", "1", "--json", str(report), "--failures", str(folder)]
    assert main(["evaluate", str(tmp_path), *arguments]) == 0
    out = capsys.readouterr().out
    assert "whole-string majority right" in out
    assert all(name in out for name in run.SETTINGS)
    data = json.loads(report.read_text(encoding="utf-8"))
    assert [one["name"] for one in data["levels"]] == ["easy", "medium", "hard"]
    assert len(data["changed"]) == 3  # the frozen clips are made of other photographs
    assert len(data["passages"]) == 3
    assert data["levels"][0]["identity"]["boxes"] > 5
    assert len(data["failures"]) == len(list(folder.glob("*.jpg"))) == 3


def test_clips_go_through_a_codec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "video.json"
    assert main(["evaluate", str(tmp_path), "--video", "--clips", "1", "--h264", "40", "--json", str(report)]) == 0
    assert "through H.264 of rate factor 40" in capsys.readouterr().out
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data["crf"] == 40
    assert data["levels"][0]["identity"]["boxes"] > 5


def test_the_kinds_are_run_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platereader.lab.synthesis.video.identity_kinds.IDENTITY_KINDS", ("cut A B",))
    monkeypatch.setattr("platereader.lab.suites.video.identity_kinds.KIND_CLIPS", 2)
    report = tmp_path / "video.json"
    assert main(["evaluate", str(tmp_path), "--video", "--clips", "0", "--h264", "23", "--json", str(report)]) == 0
    out = capsys.readouterr().out
    assert "1 kinds through H.264 of rate factor 23 and 0 videos" in out
    assert "true passages" in out
    (kind,) = json.loads(report.read_text(encoding="utf-8"))["kinds"]
    assert (kind["kind"], kind["clips"], kind["passages"], kind["lost"]) == ("cut A B", 2, 4, kind["mixed"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--h264", "23"], "--h264 is for the clips of a suite: add --video"),
        (["--clips", "2", "--ends"], "--clips is for the clips of a suite: add --video"),
    ],
)
def test_options_of_clips_need_clips(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main(["evaluate", str(tmp_path), *options]) == 2
    assert says in capsys.readouterr().err


def test_a_rate_factor_has_a_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", str(tmp_path), "--video", "--h264", "52"])
    assert "'52' is no constant rate factor of libx264: 0 to 51" in capsys.readouterr().err


def test_streams_are_timed_against_reading_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(economy, "clip_names", lambda: ["easy 07 several"])
    path = tmp_path / "stream.json"
    arguments = ["--rounds", "2", "--clips", "1", "--json", str(path)]
    assert main(["benchmark", "stream", str(tmp_path), *arguments]) == 0
    data = json.loads(path.read_text(encoding="utf-8"))
    assert [one["name"] for one in data["speeds"]] == [PER_FRAME, *run.SETTINGS]
    assert all(one["frames_per_s"] > 0 and one["frame_ms"]["n"] == 2 for one in data["speeds"])
    assert data["speeds"][0]["times_as_fast"] == 1
    assert data["plates"] == 2
    assert len(data["settings"]) == 3 * len(run.SETTINGS)
    assert "times as fast" in capsys.readouterr().out
