"""Files are written whole or not at all, never through a link, and read within limits."""

import errno
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platereader import _files
from platereader._files import append_text, new_file, read_bytes, write_bytes, write_json, write_text
from platereader.errors import FileError

Write = Callable[[Path], None]


def by_bytes(path: Path) -> None:
    write_bytes(path, b"new")


def by_block(path: Path) -> None:
    with new_file(path) as part:
        part.write_bytes(b"new")


@pytest.fixture(params=[by_bytes, by_block])
def write(request: pytest.FixtureRequest) -> Write:
    chosen: Write = request.param
    return chosen


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_made_and_replaced_with_nothing_beside_it(tmp_path: Path, write: Write) -> None:
    target = tmp_path / "report.json"
    write(target)
    assert target.read_bytes() == b"new"
    target.write_bytes(b"a longer old one")
    write(target)
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["report.json"]


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_as_of_any_new_file(tmp_path: Path, write: Write, mask: int) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


def test_link_is_refused_and_what_it_points_to_untouched(tmp_path: Path, write: Write) -> None:
    victim, target = tmp_path / "victim", tmp_path / "report.json"
    victim.write_bytes(b"precious")
    target.symlink_to(victim)
    with pytest.raises(FileError, match=r"report\.json.*symbolic link"):
        write(target)
    assert victim.read_bytes() == b"precious"
    assert target.is_symlink()
    assert names(tmp_path) == ["report.json", "victim"]


def test_link_that_appears_while_writing_is_not_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "report.json"
    victim.write_bytes(b"precious")

    def write() -> None:
        with new_file(target) as part:
            part.write_bytes(b"new")
            target.symlink_to(victim)

    with pytest.raises(FileError, match="symbolic link"):
        write()
    assert victim.read_bytes() == b"precious"
    assert names(tmp_path) == ["report.json", "victim"]


def test_temporary_file_that_became_a_link_is_refused(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "report.json"
    victim.write_bytes(b"precious")

    def write() -> None:
        with new_file(target) as part:
            part.unlink()
            part.symlink_to(victim)

    with pytest.raises(FileError):
        write()
    assert names(tmp_path) == ["victim"]


def test_planted_temporary_names_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(secrets, "token_hex", lambda count: "guessed")
    (tmp_path / ".guessed.json").symlink_to(victim)
    with pytest.raises(FileError, match=r"report\.json"):
        write_bytes(tmp_path / "report.json", b"new")
    assert victim.read_bytes() == b"precious"
    assert names(tmp_path) == [".guessed.json", "victim"]


def test_two_temporary_names_differ_and_keep_the_ending(tmp_path: Path) -> None:
    with new_file(tmp_path / "a.onnx") as first, new_file(tmp_path / "a.onnx") as second:
        assert first != second
        assert {first.suffix, second.suffix} == {".onnx"}
        assert first.parent == second.parent == tmp_path
        first.write_bytes(b"1")
        second.write_bytes(b"2")
    assert (tmp_path / "a.onnx").read_bytes() == b"1"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_target_that_is_no_file_is_refused(tmp_path: Path, write: Write, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir()
    elif hasattr(os, "mkfifo"):
        os.mkfifo(target)
    else:
        pytest.skip("no pipes in folders")
    with pytest.raises(FileError, match="no regular file"):
        write(target)
    assert names(tmp_path) == ["target"]


def test_missing_folder_is_named_with_its_cause(tmp_path: Path, write: Write) -> None:
    with pytest.raises(FileError, match="see that the folder exists") as raised:
        write(tmp_path / "nowhere" / "file")
    assert isinstance(raised.value.__cause__, FileNotFoundError)


def test_short_write_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:-1]))
    with pytest.raises(FileError, match="only 9 of 10 bytes"):
        write_bytes(target, b"0123456789")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_full_disk_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileError, match=r"No space left on device.*make room") as raised:
        write_bytes(target, b"new")
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == errno.ENOSPC
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_disk_that_fills_up_when_flushed_leaves_the_old_file(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="No space left"):
        write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("lost", [b"012345678", b"0123456789+", b"012345678!"])
def test_what_was_read_back_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bytes) -> None:
    real = os.write

    def lying(descriptor: int, data: bytes) -> int:
        real(descriptor, lost)
        return len(data)

    monkeypatch.setattr(os, "write", lying)
    with pytest.raises(FileError, match="read back"):
        write_bytes(tmp_path / "file", b"0123456789")
    assert names(tmp_path) == []


def test_check_sees_the_finished_file_and_can_refuse_it(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    seen: list[bytes] = []

    def check(path: Path) -> None:
        seen.append(path.read_bytes())
        raise ValueError("not whole")

    with pytest.raises(ValueError, match="not whole"):
        write_bytes(target, b"new", check=check)
    with pytest.raises(ValueError, match="not whole"), new_file(target, check=check) as part:
        part.write_bytes(b"newer")
    assert seen == [b"new", b"newer"]
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_writer_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def write() -> None:
        with new_file(target) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_interrupted_between_writing_and_moving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_more_than_one_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_CHUNK_BYTES", 7)
    data = bytes(range(100))
    write_bytes(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == data


def test_text_and_json(tmp_path: Path) -> None:
    write_text(tmp_path / "text", "мир\n\udcff")
    assert (tmp_path / "text").read_bytes() == "мир\n\\udcff".encode()
    data = {"name": "мир", "broken": "\udcff", "list": [1, None]}
    write_json(tmp_path / "data.json", data)
    text = (tmp_path / "data.json").read_text(encoding="utf-8")
    assert json.loads(text) == data
    assert text.endswith("}\n")
    assert "мир" in text


def test_lines_are_appended_and_links_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    append_text(log, "one\n")
    append_text(log, "two\n")
    assert log.read_text(encoding="utf-8") == "one\ntwo\n"
    link = tmp_path / "link"
    link.symlink_to(log)
    with pytest.raises(FileError):
        append_text(link, "three\n")
    with pytest.raises(FileError):
        append_text(tmp_path, "three\n")
    assert log.read_text(encoding="utf-8") == "one\ntwo\n"


def test_reading_is_limited(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, limit_bytes=5, what="the weights") == b"12345"
    with pytest.raises(FileError, match=r"the weights .*more than 4 bytes"):
        read_bytes(path, limit_bytes=4, what="the weights")


def test_reading_follows_links_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_bytes(tmp_path / "link", limit_bytes=5, what="it") == b"12345"


def test_reading_what_is_no_file_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as raised:
        read_bytes(tmp_path / "absent", limit_bytes=5, what="it")
    assert isinstance(raised.value.__cause__, FileNotFoundError)
    with pytest.raises(FileError):
        read_bytes(tmp_path, limit_bytes=5, what="it")


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices")
def test_reading_a_pipe_or_an_endless_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(FileError, match="no regular file"):
            read_bytes(path, limit_bytes=5, what="it")
