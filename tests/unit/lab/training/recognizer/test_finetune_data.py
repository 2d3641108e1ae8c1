from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fakes import PatchDetector, PatchRecognizer
from platereader import Box, DatasetError, Pipeline, PlateImage
from platereader._defaults import default_rectifier
from platereader._geometry import Quad
from platereader.lab.datasets import is_calibration
from platereader.lab.training.recognizer.data import PlateBatches
from platereader.lab.training.recognizer.finetune_data import (
    MixedBatches,
    TuningPlate,
    TuningPlates,
    jittered,
    load_tuning_plates,
    split,
    straightened,
)
from platereader.media._images import read_image
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._shape import ConvCtcConfig
from platereader.results import Detection
from ria import text_of, write_ria


def load(folder: Path, *, alphabet: Alphabet = RUSSIAN) -> TuningPlates:
    return load_tuning_plates(folder, alphabet=alphabet)


@pytest.fixture(scope="module")
def ria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ria(tmp_path_factory.mktemp("ria"), 30)


@pytest.fixture(scope="module")
def tuning(ria: Path) -> TuningPlates:
    return load(ria)


def plate(name: str, text: str) -> TuningPlate:
    """One that has a name and a text only."""
    box = Box(0, 0, 10, 2)
    corners = Quad.from_box(box).to_array().astype(np.float32)
    return TuningPlate(Path(name), Detection(box, 1.0), text, 1, corners, np.zeros(0, np.uint8))


def named(count: int, *, calibration: bool) -> list[str]:
    """File names on one side of the split."""
    return [name for i in range(10 * count) if is_calibration(Path(name := f"p{i}.png")) == calibration][:count]


# ---------------------------------------------------------------- the split


@pytest.mark.parametrize("seed", range(20))
def test_no_text_and_no_picture_is_on_both_sides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(20, 200))
    cars = int(rng.integers(2, count))
    plates = [plate(f"{seed}-{i}.png", f"A{100 + rng.integers(cars)}BC77") for i in range(count)]
    if len({one.text for one in plates}) < 2:
        return
    train, held_out = split(plates)
    assert train
    assert held_out
    assert not {one.text for one in train} & {one.text for one in held_out}
    assert not {one.path for one in train} & {one.path for one in held_out}
    assert split(plates) == (train, held_out)


def test_the_held_out_part_is_the_calibration_fifth() -> None:
    names = [f"{i}.png" for i in range(500)]
    train, held_out = split([plate(name, f"A{i + 100}BC77") for i, name in enumerate(names)])
    assert [one.path.name for one in held_out] == [name for name in names if is_calibration(Path(name))]
    assert len(train) + len(held_out) == 500


def test_other_pictures_of_a_held_out_car_are_not_trained_on() -> None:
    free, twin = named(2, calibration=False)
    (kept,) = named(1, calibration=True)
    train, held_out = split([plate(free, "B337PE164"), plate(twin, "A123BC77"), plate(kept, "A123BC77")])
    assert ([one.path.name for one in train], [one.path.name for one in held_out]) == ([free], [kept])


@pytest.mark.parametrize("calibration", [False, True])
def test_few_pictures_are_split_even_if_all_fall_on_one_side(calibration: bool) -> None:
    plates = [plate(name, f"A{i % 7 + 100}BC77") for i, name in enumerate(named(20, calibration=calibration))]
    train, held_out = split(plates)
    assert len(train) + len(held_out) == 20
    assert {one.text for one in held_out} == {held_out[0].text}
    assert held_out[0].text not in {one.text for one in train}


def test_one_car_cannot_be_split() -> None:
    with pytest.raises(DatasetError, match="all 20 plates say A123BC77"):
        split([plate(f"{i}.png", "A123BC77") for i in range(20)])


# ---------------------------------------------------------------- what can be used


def test_the_annotation_says_what_is_on_the_plate_and_not_the_file_name(tuning: TuningPlates) -> None:
    texts = {one.path.stem: one.text for one in (*tuning.train, *tuning.held_out)}
    assert len(texts) == 30
    assert tuning.skipped == []
    assert all(text == text_of(int(stem.rsplit("_", 1)[1])) for stem, text in texts.items())
    assert sum(not stem.startswith(text) for stem, text in texts.items()) >= 5


def test_texts_of_other_characters_are_named_and_left_out(ria: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ria, tmp_path / "copy")
    strange = sorted((folder / "ann").iterdir())[3]
    strange.write_text(json.dumps({"description": "A12ZZ77"}), encoding="utf-8")
    plates = load(folder)
    assert len(plates.train) + len(plates.held_out) == 29
    (row,) = plates.skipped
    assert row.path.stem == strange.stem
    assert "'A12ZZ77' has Z" in str(row)


def test_pictures_that_cannot_be_decoded_are_named_and_left_out(ria: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ria, tmp_path / "copy")
    broken = min((folder / "img").iterdir())
    broken.write_bytes(broken.read_bytes()[:100])
    assert [row.path for row in load(folder).skipped] == [broken]


