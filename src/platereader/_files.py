"""The only way to write a file, whole or not at all, and to read one within limits.

A new file is made in the folder of its target under an unpredictable name, and only if nothing has that name. It
is filled, forced to the disk, read back and compared, and then takes the target's name in one step. A link is never
followed, and what fails midway leaves the target as it was and nothing else behind.

A file that has the target's name is replaced only by one of its own kind, as its first bytes tell it, and never if it
is an input of the run.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from platereader.errors import FileError, InvalidArgumentError

# Windows has none of the first three, and needs a flag for binary files.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# No system takes more than 2 GiB in one call.
_CHUNK_BYTES = 1 << 24

# How files of the kinds that are written here begin; what has no such beginning is a text or unknown.
_BEGINNINGS: Final = {
    "a JPEG picture": rb"\xff\xd8\xff",
    "a PNG picture": rb"\x89PNG",
    "a WebP picture": rb"RIFF.{4}WEBP",
    "an AVI video": rb"RIFF.{4}AVI ",
    "an MP4 video": rb".{4}ftyp",
    "a Matroska video": rb"\x1a\x45\xdf\xa3",
    "a Parquet file": rb"PAR1",
    "a safetensors file": rb".{7}\0\{",
    "an ONNX file": rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42\x72]",
    "JSON in lines": rb"\{[^\n]*\}\r?\n\{",
    "JSON": rb"\s*[\[{]",
}
_BEGINNING_BYTES = 1 << 16

MADE_HERE: Final = "made by platereader"
"""Stands in every picture and video that the commands write, as a comment; in a picture near its beginning."""

_MADE_HERE_WITHIN_BYTES = 1024


class InputFiles:
    """The files that a run reads: no writer that knows them replaces one, under whatever name.

    They are known by device and inode, so that a hard link to one, or a way to it through a link, is one of them.

    Args:
        paths: files; one that is not there is left out.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._known: set[tuple[int, int]] = set()
        for path in paths:
            with suppress(OSError, ValueError):
                self._known.add(_identity(path.stat()))

    def __contains__(self, path: Path) -> bool:
        """Whether the path leads to one of them."""
        try:
            return _identity(path.stat()) in self._known
        except (OSError, ValueError):
            return False


def write_bytes(path: Path, data: bytes, *, inputs: InputFiles | None = None, new: bool = False) -> None:
    """Write a whole file into a folder that exists; one that is already there is replaced, unless it is to be ``new``.

    Raises:
        FileExistsError: something has the name of a ``new`` file, which another program may have given it just now.
        FileError: it cannot be written, or the target is a link, a folder, a device, one of the ``inputs`` or a file of
            another kind; nothing was changed.
    """
    with _part_of(path, inputs, new=new) as (descriptor, part), _failures_named(path):
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _compare(part, data)


def write_text(path: Path, text: str, *, inputs: InputFiles | None = None) -> None:
    """Write a text in UTF-8, as ``write_bytes`` does; what a file name had that is no text becomes an escape."""
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"), inputs=inputs)


def write_json(path: Path, data: object, *, inputs: InputFiles | None = None) -> None:
    """Write a JSON document, indented and with a line end, as ``write_bytes`` does."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=2) + "\n", inputs=inputs)


@contextmanager
def new_file(path: Path, *, inputs: InputFiles | None = None) -> Generator[Path]:
    """An empty file for a writer that wants a path; it takes the name ``path`` when the block is left without an error.

    The folder must exist. The temporary name has the same ending.

    Raises:
        FileError: as for ``write_bytes``. What the block itself raises is passed on.
    """
    with _part_of(path, inputs) as (descriptor, part):
        os.close(descriptor)
        yield part
        with _failures_named(path):
            _force_to_disk(part)


def make_folder(
    folder: Path, *, advice: str = "name another one, or make room and see that it may be made there"
) -> None:
    """Make a folder and those above it where they are missing.

    Raises:
        FileError: it cannot be made; the message ends in the ``advice``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {str(folder)!r} ({error.strerror or error}): {advice}.") from error


def append_text(path: Path, text: str) -> None:
    """Add whole lines to a log, in UTF-8; the file is made if there is none, and its folder must exist.

    What a full disk or a kill left of a line is ended first, so that it spoils no other one.

    Raises:
        FileError: it cannot be written, or it is a link, a folder, a device or a file with a second name, which would
            grow with it. A full disk may leave a part of a line.
    """
    with _failures_named(path):
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _NO_LINK | _NO_WAITING | _COMMON
        descriptor = os.open(path, flags, 0o666)
        try:
            status = os.fstat(descriptor)
            _check_regular(status)
            if status.st_nlink > 1:
                raise OSError(errno.EMLINK, "it has a second name, a hard link, which would grow with it")
            data = text.encode("utf-8", errors="backslashreplace")
            _write_all(descriptor, data if _ends_line(descriptor, status.st_size) else b"\n" + data)
        finally:
            os.close(descriptor)


def as_path(value: object, *, name: str, advice: str = "") -> Path:
    """What a caller passed as a path; ``name`` is how the error calls it, which ends in the ``advice``.

    Raises:
        InvalidArgumentError: it is neither a str nor a path.
    """
    is_path = isinstance(value, (str, os.PathLike))
    path: object = os.fspath(cast("str | os.PathLike[str]", value)) if is_path else None
    if not isinstance(path, str):  # nor is it where it has bytes
        raise InvalidArgumentError(
            f"{name} is a {type(value).__name__}, expected is a path, as str or pathlib.Path{advice}."
        )
    return Path(path)


