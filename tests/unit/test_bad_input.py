"""Bad input to the whole library, with the shipped weights where they matter: a helpful error or a plain result."""

from __future__ import annotations

import argparse
import json
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import (
    Box,
    Detection,
    FusedEvidence,
    InvalidArgumentError,
    InvalidImageError,
    Pipeline,
    PlateImage,
    PlateReading,
    Registry,
    RuntimeOptions,
    StreamSettings,
    UnknownNameError,
    WeightsError,
    read_image,
    read_images,
)
from platereader._arrays import BgrImage
from platereader._defaults import DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS
from platereader.cli import main
from platereader.errors import WeightsCorruptError, WeightsNotFoundError
from platereader.lab.synthesis.render import render_plate
from platereader.lab.synthesis.street import generated_street
from platereader.media import decode_image, open_source, redact_stream
from platereader.plates import RUSSIA

TEXT = "A123BC77"
PLATE = Box(40, 60, 120, 80)
FRAME = frame_with({50: PLATE})


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """The default pipeline, with the shipped weights."""
    return Pipeline.build()


@pytest.fixture(scope="module")
def street() -> BgrImage:
    """A street with one plate."""
    rng = np.random.default_rng(0)
    front = render_plate(TEXT, RUSSIA.layout("standard"), height_px=112, rng=rng)
    return generated_street(rng, size_px=(640, 360), fronts=[front]).pixels


def texts(readings: Sequence[PlateReading]) -> set[str | None]:
    """What was read for sure."""
    return {reading.text for reading in readings if reading.status == "read"}


def test_every_repr_is_one_short_line(pipeline: Pipeline, street: BgrImage) -> None:
    assert repr(pipeline).startswith(
        "Pipeline(detector=PlateDetector, rectifier=RefinedRectifier(CornerRectifier), recognizer=CtcRecognizer, "
        "decoder=BeamDecoder, trust=TrustPolicy, tracker=MotionTracker, schemes=Schemes(RU BY "
    )
    assert repr(pipeline.parts) == repr(pipeline).replace("Pipeline(", "PipelineParts(", 1)
    stream, registry = pipeline.stream(), Registry.default()
    update = stream.update(street, 0.0)
    assert repr(stream) == "PlateStream(frames=1, in_view=1)"
    final = stream.finish()
    assert repr(stream) == "PlateStream(frames=1, in_view=0, finished)"
    reading = pipeline.read(street)[0]
    check, *_ = registry.verify()
    evidence = FusedEvidence(pipeline.trust, alphabet=pipeline.recognizer.alphabet, schemes=pipeline.schemes)
    evidence.add(reading, 0)
    shown = [
        *(pipeline, pipeline.parts, pipeline.schemes, *pipeline.schemes, *pipeline.describe(), pipeline.trust),
        *(registry, check, check.entry, check.file, RuntimeOptions(), StreamSettings()),
        *(stream, update, final, evidence, evidence.fused, reading, reading.evidence, reading.evidence.plate),
    ]
    for one in shown:
        assert re.fullmatch(r"\w+\([^\n]{0,330}\)", repr(one)), repr(one)


# Frames


NO_FRAMES: list[tuple[object, str]] = [
    (np.zeros((40, 60, 3), np.float32), r"dtype float32, expected uint8.*\* 255"),
    (np.zeros((40, 60, 3), np.float64), r"dtype float64, expected uint8"),
    (np.zeros((40, 60, 3), np.int32), r"dtype int32, expected uint8"),
    (np.zeros((40, 60, 3), np.bool_), r"dtype bool, expected uint8"),
    (np.zeros((40, 60), np.uint8), r"shape \(40, 60\).*COLOR_GRAY2BGR"),
    (np.zeros((40, 60, 1), np.uint8), r"shape \(40, 60, 1\).*COLOR_GRAY2BGR"),
    (np.zeros((40, 60, 4), np.uint8), r"shape \(40, 60, 4\).*COLOR_BGRA2BGR"),
    (np.zeros((3, 40, 60), np.uint8), r"shape \(3, 40, 60\), expected \(H, W, 3\)"),
    (np.zeros((0, 60, 3), np.uint8), r"60x0 px, allowed are 1 to 32000"),
    (np.zeros((40, 0, 3), np.uint8), r"0x40 px, allowed are 1 to 32000"),
    (np.zeros((1, 32_001, 3), np.uint8), r"32001x1 px, allowed are 1 to 32000.*shrink"),
    ("photo.jpg", r"a str, not a numpy array.*platereader\.read_image"),
    (Path("photos") / "въезд.png", r"not a numpy array.*platereader\.read_image"),
    ([[1, 2, 3]], r"a list, not a numpy array"),
    (None, r"a NoneType, not a numpy array"),
]


