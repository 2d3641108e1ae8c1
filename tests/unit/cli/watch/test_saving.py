"""The annotated video keeps the times at which its frames were taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from captures import ScriptedCapture, read_timed
from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate
from platereader._files import InputFiles
from platereader.cli.watch.saving import AnnotatedVideo, PassageCrops, video_paths
from platereader.errors import InvalidArgumentError
from platereader.media._camera import LiveFeed
from platereader.media._drawing import draw_update

FRAME = np.zeros((48, 64, 3), np.uint8)


def annotated(path: Path, *, live: bool = True) -> AnnotatedVideo:
    source = LiveFeed(ScriptedCapture([], fps=10.0), name="0", reopen=lambda: None, notify=print)
    source.live = live
    return AnnotatedVideo(path, source=source, inputs=InputFiles(), quality=None, draw=draw_update)


def times_of(path: Path, times_s: list[float], *, live: bool = True) -> list[float]:
    """The times that a video of frames at those times has."""
    video = annotated(path, live=live)
    for timestamp_s in times_s:
        video.add(FRAME, StreamUpdate(timestamp_s, (), ()))
    video.close()
    return [round(time_s, 3) for time_s, _ in read_timed(path)]


@pytest.mark.parametrize(
    ("times_s", "kept_s"),
    [
        ([0.0, 0.1, 0.2], [0.0, 0.1, 0.2]),
        ([7.0, 7.1, 7.2], [0.0, 0.1, 0.2]),
        ([0.0, 0.104, 0.196, 0.301], [0.0, 0.104, 0.196, 0.301]),  # clocks are never exact
        ([0.0, 0.5, 1.9], [0.0, 0.5, 1.9]),  # dropped frames
        ([0.0, 0.1, 600.0, 600.1], [0.0, 0.1, 0.2, 0.3]),  # away for ten minutes
    ],
)
def test_the_times_of_a_camera(tmp_path: Path, times_s: list[float], kept_s: list[float]) -> None:
    assert times_of(tmp_path / "marked.mp4", times_s) == kept_s


def test_a_gap_in_a_file_is_kept(tmp_path: Path) -> None:
    assert times_of(tmp_path / "marked.mp4", [0.0, 0.1, 60.0], live=False) == [0.0, 0.1, 60.0]


def test_without_a_frame_there_is_no_video(tmp_path: Path) -> None:
    annotated(tmp_path / "marked.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "marked.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    for name in ("marked.mp4", "link.mp4"):
        with pytest.raises(InvalidArgumentError, match="cannot be written"):
            video_paths(tmp_path / name, [Path("gate.mp4")], several=False, inputs=InputFiles())


def test_crops_of_two_runs_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    runs = [PassageCrops(tmp_path), PassageCrops(tmp_path)]
    (plate,) = patch_pipeline().stream().update(frame_with({50: Box(20, 30, 100, 50)}), 0.0).active
    paths = [run.save(plate) for _ in range(2) for run in runs]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths if path is not None)
    assert len(set(paths)) == 4


def test_a_name_that_another_run_takes_at_the_last_moment_is_not_taken_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [PassageCrops(tmp_path), PassageCrops(tmp_path)]
    (plate,) = patch_pipeline().stream().update(frame_with({50: Box(20, 30, 100, 50)}), 0.0).active
    monkeypatch.setattr("os.path.lexists", lambda _: False)  # as it was when it was asked
    assert len({run.save(plate) for _ in range(2) for run in runs}) == 4
    assert len(list(tmp_path.iterdir())) == 4


def test_places_that_cannot_be_made_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no folder")
    with pytest.raises(InvalidArgumentError, match=r"--save is .*plain' is no folder"):
        video_paths(tmp_path / "plain" / "o.mp4", [Path("gate.mp4")], several=False, inputs=InputFiles())
    with pytest.raises(InvalidArgumentError, match=r"--save-crops is .*plain' is no folder"):
        PassageCrops(tmp_path / "plain")
