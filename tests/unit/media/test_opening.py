"""From words to frames, with real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from captures import ScriptedCapture, write_video
from platereader.errors import CaptureError, InvalidArgumentError
from platereader.media._camera import LiveFeed
from platereader.media._opening import open_source


def save(folder: Path, *names: str) -> None:
    """Small pictures, each brighter than the one before."""
    for index, name in enumerate(names):
        Image.fromarray(np.full((24, 32, 3), 40 * index, np.uint8)).save(folder / name)


def test_a_video(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "кадры 1.mp4", [np.full((48, 64, 3), 20 * index, np.uint8) for index in range(6)], fps=20
    )
    source = open_source(path)
    frames = list(source)
    source.close()
    assert [round(timestamp_s, 3) for timestamp_s, _ in frames] == [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]
    assert frames[0][1].shape == (48, 64, 3)
    assert (source.live, source.fps, source.frame_count, source.name) == (False, 20.0, 6, str(path))


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    save(tmp_path, "frame-1.png", "frame-2.png", "frame-10.png", ".hidden.png")
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path), fps=4)
    assert [(timestamp_s, int(frame[0, 0, 0])) for timestamp_s, frame in source] == [(0.0, 0), (0.25, 40), (0.5, 80)]
    assert source.frame_count == 3


def test_a_damaged_picture_leaves_a_gap_and_is_said_twice(tmp_path: Path) -> None:
    save(tmp_path, "1.png", "2.png", "3.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    said: list[str] = []
    seen: list[float] = []
    with pytest.raises(CaptureError, match="1 of the 3 pictures"):
        seen.extend(timestamp_s for timestamp_s, _ in open_source(tmp_path, notify=said.append))
    assert seen == [0.0, 0.08]
    assert len(said) == 1
    assert "2.png" in said[0]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="there is no file or folder"):
        open_source(tmp_path / "absent.mp4")
    with pytest.raises(CaptureError, match="holds no pictures"):
        open_source(tmp_path)
    (tmp_path / "letter.mp4").write_bytes(b"Dear Sir or Madam" * 99)
    with pytest.raises(CaptureError, match="not a video"):
        open_source(tmp_path / "letter.mp4")


def test_a_camera_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(CaptureError, match=r"rtsp://127\.0\.0\.1:9/1 cannot be opened") as caught:
        open_source("rtsp://admin:hunter2@127.0.0.1:9/1")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(CaptureError, match="webcam 4711 cannot be opened"):
        open_source(4711)


def opens(monkeypatch: pytest.MonkeyPatch, **properties: float) -> list[tuple[Any, ...]]:
    """Let OpenCV open anything; returns what it is asked for."""
    asked: list[tuple[Any, ...]] = []

    class Opened(ScriptedCapture):
        def __init__(self, *arguments: Any) -> None:
            asked.append(arguments)
            numbers = {getattr(cv2, name): value for name, value in properties.items()}
            super().__init__([np.zeros((8, 8, 3), np.uint8)], properties=numbers)

        def isOpened(self) -> bool:  # noqa: N802 # OpenCV's name
            return True

    monkeypatch.setattr(cv2, "VideoCapture", Opened)
    return asked


def test_a_camera_is_live_and_is_handed_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = opens(monkeypatch, CAP_PROP_FRAME_COUNT=-9.2e18, CAP_PROP_FPS=15.0)
    source = open_source("rtsp://admin:hunter2@camera/1", reconnect_limit=0)
    assert isinstance(source, LiveFeed)
    assert source.fps == 15.0
    assert asked[0][0] == "rtsp://admin:hunter2@camera/1"
    with pytest.raises(CaptureError, match="rtsp://camera/1 was lost") as caught:
        list(source)
    assert "hunter2" not in str(caught.value)
    source.close()


def test_an_address_with_a_known_length_is_a_video(monkeypatch: pytest.MonkeyPatch) -> None:
    opens(monkeypatch, CAP_PROP_FRAME_COUNT=1.0)
    source = open_source("http://host/gate.mp4")
    assert not source.live
    assert len(list(source)) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: open_source("x.mp4", fps=0), "fps is 0"),
        (lambda: open_source("x.mp4", fps=float("nan")), "fps is nan"),
        (lambda: open_source("x.mp4", reconnect_limit=-1), "reconnect_limit is -1"),
        (lambda: open_source(0, fps=5), "fps is 5 for webcam 0"),
    ],
)
def test_wrong_arguments(call: Callable[[], object], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opens(monkeypatch)
    with pytest.raises(InvalidArgumentError, match=message):
        call()