@pytest.mark.parametrize(("frame", "says"), NO_FRAMES)
def test_what_is_no_frame_is_refused_at_every_entrance(pipeline: Pipeline, frame: Any, says: str) -> None:
    detections = [Detection(Box(0, 0, 9, 9), 0.5)]
    entrances: list[tuple[str, Callable[[], object]]] = [
        ("frame", lambda: pipeline.read(frame)),
        (r"frames\[1\]", lambda: pipeline.read_batch([FRAME, frame])),
        ("frame", lambda: pipeline.read_detections(frame, detections)),
        (r"plates\[0\]", lambda: pipeline.read_plates([frame])),
        (r"plates\[0\]\.pixels", lambda: pipeline.read_plates([PlateImage(frame)])),
        ("frame", lambda: pipeline.stream().update(frame, 0.0)),
    ]
    for name, enter in entrances:
        with pytest.raises(InvalidImageError, match=f"^{name} (is|has) .*{says}"):
            enter()


@pytest.mark.parametrize("value", [b"abc", None, 5.5, ["a.jpg"], np.zeros(3)])
def test_what_is_no_path_is_refused_at_every_entrance(value: Any) -> None:
    entrances: list[tuple[str, Callable[[], object]]] = [
        ("path", lambda: read_image(value)),
        ("path", lambda: decode_image(b"", path=value)),
        ("folder", lambda: list(read_images(value))),
        ("source", lambda: open_source(value)),
        ("name_or_path", lambda: Registry.default().resolve(value)),
    ]
    for name, enter in entrances:
        with pytest.raises(
            InvalidArgumentError, match=f"^{name} is a {type(value).__name__}, expected is a path, as str"
        ):
            enter()


def test_bytes_and_paths_are_sent_to_the_other_function() -> None:
    data: Any = b"abc"
    with pytest.raises(InvalidArgumentError, match=r"platereader\.media\.decode_image\(data, path=\.\.\.\)"):
        read_image(data)
    path: Any = "a.jpg"
    with pytest.raises(InvalidArgumentError, match=r"^data is a str, .*platereader\.read_image takes its path"):
        decode_image(path, path="a.jpg")


def test_one_picture_in_the_place_of_several_is_refused(pipeline: Pipeline) -> None:
    one: Any = FRAME
    with pytest.raises(InvalidImageError, match=r"^frames is one picture, expected is a list.*\[frame\]"):
        pipeline.read_batch(one)
    with pytest.raises(InvalidImageError, match=r"^plates is one picture, expected is a list.*\[plate\]"):
        pipeline.read_plates(one)


@pytest.mark.parametrize("path", ["gate.mp4", Path("gate.mp4")])
def test_a_path_in_the_place_of_frames_is_named(path: Any) -> None:
    pipeline = patch_pipeline()
    with pytest.raises(InvalidArgumentError, match=r"frames is .*gate\.mp4.*open_source"):
        next(pipeline.read_stream(path, fps=25.0))
    with pytest.raises(InvalidArgumentError, match=r"frames is .*gate\.mp4.*open_source"):
        pipeline.read_batch(path)
    with pytest.raises(InvalidArgumentError, match=r"frames is .*gate\.mp4.*open_source"):
        redact_stream(path, detector=pipeline.detector, tracker=pipeline.tracker())


def test_readings_and_codes_in_the_place_of_detections_and_schemes(pipeline: Pipeline) -> None:
    readings: Any = pipeline.read_plates([FRAME])
    with pytest.raises(InvalidArgumentError, match=r"detections\[0\] is a PlateReading.*reading\.detection"):
        pipeline.read_detections(FRAME, readings)
    codes: Any = ("RU",)
    with pytest.raises(InvalidArgumentError, match=r"schemes has a str.*schemes_of"):
        Pipeline.build(schemes=codes)


