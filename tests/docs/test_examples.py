"""The example programs run on the example pictures."""

import json
import runpy
from pathlib import Path

import cv2
import pytest

from platereader import Pipeline
from platereader.datasets import read_image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PICTURES = sorted((EXAMPLES / "pictures").glob("*.jpg"))


def run(name: str, *arguments: str) -> None:
    """Run ``main`` of an example program."""
    runpy.run_path(str(EXAMPLES / name))["main"](arguments)


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
    assert {path.name for path in tmp_path.iterdir()} == shown


def test_two_cameras(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    films: list[str] = []
    for path in PICTURES[:2]:
        frame = read_image(path)
        film = str(tmp_path / f"{path.stem}.mp4")
        writer = cv2.VideoWriter(film, cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (frame.shape[1], frame.shape[0]))
        for _ in range(4):
            writer.write(frame)
        writer.release()
        films.append(film)
    run("two_cameras.py", *films)
    printed = capsys.readouterr().out
    assert all(film in printed for film in films)
