"""Labelled sets in every layout, with their broken rows, and picture files in every state."""

import hashlib
import json
import os
from pathlib import Path

import pytest
from saved_pictures import save

from platereader import Box, DatasetError, Quad
from platereader.lab.datasets import LabelledPlate, is_calibration, layouts, load_dataset
from platereader.lab.datasets.labels import is_held_out


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("plate_type", "lines"),
    [
        (None, None),
        ("unknown", None),
        ("foreign", None),
        ("foreign (standard)", None),
        ("kz_green_special", None),
        ("standard", 1),
        ("kz_standard", 1),
        ("transit_yellow_region", 1),
        ("standard_two_line", 2),
        ("square", 2),
        ("motorcycle", 2),
        ("police", 1),
        ("police_motorcycle", 2),
    ],
)
def test_lines_by_the_labelled_type(plate_type: str | None, lines: int | None) -> None:
    assert LabelledPlate(None, plate_type=plate_type).lines == lines


def test_only_loose_places_are_loose() -> None:
    qualities = ["loose", "fitted", "hand", None]
    assert [LabelledPlate(None, box_quality=one).is_loose for one in qualities] == [True, False, False, False]


class TestLabelsJsonl:
    def test_everything_a_row_says(self, tmp_path: Path) -> None:
        save(tmp_path / "images" / "a.png")
        plate = {
            "box": [1, 2, 21, 8],
            "corners": [[1, 2], [21, 3], [21, 8], [1, 7]],
            "text": "а 123 вс-77",
            "plate_type": "standard",
            "box_quality": "fitted",
        }
        row = {"file": "images/a.png", "width": 40, "height": 20, "country": "RU", "plates": [plate]}
        write(tmp_path / "labels.jsonl", json.dumps(row, ensure_ascii=False) + "\n\n")
        dataset = load_dataset(tmp_path)
        (image,) = dataset.images
        quad = Quad((1, 2), (21, 3), (21, 8), (1, 7))
        assert image.plates == (LabelledPlate(Box(1, 2, 21, 8), quad, "A123BC77", "standard", "fitted"),)
        assert (image.path, image.width, image.height, image.country) == (tmp_path / "images" / "a.png", 40, 20, "RU")
        assert dataset.skipped == ()
        assert load_dataset(tmp_path / "labels.jsonl") == dataset

    def test_what_is_known_of_the_rest_of_the_picture(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        two_lines = {
            "box": [1, 2, 21, 8],
            "text": "7007APET",
            "country": "UA",
            "lines": 2,
        }
        row = {"file": "a.png", "plates": [two_lines], "ignore": [[30, 1, 39, 5]], "complete": False, "fires": 0.7}
        write(tmp_path / "labels.jsonl", json.dumps(row) + '\n{"file": "a.png", "ignore": null}\n')
        first, second = load_dataset(tmp_path).images
        (plate,) = first.plates
        assert (plate.country, plate.lines) == ("UA", 2)
        assert (first.ignored, first.complete) == ((Box(30, 1, 39, 5),), False)
        assert (second.ignored, second.complete) == ((), None)
        assert (first.fires, second.fires) == (0.7, None)

    def test_a_box_that_is_the_whole_picture_makes_a_crop(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        plate = {"box": [0, 0, 40, 20], "text": "A123BC77", "box_quality": "whole"}
        write(tmp_path / "labels.jsonl", json.dumps({"file": "a.png", "plates": [plate]}))
        assert load_dataset(tmp_path).images[0].plates[0].box is None

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("{", "not valid JSON"),
            ("[]", "not an object"),
            ('{"plates": []}', "expected a string in 'file'"),
            ('{"file": "none.png"}', "no picture 'none.png'"),
            ('{"file": "a.png", "plates": 3}', "'plates' is not a list"),
            ('{"file": "a.png", "plates": [3]}', "a plate is not an object"),
            ('{"file": "a.png", "plates": [{"box": [1, 2, 3]}]}', "box is not 4 numbers"),
            ('{"file": "a.png", "plates": [{"box": [1, 2, 3, true]}]}', "box is not 4 numbers"),
            ('{"file": "a.png", "plates": [{"box": [9, 2, 3, 4]}]}', "inverted"),
            ('{"file": "a.png", "fires": "much"}', "'fires' is not 1 numbers"),
            ('{"file": "a.png", "fires": NaN}', "'fires' has a number beyond"),
            ('{"file": "a.png", "plates": [{"box": [9, 2, NaN, 4]}]}', "box has a number beyond 1000000"),
            ('{"file": "a.png", "plates": [{"box": [9, 2, Infinity, 4]}]}', "box has a number beyond 1000000"),
            ('{"file": "a.png", "plates": [{"box": [-1e308, 2, 1e308, 4]}]}', "box has a number beyond 1000000"),
            ('{"file": "a.png", "plates": [{"box": [1, 2, 1000001, 4]}]}', "box has a number beyond 1000000"),
            ('{"file": "a.png", "plates": [{"box": [1, 2, "1e308", 4]}]}', "box has a number beyond 1000000"),
            (
                '{"file": "a.png", "plates": [{"corners": [[0, 0], [1e308, 0], [9, 9], [0, 9]]}]}',
                "corners has a number",
            ),
            ('{"file": "a.png", "ignore": [[0, 0, 1e9, 9]]}', "'ignore' has a number beyond 1000000"),
            ('{"file": "a.png", "width": true}', "'width' is neither a whole number nor null"),
            ('{"file": "a.png", "width": -40}', "'width' is not between 1 and 1000000"),
            ('{"file": "a.png", "height": 1' + 400 * "0" + "}", "'height' is not between 1 and 1000000"),
            ('{"file": "a.png", "height": 1' + 9000 * "0" + "}", "is not valid JSON"),
            ('{"file": "a.png", "plates": [{"lines": true}]}', "'lines' is neither a whole number nor null"),
            ('{"file": "a.png", "plates": ' + "[" * 100_000, "is not valid JSON"),
            ('{"file": "a\\u0000.png"}', "there is no picture"),
            ('{"file": "a.png", "plates": [{"box": [9, 2, 9, 4]}]}', "has no area"),
            ('{"file": "a.png", "plates": [{"corners": [[1, 2]]}]}', "not a list of 4 points"),
            ('{"file": "a.png", "plates": [{"corners": [[1, 2], [9, 2], [5, 2], [3, 2]]}]}', "around an area"),
            ('{"file": "a.png", "plates": [{"corners": [[1, 1], [1, 5], [9, 5], [9, 1]]}]}', "around an area"),
            ('{"file": "a.png", "plates": [{"text": 7}]}', "'text' is neither a string nor null"),
            ('{"file": "a.png", "width": "wide"}', "'width' is neither a whole number nor null"),
            ('{"file": "a.png", "ignore": 7}', "'ignore' is neither a list nor null"),
            ('{"file": "a.png", "ignore": [[1, 2, 1, 9]]}', "has no area"),
            ('{"file": "a.png", "complete": "no"}', "'complete' is neither true, false nor null"),
            ('{"file": "a.png", "plates": [{"lines": 3}]}', "'lines' is neither 1 nor 2"),
        ],
    )
    def test_broken_row_is_named_and_skipped(self, tmp_path: Path, row: str, reason: str) -> None:
        save(tmp_path / "a.png")
        table = write(tmp_path / "labels.jsonl", f'{{"file": "a.png"}}\n{row}\n')
        dataset = load_dataset(tmp_path)
        assert len(dataset.images) == 1
        (skipped,) = dataset.skipped
        assert (skipped.path, skipped.line) == (table, 2)
        assert reason in skipped.reason
        assert str(skipped).startswith(f"{table}:2: ")

    def test_row_that_is_not_utf8(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        (tmp_path / "labels.jsonl").write_bytes(b'{"file": "a.png"}\n{"file": "\xff.png"}\n')
        assert [row.line for row in load_dataset(tmp_path).skipped] == [2]

    def test_table_that_cannot_be_read_is_named_and_skipped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(layouts, "_MAX_LABEL_BYTES", 100)
        for name, lines in (("small", 1), ("large", 20)):
            save(tmp_path / name / "a.png")
            write(tmp_path / name / "labels.jsonl", '{"file": "a.png"}\n' * lines)
        dataset = load_dataset(tmp_path)
        assert len(dataset.images) == 1
        (skipped,) = dataset.skipped
        assert skipped.path == tmp_path / "large" / "labels.jsonl"
        assert "more than 100 bytes" in skipped.reason

    def test_sets_below_a_folder_are_read_together(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            save(tmp_path / name / "a.png")
            write(tmp_path / name / "labels.jsonl", '{"file": "a.png"}')
        assert len(load_dataset(tmp_path).images) == 2


class TestYolo:
    @pytest.mark.parametrize(
        ("picture", "table"),
        [
            ("train/a.png", "train/a.txt"),
            ("train/images/a.png", "train/labels/a.txt"),
            ("images/train/a.png", "labels/train/a.txt"),
        ],
    )
    def test_shares_of_the_picture_become_pixels(self, tmp_path: Path, picture: str, table: str) -> None:
        save(tmp_path / picture)
        save(tmp_path / picture.replace("a.png", "without.png"))
        write(tmp_path / table, "0 0.5 0.5 0.25 0.2\n")
        write(tmp_path / "classes.txt", "plate\n")
        dataset = load_dataset(tmp_path)
        labels = {image.path.name: image for image in dataset.images}
        assert labels["a.png"].plates == (LabelledPlate(Box(15, 8, 25, 12)),)
        assert (labels["a.png"].width, labels["a.png"].height) == (40, 20)
        assert labels["without.png"].plates == ()
        assert dataset.skipped == ()

    def test_broken_files_are_skipped(self, tmp_path: Path) -> None:
        rows = {"a": "0 0.5 0.5 0.25 0.2", "b": "0 0.5 0.5 0.25", "c": "0 300 20 40 10", "d": "x y z 1 2"}
        rows |= {"e": "0 0.5 0.5 0.25 0", "f": "0 0.5 0.5 0.25 1.01"}
        for name, row in rows.items():
            save(tmp_path / "images" / f"{name}.png")
            write(tmp_path / "labels" / f"{name}.txt", row)
        write(tmp_path / "labels" / "nothing.txt", "0 0.5 0.5 0.25 0.2")
        write(tmp_path / "labels" / "train" / "nothing.txt", "0 0.5 0.5 0.25 0.2")
        dataset = load_dataset(tmp_path)
        assert [image.path.stem for image in dataset.images] == ["a"]
        assert sorted(row.path.stem for row in dataset.skipped) == ["b", "c", "d", "e", "f", "nothing", "nothing"]
        assert all("line 1" in row.reason for row in dataset.skipped if row.path.stem != "nothing")

    def test_shares_a_little_outside_are_clipped(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        write(tmp_path / "a.txt", "0 0.5 0.5 1.0004 1.0009\n0 -0.0005 0.5 0.5 0.5\n")
        dataset = load_dataset(tmp_path)
        assert dataset.skipped == ()
        assert [plate.box for plate in dataset.images[0].plates] == [Box(0, 0, 40, 20), Box(-10, 5, 10, 15)]

    def test_orientation_turns_the_size(self, tmp_path: Path) -> None:
        save(tmp_path / "a.jpg", orientation=6)
        write(tmp_path / "a.txt", "0 0.5 0.5 1 1")
        assert load_dataset(tmp_path).images[0].plates[0].box == Box(0, 0, 20, 40)


VOC = """<annotation><filename>a.png</filename><size><width>{width}</width><height>20</height></size>
<object><name>plate</name><bndbox><xmin>4</xmin><ymin>5</ymin><xmax>{xmax}</xmax><ymax>15</ymax></bndbox></object>
</annotation>"""


class TestVoc:
    @pytest.mark.parametrize(
        ("picture", "annotation"),
        [
            ("a.png", "a.xml"),
            ("JPEGImages/a.png", "Annotations/a.xml"),
            ("images/a.png", "annotations/other-name.xml"),
        ],
    )
    def test_objects_become_plates(self, tmp_path: Path, picture: str, annotation: str) -> None:
        save(tmp_path / picture)
        write(tmp_path / annotation, VOC.format(xmax=30, width=40))
        (image,) = load_dataset(tmp_path).images
        assert image.plates == (LabelledPlate(Box(4, 5, 30, 15)),)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("<annotation>", "not valid XML"),
            (VOC.format(xmax="wide", width=40), "bndbox is not 4 numbers"),
            (VOC.format(xmax=1, width=40), "inverted"),
            (VOC.format(xmax=4, width=40), "has no area"),
            (VOC.format(xmax=30, width=80), "not that of the picture"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><annotation/>", "entities"),
            (VOC.format(xmax="1e308", width=40), "bndbox has a number beyond 1000000"),
            (VOC.format(xmax="nan", width=40), "bndbox has a number beyond 1000000"),
        ],
    )
    def test_broken_annotation_is_skipped(self, tmp_path: Path, text: str, reason: str) -> None:
        for name in ("a", "b"):
            save(tmp_path / f"{name}.png")
        write(tmp_path / "a.xml", VOC.format(xmax=30, width=40))
        write(tmp_path / "b.xml", text)
        dataset = load_dataset(tmp_path)
        assert [image.path.stem for image in dataset.images] == ["a"]
        assert reason in dataset.skipped[0].reason

    def test_entities_are_found_in_other_encodings(self, tmp_path: Path) -> None:
        save(tmp_path / "a.png")
        text = """<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b 'c'>]><annotation>&b;</annotation>"""
        (tmp_path / "a.xml").write_bytes(text.encode("utf-16"))
        with pytest.raises(DatasetError, match="entities"):
            load_dataset(tmp_path)

    def test_annotation_without_picture(self, tmp_path: Path) -> None:
        save(tmp_path / "b.png")
        write(tmp_path / "b.xml", VOC.format(xmax=30, width=40))
        write(tmp_path / "c.xml", VOC.format(xmax=30, width=40))
        assert "its picture is not" in load_dataset(tmp_path).skipped[0].reason


class TestRia:
    def test_the_json_is_trusted_not_the_name(self, tmp_path: Path) -> None:
        save(tmp_path / "train" / "img" / "A111AA77.png")
        annotation = {"description": "B222BB99", "name": "A111AA77", "size": {"width": 40, "height": 20}}
        write(tmp_path / "train" / "ann" / "A111AA77.json", json.dumps(annotation))
        (image,) = load_dataset(tmp_path).images
        assert image.plates == (LabelledPlate(box=None, text="B222BB99"),)

    def test_broken_annotations_are_skipped(self, tmp_path: Path) -> None:
        for name, row in {"a": '{"description": "A1"}', "b": "{}", "c": "{", "d": '{"description": 3}'}.items():
            save(tmp_path / "img" / f"{name}.png")
            write(tmp_path / "ann" / f"{name}.json", row)
        write(tmp_path / "ann" / "e.json", '{"description": "A1"}')
        dataset = load_dataset(tmp_path)
        assert [image.path.stem for image in dataset.images] == ["a"]
        assert [row.path.stem for row in dataset.skipped] == ["b", "c", "d", "e"]


class TestNamedByText:
    def test_copies_and_cyrillic(self, tmp_path: Path) -> None:
        for name in ("A123BC77", "A123BC77_2", "о001оо199 (1)", "photo", "IMG_2031"):
            save(tmp_path / f"{name}.png")
        dataset = load_dataset(tmp_path)
        texts = sorted(image.plates[0].text or "" for image in dataset.images)
        assert texts == ["A123BC77", "A123BC77", "O001OO199"]
        assert sorted(row.path.stem for row in dataset.skipped) == ["IMG_2031", "photo"]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("A123BC-77", "A123BC77"),
            ("A123BC 77_2", "A123BC77"),
            ("A123BC77-199", "A123BC77"),
            ("001KNB16-2", "001KNB16"),
        ],
    )
    def test_a_region_that_stands_apart_is_kept(self, tmp_path: Path, name: str, text: str) -> None:
        save(tmp_path / f"{name}.jpg")
        assert load_dataset(tmp_path).images[0].plates[0].text == text


