"""Files are read within limits, and nothing that never ends is opened."""

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platereader._files import is_file, paths_below, read_bytes
from platereader.errors import FileError


def test_reading_is_limited_and_follows_links_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for path in (tmp_path / "file", tmp_path / "link"):
        assert read_bytes(path, limit_bytes=5, what="the weights") == b"12345"
        with pytest.raises(FileError, match=r"the weights .*more than 4 bytes"):
            read_bytes(path, limit_bytes=4, what="the weights")


def test_file_that_has_more_than_the_system_says_is_read_whole() -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("no files without a length")
    assert path.stat().st_size == 0
    assert b"VmHWM" in read_bytes(path, limit_bytes=1 << 16, what="it")
    with pytest.raises(FileError, match="more than 100 bytes"):
        read_bytes(path, limit_bytes=100, what="it")


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_reading_a_pipe_or_an_endless_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(FileError, match="no regular file"):
            read_bytes(path, limit_bytes=5, what="it")


def test_what_cannot_be_opened_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for name, cause in (("absent", FileNotFoundError), ("a", OSError), ("a\0b", ValueError), ("a" * 300, OSError)):
        with pytest.raises(FileError, match="cannot read the picture") as raised:
            read_bytes(tmp_path / name, limit_bytes=5, what="the picture")
        assert isinstance(raised.value.__cause__, cause)


def test_what_is_a_file_and_what_is_below_a_folder(tmp_path: Path, lock: Callable[[Path], None]) -> None:
    top = tmp_path / "top"
    for name in ("b/z", "b/a", "a", "locked/c"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    (top / "link").symlink_to(top / "b")
    (top / "absent").symlink_to(tmp_path / "absent")
    lock(top / "locked")
    failed: list[tuple[Path, type[OSError]]] = []
    found = paths_below(top, failed=lambda path, error: failed.append((path, type(error))))
    assert [path.relative_to(top).as_posix() for path in found] == ["a", "absent", "b", "b/a", "b/z", "link", "locked"]
    assert failed == [(top / "locked", PermissionError)]
    for unknown in (False, True):
        known = [is_file(path, unknown=unknown) for path in (*found, tmp_path / "a\0b", top / "a" / "b")]
        assert known == [True, False, False, True, True, False, False, False, False]
        assert is_file(top / "locked" / "c", unknown=unknown) is unknown
    assert not is_file(top / "locked" / "c")


def test_bad_block_is_named_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BufferedReader):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "file").write_bytes(b"data")
    monkeypatch.setattr(os, "fdopen", lambda descriptor, mode: Broken(io.FileIO(descriptor, mode)))
    with pytest.raises(FileError, match=r"cannot read the labels .*file.*Input/output error"):
        read_bytes(tmp_path / "file", limit_bytes=10, what="the labels")
