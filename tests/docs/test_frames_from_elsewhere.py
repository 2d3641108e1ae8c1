"""The recipes for PyAV and for a pipe read what a stream reads when it gets the same frames from this library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from docs.test_snippets import REPOSITORY, blocks_of

from captures import write_video
from platereader import BgrImage, Pipeline
from platereader.media import open_source, read_image

HOW_TO = REPOSITORY / "docs" / "how-to"
# Another program that writes a file into a pipe, in pieces that are no frames.
WRITER = """
import sys
with open(sys.argv[1], "rb") as file:
    while piece := file.read(99_991):
        sys.stdout.buffer.write(piece)
"""


@pytest.fixture(scope="module")
def frame() -> BgrImage:
    """1280 x 720 px, three plates."""
    return read_image(REPOSITORY / "examples" / "pictures" / "street-1.jpg")


def program_of(page: str) -> str:
    return "\n".join(code for _, code in blocks_of(HOW_TO / f"{page}.md"))


def passages(frames: Iterable[tuple[float, BgrImage]]) -> list[str]:
    """What the program of the page prints of them."""
    updates = Pipeline.build().read_stream(frames)
    return [f"{plate.first_seen_s:.1f} s {plate.text} {plate.status}" for one in updates for plate in one.finished]


def piped(folder: Path, writer: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """``writer | python plates.py arguments``."""
    program = folder / "plates.py"
    program.write_text(program_of("gstreamer"), encoding="utf-8")
    found = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(writer, stdout=subprocess.PIPE) as source:
        done = subprocess.run(
            [sys.executable, str(program), *arguments],
            stdin=source.stdout,
            env={**os.environ, "PYTHONPATH": found},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert source.stdout is not None
        source.stdout.close()
    return done


def test_pyav(frame: BgrImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "gate.mp4", [frame] * 3, times_s=[0.0, 0.1, 0.5])
    exec(compile(program_of("pyav"), "pyav.md", "exec"), {"__name__": "__snippet__"})  # noqa: S102
    rows = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 3
    assert [row["last"]["timestamp_s"] for row in rows] == pytest.approx([0.5] * len(rows), abs=0.01)
    found = [f"{row['first']['timestamp_s']:.1f} s {row['text']} {row['status']}" for row in rows]
    assert found == passages(open_source("gate.mp4"))


@pytest.mark.parametrize("cut_px", [0, 1000])
def test_a_pipe(frame: BgrImage, tmp_path: Path, cut_px: int) -> None:
    raw = tmp_path / "frames.bgr"
    raw.write_bytes((frame.tobytes() * 3)[: None if cut_px == 0 else -3 * cut_px])
    done = piped(tmp_path, [sys.executable, "-c", WRITER, str(raw)], "1280", "720", "10")
    assert done.returncode == 0, done.stderr
    whole = 3 if cut_px == 0 else 2
    assert done.stdout.splitlines() == passages((index / 10, frame) for index in range(whole))
    assert "read" in done.stdout


def test_without_a_rate_the_clock_counts(frame: BgrImage, tmp_path: Path) -> None:
    raw = tmp_path / "frames.bgr"
    raw.write_bytes(frame.tobytes())
    done = piped(tmp_path, [sys.executable, "-c", WRITER, str(raw)], "1280", "720")
    assert done.returncode == 0, done.stderr
    expected = [line.split()[2:] for line in passages([(0.0, frame)])]
    assert [line.split()[2:] for line in done.stdout.splitlines()] == expected


def test_a_width_with_padded_rows_is_refused(tmp_path: Path) -> None:
    done = piped(tmp_path, [sys.executable, "-c", ""], "1278", "720", "10")
    assert done.returncode == 1
    assert done.stderr.startswith("the width is 1278: take a multiple of 4")


def test_gstreamer_writes_such_frames(frame: BgrImage, tmp_path: Path) -> None:
    gst = shutil.which("gst-launch-1.0")
    if gst is None:
        pytest.skip("needs gst-launch-1.0: on Debian, apt install gstreamer1.0-tools gstreamer1.0-plugins-base")
    raw = tmp_path / "frames.bgr"
    raw.write_bytes(frame.tobytes() * 3)
    source = f"filesrc location={raw} ! rawvideoparse format=bgr width=1280 height=720 framerate=10/1"
    caps = "video/x-raw,format=BGR,width=1280,height=720,framerate=10/1"
    command = f"{source} ! videoconvert ! videoscale ! videorate ! {caps} ! fdsink"
    done = piped(tmp_path, [gst, "-q", *command.split()], "1280", "720", "10")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == passages((index / 10, frame) for index in range(3))