class TestNothingUsable:
    def test_missing_empty_and_all_broken(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="neither a folder nor"):
            load_dataset(tmp_path / "none")
        with pytest.raises(DatasetError, match="no usable picture"):
            load_dataset(tmp_path)
        write(tmp_path / "labels.jsonl", "{\n")
        with pytest.raises(DatasetError, match=r"1 broken rows; the first: .*:1: is not valid JSON"):
            load_dataset(tmp_path)


def test_of_the_neighbours_two_fifths_are_held_out() -> None:
    names = [f"{index}.jpg" for index in range(500)]
    assert [is_held_out(Path(name)) for name in names] == [is_calibration(Path(name)) for name in names]
    fifths = [int(hashlib.sha1(f"nb_{name}".encode()).hexdigest(), 16) % 5 for name in names]  # noqa: S324
    assert [is_held_out(Path(f"nb_{name}")) for name in names] == [fifth < 2 for fifth in fifths]


def test_calibration_is_the_fifth_by_sha1_of_the_name() -> None:
    names = [f"{index}.jpg" for index in range(500)]
    chosen = [name for name in names if is_calibration(Path("any/folder") / name)]
    assert 70 <= len(chosen) <= 130
    assert all(int(hashlib.sha1(name.encode()).hexdigest(), 16) % 5 == 0 for name in chosen)  # noqa: S324
    assert is_calibration(Path("a") / chosen[0])
    is_calibration(Path(os.fsdecode(b"\xff\xfe.jpg")))  # a name that is no text is split like any other
