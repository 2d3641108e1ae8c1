"""Labelled sets in every layout, with their broken rows, and picture files in every state."""

import hashlib
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from platereader import Box, DatasetError, MediaFileError, Quad
from platereader._arrays import BgrImage
from platereader.lab.datasets import LabelledPlate, is_calibration, load_dataset
from platereader.lab.datasets.labels import is_held_out
from platereader.media._images import decode_image, image_size, read_image


def gradient(width: int = 40, height: int = 20) -> BgrImage:
    """A BGR picture whose left half is red."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 2] = 255
    return picture


def save(path: Path, *, width: int = 40, height: int = 20, orientation: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(gradient(width, height)[:, :, ::-1].copy())
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG of that size, without its pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + start + struct.pack(">I", 100) + b"IDAT"


class TestReadImage:
    @pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.bmp", "d.webp", "e.tif", "f.gif", "машина у дома.JPG"])
    def test_decodes_to_bgr(self, tmp_path: Path, name: str) -> None:
        picture = read_image(save(tmp_path / name))
        assert picture.shape == (20, 40, 3)
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        assert picture[10, 5, 2] > 200
        assert picture[10, 5, 0] < 60

    def test_the_bytes_decide_not_the_name(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png").rename(tmp_path / "a.txt")
        assert read_image(path).shape == (20, 40, 3)

    def test_exif_orientation_is_honoured(self, tmp_path: Path) -> None:
        turned = read_image(save(tmp_path / "a.jpg", orientation=6))
        assert turned.shape == (40, 20, 3)
        assert turned[5, 10, 2] > 200  # what was left is now up
        assert turned[35, 10, 2] < 60

    @pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "I;16"])
    def test_other_pixel_kinds_become_bgr(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
        grey = Image.fromarray(np.full((8, 8), 200, np.uint8))
        image = Image.fromarray(np.full((8, 8), 200 * 257, np.uint16)) if mode == "I;16" else grey.convert(mode)
        image.save(path)
        expected = 255 if mode == "1" else 200
        assert abs(int(read_image(path).mean()) - expected) <= 60 * (mode == "1") + 3

    def test_transparent_palette_raises_no_warning(self, tmp_path: Path) -> None:
        image = Image.new("P", (4, 4))
        image.save(tmp_path / "a.png", transparency=bytes([0, 128]))
        assert read_image(tmp_path / "a.png").shape == (4, 4, 3)

    def test_missing_file_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(MediaFileError, match="cannot be opened"):
            read_image(tmp_path / "none.jpg")
        with pytest.raises(MediaFileError, match="cannot be opened"):
            read_image(tmp_path)

    @pytest.mark.parametrize(("content", "what"), [(b"", "is empty"), (b"GIMP and more", "not a picture of a known")])
    def test_not_a_picture(self, tmp_path: Path, content: bytes, what: str) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(content)
        with pytest.raises(MediaFileError, match=what):
            read_image(path)

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.bmp"])
    def test_cut_off_file(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(MediaFileError, match="damaged"):
            read_image(path)

    def test_picture_in_memory(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.jpg", orientation=6)
        assert np.array_equal(decode_image(path.read_bytes(), path="bucket/a.jpg"), read_image(path))
        with pytest.raises(MediaFileError, match=r"'bucket/a.jpg' is damaged or cut off"):
            decode_image(path.read_bytes()[:-100], path="bucket/a.jpg")

    def test_bomb_is_refused_by_its_header(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.png"
        path.write_bytes(png_header(30_000, 30_000))
        with pytest.raises(MediaFileError, match=r"30000x30000 px, above 200 megapixels"):
            read_image(path)

    def test_damaged_bytes_raise_nothing_else(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(1)
        path = tmp_path / "a.bin"
        for name in ("a.jpg", "a.png", "a.gif", "a.tif", "a.webp"):
            whole = np.frombuffer(save(tmp_path / name).read_bytes(), np.uint8)
            for _ in range(20):
                damaged = whole.copy()
                damaged[rng.integers(len(whole), size=6)] = rng.integers(0, 256, 6)
                path.write_bytes(damaged.tobytes())
                try:
                    assert read_image(path).ndim == 3
                except MediaFileError:
                    continue


class TestImageSize:
    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
    def test_is_that_of_the_picture_as_it_is_read(self, tmp_path: Path, name: str) -> None:
        path = save(tmp_path / name, orientation=6)
        assert image_size(path) == (20, 40) == read_image(path).shape[1::-1]

    def test_reads_the_header_only(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(png_header(4000, 3000))
        assert image_size(path) == (4000, 3000)

    def test_does_not_load_the_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = save(tmp_path / "a.jpg")
        monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the whole file was read"))
        assert image_size(path) == (40, 20)

    def test_errors(self, tmp_path: Path) -> None:
        with pytest.raises(MediaFileError, match="cannot be opened"):
            image_size(tmp_path / "none.jpg")
        with pytest.raises(MediaFileError, match="is empty"):
            image_size(write(tmp_path / "a.jpg", ""))


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
            "registry_order": "AP7007ET",
        }
        row = {"file": "a.png", "plates": [two_lines], "ignore": [[30, 1, 39, 5]], "complete": False}
        write(tmp_path / "labels.jsonl", json.dumps(row) + '\n{"file": "a.png", "ignore": null}\n')
        first, second = load_dataset(tmp_path).images
        (plate,) = first.plates
        assert (plate.country, plate.lines, plate.registry_text) == ("UA", 2, "AP7007ET")
        assert (first.ignored, first.complete) == ((Box(30, 1, 39, 5),), False)
        assert (second.ignored, second.complete) == ((), None)

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
            ('{"file": "a.png", "plates": [{"box": [9, 2, NaN, 4]}]}', "not finite"),
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
        dataset = load_dataset(tmp_path)
        assert [image.path.stem for image in dataset.images] == ["a"]
        assert {row.path.stem for row in dataset.skipped} == {"b", "c", "d", "e", "f", "nothing"}
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
