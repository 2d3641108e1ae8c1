"""From a source such as ``gate.mp4``, ``0`` or ``rtsp://camera/1`` to its frames; messages have no passwords."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from platereader._files import as_path, open_regular
from platereader._geometry import is_finite
from platereader.errors import CaptureError, InvalidArgumentError
from platereader.media._camera import LiveFeed, NetworkCapture, Webcam
from platereader.media._decoding import open_address, open_file, video_stream
from platereader.media._folder import FrameFolder
from platereader.media._source import DEFAULT_FPS, Capture, FrameSource
from platereader.media._video_file import AnimationReader, ContainerReader, VideoFile, VideoReader

if TYPE_CHECKING:
    from av.container import InputContainer

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "srt", "udp", "tcp")
"""Beginnings of network addresses that are handed to FFmpeg."""

Kind: TypeAlias = Literal["file", "folder", "webcam", "network"]

_WEBCAM_DIGITS = 9
# Such words are not repeated in messages: they hold the password.
_MISSPELT = re.compile(rf"(?:{'|'.join(SCHEMES)})(?::|//)|[^/\\]*:[^/\\]*@", re.IGNORECASE)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where frames come from: ``shown`` in messages without passwords, and the path, index or address itself."""

    kind: Kind
    shown: str
    target: str = field(repr=False)


def parse_address(source: str | Path | int) -> Address:
    """Tell files, folders, webcams (a file of such a name is ``./0``) and network addresses of ``SCHEMES`` apart.

    An empty string, a number beyond any webcam, and an address that is misspelt or of another scheme are refused.
    """
    if not isinstance(cast(object, source), int):
        as_path(source, name="source", advice=" or an address, or the number of a webcam")
    text = str(source)
    if not isinstance(source, Path) and not _holds(Path(text).exists):
        text = text.strip()
    if not text.strip():
        raise InvalidArgumentError("source is empty: name a video, a folder, the number of a webcam or an address.")
    if text.isdecimal() and not isinstance(source, Path):
        if len(text) > _WEBCAM_DIGITS:
            raise InvalidArgumentError(
                f"source is a number of {len(text)} digits, and webcams count from 0: a file of that name is ./NAME."
            )
        return Address("webcam", f"webcam {int(text)}", str(int(text)))
    if (match := _SCHEME.match(text)) is not None:
        scheme = match.group(1).lower()
        if scheme not in SCHEMES:
            known = ", ".join(f"{name}://" for name in SCHEMES)
            raise InvalidArgumentError(f"source begins with {scheme}://, allowed are {known}, paths and numbers.")
        return Address("network", f"{scheme}://{_without_secrets(match.group(2))}", text)
    if _MISSPELT.match(text) and not _holds(Path(text).exists):
        raise InvalidArgumentError(
            "source looks like an address and is not written as one: write rtsp://user:password@camera/stream, with "
            "the colon and both slashes."
        )
    return Address("folder" if _holds(Path(text).is_dir) else "file", text, text)


def _holds(question: Callable[[], bool]) -> bool:
    """The answer about a path; no for a name that no file can have."""
    try:
        return question()
    except (OSError, ValueError):
        return False


def _without_secrets(rest: str) -> str:
    """Host and path: cameras take passwords before an @, in the query, and as ``password=`` in the path."""
    host, slash, path = re.split(r"[?#]", rest.rpartition("@")[2], maxsplit=1)[0].partition("/")
    return host if re.search(r"[=:&;]|%3d", path, re.IGNORECASE) else host + slash + path


