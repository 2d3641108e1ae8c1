"""Photographs of a folder, one after the other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import platereader
from platereader.errors import CaptureError, MediaFileError
from platereader.media import open_source, read_image, read_images


def save(path: Path, grey: int) -> Path:
    """A picture file of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (grey, grey, grey)).save(path)
    return path


def test_pictures_come_with_their_paths_from_all_folders_in_order(tmp_path: Path) -> None:
    paths = [save(tmp_path / name, 10 * index) for index, name in enumerate(["a.png", "z.bmp", "въезд 50%/b.PNG"])]
    (tmp_path / "notes.txt").write_text("no picture")
    save(tmp_path / ".hidden" / "c.png", 1)
    save(tmp_path / ".d.png", 1)
    read = list(read_images(str(tmp_path)))
    assert [path for path, _ in read] == paths
    assert all(np.array_equal(frame, read_image(path)) for path, frame in read)
    assert [int(frame[0, 0, 0]) for _, frame in read] == [0, 10, 20]


def test_pictures_are_decoded_one_by_one(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 1)
    later = save(tmp_path / "b.png", 2)
    frames = read_images(tmp_path)
    next(frames)
    later.write_bytes(b"gone bad")
    with pytest.raises(MediaFileError, match=r"b\.png"):
        next(frames)


def test_a_damaged_picture_raises_or_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    save(tmp_path / "b.png", 1)
    with pytest.raises(MediaFileError, match=r"a\.jpg"):
        list(read_images(tmp_path))
    lines: list[str] = []
    assert [path.name for path, _ in read_images(tmp_path, notify=lines.append)] == ["b.png"]
    assert len(lines) == 1
    assert "a.jpg" in lines[0]


def test_a_folder_that_cannot_be_read_raises_or_is_named(tmp_path: Path, lock: Callable[[Path], None]) -> None:
    save(tmp_path / "a.png", 1)
    save(tmp_path / "in" / "b.png", 1)
    lock(tmp_path / "in")
    with pytest.raises(MediaFileError, match=r"in' cannot be read \(Permission denied\)"):
        read_images(tmp_path)
    lines: list[str] = []
    assert [path.name for path, _ in read_images(tmp_path, notify=lines.append)] == ["a.png"]
    assert len(lines) == 1
    with pytest.raises(CaptureError, match=r"in' cannot be read \(Permission denied\)"):
        open_source(tmp_path / "in")


def test_what_is_no_folder_of_pictures_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(MediaFileError, match="holds no pictures"):
        read_images(tmp_path)
    with pytest.raises(MediaFileError, match="no folder: for one picture there is read_image"):
        read_images(save(tmp_path / "a.png", 1))


def test_the_top_level_has_the_same_functions() -> None:
    assert (platereader.read_image, platereader.read_images) == (read_image, read_images)
    assert {"read_image", "read_images", "draw_readings"} <= set(platereader.__all__)
    with pytest.raises(AttributeError, match="'read_film'"):
        platereader.read_film  # type: ignore[attr-defined]  # noqa: B018