def read_bytes(path: Path, *, limit_bytes: int, what: str) -> bytes:
    """All bytes of a regular file, or of one that a link leads to; never waits for a pipe or a device.

    ``what`` the file is stands in messages: ``"the weights"``.

    Raises:
        FileError: there is no such file, it is no regular file, it cannot be read or is longer than the limit.
    """
    with open_regular(path, what=what) as file:
        try:
            # As many bytes as the file has: as many as the limit would be taken from the system at once.
            expected = min(os.fstat(file.fileno()).st_size, limit_bytes)
            data = file.read(expected + 1)
            if expected < len(data) <= limit_bytes:
                data += file.read(limit_bytes + 1 - len(data))
        except OSError as error:
            raise _cannot_read(path, what, error) from error
    if len(data) > limit_bytes:
        raise FileError(
            f"{what} {str(path)!r} has more than {limit_bytes} bytes, which is the limit: check that it is the right "
            "file."
        )
    return data


def open_regular(path: Path, *, what: str) -> BinaryIO:
    """A regular file, open to read from, as ``read_bytes`` reads one.

    Raises:
        FileError: there is no such file, it is no regular file or it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_WAITING | _COMMON)
        try:
            _check_regular(os.fstat(descriptor))
            return os.fdopen(descriptor, "rb")
        except BaseException:
            os.close(descriptor)
            raise
    except (OSError, ValueError) as error:  # a ValueError for a name with a zero byte
        raise _cannot_read(path, what, error) from error


def is_file(path: Path, *, unknown: bool = False) -> bool:
    """Whether there is such a file; ``unknown`` where the user may not look, as in the home of another one."""
    try:
        return stat.S_ISREG(path.stat().st_mode)  # Path.is_file raises PermissionError, from Python 3.14 on it does not
    except PermissionError:
        return unknown
    except (OSError, ValueError):
        return False


def paths_below(folder: Path, *, failed: Callable[[Path, OSError], object]) -> list[Path]:
    """All files and folders below one, sorted; links to folders are not followed.

    ``failed`` is called for each folder that cannot be read, which ``Path.rglob`` passes over without a word.
    """

    def on_error(error: OSError) -> None:
        failed(Path(os.fsdecode(error.filename)), error)

    walked = os.walk(folder, onerror=on_error)
    return sorted(Path(top, name) for top, folders, files in walked for name in (*folders, *files))


def is_picture_made_here(path: Path) -> bool:
    """Whether a file is a picture that one of the commands wrote; one that cannot be read is none."""
    try:
        with open_regular(path, what="the picture") as file:
            return MADE_HERE.encode() in file.read(_MADE_HERE_WITHIN_BYTES)
    except OSError:
        return False


def _cannot_read(path: Path, what: str, error: OSError | ValueError) -> FileError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return FileError(f"cannot read {what} {str(path)!r} ({reason}): check the path and that it may be read.")


@contextmanager
def _part_of(target: Path, inputs: InputFiles | None, *, new: bool = False) -> Generator[tuple[int, Path]]:
    """An empty open file beside ``target``, under a new name with the same ending, with the user's usual permissions.

    It takes the target's name when the block is left without an error, and is gone otherwise.
    """
    with _failures_named(target):
        _check_target(target, inputs)
    part = target.with_name(f".{secrets.token_hex(16)}{target.suffix}")
    is_ours = False
    try:
        with _failures_named(target):
            is_ours = True  # from before the call on: a signal may come after it and before its result
            try:
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _COMMON, 0o666)
            except OSError:
                is_ours = False
                raise
        yield descriptor, part
        if new:
            _give_new_name(part, target)
            return
        with _failures_named(target):
            _check_target(target, inputs)
            _check_kind(part, target)
            part.replace(target)
    finally:
        if is_ours:
            with suppress(FileNotFoundError):
                part.unlink()


def _give_new_name(part: Path, target: Path) -> None:
    """Give a file a name that nothing has, in one step where the file system knows hard links."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError as error:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        with _failures_named(target):
            part.replace(target)


def _check_target(target: Path, inputs: InputFiles | None) -> None:
    """Raise OSError if something else than a regular file has the name, or an input of the run."""
    with suppress(FileNotFoundError):
        _check_regular(target.lstat())
    if inputs is not None and target in inputs:
        raise OSError(errno.EEXIST, "it is one of the files that are read, under this or another name")


def _check_kind(part: Path, target: Path) -> None:
    """Raise OSError if a file that has the name is of another kind than the new one; an empty one is of any kind."""
    try:
        there = _kind(target)
    except FileNotFoundError:
        return
    if there is not None and there != (made := _kind(part)):
        raise OSError(errno.EEXIST, f"it is {there}, which {made or 'an empty file'} does not replace")


def _kind(path: Path) -> str | None:
    """What a file is, by how it begins; None for an empty one."""
    descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAITING | _COMMON)
    with os.fdopen(descriptor, "rb") as file:
        start = file.read(_BEGINNING_BYTES)
    if not start:
        return None
    for kind, beginning in _BEGINNINGS.items():
        if re.match(beginning, start, re.DOTALL):
            return kind
    return "a file of an unknown kind" if b"\0" in start else "a text"


def _ends_line(descriptor: int, size: int) -> bool:
    """Whether a file of that size is empty or ends in a line end."""
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


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
