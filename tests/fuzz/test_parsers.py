"""No file ends in anything but a result or an error of ours."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fakes import TEXTS as PATCHES
from fakes import frame_with, patch_pipeline
from fuzz.strategies import JSON_VALUES, TEXTS, cases, changed, changed_object, pictures, tensors_file
from platereader import Box, PlateReaderError, PlateReading, Registry, StreamUpdate
from platereader.errors import DatasetError, InvalidArgumentError, MediaFileError, WeightsCorruptError
from platereader.lab.datasets import load_dataset
from platereader.media._images import decode_frames, decode_image, image_size
from platereader.media._opening import parse_address
from platereader.plates import LATIN_36
from platereader.recognition._shape import ConvCtcConfig, shape_of
from platereader.registry import WeightEntry, load_manifest
from platereader.registry._contents import contents_of
from platereader.registry._exported import exported_entry
from platereader.registry._manifest import load_sidecar, sidecar_of
from platereader.trust import Calibration

ENTRY = Registry.default().entries[0].to_dict()
CALIBRATION = {**next(entry.calibration for entry in Registry.default().entries if entry.calibration is not None)}
PICTURES = pictures()
TENSORS = tensors_file()
ONNX = (
    bytes.fromhex("0808120a706c617465726561646572")
    + b"\x3a\x10\x0a\x06\x12\x01y\x22\x04Relu\x12\x01g*\x00"
    + b"B\x02\x10\x12"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where cases are written, one over the other."""
    return tmp_path_factory.mktemp("fuzz")


@given(changed_object(ENTRY))
def test_a_description_of_weights(data: Any) -> None:
    with suppress(WeightsCorruptError):
        entry = WeightEntry.from_dict(data)
        assert WeightEntry.from_dict(entry.to_dict()) == entry


@cases(0.3)
@given(
    data=st.one_of(
        changed([json.dumps({"schema": 2, "weights": [ENTRY]}).encode()], words=[b"null", b"[", b"1e999", b"\xff"]),
        JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    )
)
@example(data=b"[" * 100_000)
def test_a_manifest_and_a_sidecar(folder: Path, data: bytes) -> None:
    path = folder / "w.safetensors"
    sidecar_of(path).write_bytes(data)
    with suppress(WeightsCorruptError):
        load_manifest(sidecar_of(path))
    with suppress(WeightsCorruptError):
        load_sidecar(path, TENSORS)


@given(changed_object(CALIBRATION))
@example({**CALIBRATION, "plates": float("inf")})
def test_a_calibration(data: Any) -> None:
    with suppress(InvalidArgumentError):
        Calibration.from_dict(data)


@given(
    st.one_of(changed_object({"height_px": 32, "width_px": 128, "channels": [8, 8, 8], "features": 16}), JSON_VALUES),
    st.one_of(st.none(), TEXTS, st.just(LATIN_36.characters)),
)
def test_the_settings_of_a_reader(settings: Any, alphabet: str | None) -> None:
    assume(isinstance(settings, dict))
    with suppress(PlateReaderError):
        ConvCtcConfig.from_settings(settings)
    with suppress(PlateReaderError):
        shape_of(settings, alphabet=alphabet)


