"""Files are written whole or not at all, never through a link, and read within limits."""

import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from platereader import _files
from platereader._files import (
    InputFiles,
    append_text,
    make_folder,
    new_file,
    read_bytes,
    write_bytes,
    write_json,
    write_text,
)
from platereader.errors import FileError

Write = Callable[[Path], None]


def by_bytes(path: Path) -> None:
    write_bytes(path, b"new")


def by_block(path: Path) -> None:
    with new_file(path) as part:
        part.write_bytes(b"new")


def write_then(then: Callable[[Path], object], target: Path, **options: Any) -> None:
    """Write as a block does, in which something happens to the temporary file or beside it."""
    with new_file(target, **options) as part:
        part.write_bytes(b"new")
        then(part)


@pytest.fixture(params=[by_bytes, by_block])
def write(request: pytest.FixtureRequest) -> Write:
    chosen: Write = request.param
    return chosen


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def nothing_changes(folder: Path) -> Generator[None]:
    """In the folder there is the same in the end, links among it."""

    def contents() -> dict[str, object]:
        return {
            path.name: path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
            for path in folder.iterdir()
        }

    before = contents()
    yield
    assert contents() == before


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that nobody may touch."""
    (tmp_path / "victim").write_bytes(b"precious")
    return tmp_path / "victim"


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_takes_nothing_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "no links in this file system")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    write_bytes(tmp_path / "a", b"first", new=True)
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "a", b"second", new=True)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "a").stat().st_nlink, names(tmp_path)) == (b"first", 1, ["a"])


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a")
    with pytest.raises(FileError, match=r"^cannot make the folder '.*file/a' \(Not a directory\): name another one"):
        make_folder(tmp_path / "file" / "a")


@pytest.mark.parametrize("before", [None, b"", b"a longer old one"])
def test_file_is_made_or_replaced_with_nothing_beside_it(tmp_path: Path, write: Write, before: bytes | None) -> None:
    target = tmp_path / "report.json"
    if before is not None:
        target.write_bytes(before)
    write(target)
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["report.json"]


@pytest.mark.skipif(os.name != "posix", reason="permissions as on POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_as_of_any_new_file(tmp_path: Path, write: Write, mask: int) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path / "file")
        append_text(tmp_path / "log", "a line\n")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o666 & ~mask}


def test_link_is_refused_and_what_it_points_to_untouched(victim: Path, write: Write) -> None:
    target = victim.with_name("report.json")
    target.symlink_to(victim)
    with nothing_changes(victim.parent), pytest.raises(FileError, match=r"report\.json.*symbolic link"):
        write(target)


def test_link_that_appears_while_writing_is_not_followed(victim: Path) -> None:
    target = victim.with_name("report.json")
    with pytest.raises(FileError, match="symbolic link"):
        write_then(lambda part: target.symlink_to(victim), target)
    assert victim.read_bytes() == b"precious"
    assert names(victim.parent) == ["report.json", "victim"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
@pytest.mark.parametrize("pipe", [True, False])
def test_temporary_file_that_became_something_else_is_refused(victim: Path, pipe: bool) -> None:
    def become_another(part: Path) -> None:
        part.unlink()
        os.mkfifo(part) if pipe else part.symlink_to(victim)

    with nothing_changes(victim.parent), pytest.raises(FileError, match="no regular file" if pipe else None):
        write_then(become_another, victim.with_name("report.json"))


def test_planted_temporary_names_are_never_opened(victim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda count: "guessed")
    victim.with_name(".guessed.json").symlink_to(victim)
    with nothing_changes(victim.parent), pytest.raises(FileError, match=r"report\.json"):
        write_bytes(victim.with_name("report.json"), b"new")


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
    with nothing_changes(tmp_path), pytest.raises(FileError, match="no regular file"):
        write(target)


def test_missing_folder_is_named_with_its_cause(tmp_path: Path, write: Write) -> None:
    with pytest.raises(FileError, match="see that the folder exists") as raised:
        write(tmp_path / "nowhere" / "file")
    assert isinstance(raised.value.__cause__, FileNotFoundError)


WRITE = os.write


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def losing(written: bytes) -> Callable[[int, bytes], int]:
    """A system call that writes something else, and says that it did not."""

    def lying(descriptor: int, data: bytes) -> int:
        WRITE(descriptor, written)
        return len(data)

    return lying


@pytest.mark.parametrize(
    ("call", "fault", "error", "message"),
    [
        ("write", lambda descriptor, data: WRITE(descriptor, bytes(data)[:-1]), FileError, "only 9 of 10 bytes"),
        ("write", full, FileError, r"No space left on device.*make room"),
        ("write", losing(b"012345678"), FileError, "read back"),
        ("write", losing(b"0123456789+"), FileError, "read back"),
        ("write", losing(b"012345678!"), FileError, "read back"),
        ("fsync", interrupted, KeyboardInterrupt, None),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_what_fails_leaves_the_old_file_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    fault: Callable[..., object],
    error: type[BaseException],
    message: str | None,
    *,
    there: bool,
) -> None:
    if there:
        (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, call, fault)
    with nothing_changes(tmp_path), pytest.raises(error, match=message) as raised:
        write_bytes(tmp_path / "file", b"0123456789")
    assert fault is not full or getattr(raised.value.__cause__, "errno", None) == errno.ENOSPC


def test_disk_that_fills_up_when_flushed_leaves_the_old_file(
    victim: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with nothing_changes(victim.parent), pytest.raises(FileError, match="No space left"):
        write(victim)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_writer_leaves_nothing(victim: Path, error: type[BaseException]) -> None:
    def fail(part: Path) -> None:
        raise error

    with nothing_changes(victim.parent), pytest.raises(error):
        write_then(fail, victim)


def test_more_than_one_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "_CHUNK_BYTES", 7)
    data = bytes(range(100))
    write_bytes(tmp_path / "file", data)
    assert (tmp_path / "file").read_bytes() == data
    monkeypatch.setattr(os, "write", lambda to, part: WRITE(to, bytes(part) + b"+" * (part[-1] == 97)) and len(part))
    with pytest.raises(FileError, match="more was read back"):
        write_bytes(tmp_path / "other", data[:98])


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
    (tmp_path / "link").symlink_to(log)
    for path in (tmp_path / "link", tmp_path):
        with nothing_changes(tmp_path), pytest.raises(FileError):
            append_text(path, "three\n")


def leading_to(folder: Path, way: str) -> Path:
    """Another way to the picture ``source.png`` in a folder."""
    source = folder / "source.png"
    source.write_bytes(b"\x89PNG precious")
    if way == "hard link":
        (folder / "other.png").hardlink_to(source)
        return folder / "other.png"
    if way == "folder link":
        (folder / "linked").symlink_to(folder, target_is_directory=True)
        return folder / "linked" / "source.png"
    return source


@pytest.mark.parametrize("way", ["same name", "hard link", "folder link"])
def test_input_is_never_replaced_by_any_way_to_it(tmp_path: Path, way: str) -> None:
    target = leading_to(tmp_path, way)
    inputs = InputFiles([tmp_path / "source.png", tmp_path / "absent.png"])
    refused = partial(pytest.raises, FileError, match="one of the files that are read")
    with nothing_changes(tmp_path), refused():
        write_bytes(target, b"\x89PNG new", inputs=inputs)
    with nothing_changes(tmp_path), refused(), new_file(target, inputs=inputs):
        pytest.fail("nothing should be written, not even beside it")
    assert target in inputs
    for _ in range(2):  # an output of a run before is none of them
        write_bytes(tmp_path / "new.png", b"\x89PNG new", inputs=inputs)
    assert tmp_path / "new.png" not in inputs


def test_input_that_takes_the_name_while_writing_is_not_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "source.png", tmp_path / "target.png"
    source.write_bytes(b"precious")
    with pytest.raises(FileError, match="one of the files that are read"):
        write_then(lambda part: target.hardlink_to(source), target, inputs=InputFiles([source]))
    assert target.read_bytes() == b"precious"


KINDS = {
    "JPEG": b"\xff\xd8\xff\xe0",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "WebP": b"RIFF\x01\x02\x03\x0aWEBP",
    "AVI": b"RIFF\x01\x02\x03\x0aAVI ",
    "MP4": b"\0\0\0\x0aftypisom",
    "Matroska": b"\x1a\x45\xdf\xa3",
    "Parquet": b"PAR1",
    "safetensors": b"\x02\0\0\0\0\0\0\0{}",
    "JSON in lines": b'{"file": "a.png"}\n{"file": "b.png"}\n',
    "JSON": b'{\n  "a": 1\n}\n',
    "text": b"a,b\n1,2\n",
    "unknown": b"\x01\0\x02",
}


@pytest.mark.parametrize("there", KINDS)
def test_file_of_another_kind_is_never_replaced(tmp_path: Path, there: str) -> None:
    target = tmp_path / "target"
    for made, data in KINDS.items():
        target.write_bytes(KINDS[there])
        if made == there:
            write_bytes(target, data + b" new")
            assert target.read_bytes() == data + b" new"
        else:
            with nothing_changes(tmp_path), pytest.raises(FileError, match=f"it is .*{there}.*, which .*{made}"):
                write_bytes(target, data)


def test_a_kind_is_told_by_the_first_64_kib_and_a_picture_of_ours_by_the_first_kib(tmp_path: Path) -> None:
    path, mark = tmp_path / "file", _files.MADE_HERE.encode()
    for length, kind in ((65_534, "JSON in lines"), (65_535, "JSON")):
        path.write_bytes(b"{" + b" " * (length - 2) + b"}\n{}")
        assert _files._kind(path) == kind
    path.write_bytes(b"")
    assert _files._kind(path) is None
    for length, ours in ((1024, True), (1025, False)):
        path.write_bytes(bytes(length - len(mark)) + mark)
        assert _files.is_picture_made_here(path) is ours
    assert not _files.is_picture_made_here(tmp_path)
    assert not _files.is_picture_made_here(tmp_path / "absent")


def test_line_is_not_added_to_a_file_with_two_names(victim: Path) -> None:
    victim.with_name("log.jsonl").hardlink_to(victim)
    with nothing_changes(victim.parent), pytest.raises(FileError, match="second name"):
        append_text(victim.with_name("log.jsonl"), "one\n")


def test_nothing_else_in_the_source_writes_files() -> None:
    writes = re.compile(r"\.write_(text|bytes)\(|\bopen\(.*[\"'][wax]b?[\"']|imwrite\(|save_file\(")
    source = Path(_files.__file__).parent
    found = {path.name for path in source.rglob("*.py") if writes.search(path.read_text(encoding="utf-8"))}
    assert found - {"_files.py"} == {"videos.py"}  # there FFmpeg writes into a ``new_file``


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="open descriptors are counted in /dev/fd")
def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = os.listdir("/dev/fd")  # noqa: PTH208
    append_text(tmp_path / "log", "a line\n")
    by_bytes(tmp_path / "bytes")
    by_block(tmp_path / "block")
    with pytest.raises(FileError, match="no regular file"):
        append_text(Path("/dev/null"), "a line\n")
    with pytest.raises(FileError, match="no regular file"):
        read_bytes(tmp_path, limit_bytes=10, what="the file")
    assert os.listdir("/dev/fd") == before  # noqa: PTH208
