"""What can be read in a video before and after it was redacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.redaction_coverage import measure_real
from captures import VideoKind, write_video
from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import BgrImage, Box, Detection, Pipeline
from platereader.protocols import Detector

PLATE = Box(60, 80, 140, 110)


class BlindDetector:
    """Finds nothing."""

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """None in each frame."""
        return [[] for _ in frames]


class ShippedStandIn(PatchDetector):
    """Takes the place of the shipped detector, which has inputs of several sizes."""

    def with_input_size(self, _: int) -> PatchDetector:
        """Looks as closely as before."""
        return PatchDetector()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    monkeypatch.setattr("benchmarks.redaction_coverage.PlateDetector", ShippedStandIn)
    return Pipeline(replace(patch_pipeline().parts, detector=ShippedStandIn()))


@pytest.mark.parametrize(
    ("detector", "left"),
    [(PatchDetector(), "0 after []"), (BlindDetector(), "4 after ['0.00', '0.04', '0.08', '0.12']")],
)
def test_what_is_left_open_is_named_by_its_time(
    tmp_path: Path, pipeline: Pipeline, capsys: pytest.CaptureFixture[str], detector: Detector, left: str
) -> None:
    frames = [np.ascontiguousarray(frame_with({50: PLATE}, width=240, height=180))] * 4
    write_video(tmp_path / "a.mp4", frames, kind=VideoKind("libx264rgb", "bgr0", {"qp": "0"}))
    measure_real(pipeline, detector, tmp_path)
    assert capsys.readouterr().out == f"a.mp4: 4 frames; 4 plates read before, {left}\n"
