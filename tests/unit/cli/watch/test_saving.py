"""The annotated video keeps the time in which its frames were taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from captures import read_video
from platereader import StreamUpdate
from platereader.cli.watch.saving import AnnotatedVideo
from platereader.errors import InvalidArgumentError

FRAME = np.zeros((48, 64, 3), np.uint8)


def length_of(path: Path, times_s: list[float], *, fps: float = 10.0) -> int:
    """How many frames a video of frames at those times has."""
    video = AnnotatedVideo(path, fps=fps, source="0")
    for timestamp_s in times_s:
        video.add(FRAME, StreamUpdate(timestamp_s, (), ()))
    video.close()
    return len(read_video(path))


@pytest.mark.parametrize(
    ("times_s", "frames"),
    [
        ([0.0, 0.1, 0.2], 3),
        ([7.0, 7.1, 7.2], 3),
        ([0.0, 0.104, 0.196, 0.301], 4),  # clocks are never exact
        ([0.0, 0.5, 1.0], 11),  # dropped frames
        ([0.0, 0.01, 0.02, 0.1], 2),  # faster than the video
        ([0.0, 0.1, 600.0, 600.1], 4),  # away for ten minutes
        ([0.0, 2.0], 21),
    ],
)
def test_lengths(tmp_path: Path, times_s: list[float], frames: int) -> None:
    assert length_of(tmp_path / "marked.mp4", times_s) == frames


def test_without_a_frame_there_is_no_video(tmp_path: Path) -> None:
    AnnotatedVideo(tmp_path / "marked.mp4", fps=10.0, source="0").close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "marked.mp4").mkdir()
    with pytest.raises(InvalidArgumentError, match="cannot be written"):
        length_of(tmp_path / "marked.mp4", [0.0])
