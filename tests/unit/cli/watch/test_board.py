"""What the board hands out, and that it never holds the stream up."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate
from platereader._arrays import BgrImage
from platereader.cli.watch import board as board_module
from platereader.cli.watch.board import Board
from platereader.media._drawing import draw_update

ONE = {50: Box(40, 60, 120, 80)}


def updates(frames: list[BgrImage]) -> list[StreamUpdate]:
    """What a stream says of the frames, and its end."""
    stream = patch_pipeline().stream()
    return [*(stream.update(frame, index / 10) for index, frame in enumerate(frames)), stream.finish()]


def decoded(jpeg: bytes) -> BgrImage:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(pixels, np.uint8)


def test_a_passage_from_in_view_to_gone() -> None:
    frame = frame_with(ONE)
    *seen, final = updates([frame] * 4)
    board = Board("gate.mp4", frame_count=4)
    assert board.state()["plates"] == []
    for update in seen:
        board.show(frame, update, dropped=3)
    state = board.state()
    assert (state["title"], state["frame"], state["dropped"], state["phase"]) == ("gate.mp4", 4, 3, "running")
    (plate,) = state["plates"]
    assert (plate["text"], plate["text_cyrillic"], plate["region"]) == ("A123BC77", "А123ВС77", "Moscow")
    assert not plate["gone"]
    board.end(final, "ended")
    state = board.state()
    assert (state["phase"], state["passages"], state["plates"][0]["gone"]) == ("ended", 1, True)


def test_frames_are_numbered_drawn_on_and_waited_for() -> None:
    frame = frame_with(ONE)
    first, second, _ = updates([frame] * 2)
    board = Board("gate.mp4")
    assert board.frame_jpeg(0, timeout_s=0.01) is None
    board.show(frame, first)
    board.show(frame, second)
    number, jpeg = board.frame_jpeg(0, timeout_s=1) or (0, b"")
    assert number == 2
    assert decoded(jpeg).shape == frame.shape
    assert decoded(jpeg)[..., 1].max() > 100, "nothing is drawn"
    assert frame[..., 1].max() == 0, "the frame itself is drawn on"
    assert board.frame_jpeg(2, timeout_s=0.01) is None
    threading.Timer(0.05, board.show, [frame, second]).start()
    assert (board.frame_jpeg(2, timeout_s=5) or (0, b""))[0] == 3


def test_large_frames_are_shrunk() -> None:
    board = Board("gate.mp4")
    board.show(np.zeros((1000, 4000, 3), np.uint8), StreamUpdate(0.0, (), ()))
    assert decoded((board.frame_jpeg(0, timeout_s=1) or (0, b""))[1]).shape == (320, 1280, 3)


def test_showing_does_not_wait_for_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    encoding, go_on = threading.Event(), threading.Event()

    def slowly(frame: BgrImage, update: StreamUpdate) -> BgrImage:
        encoding.set()
        go_on.wait(5)
        return draw_update(frame, update)

    monkeypatch.setattr(board_module, "draw_update", slowly)
    frame = frame_with(ONE)
    first, *_ = updates([frame])
    board = Board("gate.mp4")
    board.show(frame, first)
    browser = threading.Thread(target=board.frame_jpeg, args=(0,), kwargs={"timeout_s": 1})
    browser.start()
    assert encoding.wait(5)
    started_s = time.monotonic()
    for _ in range(50):
        board.show(frame, first)
    assert time.monotonic() - started_s < 1
    go_on.set()
    browser.join()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MAX_PASSAGES", 3)
    board = Board("gate.mp4")
    frame = frame_with(ONE)
    for index in range(5):
        *_, final = updates([frame] * 3)
        plate = final.finished[0]
        board.show(frame, StreamUpdate(index, (), (replace(plate, track_id=index),)))
    state = board.state()
    assert state["passages"] == 5
    assert [plate["id"] for plate in state["plates"]] == [4, 3, 2]
    assert board.crop_jpeg(1) is None
    assert decoded(board.crop_jpeg(4) or b"").shape == (20, 80, 3)


def test_a_plate_in_view_stays_on_top_however_many_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MAX_PASSAGES", 3)
    frame = frame_with(ONE)
    parked, *_ = updates([frame] * 3)[2].active
    board = Board("gate.mp4")
    for index in range(100, 110):
        board.show(frame, StreamUpdate(index, (parked,), (replace(parked, track_id=index),)))
    state = board.state()
    assert [plate["id"] for plate in state["plates"]] == [parked.track_id, 109, 108]
    assert state["passages"] == 11