def test_the_advice_for_float_frames_works(pipeline: Pipeline, street: BgrImage) -> None:
    floats = street.astype(np.float32) / 255
    with pytest.raises(InvalidImageError, match=r"\(frame \* 255\)\.round\(\)\.astype\(numpy\.uint8\)"):
        pipeline.read(floats)  # type: ignore[arg-type]
    assert TEXT in texts(pipeline.read((floats * 255).round().astype(np.uint8)))


def test_views_of_any_strides_are_read_alike_and_not_written_to(pipeline: Pipeline, street: BgrImage) -> None:
    expected = pipeline.read(street)
    assert TEXT in texts(expected)
    wide = np.repeat(street, 2, axis=1)
    flipped = [street[::-1].copy()[::-1], street[..., ::-1].copy()[..., ::-1]]
    views = [np.asfortranarray(street), *flipped, wide[:, ::2], street.view()]
    for view in views:
        view.flags.writeable = False
        assert pipeline.read(view) == expected
    assert [texts(readings) for readings in pipeline.read_batch(views)] == [texts(expected)] * len(views)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (12_000, 1), (1, 12_000), (12_000, 700), (32_000, 2)])
def test_frames_of_extreme_sizes_have_no_plates(pipeline: Pipeline, size: tuple[int, int]) -> None:
    width, height = size
    assert pipeline.read(np.full((height, width, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("size", [(1, 1), (12_000, 1), (1, 12_000)])
def test_crops_of_extreme_sizes_are_never_trusted(pipeline: Pipeline, size: tuple[int, int]) -> None:
    crop = np.full((size[1], size[0], 3), 90, np.uint8)
    readings = pipeline.read_plates([crop, PlateImage(crop), PlateImage(crop, 2)])
    assert len(readings) == 3
    assert texts(readings) == set()


def test_a_plate_in_a_frame_of_12000_px_is_read_where_it_is_pointed_at(pipeline: Pipeline, street: BgrImage) -> None:
    (found,) = (reading for reading in pipeline.read(street) if reading.text == TEXT)
    assert found.detection is not None
    wide = np.zeros((400, 12_000, 3), np.uint8)
    wide[:360, 11_000:11_640] = street
    box = found.detection.box.moved(11_000, 0)
    assert texts(pipeline.read_detections(wide, [Detection(box, 0.9)])) == {TEXT}


# Streams


@pytest.mark.parametrize("item", [(FRAME, 0.0), (0.0, FRAME, 1), (FRAME,), ("now", FRAME), (None, FRAME)])
def test_other_pairs_in_a_stream_are_refused(item: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"frames\[0\] is a tuple of .*expected \(timestamp_s, frame\)"):
        list(patch_pipeline().read_stream([item]))


def test_a_stream_goes_on_after_a_bad_frame() -> None:
    stream = patch_pipeline().stream()
    bad: Any = FRAME[..., 0]
    stream.update(FRAME, 0.0)
    with pytest.raises(InvalidImageError):
        stream.update(bad, 0.1)
    assert stream.update(FRAME, 0.1).active[0].readings == 2


# Files


def save(path: Path, picture: BgrImage) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(path)
    return path


def bomb(path: Path) -> None:
    """A PNG of 900 megapixels in some 100 kilobytes."""
    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(bytes(1 + 30_000 // 8)) for _ in range(30_000)) + rows.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))


def test_bad_pictures_in_a_folder_never_stop_the_others(
    tmp_path: Path,
    pipeline: Pipeline,
    street: BgrImage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def build(arguments: argparse.Namespace) -> Pipeline:
        return pipeline

    monkeypatch.setattr("platereader.cli.read.build_pipeline", build)
    grey = np.repeat(street.mean(axis=2).astype(np.uint8)[..., None], 3, axis=2)
    Image.fromarray(grey[..., 0]).save(tmp_path / "a grey.png")
    Image.fromarray(np.dstack([street[..., ::-1], street[..., 0]])).save(tmp_path / "b rgba.png")
    save(tmp_path / "c 1x1.png", street[:1, :1])
    save(tmp_path / "d wide.png", np.zeros((20, 12_000, 3), np.uint8))
    save(tmp_path / "e no plates.jpg", street[:60])
    cut = save(tmp_path / "f cut off.jpg", street)
    cut.write_bytes(cut.read_bytes()[:9000])
    bomb(tmp_path / "g bomb.png")
    (tmp_path / "h empty.jpg").write_bytes(b"")
    (tmp_path / "i words.jpeg").write_text("not a picture", encoding="utf-8")
    (tmp_path / "j.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "k notes.txt").write_text("left out", encoding="utf-8")
    Image.new("L", (32_500, 1)).save(tmp_path / "l refused.png")
    save(tmp_path / "z" / "номер.jpg", street)
    (tmp_path / "no pictures").mkdir()
    inputs = [tmp_path, tmp_path / "no pictures", tmp_path / "k notes.txt", tmp_path / "missing.jpg"]
    assert main(["read", *map(str, inputs), "--json"]) == 1
    out, err = capsys.readouterr()
    pictures = {Path(item["source"]).name: item for item in json.loads(out)["pictures"]}
    failed = {name for name, item in pictures.items() if item["error"] is not None}
    bad = {"f cut off.jpg", "g bomb.png", "h empty.jpg", "i words.jpeg", "j.jpg", "k notes.txt", "missing.jpg"}
    bad |= {"l refused.png", "no pictures"}
    assert failed == bad
    assert all(name in err for name in bad)
    assert "pictures read: 6, failed: 9" in err
    for name in ("a grey.png", "b rgba.png", "номер.jpg"):
        assert TEXT in {reading["text"] for reading in pictures[name]["readings"]}
    for name in ("c 1x1.png", "d wide.png", "e no plates.jpg"):
        assert pictures[name]["readings"] == []
    assert "would take 3600 MB to read" in pictures["g bomb.png"]["error"]
    assert "32500x1" in pictures["l refused.png"]["error"]


# Weights


def registry_of(folder: Path, *, change: Callable[[bytes], bytes] | None, name: str) -> Registry:
    """The shipped manifest over a folder in which only the file of one name lies, changed or missing."""
    shipped = Registry.default()
    if change is not None:
        file = shipped.resolve(name, precision="fp32", file_format="safetensors")
        (folder / file.path.name).write_bytes(change(file.data))
    return Registry(shipped.entries, (folder,), folder)


CHANGES: dict[str, tuple[Callable[[bytes], bytes] | None, type[WeightsError], str]] = {
    "missing": (None, WeightsNotFoundError, "Reinstall the package, run `platereader weights fetch"),
    "empty": (lambda data: b"", WeightsCorruptError, "has 0 bytes, expected are"),
    "truncated": (lambda data: data[:-1000], WeightsCorruptError, "bytes, expected are .* reinstall the package"),
    "altered": (lambda data: data[:-1] + bytes([data[-1] ^ 1]), WeightsCorruptError, "has the sha256 .*, expected is"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_weights_that_are_not_the_expected_ones_are_refused(tmp_path: Path, kind: str) -> None:
    change, error, says = CHANGES[kind]
    with pytest.raises(error, match=says) as caught:
        Pipeline.build(
            registry=registry_of(tmp_path, change=change, name=DETECTOR_WEIGHTS), engine="torch", precision="fp32"
        )
    assert str(tmp_path) in str(caught.value)
    registry = registry_of(tmp_path, change=change, name=RECOGNIZER_WEIGHTS)
    with pytest.raises(error, match=says):
        Pipeline.build(detector=PatchDetector(), engine="torch", precision="fp32", registry=registry)


def test_expected_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    shipped = Registry.default()
    detector, recognizer = (
        shipped.entries_of(name, precision="fp32", file_format="safetensors")[0]
        for name in (DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS)
    )
    swapped = (
        replace(recognizer, model=DETECTOR_WEIGHTS, kind="detector", settings={"refiner": "plate-refiner"}),
        replace(detector, model=RECOGNIZER_WEIGHTS, kind="recognizer", settings={}),
    )
    refiners = shipped.entries_of("plate-refiner")
    registry = Registry((*swapped, *refiners), shipped.folders, tmp_path)
    with pytest.raises(WeightsCorruptError, match="does not hold a plate finder's weights"):
        Pipeline.build(registry=registry)
    with pytest.raises(WeightsCorruptError, match=r"does not hold a plate recognizer's weights .* weights verify"):
        Pipeline.build(detector=PatchDetector(), registry=registry)


def test_a_registry_without_the_default_names_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no weights are called 'plate-detector', known are none"):
        Pipeline.build(registry=Registry((), (tmp_path,), tmp_path))
