"""``platereader read --explain``: why each candidate was reported or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Command, save

from fakes import ThresholdDetector, patch_pipeline
from platereader import Box, Pipeline, Quad, TrustPolicy
from platereader.detection._tiled import TiledDetector
from platereader.rectification._corners import CornerRectifier


def explaining(command: Command, built: Pipeline | None = None, **parts: Any) -> None:
    """Put a pipeline in place whose detector has a threshold."""
    own = (built or patch_pipeline()).parts
    command.over(Pipeline(replace(own, **{"detector": ThresholdDetector(), **parts})))


def stages(pictures: Sequence[dict[str, Any]]) -> list[tuple[float, str]]:
    return [(one["detection"]["score"], one["stage"]) for one in pictures[0]["explanations"]]


def test_every_candidate_is_explained(tmp_path: Path, command: Command) -> None:
    explaining(command)
    places = {50: Box(10, 10, 90, 30), 100: Box(10, 50, 90, 70), 200: Box(10, 90, 90, 110), 150: Box(10, 130, 90, 150)}
    path = save(tmp_path / "x.png", places)
    pictures = command("read", "--json", path, "--explain").pictures
    assert [reading["text"] for reading in pictures[0]["readings"]] == ["A123BC77", None]
    assert stages(pictures) == [(0.9, "passed"), (0.8, "decoder"), (0.2, "detector")]
    out = command("read", path, "--explain").out
    assert "candidate 0.20 at 10,50 80x20 px: detector: its score of 0.20 is below the threshold 0.3" in out
    out = command("read", path, "--explain", "--lang", "ru").out
    assert "кандидат 0.20, рамка 10,50 80x20 пикс.: детектор: оценка 0.20 ниже порога 0.3" in out


def test_candidates_of_a_detector_on_tiles_are_explained(tmp_path: Path, command: Command) -> None:
    explaining(command, detector=TiledDetector(ThresholdDetector(), tile_px=200, overlap_px=100))
    path = save(tmp_path / "x.png", {50: Box(10, 10, 90, 30), 100: Box(10, 50, 90, 70)})
    assert stages(command("read", "--json", path, "--explain").pictures) == [(0.9, "passed"), (0.2, "detector")]


MIRRORED = Quad((120, 60), (40, 60), (40, 80), (120, 80))


@pytest.mark.parametrize(
    ("built", "parts", "words"),
    [
        (patch_pipeline(probability=0.999), {}, "passed: read with a confidence of 0.9"),
        (patch_pipeline(probability=0.9), {}, "trust: the whole text has a confidence of 0."),
        (
            patch_pipeline(probability=0.9, trust=TrustPolicy(min_confidence=0.0, min_character=0.99)),
            {},
            "trust: its weakest character, ",
        ),
        (
            patch_pipeline(),
            {"detector": ThresholdDetector(corners=MIRRORED), "rectifier": CornerRectifier()},
            "the rectifier rejected its corners",
        ),
    ],
)
def test_the_judgement_is_explained(
    tmp_path: Path, command: Command, built: Pipeline, parts: dict[str, Any], words: str
) -> None:
    explaining(command, built, **parts)
    assert words in command("read", save(tmp_path / "x.png"), "--explain").out


def test_a_detector_without_threshold_cannot_be_explained(tmp_path: Path, command: Command) -> None:
    status, out, err = command("read", save(tmp_path / "x.png"), "--explain")
    assert (status, out) == (2, "")
    assert "PatchDetector" in err
