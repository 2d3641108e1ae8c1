"""What can be read in a video before and after it was redacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.redaction_coverage import Coverage, frame_coverage, measure_real
from captures import VideoKind, write_video
from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import BgrImage, Box, Detection, Pipeline, Quad
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


def test_a_frame_counts_what_is_covered_of_its_plates_and_how_much_is_painted() -> None:
    shape = (180, 240, 3)
    beside = PLATE.moved(100, 40)
    corners = [Quad.from_box(box).to_array() for box in (PLATE, beside)]
    counted = frame_coverage([Detection(PLATE, 0.9)], corners, corners, shape)
    assert (counted.plates, counted.covered, counted.whole) == (2, 1, 1)
    area = PLATE.width * PLATE.height
    assert area < counted.painted_px < 2.5 * area
    assert counted.plates_px == pytest.approx(2 * area, rel=0.05)
    total = Coverage(1, 1, 0, 10, 5)
    total.add(counted)
    assert (total.plates, total.covered, total.whole) == (3, 2, 1)
    assert total.painted_px == counted.painted_px + 10
    assert frame_coverage([], corners[:1], corners, shape).painted_px == 0