def test_plates_outside_of_their_picture_are_named_and_left_out(tmp_path: Path) -> None:
    rows: list[str] = []
    for index in range(22):
        Image.new("RGB", (200, 120)).save(tmp_path / f"{index}.png")
        left = 400 if index == 3 else 20
        corners = [[left, 20], [left + 60, 20], [left + 60, 35], [left, 35]]
        box = [300, 20, 360, 35] if index == 5 else [20, 20, 80, 35]
        plates = [{"text": text_of(index), "box": box, "corners": corners}]
        rows.append(json.dumps({"file": f"{index}.png", "plates": plates}))
    (tmp_path / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    said = [str(row) for row in load(tmp_path).skipped]
    assert [row.endswith("lies outside of the picture") for row in said] == [True, True]
    assert ("3.png: the corners of" in said[0], "5.png: the box of" in said[1]) == (True, True)


def test_too_few_plates_are_an_error_that_says_why(ria: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ria, tmp_path / "copy")
    with pytest.raises(DatasetError, match=r"has 0 usable plates, at least 20 .*30 rows are skipped.*\n.*has [A-Z0-9]"):
        load(folder, alphabet=Alphabet("Z"))
    for path in sorted((folder / "ann").iterdir())[:11]:
        path.unlink()
    with pytest.raises(DatasetError, match="19 usable plates, at least 20"):
        load(folder)


def test_a_change_of_labels_changes_the_fingerprint(tuning: TuningPlates) -> None:
    assert tuning.fingerprint == replace(tuning, train=[*tuning.train]).fingerprint
    assert tuning.fingerprint != replace(tuning, train=tuning.train[1:]).fingerprint


# ---------------------------------------------------------------- what becomes of them


def test_plates_are_straightened_as_a_pipeline_does_it(tuning: TuningPlates) -> None:
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=PatchRecognizer())
    plates = tuning.held_out[:3]
    readings = pipeline.read_plates([read_image(one.path) for one in plates])
    for sample, reading, one in zip(straightened(plates, rectifier=pipeline.rectifier), readings, plates, strict=True):
        assert (sample.text, sample.plate.lines) == (one.text, one.lines)
        assert np.array_equal(sample.plate.pixels, reading.evidence.plate.pixels)


def test_plates_of_photographs_are_cut_out_by_their_label(tmp_path: Path) -> None:
    corners = [[60.0, 50.0], [160.0, 54.0], [160.0, 76.0], [60.0, 72.0]]
    rows: list[str] = []
    for i in range(20):
        picture = np.full((400, 600, 3), 90, np.uint8)
        cv2.fillPoly(picture, [np.array(corners, np.int32)], (240, 240, 240))
        cv2.imwrite(str(tmp_path / f"{i}.png"), picture)
        place = {"corners": corners} if i % 2 else {"box": [60, 50, 160, 76]}
        rows.append(json.dumps({"file": f"{i}.png", "plates": [{"text": text_of(i), **place}, {"text": None}]}))
    rows.append(
        json.dumps(
            {"file": "0.png", "plates": [{"text": "A123BC77", "box": [60, 50, 160, 76], "box_quality": "loose"}]}
        )
    )
    rows.append(json.dumps({"file": "0.png", "plates": [{"text": "A123BC77", "box": [700, 50, 800, 76]}]}))
    (tmp_path / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")
    plates = load(tmp_path)
    assert len(plates.skipped) == 22
    for one in (*plates.train, *plates.held_out):
        assert one.real.pixels.shape[1] < 300
        assert np.median(one.real.pixels[tuple(one.corners.mean(axis=0).astype(int)[::-1])]) > 200
        assert Quad.from_points(one.corners).width == pytest.approx(100, abs=4)
    (sample,) = straightened(plates.held_out[:1], rectifier=default_rectifier())
    assert np.median(sample.plate.pixels) > 200


def test_crops_without_surroundings_are_jittered_whole(tuning: TuningPlates) -> None:
    rng = np.random.default_rng(0)
    samples = jittered(tuning.train, rng=rng, count=40)
    texts = {one.text for one in tuning.train}
    assert all(sample.text in texts for sample in samples)  # none of them cut, so none with `?`
    first, second = (jittered(tuning.train[:1], rng=np.random.default_rng(seed), count=1)[0] for seed in (0, 1))
    assert not np.array_equal(first.plate.pixels, second.plate.pixels)
    assert isinstance(first.plate, PlateImage)
    assert min(float(sample.plate.pixels.std()) for sample in samples) > 5


def test_the_users_plates_make_their_share_of_a_batch(tuning: TuningPlates) -> None:
    rest = PlateBatches(RUSSIAN, config=ConvCtcConfig(height_px=16, width_px=64), batch_size=40, seed=3)
    batches = MixedBatches(tuning.train, rest=rest, share=1.0)
    batch = batches[5]
    assert batch.pictures.shape == (40, 3, 16, 64)
    assert int(batch.targets.max()) < RUSSIAN.size
    assert np.array_equal(batch.pictures, batches[5].pictures)
    assert not np.array_equal(batch.pictures, batches[6].pictures)
    mixed = MixedBatches(tuning.train, rest=rest, share=0.25)[0]
    lengths, texts = mixed.lengths.tolist(), {one.text for one in tuning.train}
    said = spelt(mixed.targets.tolist(), lengths)
    assert 3 <= sum(text in texts for text in said) <= 18


def spelt(classes: list[int], lengths: list[int]) -> list[str]:
    ends = np.cumsum(lengths).tolist()
    rows = [classes[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return ["" if RUSSIAN.size in row else RUSSIAN.decode(row) for row in rows]
