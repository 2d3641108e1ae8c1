"""From the words of the command line to picture files."""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import Command

from platereader._files import MADE_HERE
from platereader.cli.saving import write_picture
from platereader.cli.sources import STDIN, find_sources, source_path


def names(found: list[Path], top: Path) -> list[str]:
    return [path.relative_to(top).as_posix() for path in found]


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_pattern_stands_for_what_matches_it(tmp_path: Path) -> None:
    touch(tmp_path / "b.jpg", tmp_path / "a.jpg", tmp_path / "c.png", tmp_path / "in" / "d.jpg")
    found = find_sources([tmp_path / "*.jpg", tmp_path / "**" / "d.jpg"])
    assert names([source.path for source in found], tmp_path) == ["a.jpg", "b.jpg", "in/d.jpg"]
    assert all(source.error is None for source in found)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    touch(tmp_path / "a[1].jpg", tmp_path / "a1.jpg")
    (source,) = find_sources([tmp_path / "a[1].jpg"])
    assert source.path.name == "a[1].jpg"


def test_results_below_a_pattern_are_no_sources(tmp_path: Path) -> None:
    touch(
        tmp_path / "a.jpg", tmp_path / "out" / "a.jpg", tmp_path / "out" / "day" / "b.jpg", tmp_path / "outer" / "c.jpg"
    )
    for pattern in ("**/*.jpg", "*"):
        found = find_sources([tmp_path / pattern], without=[tmp_path / "out"])
        assert names([source.path for source in found], tmp_path) == ["a.jpg", "outer/c.jpg"]
    (named,) = find_sources([tmp_path / "out" / "a.jpg"], without=[tmp_path / "out"])
    assert named.error is None


def test_named_results_of_an_earlier_run_are_left_out_unless_there_is_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg")
    marked = [tmp_path / "c.jpg", tmp_path / "out" / "a.png", tmp_path / "out" / "b.png"]
    for path in marked:
        write_picture(path, np.zeros((8, 8, 3), np.uint8))
    for inputs, kept, count in (
        (sorted(tmp_path.iterdir()), ["a.jpg", "b.jpg"], 3),  # as a shell expands F/*
        ([tmp_path], ["a.jpg", "b.jpg"], 3),
        (marked, ["c.jpg", "out/a.png", "out/b.png"], 0),
        (marked[:1], ["c.jpg"], 0),
        ([tmp_path / "missing.jpg", *marked[:1]], ["missing.jpg", "c.jpg"], 0),
        ([tmp_path / "out", tmp_path / "b.jpg"], ["b.jpg"], 2),
    ):
        skipped = Counter[str]()
        found = find_sources(inputs, skipped=skipped)
        assert names([source.path for source in found], tmp_path) == kept
        assert skipped == ({MADE_HERE: count} if count else {})


def test_what_is_missing_is_told_before_networks_are_loaded(tmp_path: Path, run: Command) -> None:
    run.refuse_building()
    missing, out = tmp_path / "missing.jpg", tmp_path / "out"
    for words in (["read", missing], ["read", missing, tmp_path / "b.png", "--json"], ["redact", missing, "-o", out]):
        outcome = run(*words)
        assert outcome.status == 1
        assert f"there is no file or folder {str(missing)!r}: check the path." in outcome.err
    assert run("watch", tmp_path / "missing.mp4").status == 3
    told = run("read", missing, "--lang", "ru").err
    assert f"platereader: нет файла или папки {str(missing)!r}: проверьте путь.\n" in told


def test_a_pattern_without_matches_is_named(tmp_path: Path) -> None:
    (source,) = find_sources([tmp_path / "*.jpg"])
    assert "no file matches" in str(source.error)


@pytest.mark.parametrize("word", ["https://example.com/a.jpg", "rtsp://user@camera/1", "file:///a.jpg"])
def test_a_url_is_refused_as_one(word: str) -> None:
    (source,) = find_sources([Path(word)])
    assert " is a URL" in str(source.error)
    assert "://" in str(source.error)


def test_standard_input_is_a_source() -> None:
    (source,) = find_sources([Path("-")])
    assert (source.path, source.error) == (STDIN, None)


def test_a_file_may_be_named_as_standard_input_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path / "-")
    assert source_path("-") == STDIN
    for word in ("./-", "?"):
        (source,) = find_sources([source_path(word)])
        assert (source.path, source.relative_path) == (tmp_path / "-", Path("-"))


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_broken_links_are_named_and_other_files_counted(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "b.mp4", tmp_path / "c.MP4", tmp_path / "notes", tmp_path / ".hidden.txt")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "photos").symlink_to("nowhere")
    (tmp_path / "log.txt").symlink_to("nowhere.txt")
    (tmp_path / "up").symlink_to(tmp_path, target_is_directory=True)
    skipped = Counter[str]()
    found = find_sources([tmp_path], skipped=skipped)
    assert [(source.path.name, source.error is None) for source in found] == [
        ("a.jpg", True),
        ("gone.jpg", False),
        ("photos", False),
    ]
    assert "link to 'nowhere.jpg'" in str(found[1].error)
    assert skipped == {".mp4": 2, "without an ending": 1, "links to folders": 1}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such devices")
def test_pipes_sockets_and_devices_are_counted_as_what_they_are(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    os.mkfifo(tmp_path / ".hidden.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "talk.png"))
        skipped = Counter[str]()
        (found,) = find_sources([tmp_path], skipped=skipped)
    assert found.path.name == "a.jpg"
    assert skipped == {"pipes": 1, "devices": 2, "sockets": 1}


def test_folders_that_cannot_be_read_are_named(tmp_path: Path, lock: Callable[[Path], None]) -> None:
    """They may hold pictures with plates that somebody believes to be covered."""
    touch(tmp_path / "in" / "a.jpg", tmp_path / "in" / "b" / "c.jpg", tmp_path / "in" / ".d" / "e.jpg")
    lock(tmp_path / "in" / "b")
    lock(tmp_path / "in" / ".d")
    found = find_sources([tmp_path / "in"])
    assert [(str(source.relative_path), source.error is None) for source in found] == [("a.jpg", True), ("b", False)]
    assert "b' cannot be read (Permission denied)" in str(found[1].error)
    lock(tmp_path / "in")
    (source,) = find_sources([tmp_path / "in"])
    assert source.path == tmp_path / "in"
    assert "in' cannot be read (Permission denied)" in str(source.error)


@pytest.mark.parametrize("name", ["a.jfif", "a.mpo", "a.avif", "a.jp2", "a.heic", "a.APNG"])
def test_every_kind_of_picture_is_looked_for(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name)
    (source,) = find_sources([tmp_path])
    assert source.error is None
