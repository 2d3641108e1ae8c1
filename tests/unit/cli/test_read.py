"""``platereader read`` over fake parts: what is printed, written and returned."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import BLANK, ONE, TWO, Command, save
from PIL import Image

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, Pipeline, PlateReading, TrustPolicy, __version__
from platereader._arrays import BgrImage
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image

UNREADABLE = {200: Box(180, 20, 260, 40)}


def names(pictures: Sequence[dict[str, Any]]) -> list[str]:
    return [Path(picture["source"]).name for picture in pictures]


def test_a_table_with_one_row_per_plate(tmp_path: Path, command: Command) -> None:
    status, out, err = command("read", save(tmp_path / "two.png", TWO))
    assert status == 0
    header, *rows = out.splitlines()
    assert " ".join(header.split()) == "PICTURE PLATE LOCAL COUNTRY CONFIDENCE STATUS REGION OR REASON"
    assert {tuple(row.split()[1:4]) for row in rows} == {
        ("A123BC77", "А123ВС77", "RU"),
        ("M555KE199", "М555КЕ199", "RU"),
    }
    assert all("read" in row and "Moscow" in row for row in rows)
    assert "pictures read: 1, failed: 0; plates: 2 (2 read, 0 uncertain, 0 unreadable)" in err
    assert "A123BC77" not in err


def test_a_picture_without_plates_is_no_failure(tmp_path: Path, command: Command) -> None:
    status, out, _ = command("read", save(tmp_path / "blank.png", BLANK))
    assert status == 0
    assert "no plate found" in out


def test_reasons_are_said(tmp_path: Path, command: Command) -> None:
    command.over(patch_pipeline(probability=0.6, trust=TrustPolicy(min_legible=0.0)))
    out = command("read", save(tmp_path / "one.png", TWO | UNREADABLE)).out
    assert all(words in out for words in ("uncertain", "low confidence", "????????"))


def test_the_document_says_all_of_a_reading(tmp_path: Path, command: Command) -> None:
    path = save(tmp_path / "two.png", TWO)
    status, out, _ = command("read", "--json", path)
    document = json.loads(out)
    assert (status, document["schema"], document["version"]) == (0, 2, __version__)
    (picture,) = document["pictures"]
    readings = [PlateReading.from_dict(one) for one in picture.pop("readings")]
    assert readings == patch_pipeline().read(read_image(path))
    assert picture == {
        "source": str(path),
        "width": 320,
        "height": 240,
        "error": None,
        "explanations": None,
        "frame": None,
    }


def test_csv_has_one_row_per_plate_and_one_per_other_picture(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "a, b.png", TWO)
    save(tmp_path / "blank.png", BLANK)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    outcome = command("read", "--csv", tmp_path)
    rows = outcome.rows
    assert outcome.status == 1
    assert [(Path(row["source"]).name, row["text"]) for row in rows] == [
        ("a, b.png", "A123BC77"),
        ("a, b.png", "M555KE199"),
        ("blank.png", ""),
        ("broken.png", ""),
    ]
    assert (rows[0]["number"], rows[0]["text_local"]) == ("A123BC77", "А123ВС77")
    assert len(rows[0]["confidence"]) <= len("0.1234")
    assert (rows[0]["x1"], rows[0]["region_code"], rows[0]["status"]) == ("40.0", "77", "read")
    assert "broken.png" in rows[3]["error"]


@pytest.mark.parametrize("start", ["=1+2", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / f"{start}.png")
    (tmp_path / f"{start}.jpg").write_bytes(b"no picture")
    outcome = command("read", "--csv", "--", f"{start}.png", f"{start}.jpg")
    plate, broken = outcome.rows
    assert outcome.status == 1
    assert (plate["source"], broken["source"]) == (f"'{start}.png", f"'{start}.jpg")
    assert not broken["error"].startswith(("=", "+", "-", "@"))
    assert plate["x1"] == "40.0"


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_no_name_steers_the_terminal(tmp_path: Path, command: Command, form: list[str]) -> None:
    name = "a\x1b[2J\x9b2J\x07\r\n\u202egnp"
    save(tmp_path / f"{name}.png")
    (tmp_path / f"{name}.jpg").write_bytes(b"no picture")
    outcome = command("read", *form, tmp_path)
    for text in (outcome.out, outcome.err):
        assert not set(text) & set("\x1b\x9b\x07\r\u202e")
        assert "\\x1b" in text or "\\u001b" in text
    if form == ["--json"]:
        assert Path(outcome.pictures[1]["source"]).stem == name


def test_a_failed_picture_is_named_on_stderr(tmp_path: Path, command: Command) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    status, out, err = command("read", tmp_path / "b.png", tmp_path / "nowhere.jpg")
    assert (status, out) == (1, "")
    assert all(words in err for words in ("b.png", "nowhere.jpg", "failed: 2"))


def test_a_line_of_json_comes_with_each_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.png", TWO)
    (tmp_path / "b.png").write_bytes(b"no picture")
    save(tmp_path / "c.png")
    printed: list[str] = []
    read = Pipeline.read

    def read_after(self: Pipeline, frame: BgrImage) -> list[PlateReading]:
        printed.append(capsys.readouterr().out)
        return read(self, frame)

    monkeypatch.setattr(Pipeline, "read", read_after)
    outcome = command("read", "--jsonl", tmp_path)
    first = "".join(printed).splitlines()
    assert (outcome.status, len(first), len(outcome.lines)) == (1, 2, 1)  # two were out before the third was read
    rows = [*map(json.loads, first), *outcome.lines]
    assert [row["schema"] for row in rows] == [2, 2, 2]
    assert [len(row["readings"]) for row in rows] == [2, 0, 1]
    assert "b.png" in rows[1]["error"]


def test_a_picture_on_standard_input(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(tmp_path / "one.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    outcome = command("read", "--json", "-", "--save", tmp_path / "out")
    (picture,) = outcome.pictures
    assert (outcome.status, picture["source"], picture["readings"][0]["text"]) == (0, "stdin", "A123BC77")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stdin.png"]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_every_frame_of_an_animated_picture_is_read(tmp_path: Path, command: Command, name: str) -> None:
    frames = [Image.fromarray(np.ascontiguousarray(frame_with(boxes)[:, :, ::-1])) for boxes in (ONE, BLANK, TWO)]
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100, **options)
    outcome = command("read", "--json", tmp_path / name, "--save", tmp_path / "out")
    assert outcome.status == 0
    assert [picture["frame"] for picture in outcome.pictures] == [0, 1, 2]
    assert [len(picture["readings"]) for picture in outcome.pictures] == [1, 0, 2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-0.png", "a-1.png", "a-2.png"]
    assert [row["frame"] for row in command("read", "--csv", tmp_path / name).rows] == ["0", "1", "2", "2"]


def test_what_is_no_picture_by_its_name_is_counted(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "a.png")
    for name in ("b.mp4", "c.MP4", "d.txt"):
        (tmp_path / name).touch()
    status, _, err = command("read", tmp_path)
    assert status == 0
    assert "not pictures by their names: 2 .mp4, 1 .txt\n`platereader watch` takes the videos\n" in err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such devices")
def test_what_is_no_file_is_counted_apart(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    status, _, err = command("read", tmp_path)
    assert (status, err.splitlines()[:-1]) == (0, ["no regular files, left out: 1 pipes, 1 devices"])
    told = command("read", "--lang", "ru", tmp_path).err
    assert "пропущено (это не обычные файлы): 1 (каналы), 1 (устройства)\n" in told


@pytest.mark.parametrize("options", [["read", "--explain"], ["redact", "--out", "out"]])
def test_what_is_no_file_is_refused_before_networks_are_loaded(
    options: list[str], tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(_: object) -> Pipeline:
        raise AssertionError("networks were loaded")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"platereader.cli.{options[0]}.build_pipeline", loaded)
    (tmp_path / "gone.png").symlink_to("nowhere")
    status, _, err = command(*options, "http://host/a.jpg", "gone.png")
    assert status == 1
    assert "http://host/a.jpg is a URL, and only files are read here: download it first." in err
    assert "link to 'nowhere'" in err
    save(tmp_path / "a.png")
    with pytest.raises(AssertionError, match="networks"):
        command(*options, "http://host/a.jpg", "a.png")


def test_a_video_is_for_another_command(tmp_path: Path, command: Command) -> None:
    (tmp_path / "gate.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(100))
    assert "has the name of a video: `platereader watch` takes those." in command("read", tmp_path / "gate.mp4").err
    told = command("read", "--lang", "ru", tmp_path / "gate.mp4").err
    assert "не снимок, а, судя по имени, видео: для видео есть команда `platereader watch`." in told
    save(tmp_path / "picture.png").rename(tmp_path / "picture.mp4")
    assert "watch" not in command("read", tmp_path / "picture.mp4").err


def test_the_table_in_russian(tmp_path: Path, command: Command) -> None:
    path = save(tmp_path / "one.png")
    _, out, err = command("read", "--lang", "ru", path)
    header, row = out.splitlines()
    assert header.split()[1:4] == ["НОМЕР", "НА", "НОМЕРЕ"]
    assert "прочитан" in row
    assert "Москва" in row
    assert err.startswith("снимков прочитано: 1")
    (tmp_path / "notes").touch()
    assert "(судя по именам, это не снимки): 1 без расширения" in command("read", "--lang", "ru", tmp_path).err
    assert ",read,," in command("read", "--lang", "ru", "--csv", path).out


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.png", None])
def test_a_folder_without_pictures_says_so(tmp_path: Path, command: Command, name: str | None) -> None:
    if name is not None:
        save(tmp_path / name, format="png")
    status, _, err = command("read", tmp_path)
    assert status == 1
    assert "there is no picture in the folder" in err


def test_a_file_is_read_by_what_is_in_it_not_by_its_name(tmp_path: Path, command: Command) -> None:
    (row,) = command("read", "--csv", save(tmp_path / "camera.dat", format="png")).rows
    assert row["text"] == "A123BC77"


def test_folders_are_searched_to_the_bottom_and_files_read_once(tmp_path: Path, command: Command) -> None:
    inner = save(tmp_path / "внутри" / "глубоко здесь" / "номер 1.PNG")
    outer = save(tmp_path / "b.png", BLANK)
    pictures = command("read", "--json", tmp_path, inner, outer).pictures
    assert [picture["source"] for picture in pictures] == [str(outer), str(inner)]


def test_orientation_in_exif_is_honoured(tmp_path: Path, command: Command) -> None:
    turned = Image.fromarray(np.ascontiguousarray(frame_with(ONE)[:, :, ::-1])).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    (row,) = command("read", "--csv", tmp_path / "turned.png").rows
    assert tuple(float(row[edge]) for edge in ("x1", "y1", "x2", "y2")) == ONE[50].to_tuple()


def test_names_that_are_no_unicode_are_printed_as_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    command = Command(capfdbinary, monkeypatch)
    command.over(patch_pipeline())
    path = os.fsencode(tmp_path) + b"/\xff.png"
    try:
        Path(os.fsdecode(path)).write_bytes(save(tmp_path / "one.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes only names in Unicode")
    assert command("read", "--json", os.fsdecode(path)).pictures[0]["source"] == os.fsdecode(path)


@pytest.mark.parametrize("name", ["read", "watch"])
def test_csv_that_is_appended_to_a_file_has_one_header(
    name: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(4):
        save(tmp_path / "frames" / f"{index}.png")
    for _ in range(2):
        with (tmp_path / "plates.csv").open("a", encoding="utf-8") as file, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", file)
            assert command(name, tmp_path / "frames", "--csv").status == 0
    once = command(name, tmp_path / "frames", "--csv").out.splitlines()
    assert once[0].split(",")[1] == "text"
    assert (tmp_path / "plates.csv").read_text(encoding="utf-8").splitlines() == once + once[1:]


def test_annotated_copies_keep_the_folders_and_never_touch_a_source(tmp_path: Path, command: Command) -> None:
    sources = [save(tmp_path / "in" / "номер.png"), save(tmp_path / "in" / "b" / "номер.png", TWO)]
    before = [source.read_bytes() for source in sources]
    assert command("read", tmp_path / "in", "--save", tmp_path / "out").status == 0
    for source in sources:
        copy = tmp_path / "out" / source.relative_to(tmp_path / "in")
        assert (read_image(copy) != read_image(source)).any()
    assert [source.read_bytes() for source in sources] == before


def test_the_area_is_outlined_in_the_copies(tmp_path: Path, command: Command) -> None:
    path = save(tmp_path / "x.png", BLANK)
    words = ("read", path, "--save", tmp_path / "out", "--area", "20,100 300,100 160,220")
    assert command(*words).status == 0
    drawn = (read_image(tmp_path / "out" / "x.png") != read_image(path)).any(axis=2)
    assert drawn[100, 20:300].all()
    assert not drawn[110:190, 160].any()


def test_copies_of_two_pictures_of_one_name_are_two_files(tmp_path: Path, command: Command) -> None:
    one, other = save(tmp_path / "a" / "x.png"), save(tmp_path / "b" / "x.png", TWO)
    command("read", one, other, "--save", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x-2.png", "x.png"]


@pytest.mark.parametrize("option", ["--save", "--save-crops"])
@pytest.mark.parametrize("place", ["out", "out/below"])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, command: Command, option: str, place: str
) -> None:
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    status, out, err = command("read", save(tmp_path / "x.png"), option, tmp_path / place)
    assert (status, out) == (2, "")
    assert err.startswith(f"platereader: {option} is ")
    assert "x.png" not in err


def test_a_copy_that_cannot_be_written_is_said_and_loses_no_reading(tmp_path: Path, command: Command) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.png").write_bytes(b"somebody's file")
    outcome = command("read", "--csv", save(tmp_path / "x.png"), "--save", tmp_path / "out")
    assert [(row["text"], row["error"]) for row in outcome.rows] == [("A123BC77", "")]
    assert outcome.status == 1
    for words in ("platereader: --save: cannot write", "copies and crops not written: 1", "failed: 0"):
        assert words in outcome.err


def test_saved_crops_are_a_labelled_set(tmp_path: Path, command: Command) -> None:
    save(tmp_path / "in" / "номер.png", TWO | UNREADABLE)
    save(tmp_path / "in" / "b" / "номер.png")
    words = ("read", tmp_path / "in", "--save-crops", tmp_path / "crops")
    assert command(*words).status == 0
    dataset = load_dataset(tmp_path / "crops")
    assert dataset.skipped == ()
    texts = [image.plates[0].text for image in dataset.images]
    assert sorted(text or "" for text in texts) == ["", "A123BC77", "A123BC77", "M555KE199"]
    for image in dataset.images:
        found = PatchDetector().detect([read_image(image.path)])[0]
        assert image.plates[0].box in [detection.box for detection in found]
    status, _, err = command(*words)
    assert status == 2
    assert "labels" in err


def test_an_uncertain_text_is_suggested_and_not_a_label(tmp_path: Path, command: Command) -> None:
    command.over(patch_pipeline(probability=0.92))
    command("read", save(tmp_path / "x.png"), "--save-crops", tmp_path / "crops")
    (row,) = (tmp_path / "crops" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    (plate,) = json.loads(row)["plates"]
    assert (plate["text"], plate["suggestion"]) == (None, "A123BC77")