@given(changed([TENSORS, ONNX], words=[b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80", b"\0", b"{"]))
@example(b"\x3a\x00" * 40 + b"\x3b")
def test_what_a_weight_file_says_of_itself(data: bytes) -> None:
    with suppress(WeightsCorruptError):
        contents_of(data, name="w")
    with suppress(WeightsCorruptError):
        exported_entry(Path("w"), data)


@cases(0.5)
@given(changed(PICTURES, words=[b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff", b"II*\0", b"IDAT", b"Exif"]))
def test_a_picture(data: bytes) -> None:
    with suppress(MediaFileError):
        shape = decode_image(data, path="picture").shape
        assert shape[2] == 3
    with suppress(MediaFileError):
        for _, frame in decode_frames(data, path="picture"):
            assert frame.dtype == "uint8"


@cases(0.1)
@given(data=changed(PICTURES))
def test_the_size_of_a_picture(folder: Path, data: bytes) -> None:
    path = folder / "picture.jpg"
    path.write_bytes(data)
    with suppress(MediaFileError):
        assert min(image_size(path)) > 0


SECRET = "s3cr3t"  # noqa: S105  # of nobody


@given(
    st.sampled_from(["rtsp", "rtsps", "http", "https", "rtmp", "srt", "udp", "tcp", "RTSP"]),
    st.lists(st.one_of(TEXTS, st.sampled_from(["@", ":", "/", "?", "#", "a", "camera:554", "%40"])), max_size=6),
    st.sampled_from(["user:{}@", "{}@", "a:{}@b@", "?password={}", "/a?b&pwd={}", "/user={}&password={}", "/p:{}/"]),
    st.sampled_from(["://", "://", ":", ":/", "//"]),
)
@example("rtsp", ["camera", "/"], "user:{}@", ":")
def test_an_address_is_shown_without_its_password(scheme: str, parts: list[str], secret: str, slashes: str) -> None:
    around = "".join(parts)
    assume(SECRET not in around)
    placed = secret.replace("{}", SECRET)
    text = f"{scheme}{slashes}{placed}{around}" if placed.endswith("@") else f"{scheme}://{around}{placed}"
    with suppress(InvalidArgumentError):
        address = parse_address(text)
        assert SECRET not in address.shown
        assert SECRET not in repr(address)


@given(st.one_of(TEXTS, st.text()))
def test_any_words_are_some_source(text: str) -> None:
    with suppress(InvalidArgumentError):
        assert parse_address(text).kind in {"file", "folder", "webcam", "network"}


ROW = {
    "file": "A123BC77.png",
    "width": 9,
    "height": 6,
    "country": "RU",
    "complete": True,
    "ignore": [[1, 1, 3, 3]],
    "plates": [
        {"box": [1, 1, 5, 4], "corners": [[1, 1], [5, 1], [5, 4], [1, 4]], "text": "A123BC77", "lines": 1},
        {"box": None, "box_quality": "whole", "plate_type": "square"},
    ],
}
XML = (
    b"<annotation><filename>A123BC77.png</filename><size><width>9</width><height>6</height></size><object>"
    b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>4</ymax></bndbox></object></annotation>"
)
LABELS: dict[str, st.SearchStrategy[bytes]] = {
    "labels.jsonl": st.lists(
        st.one_of(changed_object(ROW).map(lambda row: json.dumps(row).encode()), changed([json.dumps(ROW).encode()])),
        max_size=3,
    ).map(b"\n".join),
    "A123BC77.xml": changed(
        [XML, b'<?xml version="1.0" encoding="utf-8"?>' + XML],
        words=[b'encoding="none"', b"<!DOCTYPE a>", b"&a;", b"NaN", b"1e999", b"<object>"],
    ),
    "A123BC77.txt": changed([b"0 0.5 0.5 0.2 0.2\n", b"0 0 0 1 1\n1 1 1 0.1 0.1"], words=[b"nan", b"1e999", b"\xff"]),
    "ann/A123BC77.json": st.one_of(
        changed([b'{"description": "A123BC77", "name": "1"}']),
        JSON_VALUES.map(lambda value: json.dumps(value).encode()),
    ),
}


@cases(0.3)
@pytest.mark.parametrize("name", LABELS)
@given(data=st.data())
def test_labels(name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / name.replace("/", "-")
    for place in (root / name, root / "A123BC77.png", root / "img" / "A123BC77.png"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(PICTURES[1])
    (root / name).write_bytes(data.draw(LABELS[name]))
    with suppress(DatasetError):
        found = load_dataset(root)
        for row in found.skipped:
            assert row.reason
            assert (row.line is not None) == (row.path.suffix == ".jsonl")
        for image in found.images:
            assert all(box.area > 0 for box in [*image.ignored, *(one.box for one in image.plates if one.box)])


@pytest.mark.parametrize("encoding", [b"none", b"utf-7", b"euc-jp"])
def test_an_annotation_in_an_encoding_that_is_not_known(encoding: bytes, tmp_path: Path) -> None:
    (tmp_path / "A123BC77.png").write_bytes(PICTURES[1])
    (tmp_path / "A123BC77.xml").write_bytes(b'<?xml version="1.0" encoding="' + encoding + b'"?>' + XML)
    with pytest.raises(DatasetError, match="not valid XML"):
        load_dataset(tmp_path)


FRAME = frame_with(dict(zip(PATCHES, [Box(10, 10, 110, 40), Box(150, 60, 250, 90)], strict=False)))
READING = patch_pipeline().read(FRAME)[0].to_dict()
UPDATE = next(patch_pipeline().read_stream([FRAME, FRAME], fps=1)).to_dict()


@given(changed_object(READING))
@example({**READING, "confidence": 10**400})
@example({**READING, "country": float("nan")})
def test_a_reading_from_json(data: Any) -> None:
    with suppress(PlateReaderError):
        reading = PlateReading.from_dict(data)
        assert PlateReading.from_dict(json.loads(json.dumps(reading.to_dict()))) == reading


@cases(0.5)
@given(changed_object(UPDATE))
@example({**UPDATE, "timestamp_s": 10**400})
def test_an_update_from_json(data: Any) -> None:
    with suppress(PlateReaderError):
        update = StreamUpdate.from_dict(data)
        json.dumps(update.to_dict(), allow_nan=False)
