"""A live camera, in the network or of this machine: a thread keeps its newest frame, and reconnects when it is lost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, cast

from typing_extensions import Self

from platereader._arrays import BgrImage
from platereader.errors import CaptureError
from platereader.media._decoding import FrameDecoder, reported_fps, until_error
from platereader.media._source import Capture, ClosedAtExit, TimedFrame

if TYPE_CHECKING:
    import cv2
    from av.container import InputContainer
    from av.video.stream import VideoStream


class NetworkCapture:
    """A camera in the network, without frames that are damaged on the way. See ``Capture``."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self.fps: float | None = reported_fps(stream)
        self._container = container
        self._frames = self._decoded(stream)

    def read(self) -> BgrImage | None:
        """Wait for the next frame; None when the camera is lost."""
        return next(self._frames, None)

    def release(self) -> None:
        """Close the connection."""
        self._container.close()

    def _decoded(self, stream: VideoStream) -> Iterator[BgrImage]:
        decoder = FrameDecoder(stream)
        for packet in until_error(self._container.demux(stream)):
            for frame in decoder.frames_of(packet):
                yield frame.pixels


class Webcam:
    """A camera of this machine. See ``Capture``."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        import cv2

        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps: float | None = fps if math.isfinite(fps) and fps > 0 else None
        self._capture = capture

    @classmethod
    def opened(cls, index: int) -> Self | None:
        """Open a webcam by its number; None when that fails."""
        import cv2

        capture = cv2.VideoCapture(index)
        if capture.isOpened():
            return cls(capture)
        capture.release()
        return None

    def read(self) -> BgrImage | None:
        """Wait for the next frame; None when the camera is lost."""
        there, frame = self._capture.read()
        return cast(BgrImage, frame) if there else None

    def release(self) -> None:
        """Close the device."""
        self._capture.release()


FIRST_RECONNECT_DELAY_S = 1.0
"""Before the first attempt to reconnect; doubled with each further one."""

MAX_RECONNECT_DELAY_S = 30.0
"""Between two attempts, at most."""

_POLL_INTERVAL_S = 0.1  # how soon `stop` is noticed: it sets a flag and nothing else, to be safe in a signal handler
_JOIN_TIMEOUT_S = 2.0  # a thread that hangs in a driver is not waited for any longer


class LiveFeed(ClosedAtExit):
    """A webcam or network camera. See ``FrameSource``.

    A consumer that is slower than the camera misses frames (``dropped``), and never lags behind. Timestamps are
    seconds of a monotonic clock from the arrival of the first frame to that of this one.

    Args:
        reopen: opens the camera again, or returns None when that fails.
        notify: called with a message when the camera is lost and found.
        reconnect_limit: failed attempts in a row after which to give up; None for no limit.
        clock: seconds, monotonic.
        wait: sleeps for that many seconds, or until the event is set; returns whether it is.
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
        self.fps: float | None = capture.fps
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
        """The newest frame, each time; waits for one. ``CaptureError`` where ``reconnect_limit`` tries did not help."""
        self._thread.start()
        last_s = -math.inf
        while (newest := self._next()) is not None:
            if newest[0] > last_s:  # a clock may be coarser than a camera is fast
                last_s = newest[0]
                yield newest

    def stop(self) -> None:
        """Give no more frames."""
        self.stopped = True

    def close(self) -> None:
        """Release the camera."""
        self.stopped = True
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_TIMEOUT_S)
        elif self._capture is not None:
            self._capture.release()

    def _next(self) -> TimedFrame | None:
        """The newest frame; None once there will be no more."""
        with self._changed:
            while not self.stopped:
                if self._newest is not None:
                    newest, self._newest = self._newest, None
                    return newest
                if self._end is not None:
                    raise self._end
                self._changed.wait(_POLL_INTERVAL_S)
        return None

    def _run(self) -> None:
        """The thread; its errors are raised by the iteration."""
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001
            with self._changed:
                self._end = error
                self._changed.notify_all()

    def _follow(self) -> None:
        """Read until the camera is lost, reconnect, and repeat."""
        failed = 0
        while not self._closing.is_set():
            if self._capture is not None:
                failed = 0 if self._read_until_lost(self._capture) else failed
                self._capture.release()
                self._capture = None
                if self._closing.is_set():
                    return
            if self._limit is not None and failed >= self._limit:
                raise CaptureError(
                    f"{self.name} was lost, and {self._limit} tries did not bring it back: check the camera and the "
                    "network. A higher --reconnect-limit waits longer, none waits for ever."
                )
            wait_s = min(FIRST_RECONNECT_DELAY_S * 2 ** min(failed, 10), MAX_RECONNECT_DELAY_S)
            self._notify(f"{self.name} gives no frames: trying again in {wait_s:.0f} s")
            if self._wait(self._closing, wait_s):
                return
            failed += 1
            self._capture = self._reopen()

    def _read_until_lost(self, capture: Capture) -> bool:
        """Replace the newest frame by each that arrives; returns whether there was any."""
        any_frame = False
        while not self._closing.is_set():
            frame = capture.read()
            if frame is None:
                break
            if not any_frame and self._started_s is not None:
                self._notify(f"{self.name} gives frames again")
            any_frame = True
            self._store(frame)
        return any_frame

    def _store(self, frame: BgrImage) -> None:
        now_s = self._clock()
        if self._started_s is None:
            self._started_s = now_s
        with self._changed:
            self.dropped += self._newest is not None
            self._newest = (now_s - self._started_s, frame)
            self._changed.notify_all()
