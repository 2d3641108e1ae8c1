"""A camera that is faster than its reader, fails, and comes back: without a camera, and without waiting."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from threading import Event
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from captures import ScriptedCapture
from platereader._arrays import BgrImage
from platereader.errors import CaptureError
from platereader.media._camera import LiveFeed, Webcam


def grey(value: int) -> BgrImage:
    """A frame that can be told from others."""
    return np.full((8, 8, 3), value, np.uint8)


class Camera:
    """Captures to be opened one after the other, and a record of what happened; waiting takes no time."""

    def __init__(self, captures: Sequence[ScriptedCapture | None], *, limit: int | None = None) -> None:
        first, *self._rest = captures
        assert first is not None
        self.waits_s: list[float] = []
        self.said: list[str] = []
        ticks = itertools.count(100)
        self.feed = LiveFeed(
            first,
            name="rtsp://camera",
            reopen=self._reopen,
            notify=self.said.append,
            reconnect_limit=limit,
            clock=lambda: float(next(ticks)),
            wait=self._wait,
        )

    def _reopen(self) -> ScriptedCapture | None:
        return self._rest.pop(0) if self._rest else None

    def _wait(self, closing: Event, seconds: float) -> bool:
        self.waits_s.append(seconds)
        return closing.wait(0.02)  # long enough for the reader to take the last frame


def values(camera: Camera, *, most: int = 100) -> list[int]:
    """The grey values of the frames that are given out, until they end."""
    seen = [int(frame[0, 0, 0]) for _, frame in itertools.islice(camera.feed, most)]
    camera.feed.close()
    return seen


def test_a_slow_reader_gets_the_newest_frame_and_never_lags() -> None:
    capture = ScriptedCapture([grey(value) for value in range(200)], endless=True, pause_s=0.002)
    camera = Camera([capture])
    assert camera.feed.live
    assert camera.feed.dropped == 0
    seen: list[int] = []
    for timestamp_s, frame in camera.feed:
        seen.append(int(frame[0, 0, 0]))
        assert timestamp_s == seen[-1]  # the fake clock ticks once a frame
        before = capture.given
        while capture.given < before + 6:
            time.sleep(0.002)
        if len(seen) == 4:
            camera.feed.stop()
    camera.feed.close()
    assert camera.said == []
    assert all(later - earlier >= 3 for earlier, later in itertools.pairwise(seen[1:]))
    assert camera.feed.dropped >= seen[-1] - len(seen)
    assert capture.released


def test_reconnects_with_growing_waits_and_starts_over_after_success() -> None:
    back = ScriptedCapture([grey(2)])
    camera = Camera([ScriptedCapture([grey(1)]), None, None, back, None], limit=4)
    with pytest.raises(CaptureError, match=r"rtsp://camera was lost, and 4 tries did not bring it back"):
        values(camera)
    assert camera.waits_s == [1, 2, 4, 1, 2, 4, 8]
    assert back.released
    assert camera.said.count("rtsp://camera gives frames again") == 1
    assert "trying again in 4 s" in camera.said[2]


@pytest.mark.parametrize(
    ("later", "limit", "waits_s"),
    [
        ([], 0, []),
        ([], 9, [1, 2, 4, 8, 16, 30, 30, 30, 30]),
        ([ScriptedCapture([]), ScriptedCapture([])], 2, [1, 2]),  # it opens, and gives nothing
    ],
)
def test_waits_are_capped_and_end_at_the_limit(later: list[ScriptedCapture], limit: int, waits_s: list[int]) -> None:
    camera = Camera([ScriptedCapture([grey(1)]), *later], limit=limit)
    with pytest.raises(CaptureError):
        values(camera)
    assert camera.waits_s == waits_s


def test_frames_go_on_after_a_loss_and_time_grows_over_it() -> None:
    camera = Camera([ScriptedCapture([grey(1)]), None, ScriptedCapture([grey(2)], endless=True)])
    taken = list(itertools.islice(camera.feed, 3))
    camera.feed.close()
    assert [int(frame[0, 0, 0]) for _, frame in taken] == [1, 2, 2]
    stamps = [timestamp_s for timestamp_s, _ in taken]
    assert stamps[0] == 0
    assert stamps == sorted(set(stamps))


def test_what_goes_wrong_in_the_thread_is_raised_to_the_reader() -> None:
    class Broken(ScriptedCapture):
        def read(self) -> BgrImage | None:
            raise cv2.error("no memory")

    with pytest.raises(cv2.error, match="no memory"):
        values(Camera([Broken([])]))


def test_stop_ends_a_wait_for_frames_and_close_a_wait_to_reconnect() -> None:
    camera = Camera([ScriptedCapture([grey(1)])])
    camera.feed._wait = Event.wait  # the real one: a second, and more
    frames = iter(camera.feed)
    next(frames)
    camera.feed.stop()
    started_s = time.monotonic()
    assert list(frames) == []
    camera.feed.close()
    assert time.monotonic() - started_s < 0.9
    assert camera.feed.stopped


def test_the_newest_frame_counts_and_those_that_nobody_took_are_dropped() -> None:
    camera = Camera([ScriptedCapture([])])
    feed = camera.feed
    assert (feed.live, feed.dropped, feed.stopped, feed.frame_count) == (True, 0, False, None)
    assert feed._thread.daemon  # a program ends though a driver hangs
    for value in (1, 2, 3):
        camera.feed._store(grey(value))
    assert camera.feed.dropped == 2
    taken = camera.feed._next()
    assert taken is not None
    assert (taken[0], int(taken[1][0, 0, 0])) == (2.0, 3)  # seconds after the first one
    camera.feed._store(grey(4))
    assert camera.feed.dropped == 2


def test_frames_at_one_time_of_a_coarse_clock_come_once() -> None:
    camera = Camera([ScriptedCapture([])], limit=0)
    frames = iter([(0.0, grey(1)), (0.0, grey(2)), (0.5, grey(3)), None])
    camera.feed._next = lambda: next(frames)  # type: ignore[method-assign]
    assert [(time_s, int(frame[0, 0, 0])) for time_s, frame in camera.feed] == [(0.0, 1), (0.5, 3)]


def test_close_before_the_first_frame_lets_go_of_the_camera() -> None:
    capture = ScriptedCapture([grey(1)])
    Camera([capture]).feed.close()
    assert capture.released


def test_a_webcam_is_let_go_that_cannot_be_opened_or_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[bool] = []
    device = SimpleNamespace(isOpened=lambda: False, release=lambda: released.append(True), get=lambda what: 25.0)
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: device)
    assert Webcam.opened(0) is None
    assert released == [True]
    device.isOpened = lambda: True
    webcam = Webcam.opened(0)
    assert webcam is not None
    webcam.release()
    assert (webcam.fps, released) == (25.0, [True, True])
