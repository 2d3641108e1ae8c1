"""The example programs run on the example pictures."""

import json
import runpy
import shutil
from pathlib import Path

import pytest

from captures import write_video
from platereader import Box, Detection, Pipeline
from platereader.media._images import read_image
from platereader.testing import check_tracker

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PICTURES = sorted((EXAMPLES / "pictures").glob("*.jpg"))


def run(name: str, *arguments: str) -> None:
    """Run ``main`` of an example program."""
    runpy.run_path(str(EXAMPLES / name))["main"](arguments)


@pytest.mark.parametrize(
    "name", ["asyncio_frames", "contact_sheets", "own_detector", "own_frames", "read_folder", "two_cameras"]
)
def test_without_arguments_the_usage_is_told(name: str) -> None:
    with pytest.raises(SystemExit, match=f"python examples/{name}.py [A-Zd]"):
        run(f"{name}.py")


def test_read_folder(capsys: pytest.CaptureFixture[str]) -> None:
    run("read_folder.py", str(EXAMPLES / "pictures"))
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {path.name for path in PICTURES} <= {row["file"] for row in rows}
    assert any(plate["status"] == "read" for row in rows for plate in row["plates"])


def test_own_detector(capsys: pytest.CaptureFixture[str]) -> None:
    surest = max(
        (
            (reading.confidence, reading, path)
            for path in PICTURES
            for reading in Pipeline.build().read(read_image(path))
        ),
        key=lambda item: item[0],
    )
    _, reading, path = surest
    assert reading.detection is not None
    run("own_detector.py", str(path), *map(str, reading.detection.box.to_tuple()))
    assert capsys.readouterr().out.split()[0] == reading.text


def test_contact_sheets(tmp_path: Path) -> None:
    run("contact_sheets.py", str(tmp_path))
    shown = {path.name for path in (EXAMPLES.parent / "docs" / "images").glob("*.jpg")}
    assert {path.name for path in tmp_path.iterdir()} == shown - {"clip.jpg"}  # the first frame of the video


def test_two_cameras(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = [str(write_video(tmp_path / f"{path.stem}.mp4", [read_image(path)] * 4, fps=10)) for path in PICTURES[:2]]
    run("two_cameras.py", *videos)
    printed = capsys.readouterr().out
    assert all(video in printed for video in videos)


def test_own_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for milliseconds in (960, 1000, 1040, 1200):
        shutil.copy(PICTURES[0], tmp_path / f"{milliseconds}.jpg")
    run("own_frames.py", str(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith("0.96-1.20 s") for line in lines)
    assert any(line.endswith(" read") for line in lines)


def test_asyncio_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = write_video(tmp_path / "video.mp4", [read_image(PICTURES[0])] * 6, fps=10)
    run("asyncio_frames.py", str(video))
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert any(line.endswith(" read") for line in lines)


@pytest.mark.parametrize(
    ("name", "tracker", "needed"),
    [
        ("byte_track.py", "ByteTrack", ("lap",)),
        ("roboflow_trackers.py", "RoboflowTracker", ("trackers", "supervision")),
        ("norfair_distance.py", "DistanceTracker", ("norfair",)),
    ],
)
def test_a_tracker_of_others(
    name: str, tracker: str, needed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for package in needed:
        pytest.importorskip(package, reason=f"{package} is not installed: examples/own_tracker/{name} says how")
    make = runpy.run_path(str(EXAMPLES / "own_tracker" / name))[tracker]
    check_tracker(make)
    standing = [Detection(Box(10, 10, 110, 32), 0.9)]
    one, other = make(), make()
    for time_s in (0.1, 0.2, 0.3):
        assert one.update(standing, time_s) == other.update(standing, time_s)
    assert one.update([], 0.4).coasting[0][0] == one.update(standing, 0.5).track_ids[0]
    run(f"own_tracker/{name}", *[str(PICTURES[0])] * 3)
    assert "0.2 s: plate " in capsys.readouterr().out