def open_source(
    source: str | Path | int,
    *,
    fps: float | None = None,
    reconnect_limit: int | None = None,
    notify: Callable[[str], None] | None = None,
) -> FrameSource:
    """Open a video, a folder of frames, a webcam or a network camera.

    An address whose length is known in advance, such as a video on a web server, is a video and no live camera.
    Pictures that the commands wrote into a folder, such as marked copies of its frames, are no frames, unless there is
    nothing else.

    Args:
        source: a path, the number of a webcam, or an address such as ``rtsp://user:password@camera/stream``.
        fps: frames per second of a folder (25 when not given), or of a video whose own times are wrong.
        reconnect_limit: failed attempts in a row after which a lost camera is given up; None for no limit.
        notify: called with one line when a camera is lost or found, or a picture cannot be read or is left out; never
            with a password.

    Raises:
        CaptureError: there is no such file or folder, or it, the camera or the address cannot be opened.
        InvalidArgumentError: ``fps`` is not above 0, or given for a live camera; ``reconnect_limit`` is below 0 or no
            whole number; or ``source`` is empty or an address of an unknown kind.
    """
    if fps is not None and not (is_finite(fps) and fps > 0):
        raise InvalidArgumentError(f"fps is {fps!r}: pass frames per second, a finite number above 0.")
    if reconnect_limit is not None and not (isinstance(cast(object, reconnect_limit), int) and reconnect_limit >= 0):
        raise InvalidArgumentError(
            f"reconnect_limit is {reconnect_limit!r}: pass 0 or more attempts, or leave it out for no limit."
        )
    notify = notify or (lambda _: None)
    address = parse_address(source)
    if address.kind == "folder":
        return FrameFolder(Path(address.target), fps=fps or DEFAULT_FPS, notify=notify)
    if address.kind == "file":
        path = None if fps is not None else Path(address.target)  # with other times, its sound would not fit
        return VideoFile(_file_reader(address), name=address.shown, fps=fps, path=path)
    opened = _opened(address)
    if isinstance(opened, ContainerReader):
        return VideoFile(opened, name=address.shown, fps=fps)
    if fps is not None:
        opened.release()
        raise InvalidArgumentError(f"fps is {fps} for {address.shown}, which is live and keeps its own time: leave it.")
    reopen = partial(_reopened, address)
    return LiveFeed(opened, name=address.shown, reopen=reopen, notify=notify, reconnect_limit=reconnect_limit)


def _file_reader(address: Address) -> VideoReader:
    from av.error import FFmpegError

    path = Path(address.target)
    try:
        with open_regular(path, what="the video"):
            container = open_file(path)
        stream = video_stream(container)
        if stream is not None and stream.codec_context.name == "webp":
            container.close()
            return AnimationReader(path)
    except (FFmpegError, OSError) as error:
        raise CaptureError(_open_failure(address, error.strerror or str(error))) from error
    if stream is None:
        container.close()
        raise CaptureError(_open_failure(address, "it has no frames, or FFmpeg has no decoder for them"))
    return ContainerReader(container, stream, path=path)


def _opened(address: Address) -> Capture | ContainerReader:
    """The opened webcam, network camera, or video on a server."""
    from av.error import FFmpegError

    if address.kind == "webcam":
        webcam = Webcam.opened(int(address.target))
        if webcam is None:
            raise CaptureError(_open_failure(address))
        return webcam
    try:
        container = open_address(address.target)
    except FFmpegError as error:
        # Without the cause, whose text holds the address with its password.
        raise CaptureError(_open_failure(address, error.strerror)) from None
    stream = video_stream(container)
    if stream is None:
        container.close()
        raise CaptureError(_open_failure(address, "it gives no frames that can be decoded"))
    return ContainerReader(container, stream) if _has_end(address, container) else NetworkCapture(container, stream)


def _has_end(address: Address, container: InputContainer) -> bool:
    """Whether an address is that of a whole file: some cameras state a length, too, but not how many bytes follow."""
    is_web = address.target.lower().startswith(("http:", "https:"))
    return is_web and (container.duration or 0) > 0 and container.size > 0


def _reopened(address: Address) -> Capture | None:
    """The camera; None when it cannot be opened, or has been replaced by a file."""
    try:
        opened = _opened(address)
    except CaptureError:
        return None
    if isinstance(opened, ContainerReader):
        opened.close()
        return None
    return opened


def _open_failure(address: Address, reason: str | None = None) -> str:
    """What may be wrong, and what to do about it."""
    said = f" ({reason})" if reason else ""
    if address.kind == "webcam":
        return (
            f"{address.shown} cannot be opened: check that it is plugged in, that no other program uses it, and that "
            "you may use it (on Linux, the group `video`). The first one has the number 0."
        )
    if address.kind == "network":
        return (
            f"{address.shown} cannot be opened{said}: check the address, user and password, and that this machine "
            "reaches the camera. Letters such as @ : / in a password are written as %40 %3A %2F."
        )
    if not Path(address.target).exists():
        return (
            f"there is no file or folder {address.shown!r}: check the path. A webcam is given by its number, such as "
            "0, and a network camera by its address, such as rtsp://camera/stream."
        )
    return (
        f"{address.shown!r} is not a video that can be decoded here{said}: check that it plays elsewhere, and convert "
        "it, such as with `ffmpeg -i VIDEO video.mp4`."
    )
