"""``platereader watch`` before a camera: how it stops, is interrupted, and is lost."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from command_line import ONE, Command

from captures import ScriptedCapture, read_video
from fakes import frame_with
from platereader.media._camera import LiveFeed


class Camera:
    """An endless camera in the place of the real ones; what it is opened with is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, lost: bool = False) -> None:
        self._lost = lost
        monkeypatch.setattr("platereader.media._opening.open_source", self._open)

    def _open(self, source: str, **options: Any) -> LiveFeed:
        self.capture = ScriptedCapture([frame_with(ONE)] * 20, endless=not self._lost, pause_s=0.01)
        return LiveFeed(
            self.capture,
            name="rtsp://camera/1",
            reopen=lambda: None,
            notify=options["notify"],
            reconnect_limit=options["reconnect_limit"],
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_and_flushes(
    number: signal.Signals, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = Camera(monkeypatch)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    marked = tmp_path / "marked.mp4"
    timer = threading.Timer(1.5, os.kill, [os.getpid(), number])
    timer.start()
    outcome = command("watch", "--json", "rtsp://admin:hunter2@camera/1", "--save", marked)
    timer.join()
    started, *events, ended = outcome.lines
    assert outcome.status == 0
    assert started["live"]
    assert [event["event"] for event in events] == ["settled", "finished"]
    assert ended["why"] == "stopped"
    assert len(read_video(marked)) >= 5
    assert camera.capture.released
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_second_ctrl_c_interrupts(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    Camera(monkeypatch)
    monkeypatch.setattr("platereader.cli.watch.reports.JsonReport.add", press)
    monkeypatch.setattr(LiveFeed, "stop", press)  # it hangs in a driver, and the keys are pressed again
    status, _, err = command("watch", "0", "--json")
    assert status == 130
    assert "interrupted" in err


def test_a_lost_camera(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Camera(monkeypatch, lost=True)
    outcome = command("watch", "rtsp://admin:hunter2@camera/1", "--reconnect-limit", "0", "--csv")
    (row,) = outcome.rows
    assert (outcome.status, row["text"], row["first_seen_at"][:2]) == (1, "A123BC77", "20")
    assert "rtsp://camera/1 was lost" in outcome.err
    assert "hunter2" not in outcome.err
