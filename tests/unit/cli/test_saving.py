"""What ``platereader read --save`` and ``--save-crops`` write never takes the place of anything that is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import ONE, Command, save

from fakes import frame_with, patch_pipeline
from platereader import Detection
from platereader.cli.saving import Crops, write_picture
from platereader.cli.sources import Source
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image

FRAME = frame_with(ONE)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("option", ["--save", "--save-crops"])
@pytest.mark.parametrize("given", [".", "a.png"])
def test_folder_that_is_read_takes_no_results(tmp_path: Path, command: Command, option: str, given: str) -> None:
    save(tmp_path / "a.png")
    before = contents(tmp_path)
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path.parent / f"{tmp_path.name}-link"):
        status, _, err = command("read", tmp_path / given, option, folder)
        assert status == 2
        assert "folder of pictures that are read" in err
    assert contents(tmp_path) == before


def test_crops_of_two_runs_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    """Both began when it was empty; a label of the one would be that of a plate of the other."""
    detection = Detection(next(iter(ONE.values())), 1.0)
    readings = patch_pipeline().read_detections(FRAME, [detection])
    paths = [save(tmp_path / name / "a.png") for name in ("north", "south")]
    runs = [Crops(tmp_path / "set", [Source(path, Path("a.png"))]) for path in paths]
    for run, path in zip(runs, paths, strict=True):
        for _ in range(2):
            run.save(Source(path, Path("a.png")), FRAME, readings, index=None)
    rows = [json.loads(line) for line in (tmp_path / "set" / "labels.jsonl").read_text().splitlines()]
    assert len({row["file"] for row in rows}) == 4
    assert len(list((tmp_path / "set" / "images").iterdir())) == 4


def hard_link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.hardlink_to(source)


def symbolic_link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.symlink_to(source)


def linked_folder(source: Path, target: Path) -> None:
    target.parent.parent.mkdir(parents=True)
    target.parent.symlink_to(source.parent, target_is_directory=True)


@pytest.mark.parametrize("link", [hard_link, symbolic_link, linked_folder])
@pytest.mark.parametrize(
    ("place", "status", "words"), [("in/b", 2, "one of the pictures that are read"), ("elsewhere", 1, "cannot write")]
)
def test_copy_never_takes_the_place_of_another_picture(
    tmp_path: Path, command: Command, link: Callable[[Path, Path], None], place: str, status: int, words: str
) -> None:
    save(tmp_path / "in" / "b" / "a.png")
    precious = save(tmp_path / place / "a.png")
    before = precious.read_bytes()
    link(precious, tmp_path / "out" / "b" / "a.png")
    outcome = command("read", tmp_path / "in", "--save", tmp_path / "out")
    assert (outcome.status, words in outcome.err) == (status, True), outcome.err
    assert contents(precious.parent) == {"a.png": before}
    assert (tmp_path / "out" / "b" / "a.png").read_bytes() == before
    assert list((tmp_path / "out").rglob(".*")) == []


def test_links_in_a_circle_are_said(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "in" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to("a.png")
    (tmp_path / "circle").symlink_to("circle")
    for given, folder, expected in (("in", "out", 1), ("circle", "other", 1), ("in", "circle", 2)):
        status, _, err = command("read", tmp_path / given, "--save", tmp_path / folder)
        assert (status, "Traceback" in err) == (expected, False)


def test_photograph_that_lies_in_the_folder_for_results_stays(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "in" / "a.png")
    before = save(tmp_path / "out" / "a.png").read_bytes()
    assert command("read", tmp_path / "in", "--save", tmp_path / "out").status == 1
    assert (tmp_path / "out" / "a.png").read_bytes() == before


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_second_run_replaces_its_own_copies_and_reads_none_of_them(tmp_path: Path, command: Command, name: str) -> None:
    save(tmp_path / name)
    save(tmp_path / "deeper" / name)
    folder = tmp_path / "out" / "deep"
    for _ in range(2):
        status, _, err = command("read", tmp_path, "--save", folder)
        assert status == 0
        assert "pictures read: 2, failed: 0" in err
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, "deeper"])
    assert (read_image(folder / name) != read_image(tmp_path / name)).any()


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize("pattern", [".", "**/a.*"])
def test_copies_of_an_earlier_run_are_read_only_where_nothing_else_is_named(
    tmp_path: Path, command: Command, name: str, pattern: str
) -> None:
    save(tmp_path / "in" / name)
    folder = tmp_path / "in" / "marked"
    assert command("read", tmp_path / "in", "--save", folder).status == 0
    status, _, err = command("read", tmp_path / "in" / pattern, "--save-crops", tmp_path / "crops")
    assert (status, "pictures read: 1, failed: 0" in err) == (0, True)
    assert "files that platereader wrote, left out: 1" in err
    assert len(load_dataset(tmp_path / "crops").images) == 1
    for given in (folder, folder / name):
        outcome = command("read", given, "--jsonl")
        assert [line["source"] for line in outcome.lines] == [str(folder / name)]
        assert "left out" not in outcome.err


def test_crops_below_the_folder_that_is_read(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "a.png")
    words = ("read", tmp_path, "--save-crops", tmp_path / "crops")
    assert command(*words).status == 0
    assert len(load_dataset(tmp_path / "crops").images) == 1
    before = contents(tmp_path)
    (tmp_path / "crops" / "labels.jsonl").unlink()
    status, _, err = command(*words)
    assert status == 2
    assert "already has labels or pictures" in err
    assert contents(tmp_path).keys() == before.keys() - {"crops/labels.jsonl"}


def test_crops_go_through_no_link(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "in" / "a.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops" / "images").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert command("read", tmp_path / "in", "--save-crops", tmp_path / "crops").status == 1
    assert contents(tmp_path / "elsewhere") == {}


def test_made_up_plates_replace_no_pictures(tmp_path: Path, command: Command) -> None:
    before = save(tmp_path / "images" / "000000.png").read_bytes()
    status, _, err = command("synth", tmp_path, "--count", "1")
    assert status == 2
    assert "pictures in images/" in err
    assert contents(tmp_path) == {"images/000000.png": before}


def test_what_a_killed_run_left_half_written_is_no_picture(tmp_path: Path, command: Command) -> None:
    left = tmp_path / "images" / f".{'0' * 32}.png"
    left.parent.mkdir()
    left.write_bytes(b"\x89PNG")
    assert command("synth", tmp_path, "--count", "1").status == 0
    assert sorted(contents(tmp_path)) == [f"images/{left.name}", "images/000000.png", "labels.jsonl"]


def test_pictures_are_those_that_were_given(tmp_path: Path) -> None:
    write_picture(tmp_path / "new" / "a.png", FRAME)
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), FRAME)
    write_picture(tmp_path / "new" / "a.png", FRAME[::-1])
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), FRAME[::-1])
