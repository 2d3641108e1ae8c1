"""The only way to write a file, whole or not at all, and to read one within limits.

A new file is made in the folder of its target under an unpredictable name, and only if nothing has that name. It
is filled, forced to the disk, read back and compared, and then takes the target's name in one step. A link is never
followed, and what fails midway leaves the target as it was and nothing else behind.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from platereader.errors import FileError

__all__ = ["append_text", "new_file", "read_bytes", "write_bytes", "write_json", "write_text"]

# Windows has none of the first three, and needs a flag for binary files.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# No system takes more than 2 GiB in one call.
_CHUNK_BYTES = 1 << 24


def write_bytes(path: Path, data: bytes, *, check: Callable[[Path], object] | None = None) -> None:
    """Write a whole file; one that is already there is replaced.

    Args:
        path: where it goes; the folder must exist.
        data: all of its bytes.
        check: called with the finished file before it takes its name, to raise if it is wrong; None compares it with
            ``data``.

    Raises:
        FileError: it cannot be written, or the target is a link, a folder or a device; nothing was changed.
    """
    descriptor, part = _create(path)
    try:
        with _failures_named(path):
            try:
                _write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if check is None:
                _compare(part, data)
        if check is not None:
            check(part)
        _move(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def write_text(path: Path, text: str, *, check: Callable[[Path], object] | None = None) -> None:
    """Write a text in UTF-8, as ``write_bytes`` does; what a file name had that is no text becomes an escape."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"), check=check)


def write_json(path: Path, data: object) -> None:
    """Write a JSON document, indented and with a line end, as ``write_bytes`` does."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def new_file(path: Path, *, check: Callable[[Path], object] | None = None) -> Generator[Path]:
    """An empty file for a writer that wants a path; it takes the name ``path`` when the block is left without an error.

    Args:
        path: where it goes; the folder must exist. The temporary name has the same ending.
        check: called with the finished file before it takes its name, to raise if it is not whole.

    Raises:
        FileError: as for ``write_bytes``. What the block itself raises is passed on.
    """
    descriptor, part = _create(path)
    os.close(descriptor)
    try:
        yield part
        with _failures_named(path):
            _force_to_disk(part)
        if check is not None:
            check(part)
        _move(part, path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def append_text(path: Path, text: str) -> None:
    """Add whole lines to a log, in UTF-8; the file is made if there is none, and its folder must exist.

    Raises:
        FileError: it cannot be written, or it is a link, a folder or a device. A full disk may leave a part of a line.
    """
    with _failures_named(path):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK | _NO_WAITING | _COMMON
        descriptor = os.open(path, flags, 0o666)
        try:
            _check_regular(os.fstat(descriptor))
            _write_all(descriptor, text.encode("utf-8", errors="backslashreplace"))
        finally:
            os.close(descriptor)


def read_bytes(path: Path, *, limit_bytes: int, what: str) -> bytes:
    """All bytes of a regular file; never waits for a pipe or a device.

    Args:
        path: the file, or a link to it.
        limit_bytes: the largest length that is read.
        what: what the file is, for messages: ``"the weights"``.

    Raises:
        FileError: there is no such file, it is no regular file, it cannot be read or is longer.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAITING | _COMMON)
        with os.fdopen(descriptor, "rb") as file:
            _check_regular(os.fstat(descriptor))
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise FileError(
            f"cannot read {what} {str(path)!r} ({error.strerror or error}): check the path and that it may be read."
        ) from error
    if len(data) > limit_bytes:
        raise FileError(
            f"{what} {str(path)!r} has more than {limit_bytes} bytes, which is the limit: check that it is the right "
            "file."
        )
    return data


def _create(target: Path) -> tuple[int, Path]:
    """Open an empty file beside ``target`` under a new name with the same ending, with the user's usual permissions."""
    with _failures_named(target):
        _check_target(target)
        part = target.with_name(f".{secrets.token_hex(16)}{target.suffix}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _COMMON
        return os.open(part, flags, 0o666), part


def _move(part: Path, target: Path) -> None:
    """Give the finished file its name."""
    with _failures_named(target):
        _check_target(target)
        part.replace(target)


def _check_target(target: Path) -> None:
    """Raise OSError if something else than a regular file has the name."""
    with suppress(FileNotFoundError):
        _check_regular(target.lstat())


def _check_regular(status: os.stat_result) -> None:
    """Raise OSError for a link, a folder, a pipe, a socket or a device."""
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes, or raise OSError."""
    view = memoryview(data)
    for start in range(0, len(view), _CHUNK_BYTES):
        chunk = view[start : start + _CHUNK_BYTES]
        written = os.write(descriptor, chunk)
        if written != len(chunk):
            raise OSError(errno.EIO, f"only {start + written} of {len(view)} bytes were written")


def _force_to_disk(part: Path) -> None:
    """Wait until the disk has what a writer put into the file; Windows wants it open for writing."""
    descriptor = os.open(part, os.O_RDWR | _NO_LINK | _NO_WAITING | _COMMON)
    try:
        _check_regular(os.fstat(descriptor))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _compare(part: Path, data: bytes) -> None:
    """Raise OSError unless the file holds exactly these bytes."""
    descriptor = os.open(part, os.O_RDONLY | _NO_LINK | _NO_WAITING | _COMMON)
    with os.fdopen(descriptor, "rb") as file:
        for start in range(0, len(data), _CHUNK_BYTES):
            if file.read(_CHUNK_BYTES) != data[start : start + _CHUNK_BYTES]:
                raise OSError(errno.EIO, "what was read back differs from what was written")
        if file.read(1):
            raise OSError(errno.EIO, "more was read back than was written")


@contextmanager
def _failures_named(target: Path) -> Generator[None]:
    """Say which file an OSError is about, and what to do."""
    try:
        yield
    except OSError as error:
        raise FileError(
            f"cannot write {str(target)!r} ({error.strerror or error}); nothing of it was kept: name another file, or "
            "make room and see that the folder exists and may be written to."
        ) from error
