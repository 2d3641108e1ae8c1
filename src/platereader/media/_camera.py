"""A camera that runs in its own time: a thread keeps its newest frame, and reconnects when it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Condition, Event, Thread
from typing import cast

from platereader._arrays import BgrImage
from platereader.errors import CaptureError
from platereader.media._source import Capture, TimedFrame
from platereader.media._video_file import said_fps

FIRST_WAIT_S = 1.0
"""Before the first try to reconnect; doubled from try to try."""

LONGEST_WAIT_S = 30.0
"""Between two tries, at most."""

_LOOK_UP_S = 0.1  # how soon `stop` is noticed: it sets a flag and nothing else, to be safe in a signal handler
_LEAVE_S = 2.0  # a thread that hangs in a driver is left behind


class LiveFeed:
    """A webcam or network camera. See ``FrameSource``.

    Who takes frames more slowly than they come misses some (``dropped``), and never lags behind. Timestamps are
    seconds of a monotonic clock since the first frame, taken as a frame comes.

    Args:
        capture: the opened camera; the frames begin with the iteration.
        name: for messages.
        reopen: opens the camera again, or returns None when that fails.
        notify: told when the camera is lost and found.
        reconnect_limit: failed tries in a row after which to give up; None tries for ever.
        clock: seconds, monotonic.
        wait: sleeps for so many seconds unless the event is set before; returns whether it is.
    """

    live: bool = True
    frame_count: int | None = None

    def __init__(
        self,
        capture: Capture,
        *,
        name: str,
        reopen: Callable[[], Capture | None],
        notify: Callable[[str], None],
        reconnect_limit: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[Event, float], bool] = Event.wait,
    ) -> None:
        self.name = name
        self.fps: float | None = said_fps(capture)
        self.dropped: int = 0
        self.stopped: bool = False
        self._capture: Capture | None = capture
        self._reopen = reopen
        self._notify = notify
        self._limit = reconnect_limit
        self._clock = clock
        self._wait = wait
        self._closing = Event()
        self._changed = Condition()
        self._newest: TimedFrame | None = None
        self._end: Exception | None = None
        self._started_s: float | None = None
        self._thread = Thread(target=self._run, name="platereader-capture", daemon=True)

    def __iter__(self) -> Iterator[TimedFrame]:
        """The newest frame, each time; waits for one where there is none.

        Raises:
            CaptureError: the camera is lost, and ``reconnect_limit`` tries did not bring it back.
        """
        self._thread.start()
        last_s = -1.0
        while (taken := self._take()) is not None:
            if taken[0] > last_s:  # a clock may be coarser than a camera is fast
                last_s = taken[0]
                yield taken

    def stop(self) -> None:
        """Give no more frames."""
        self.stopped = True

    def close(self) -> None:
        """Let go of the camera."""
        self.stopped = True
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_LEAVE_S)
        elif self._capture is not None:
            self._capture.release()

    def _take(self) -> TimedFrame | None:
        """The newest frame; None once there will be no more."""
        with self._changed:
            while not self.stopped:
                if self._newest is not None:
                    taken, self._newest = self._newest, None
                    return taken
                if self._end is not None:
                    raise self._end
                self._changed.wait(_LOOK_UP_S)
        return None

    def _run(self) -> None:
        """What the thread does; whatever goes wrong in it is raised where the frames are taken."""
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001
            self._give_up(error)

    def _follow(self) -> None:
        """Read until lost, reconnect, and so on."""
        failed = 0
        while not self._closing.is_set():
            if self._capture is not None:
                failed = 0 if self._read_until_lost(self._capture) else failed
                self._capture.release()
                self._capture = None
                if self._closing.is_set():
                    return None
            if self._limit is not None and failed >= self._limit:
                return self._give_up(
                    CaptureError(
                        f"{self.name} was lost, and {self._limit} tries did not bring it back: check the camera and "
                        "the network. A higher --reconnect-limit waits longer, none waits for ever."
                    )
                )
            wait_s = min(FIRST_WAIT_S * 2**failed, LONGEST_WAIT_S) if failed < 10 else LONGEST_WAIT_S
            self._notify(f"{self.name} gives no frames: trying again in {wait_s:.0f} s")
            if self._wait(self._closing, wait_s):
                return None
            failed += 1
            self._capture = self._reopen()
        return None

    def _read_until_lost(self, capture: Capture) -> bool:
        """Put each frame in the place of the one before; returns whether there was any."""
        any_frame = False
        while not self._closing.is_set():
            there, frame = capture.read()
            if not there:
                break
            if not any_frame and self._started_s is not None:
                self._notify(f"{self.name} gives frames again")
            any_frame = True
            self._put(cast(BgrImage, frame))
        return any_frame

    def _put(self, frame: BgrImage) -> None:
        now_s = self._clock()
        if self._started_s is None:
            self._started_s = now_s
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = (now_s - self._started_s, frame)
            self._changed.notify_all()

    def _give_up(self, error: Exception) -> None:
        with self._changed:
            self._end = error
            self._changed.notify_all()
