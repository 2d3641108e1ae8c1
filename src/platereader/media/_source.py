"""What all sources of frames have in common, and what a live one needs of its camera."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, TypeAlias

from typing_extensions import Self

from platereader._arrays import BgrImage

TimedFrame: TypeAlias = tuple[float, BgrImage]
"""Seconds since the first frame, and the frame: uint8 ``(H, W, 3)`` BGR."""

DEFAULT_FPS = 25.0
"""Frames per second of a source that does not report any."""


class FrameSource(Protocol):
    """Frames of one video, folder or camera, to be iterated over once.

    The seconds grow strictly; frames may change their size. ``stop`` ends the iteration soon and may be called from
    another thread or a signal handler. ``with open_source(...) as source:`` closes it in the end, whatever happens.

    Iterating raises ``CaptureError`` where frames that belong to the source did not come: after all others were given.
    """

    @property
    def name(self) -> str:
        """What to call it in messages: without passwords."""
        ...

    @property
    def live(self) -> bool:
        """Whether frames arrive in real time, and are dropped when the consumer is slower."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second as the source reports them; None when it does not."""
        ...

    @property
    def frame_count(self) -> int | None:
        """About how many frames there are; None when that is unknown."""
        ...

    @property
    def dropped(self) -> int:
        """Frames that were not given out, because newer ones had arrived."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        ...

    def __iter__(self) -> Iterator[TimedFrame]:
        """Pairs of ``(timestamp_s, frame)``."""
        ...

    def stop(self) -> None:
        """Give no more frames."""
        ...

    def close(self) -> None:
        """Release the file or device."""
        ...

    def __enter__(self) -> Self:
        """The source itself."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        ...


class ClosedAtExit(ABC):
    """A source that is closed where its ``with`` ends."""

    @abstractmethod
    def close(self) -> None:
        """Release the file or device."""

    def __enter__(self) -> Self:
        """The source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Capture(Protocol):
    """An opened camera."""

    @property
    def fps(self) -> float | None:
        """Frames per second as the camera reports them; None when it does not."""
        ...

    def read(self) -> BgrImage | None:
        """Wait for the next frame; None when the camera is lost."""
        ...

    def release(self) -> None:
        """Close the device or connection."""
        ...
