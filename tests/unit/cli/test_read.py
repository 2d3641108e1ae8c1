"""``platereader read`` over fake parts: what is printed, written and returned."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, Detection, Pipeline, PlateReading, Quad, TrustPolicy, __version__
from platereader._arrays import BgrImage
from platereader.cli import main
from platereader.cli.document import PictureResult, ReadDocument
from platereader.detection._tiled import TiledDetector
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image
from platereader.rectification._corners import CornerRectifier

ONE = {50: Box(40, 60, 120, 80)}
TWO = {50: Box(40, 60, 120, 80), 100: Box(180, 150, 260, 170)}
BLANK: dict[int, Box] = {}
UNREADABLE = {200: Box(180, 20, 260, 40)}


def use(monkeypatch: pytest.MonkeyPatch, built: Pipeline) -> None:
    """Put a pipeline in the place of the one that the options ask for."""

    def build(arguments: argparse.Namespace) -> Pipeline:
        return built

    monkeypatch.setattr("platereader.cli.read.build_pipeline", build)


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """The fakes in the place of the shipped weights, and English."""
    monkeypatch.setenv("LC_ALL", "C")
    built = patch_pipeline()
    use(monkeypatch, built)
    return built


def save(path: Path, patches: dict[int, Box], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(frame_with(patches)[:, :, ::-1])).save(path, **options)
    return path


def run_json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, ReadDocument]:
    status = main(["read", "--json", *map(str, words)])
    return status, ReadDocument.from_dict(json.loads(capsys.readouterr().out))


def test_a_table_with_one_row_per_plate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "two.png", TWO)
    assert main(["read", str(path)]) == 0
    out, err = capsys.readouterr()
    header, *rows = out.splitlines()
    assert " ".join(header.split()) == "PICTURE PLATE LOCAL COUNTRY CONFIDENCE STATUS REGION OR REASON"
    assert {tuple(row.split()[1:4]) for row in rows} == {
        ("A123BC77", "А123ВС77", "RU"),
        ("M555KE199", "М555КЕ199", "RU"),
    }
    assert all("read" in row and "Moscow" in row for row in rows)
    assert "pictures read: 1, failed: 0; plates: 2 (2 read, 0 uncertain, 0 unreadable)" in err
    assert "A123BC77" not in err


def test_a_picture_without_plates_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(save(tmp_path / "blank.png", BLANK))]) == 0
    assert "no plate found" in capsys.readouterr().out


def test_reasons_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, patch_pipeline(probability=0.6, trust=TrustPolicy(min_legible=0.0)))
    main(["read", str(save(tmp_path / "one.png", TWO | UNREADABLE))])
    out = capsys.readouterr().out
    assert "uncertain" in out
    assert "low confidence" in out
    assert "????????" in out


def test_the_document_can_be_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    path = save(tmp_path / "two.png", TWO)
    status, document = run_json(capsys, path)
    assert status == 0
    assert document.version == __version__
    (picture,) = document.pictures
    assert (picture.source, picture.width, picture.height, picture.error) == (str(path), 320, 240, None)
    assert picture.readings == tuple(pipeline.read(read_image(path)))
    assert ReadDocument.from_dict(document.to_dict()) == document


def test_a_document_of_another_schema_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="schema"):
        ReadDocument.from_dict({"schema": 99, "pictures": [], "version": "9"})


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"schema": 2},
        {"schema": 2, "version": "2", "pictures": 5},
        {"schema": 2, "version": "2", "pictures": [None]},
        {"schema": 2, "version": "2", "pictures": [{"source": "a"}]},
        {"schema": 2, "version": "2", "pictures": [{"explanations": [1], "source": "a", "readings": []}]},
    ],
)
def test_what_is_no_document_is_refused(data: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"schema|no document"):
        ReadDocument.from_dict(data)


def test_csv_has_one_row_per_plate_and_one_per_other_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a, b.png", TWO)
    save(tmp_path / "blank.png", BLANK)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert main(["read", "--csv", str(tmp_path)]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(Path(row["source"]).name, row["text"]) for row in rows] == [
        ("a, b.png", "A123BC77"),
        ("a, b.png", "M555KE199"),
        ("blank.png", ""),
        ("broken.png", ""),
    ]
    assert rows[0]["text_local"] == "А123ВС77"
    assert (rows[0]["x1"], rows[0]["region_code"], rows[0]["status"]) == ("40.0", "77", "read")
    assert "broken.png" in rows[3]["error"]


@pytest.mark.parametrize("start", ["=1+2", "+1", "-1", "@SUM(A1)"])
def test_no_cell_is_a_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / f"{start}.png", ONE)
    (tmp_path / f"{start}.jpg").write_bytes(b"no picture")
    assert main(["read", "--csv", "--", f"{start}.png", f"{start}.jpg"]) == 1
    plate, broken = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (plate["source"], broken["source"]) == (f"'{start}.png", f"'{start}.jpg")
    assert not broken["error"].startswith(("=", "+", "-", "@"))
    assert plate["x1"] == "40.0"


@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_no_name_steers_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: list[str]) -> None:
    name = "a\x1b[2J\x9b2J\x07\r\n\u202egnp"
    save(tmp_path / f"{name}.png", ONE)
    (tmp_path / f"{name}.jpg").write_bytes(b"no picture")
    main(["read", *form, str(tmp_path)])
    out, err = capsys.readouterr()
    for text in (out, err):
        assert not set(text) & set("\x1b\x9b\x07\r\u202e")
        assert "\\x1b" in text or "\\u001b" in text
    if form == ["--json"]:
        assert Path(json.loads(out)["pictures"][1]["source"]).stem == name


def test_one_bad_picture_never_stops_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = save(tmp_path / "a.png", ONE)
    (tmp_path / "b.png").write_bytes(good.read_bytes()[:300])
    (tmp_path / "c.jpg").write_bytes(b"")
    (tmp_path / "d.jpg").write_bytes(b"GIF89a?")
    save(tmp_path / "e.png", TWO)
    status, document = run_json(capsys, tmp_path)
    assert status == 1
    assert [Path(picture.source).name for picture in document.pictures] == ["a.png", "b.png", "c.jpg", "d.jpg", "e.png"]
    assert [picture.error is None for picture in document.pictures] == [True, False, False, False, True]
    assert [len(picture.readings) for picture in document.pictures] == [1, 0, 0, 0, 2]


def test_a_failed_picture_is_named_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert main(["read", str(tmp_path / "b.png"), str(tmp_path / "nowhere.jpg")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "b.png" in err
    assert "nowhere.jpg" in err
    assert "failed: 2" in err


def test_a_line_of_json_comes_with_each_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.png", TWO)
    (tmp_path / "b.png").write_bytes(b"no picture")
    save(tmp_path / "c.png", ONE)
    printed: list[str] = []
    read = Pipeline.read

    def read_after(self: Pipeline, frame: BgrImage) -> list[PlateReading]:
        printed.append(capsys.readouterr().out)
        return read(self, frame)

    monkeypatch.setattr(Pipeline, "read", read_after)
    assert main(["read", "--jsonl", str(tmp_path)]) == 1
    first, last = "".join(printed).splitlines(), capsys.readouterr().out.splitlines()
    assert (len(first), len(last)) == (2, 1)  # two lines were out before the third picture was read
    rows = [json.loads(line) for line in (*first, *last)]
    assert [row["schema"] for row in rows] == [2, 2, 2]
    results = [PictureResult.from_dict(row) for row in rows]
    assert [len(result.readings) for result in results] == [2, 0, 1]
    assert "b.png" in str(results[1].error)


def test_a_picture_on_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = save(tmp_path / "one.png", ONE).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    status, document = run_json(capsys, "-", "--save", tmp_path / "out")
    assert (status, document.pictures[0].source) == (0, "stdin")
    assert document.pictures[0].readings[0].text == "A123BC77"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stdin.png"]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_every_frame_of_an_animated_picture_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    frames = [Image.fromarray(np.ascontiguousarray(frame_with(boxes)[:, :, ::-1])) for boxes in (ONE, BLANK, TWO)]
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=100, **options)
    status, document = run_json(capsys, tmp_path / name, "--save", tmp_path / "out")
    assert status == 0
    assert [picture.frame for picture in document.pictures] == [0, 1, 2]
    assert [len(picture.readings) for picture in document.pictures] == [1, 0, 2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-0.png", "a-1.png", "a-2.png"]
    assert main(["read", "--csv", str(tmp_path / name)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["frame"] for row in rows] == ["0", "1", "2", "2"]


def test_what_is_no_picture_by_its_name_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "a.png", ONE)
    for name in ("b.mp4", "c.MP4", "d.txt"):
        (tmp_path / name).touch()
    assert main(["read", str(tmp_path)]) == 0
    assert "not pictures by their names: 2 .mp4, 1 .txt" in capsys.readouterr().err


def test_the_table_in_russian(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "one.png", ONE)
    assert main(["read", "--lang", "ru", str(path)]) == 0
    out, err = capsys.readouterr()
    header, row = out.splitlines()
    assert header.split()[1:4] == ["НОМЕР", "НА", "НОМЕРЕ"]
    assert "прочитан" in row
    assert "Москва" in row
    assert err.startswith("снимков прочитано: 1")
    assert main(["read", "--lang", "ru", "--csv", str(path)]) == 0
    assert ",read,," in capsys.readouterr().out


def test_a_picture_that_the_pipeline_refuses_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (32_500, 1)).save(tmp_path / "wide.png")
    save(tmp_path / "one.png", ONE)
    status, document = run_json(capsys, tmp_path)
    assert status == 1
    assert document.pictures[0].error is None
    assert "32500x1" in str(document.pictures[1].error)


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.png", None])
def test_a_folder_without_pictures_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str | None
) -> None:
    if name is not None:
        save(tmp_path / name, ONE, format="png")
    assert main(["read", str(tmp_path)]) == 1
    assert "there is no picture in the folder" in capsys.readouterr().err


def test_a_file_is_read_by_what_is_in_it_not_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, document = run_json(capsys, save(tmp_path / "camera.dat", ONE, format="png"))
    assert status == 0
    assert document.pictures[0].readings[0].text == "A123BC77"


def test_folders_are_searched_to_the_bottom_and_files_read_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = save(tmp_path / "внутри" / "глубоко здесь" / "номер 1.PNG", ONE)
    outer = save(tmp_path / "b.png", BLANK)
    _, document = run_json(capsys, tmp_path, inner, outer)
    assert [picture.source for picture in document.pictures] == [str(outer), str(inner)]


def test_orientation_in_exif_is_honoured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turned = Image.fromarray(np.ascontiguousarray(frame_with(ONE)[:, :, ::-1])).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    _, document = run_json(capsys, tmp_path / "turned.png")
    (reading,) = document.pictures[0].readings
    assert reading.detection is not None
    assert reading.detection.box == ONE[50]


def test_names_that_are_no_unicode_are_printed_as_escapes(tmp_path: Path, capfdbinary: Any) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.png"
    try:
        Path(os.fsdecode(path)).write_bytes(save(tmp_path / "one.png", ONE).read_bytes())
    except OSError:
        pytest.skip("this file system takes only names in Unicode")
    assert main(["read", "--json", os.fsdecode(path)]) == 0
    document = json.loads(capfdbinary.readouterr().out)
    assert document["pictures"][0]["source"] == os.fsdecode(path)


def test_annotated_copies_keep_the_folders_and_never_touch_a_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [save(tmp_path / "in" / "номер.png", ONE), save(tmp_path / "in" / "b" / "номер.png", TWO)]
    before = [source.read_bytes() for source in sources]
    assert main(["read", str(tmp_path / "in"), "--save", str(tmp_path / "out")]) == 0
    for source in sources:
        copy = tmp_path / "out" / source.relative_to(tmp_path / "in")
        assert (read_image(copy) != read_image(source)).any()
    assert [source.read_bytes() for source in sources] == before


def test_copies_of_two_pictures_of_one_name_are_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = save(tmp_path / "a" / "x.png", ONE), save(tmp_path / "b" / "x.png", TWO)
    main(["read", str(one), str(other), "--save", str(tmp_path / "out")])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x-2.png", "x.png"]


@pytest.mark.parametrize("option", ["--save", "--save-crops"])
@pytest.mark.parametrize("place", ["out", "out/below"])
def test_a_folder_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, place: str
) -> None:
    (tmp_path / "out").write_bytes(b"a file where the folder should be")
    assert main(["read", str(save(tmp_path / "x.png", ONE)), option, str(tmp_path / place)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"platereader: {option} is ")
    assert "x.png" not in err


def test_a_copy_that_cannot_be_written_loses_no_reading(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.png").write_bytes(b"somebody's file")
    status, document = run_json(capsys, save(tmp_path / "x.png", ONE), "--save", tmp_path / "out")
    assert status == 1
    (picture,) = document.pictures
    assert (picture.error, picture.readings[0].text) == (None, "A123BC77")


def test_what_was_not_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.png").write_bytes(b"somebody's file")
    assert main(["read", str(save(tmp_path / "x.png", ONE)), "--save", str(tmp_path / "out")]) == 1
    out, err = capsys.readouterr()
    assert "A123BC77" in out
    assert "platereader: --save: cannot write" in err
    assert "copies and crops not written: 1" in err
    assert "failed: 0" in err


def test_saved_crops_are_a_labelled_set(tmp_path: Path, capsys: pytest.CaptureFixture[str], pipeline: Pipeline) -> None:
    save(tmp_path / "in" / "номер.png", TWO | UNREADABLE)
    save(tmp_path / "in" / "b" / "номер.png", ONE)
    crops = tmp_path / "crops"
    assert main(["read", str(tmp_path / "in"), "--save-crops", str(crops)]) == 0
    dataset = load_dataset(crops)
    assert dataset.skipped == ()
    texts = [image.plates[0].text for image in dataset.images]
    assert sorted(text or "" for text in texts) == ["", "A123BC77", "A123BC77", "M555KE199"]
    for image in dataset.images:
        frame, (plate,) = read_image(image.path), image.plates
        assert plate.box is not None
        found = pipeline.detector.detect([frame])[0]
        assert plate.box in [detection.box for detection in found]
    assert main(["read", str(tmp_path / "in"), "--save-crops", str(crops)]) == 2
    assert "labels" in capsys.readouterr().err


def test_an_uncertain_text_is_suggested_and_not_a_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, patch_pipeline(probability=0.92))
    main(["read", str(save(tmp_path / "x.png", ONE)), "--save-crops", str(tmp_path / "crops")])
    (row,) = (tmp_path / "crops" / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    (plate,) = json.loads(row)["plates"]
    assert (plate["text"], plate["suggestion"]) == (None, "A123BC77")


@dataclass(frozen=True)
class ThresholdDetector:
    """Finds the patches of ``PatchDetector`` with a score by their colour, above a threshold."""

    min_score: float = 0.3
    corners: Quad | None = None

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        found: list[list[Detection]] = []
        for frame, detections in zip(frames, PatchDetector().detect(frames), strict=True):
            scored = [self._scored(d, frame) for d in detections]
            found.append([d for d in scored if d.score >= self.min_score])
        return found

    def _scored(self, detection: Detection, frame: BgrImage) -> Detection:
        blue = int(frame[int(detection.box.y1), int(detection.box.x1), 0])
        return Detection(detection.box, {50: 0.9, 100: 0.2, 200: 0.8, 150: 0.01}[blue], self.corners)


def test_every_candidate_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built = Pipeline(replace(patch_pipeline().parts, detector=ThresholdDetector()))
    use(monkeypatch, built)
    places = {50: Box(10, 10, 90, 30), 100: Box(10, 50, 90, 70), 200: Box(10, 90, 90, 110), 150: Box(10, 130, 90, 150)}
    path = save(tmp_path / "x.png", places)
    _, document = run_json(capsys, path, "--explain")
    (picture,) = document.pictures
    assert [reading.text for reading in picture.readings] == ["A123BC77", None]
    assert picture.explanations is not None
    assert [(item.detection.score, item.stage) for item in picture.explanations] == [
        (0.9, "passed"),
        (0.8, "decoder"),
        (0.2, "detector"),
    ]
    assert main(["read", str(path), "--explain"]) == 0
    out = capsys.readouterr().out
    assert "candidate 0.20 at 10,50 80x20 px: detector: its score of 0.20 is below the threshold 0.3" in out


def test_candidates_of_a_detector_on_tiles_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiled = TiledDetector(ThresholdDetector(), tile_px=200, overlap_px=100)
    use(monkeypatch, Pipeline(replace(patch_pipeline().parts, detector=tiled)))
    path = save(tmp_path / "x.png", {50: Box(10, 10, 90, 30), 100: Box(10, 50, 90, 70)})
    _, document = run_json(capsys, path, "--explain")
    explained = document.pictures[0].explanations or ()
    assert [(item.detection.score, item.stage) for item in explained] == [(0.9, "passed"), (0.2, "detector")]


@pytest.mark.parametrize(
    ("probability", "trust", "words"),
    [
        (0.999, TrustPolicy(), "passed: read with a confidence of 0.9"),
        (0.9, TrustPolicy(), "trust: the whole text has a confidence of 0."),
        (0.9, TrustPolicy(min_confidence=0.0, min_character=0.99), "trust: its weakest character, "),
    ],
)
def test_the_judgement_is_explained_in_numbers(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    probability: float,
    trust: TrustPolicy,
    words: str,
) -> None:
    built = patch_pipeline(probability=probability, trust=trust)
    use(monkeypatch, Pipeline(replace(built.parts, detector=ThresholdDetector())))
    main(["read", str(save(tmp_path / "x.png", ONE)), "--explain"])
    assert words in capsys.readouterr().out


def test_rejected_corners_are_mentioned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored = Quad((120, 60), (40, 60), (40, 80), (120, 80))
    built = Pipeline(
        replace(patch_pipeline().parts, detector=ThresholdDetector(corners=mirrored), rectifier=CornerRectifier())
    )
    use(monkeypatch, built)
    main(["read", str(save(tmp_path / "x.png", ONE)), "--explain"])
    assert "the rectifier rejected its corners" in capsys.readouterr().out


def test_a_detector_without_threshold_cannot_be_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", str(save(tmp_path / "x.png", ONE)), "--explain"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "PatchDetector" in err
