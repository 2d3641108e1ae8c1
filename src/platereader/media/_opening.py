"""From a source such as ``gate.mp4``, ``0`` or ``rtsp://camera/1`` to its frames."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from platereader.errors import CaptureError, InvalidArgumentError
from platereader.media._address import Address, parse_address
from platereader.media._camera import LiveFeed
from platereader.media._folder import FrameFolder
from platereader.media._source import Capture, FrameSource
from platereader.media._video_file import DEFAULT_FPS, VideoFile, reported_frame_count

OPEN_TIMEOUT_MS = 10_000
"""How long a network camera may take to answer."""

READ_TIMEOUT_MS = 10_000
"""How long a network camera may be silent before it counts as lost."""


def open_source(
    source: str | Path | int,
    *,
    fps: float | None = None,
    reconnect_limit: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> FrameSource:
    """Open a video, a folder of frames, a webcam or a network camera.

    An address whose length is known in advance, such as a video on a web server, is a video and no live camera.

    Args:
        source: a path, the number of a webcam, or an address such as ``rtsp://user:password@camera/stream``.
        fps: frames per second of a folder (25 when not given), or of a video whose own times are wrong.
        reconnect_limit: failed attempts in a row after which a lost camera is given up; None for no limit.
        notify: called with one line when a camera is lost or found, or a picture cannot be read; never with a password.

    Raises:
        CaptureError: there is no such file or folder, or it, the camera or the address cannot be opened.
        InvalidArgumentError: ``fps`` is not above 0, or given for a live camera; ``reconnect_limit`` is below 0; or
            ``source`` is empty or an address of an unknown kind.
    """
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise InvalidArgumentError(f"fps is {fps}: pass frames per second, a finite number above 0.")
    if reconnect_limit is not None and reconnect_limit < 0:
        raise InvalidArgumentError(
            f"reconnect_limit is {reconnect_limit}: pass 0 or more attempts, or None for no limit."
        )
    notify = notify or _ignore
    address = parse_address(source)
    if address.kind == "folder":
        return FrameFolder(Path(address.target), fps=fps or DEFAULT_FPS, notify=notify)
    capture = _opened(address)
    if capture is None:
        raise CaptureError(_open_failure(address))
    if address.kind == "file" or (address.kind == "network" and reported_frame_count(capture) is not None):
        return VideoFile(capture, name=address.shown, fps=fps)
    if fps is not None:
        capture.release()
        raise InvalidArgumentError(f"fps is {fps} for {address.shown}, which is live and keeps its own time: leave it.")
    reopen = partial(_opened, address)
    return LiveFeed(capture, name=address.shown, reopen=reopen, notify=notify, reconnect_limit=reconnect_limit)


def _opened(address: Address) -> Capture | None:
    """The opened file, webcam or address; None when OpenCV cannot open it."""
    import cv2

    if address.kind == "webcam":
        capture = cv2.VideoCapture(int(address.target))
    elif address.kind == "file":
        # By FFmpeg: other backends take digits in a name for the place of a picture's number.
        capture = cv2.VideoCapture(address.target, cv2.CAP_FFMPEG)
    else:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
        capture = cv2.VideoCapture(address.target, cv2.CAP_FFMPEG, limits)
    if capture.isOpened():
        return capture
    capture.release()
    return None


def _open_failure(address: Address) -> str:
    """What may be wrong, and what to do about it."""
    if address.kind == "webcam":
        return (
            f"{address.shown} cannot be opened: check that it is plugged in, that no other program uses it, and that "
            "you may use it (on Linux, the group `video`). The first one has the number 0."
        )
    if address.kind == "network":
        return (
            f"{address.shown} cannot be opened: check the address, user and password, and that this machine reaches "
            "the camera. Letters such as @ : / in a password are written as %40 %3A %2F."
        )
    if not Path(address.target).exists():
        return (
            f"there is no file or folder {address.shown!r}: check the path. A webcam is given by its number, such as "
            "0, and a network camera by its address, such as rtsp://camera/stream."
        )
    return (
        f"{address.shown!r} is not a video that can be decoded here: check that it plays elsewhere, and convert it, "
        "such as with `ffmpeg -i VIDEO video.mp4`."
    )


def _ignore(message: str) -> None:
    """The default of ``notify``."""
