"""What a source string means, and how to print it without its passwords."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from platereader.errors import InvalidArgumentError

SCHEMES = ("rtsp", "rtsps", "http", "https", "rtmp", "srt", "udp", "tcp")
"""Beginnings of network addresses that are handed to FFmpeg."""

Kind: TypeAlias = Literal["file", "folder", "webcam", "network"]

_WEBCAM_DIGITS = 9
# Such words are not repeated in messages: they hold the password.
_MISSPELT = re.compile(rf"(?:{'|'.join(SCHEMES)})(?::|//)|[^/\\]*:[^/\\]*@", re.IGNORECASE)
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where frames come from.

    Attributes:
        shown: for messages; passwords and everything that may hold one are left out.
        target: path, index or address as OpenCV takes it, passwords and all: never printed, not by ``repr`` either.
    """

    kind: Kind
    shown: str
    target: str = field(repr=False)


def parse_address(source: str | Path | int) -> Address:
    """Tell files, folders, webcams and network addresses apart.

    Args:
        source: a path, the number of a webcam (a file of that name is ``./0``), or an address with one of ``SCHEMES``.

    Raises:
        InvalidArgumentError: an empty string, a number beyond any webcam, or an address that is misspelt or has another
            scheme.
    """
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
