"""What the live state hands out, and that it never holds the stream up."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

import cv2
import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, StreamUpdate
from platereader._arrays import BgrImage
from platereader.cli.watch import live_state
from platereader.cli.watch.events import Started, is_reported
from platereader.cli.watch.live_state import LiveState
from platereader.media._drawing import draw_update

FRAME = frame_with({50: Box(40, 60, 120, 80)})
MORNING = datetime(2026, 11, 28, 8, tzinfo=timezone.utc)
GATE = Started("gate.mp4", False, MORNING, None, 10.0, 4, "1")


def updates(frames: list[BgrImage]) -> list[StreamUpdate]:
    """What a stream says of the frames, and its end."""
    stream = patch_pipeline().stream()
    return [*(stream.update(frame, index / 10) for index, frame in enumerate(frames)), stream.finish()]


PLATE = updates([FRAME] * 3)[2].active[0]


def decoded(jpeg: bytes) -> BgrImage:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(pixels, np.uint8)


def test_a_passage_from_in_view_to_gone() -> None:
    *seen, final = updates([FRAME] * 4)
    state = LiveState()
    state.begin(GATE)
    assert state.snapshot()["plates"] == []
    for update in seen:
        state.show(FRAME, update, dropped=3)
    snapshot = state.snapshot()
    head = {name: snapshot[name] for name in ("title", "frame", "dropped", "phase")}
    assert head == {"title": "gate.mp4", "frame": 4, "dropped": 3, "phase": "running"}
    (plate,) = snapshot["plates"]
    assert (plate["text"], plate["text_local"], plate["region"]) == ("A123BC77", "А123ВС77", "Moscow")
    assert not plate["gone"]
    state.end(final, "ended")
    snapshot = state.snapshot()
    assert (snapshot["phase"], snapshot["passages"], snapshot["plates"][0]["gone"]) == ("ended", 1, True)


def test_only_a_sure_reading_names_its_region() -> None:
    verdict = replace(PLATE.verdict, status="uncertain", reason="low_confidence")
    state = LiveState()
    state.show(FRAME, StreamUpdate(0.0, (PLATE, replace(PLATE, passage_id=2, verdict=verdict)), ()))
    assert [(one["id"], one["region"]) for one in state.snapshot()["plates"]] == [(2, None), (1, "Moscow")]


def test_it_lists_what_is_reported_and_everything_if_told_so() -> None:
    verdict = replace(PLATE.verdict, status="uncertain")
    best = replace(PLATE.best, verdict=verdict)  # no frame was read surely
    doubtful = replace(PLATE, verdict=verdict, best=best, settled=False, readings=9, agreeing=1)
    for state, count in ((LiveState(), 0), (LiveState(is_listed=partial(is_reported, everything=True)), 1)):
        state.show(FRAME, StreamUpdate(0.0, (PLATE,), ()))
        assert state.snapshot()["passages"] == 1
        state.show(FRAME, StreamUpdate(0.1, (), (doubtful,)))  # it looked better than it was
        snapshot = state.snapshot()
        assert (snapshot["passages"], len(snapshot["plates"])) == (count, count)


def test_each_source_has_its_own_passages_and_times() -> None:
    state = LiveState()
    for started in (GATE, replace(GATE, source="yard.mp4", first_frame_at=MORNING)):
        state.begin(started)
        state.show(FRAME, StreamUpdate(0.5, (), (PLATE,)))
        state.end(StreamUpdate(0.5, (), ()), "ended")
    snapshot = state.snapshot()
    assert (snapshot["title"], snapshot["frame"], snapshot["passages"]) == ("yard.mp4", 1, 2)
    assert snapshot["at"] == "2026-11-28T08:00:00.500+00:00"
    sources = [(one["id"], one["source"], one["first_seen_at"]) for one in snapshot["plates"]]
    assert sources == [(2, "yard.mp4", "2026-11-28T08:00:00.000+00:00"), (1, "gate.mp4", None)]
    assert state.frame_jpeg(1, timeout_s=1) is not None


def test_a_run_stops_once_and_wakes_those_who_wait() -> None:
    state = LiveState()
    assert not state.wait_until_stopped(0.01)
    started_s = time.monotonic()
    stopping = threading.Timer(0.05, state.stop)
    stopping.start()
    assert state.frame_jpeg(0, timeout_s=60) is None
    assert state.wait_until_stopped(60)
    assert time.monotonic() - started_s < 20
    stopping.join()
    assert not state.stop(), "that is no news"
    assert state.snapshot()["phase"] == "stopped"


def test_frames_are_numbered_drawn_on_and_waited_for() -> None:
    first, second, _ = updates([FRAME] * 2)
    state = LiveState()
    assert state.frame_jpeg(0, timeout_s=0.01) is None
    state.show(FRAME, first)
    state.show(FRAME, second)
    number, jpeg = state.frame_jpeg(0, timeout_s=1) or (0, b"")
    assert number == 2
    assert decoded(jpeg).shape == FRAME.shape
    assert decoded(jpeg)[..., 1].max() > 100, "nothing is drawn"
    assert FRAME[..., 1].max() == 0, "the frame itself is drawn on"
    assert state.frame_jpeg(2, timeout_s=0.01) is None
    threading.Timer(0.05, state.show, [FRAME, second]).start()
    assert (state.frame_jpeg(2, timeout_s=5) or (0, b""))[0] == 3


def test_the_area_is_outlined() -> None:
    state = LiveState(draw=partial(draw_update, area=[(20, 100), (300, 100), (160, 220)]))
    state.show(FRAME, StreamUpdate(0.0, (), ()))
    shown = decoded((state.frame_jpeg(0, timeout_s=1) or (0, b""))[1])
    assert shown[100, 20:300].min() > 150
    assert shown[110:190, 160].max() < 30


def test_large_frames_are_shrunk() -> None:
    state = LiveState()
    state.show(np.zeros((1000, 4000, 3), np.uint8), StreamUpdate(0.0, (), ()))
    assert decoded((state.frame_jpeg(0, timeout_s=1) or (0, b""))[1]).shape == (320, 1280, 3)


def test_showing_does_not_wait_for_a_browser() -> None:
    encoding, go_on = threading.Event(), threading.Event()

    def slowly(frame: BgrImage, update: StreamUpdate) -> BgrImage:
        encoding.set()
        go_on.wait(60)
        return draw_update(frame, update)

    first, *_ = updates([FRAME])
    state = LiveState(draw=slowly)
    state.show(FRAME, first)
    browser = threading.Thread(target=state.frame_jpeg, args=(0,), kwargs={"timeout_s": 1})
    browser.start()
    assert encoding.wait(30)
    started_s = time.monotonic()
    for _ in range(50):
        state.show(FRAME, first)
    assert time.monotonic() - started_s < 20
    go_on.set()
    browser.join()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_state, "MAX_PASSAGES", 3)
    state = LiveState()
    for index in range(1, 6):
        state.show(FRAME, StreamUpdate(index, (), (replace(PLATE, passage_id=index),)))
    snapshot = state.snapshot()
    assert snapshot["passages"] == 5
    assert [plate["id"] for plate in snapshot["plates"]] == [5, 4, 3]
    assert state.crop_jpeg(2) is None
    assert decoded(state.crop_jpeg(5) or b"").shape == (20, 80, 3)


def test_a_plate_in_view_stays_on_top_however_many_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_state, "MAX_PASSAGES", 3)
    state = LiveState()
    for index in range(100, 110):
        state.show(FRAME, StreamUpdate(index, (PLATE,), (replace(PLATE, passage_id=index),)))
    snapshot = state.snapshot()
    assert [plate["id"] for plate in snapshot["plates"]] == [PLATE.passage_id, 109, 108]
    assert snapshot["passages"] == 11


def test_a_plate_that_left_is_not_in_view_although_it_may_come_back() -> None:
    state = LiveState()
    for active, gone in (((PLATE,), False), ((), True), ((PLATE,), False)):
        state.show(FRAME, StreamUpdate(0.0, active, ()))
        assert [one["gone"] for one in state.snapshot()["plates"]] == [gone]


def test_a_passage_that_was_joined_to_another_is_not_listed() -> None:
    state = LiveState()
    state.show(FRAME, StreamUpdate(0.0, (PLATE, replace(PLATE, passage_id=2)), ()))
    state.show(FRAME, StreamUpdate(0.1, (PLATE,), (), ((2, 1),)))
    snapshot = state.snapshot()
    assert (snapshot["passages"], [one["id"] for one in snapshot["plates"]]) == (1, [1])
