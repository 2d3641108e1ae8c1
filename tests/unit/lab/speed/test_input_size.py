from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import pytest

from fakes import PatchDetector, frame_with
from platereader import Box, Detection
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics.rates import Rate
from platereader.lab.speed.input_size import InputSizeReport, evaluate_input_sizes, format_input_sizes
from platereader.lab.speed.plots import draw_input_sizes
from platereader.results import PartDescription

LEFT, RIGHT = Box(20, 30, 100, 50), Box(200, 150, 290, 175)


@dataclass(frozen=True)
class _NearSightedDetector:
    """Below 640 px it finds the second plate only when it is asked for low scores."""

    input_size: int = 640
    min_score: float = 0.3

    def with_input_size(self, input_size: int) -> _NearSightedDetector:
        """The same with another size."""
        return replace(self, input_size=input_size)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The patches."""
        found = PatchDetector().detect(frames)
        weak = 0.9 if self.input_size >= 640 else 0.1
        scored = [[Detection(one.box, weak if one.box.x1 > 150 else 0.9) for one in boxes] for boxes in found]
        return [[one for one in boxes if one.score >= self.min_score] for boxes in scored]


@pytest.fixture
def images(tmp_path: Path) -> list[LabelledImage]:
    """Two pictures with two plates each."""
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), frame_with({50: LEFT, 100: RIGHT}))
    plates = (LabelledPlate(LEFT), LabelledPlate(RIGHT))
    return [LabelledImage(tmp_path / name, 320, 240, plates) for name in ("a.png", "b.png")]


def test_each_size_is_scored_and_timed(images: list[LabelledImage], tmp_path: Path) -> None:
    ticks: list[None] = []
    scores = evaluate_input_sizes(
        _NearSightedDetector(), images, sizes=(640, 320), rounds=3, on_picture=lambda: ticks.append(None)
    )
    assert [one.input_size for one in scores] == [320, 640]
    assert [one.recall50 for one in scores] == [Rate(2, 4), Rate(4, 4)]
    assert [one.ap50 and one.ap50.value for one in scores] == [1.0, 1.0]  # it asks for low scores
    assert all(one.timing.n == 3 and one.timing.median_ms >= 0 for one in scores)
    assert len(ticks) == 2
    report = InputSizeReport("toy", 2, scores, PartDescription("detector", "fake"))
    assert "2/4 50.0 %" in format_input_sizes(report)
    assert json.loads(json.dumps(report.to_dict()))["sizes"][0]["recall50"]["count"] == 2
    assert draw_input_sizes(report, tmp_path / "plots").stat().st_size > 2000


def test_a_detector_without_an_input_size_is_refused(images: list[LabelledImage]) -> None:
    with pytest.raises(InvalidArgumentError, match="PatchDetector"):
        evaluate_input_sizes(PatchDetector(), images, sizes=(320,))


def test_the_command_prints_draws_and_writes(
    images: list[LabelledImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.dumps({"file": one.path.name, "plates": [{"box": list(LEFT.to_tuple())}]}) for one in images]
    (tmp_path / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setattr("platereader._loading.load_detector", lambda _, options: _NearSightedDetector())
    words = ["benchmark", "detector", str(tmp_path), "--sizes", "320", "640", "--rounds", "2"]
    assert main([*words, "--json", str(tmp_path / "curve.json"), "--plots", str(tmp_path / "plots")]) == 0
    assert "input, px" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))["sizes"]) == 2
    assert (tmp_path / "plots" / "input-size.png").is_file()
