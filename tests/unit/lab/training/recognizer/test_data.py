from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from platereader.lab.datasets import is_calibration
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.training.recognizer.data import (
    Kinds,
    PlateBatches,
    Sample,
    background_photographs,
    decode_label,
    encode_label,
    exact_crops,
    held_out_plates,
    jittered_crops,
    to_batch,
    training_plates,
)
from platereader.lab.training.recognizer.train import ALPHABET
from platereader.plates import DEFAULT_SCHEMES, ILLEGIBLE, RUSSIAN, Alphabet
from platereader.recognition._preprocess import INPUT_SIZE_PX, prepare
from platereader.recognition._shape import ConvCtcConfig

CORNERS = [[60.0, 50.0], [160.0, 54.0], [160.0, 76.0], [60.0, 72.0]]


def write_set(folder: Path, plates: dict[str, dict[str, object]], **row: object) -> Path:
    """A labelled set with one picture for each plate: dark ink on a light plate."""
    (folder / "images").mkdir(parents=True)
    lines: list[str] = []
    for name, plate in plates.items():
        picture = np.full((120, 220, 3), 90, np.uint8)
        cv2.fillPoly(picture, [np.array(CORNERS, np.int32)], (240, 240, 240))
        cv2.putText(picture, str(plate.get("text")), (64, 72), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (10, 10, 10), 1)
        cv2.imwrite(str(folder / "images" / name), picture)
        whole = {"text": None, "corners": CORNERS, "box": [60, 50, 160, 76], "box_quality": "fitted", **plate}
        lines.append(json.dumps({"file": f"images/{name}", "width": 220, "height": 120, "plates": [whole], **row}))
    (folder / "labels.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def names(count: int, *, calibration: bool) -> list[str]:
    """File names on one side of the split."""
    return [name for i in range(10 * count) if is_calibration(Path(name := f"p{i}.png")) == calibration][:count]


def plates_of(folder: Path, *, calibration: bool) -> list[RealPlate]:
    cut = held_out_plates if calibration else training_plates
    return cut(load_photographs(folder).images, alphabet=RUSSIAN)


def batches(*, seed: int = 0, size: int = 6, share: float = 0.0, folder: Path | None = None) -> PlateBatches:
    real = plates_of(folder, calibration=False) if folder else []
    return PlateBatches(RUSSIAN, batch_size=size, real=real, kinds=Kinds(share, 0.0, 0.0, 0.0, 0.0), seed=seed)


def test_a_batch_is_network_input_with_its_targets() -> None:
    batch = batches()[0]
    assert batch.pictures.shape == (6, 3, *INPUT_SIZE_PX)
    assert batch.pictures.dtype == torch.float32
    assert len(batch.targets) == int(batch.lengths.sum())
    assert 1 <= int(batch.targets.min()) <= int(batch.targets.max()) <= RUSSIAN.size


def test_the_same_number_gives_the_same_batch_and_others_give_others() -> None:
    again, same, other = batches()[5], batches()[5], batches()[6]
    assert torch.equal(again.pictures, same.pictures)
    assert torch.equal(again.targets, same.targets)
    assert not torch.equal(again.pictures, other.pictures)
    assert not torch.equal(again.pictures, batches(seed=1)[5].pictures)


def test_some_pictures_have_no_colours_that_a_reader_could_go_by() -> None:
    pictures = batches(size=128)[0].pictures
    spread = (pictures.amax(1) - pictures.amin(1)).mean((1, 2))  # of the three planes of each picture
    assert 0.04 < float((spread < 0.02).float().mean()) < 0.4


def test_made_up_plates_carry_legal_texts_on_one_line() -> None:
    rng = np.random.default_rng(2)
    made_up = batches()
    samples = [made_up.sample(rng) for _ in range(60)]
    whole = [sample for sample in samples if ILLEGIBLE not in sample.text]
    assert len(whole) > 40
    assert all(DEFAULT_SCHEMES.fit(sample.text).legal for sample in whole)
    assert {sample.plate.lines for sample in samples} == {1, 2}
    assert all(sample.plate.pixels.shape[1] > 3 * sample.plate.pixels.shape[0] for sample in samples)


def test_targets_spell_the_texts() -> None:
    samples = [Sample(sample.plate, text) for sample, text in zip(_samples(2), ("A123BC77", "1234AB199"), strict=True)]
    batch = to_batch(samples, alphabet=RUSSIAN, config=ConvCtcConfig())
    assert batch.lengths.tolist() == [8, 9]
    assert RUSSIAN.decode(int(label) for label in batch.targets) == "A123BC771234AB199"


def test_what_is_illegible_is_the_class_after_the_characters() -> None:
    classes = encode_label(tuple("A?BC77"), alphabet=RUSSIAN, ends=0)
    assert classes[1] == RUSSIAN.size
    assert RUSSIAN.decode(classes[:1] + classes[2:]) == "ABC77"
    assert decode_label(classes, alphabet=RUSSIAN, ends=0) == "A?BC77"


def test_marks_and_ends_have_classes_of_their_own() -> None:
    label, alphabet = ("[", "KZ", *"12?", "]"), Alphabet("123", marks=("RU", "KZ"))
    classes = encode_label(label, alphabet=alphabet, ends=2)
    assert classes == [6, 5, 1, 2, 8, 7]  # characters 1 to 3, RU 4, KZ 5, ends 6 and 7, illegible 8
    assert decode_label(classes, alphabet=alphabet, ends=2) == "12?"
    assert encode_label(label, alphabet=Alphabet("123"), ends=0) == [1, 2, 4]  # a network that knows neither


def test_a_network_of_all_letters_is_shown_neighbours_with_their_marks() -> None:
    made = PlateBatches(ALPHABET, config=ConvCtcConfig(ends=2), batch_size=1, kinds=Kinds(0.0, 1.0, 0.0, 0.0, 0.0))
    rng = np.random.default_rng(0)
    labels = [made.sample(rng).tokens for _ in range(60)]
    marks = {token for label in labels if label for token in label if len(token) == 2}
    assert {"KZ", "BY", "UA"} <= marks
    assert "RU" not in marks
    assert sum(label is not None and label[:1] == ("[",) for label in labels) > 40
    rest = PlateBatches(RUSSIAN, batch_size=1, kinds=Kinds(0.0, 1.0, 0.0, 0.0, 0.0))
    assert all(DEFAULT_SCHEMES.fit(text).legal for _ in range(20) if "?" not in (text := rest.sample(rng).text))


def _samples(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    return [batches().sample(rng) for _ in range(count)]


def test_only_plates_that_teach_the_right_thing_are_taken(tmp_path: Path) -> None:
    good, loose, unread, foreign_type, strange, split = names(6, calibration=False)
    folder = write_set(
        tmp_path / "set",
        {
            good: {"text": "A123BC77"},
            loose: {"text": "A124BC77", "box_quality": "loose"},
            unread: {"text": None},
            foreign_type: {"text": "AE6052EP", "plate_type": "foreign (UA)"},
            strange: {"text": "123ABZ02"},
            split: {"text": "B337PE164", "plate_type": "square_two_line"},  # but its corners span one line
        },
    )
    texts = {plate.name: plate.text for plate in plates_of(folder, calibration=False)}
    assert texts == {good: "A123BC77", foreign_type: "AE6052EP", strange: "123AB?02"}
    abroad = write_set(tmp_path / "abroad", {good: {"text": "A123BC77"}}, country="KZ")
    assert [plate.country for plate in plates_of(abroad, calibration=False)] == ["KZ"]
    assert {plate.country for plate in plates_of(folder, calibration=False)} == {None}


def test_held_out_plates_are_of_the_countries_whose_marks_are_known(tmp_path: Path) -> None:
    (kept,) = names(1, calibration=True)
    abroad = write_set(tmp_path / "set", {kept: {"text": "A123BC77"}}, country="KZ")
    images = load_photographs(abroad).images
    assert [len(held_out_plates(images, alphabet=alphabet)) for alphabet in (RUSSIAN, ALPHABET)] == [0, 1]


def test_other_pictures_of_a_calibration_car_are_not_trained_on(tmp_path: Path) -> None:
    free, twin = names(2, calibration=False)
    (kept,) = names(1, calibration=True)
    texts = {free: "B337PE164", twin: "A123BC77", kept: "A123BC77"}
    folder = write_set(tmp_path / "set", {name: {"text": text} for name, text in texts.items()})
    assert [plate.name for plate in plates_of(folder, calibration=False)] == [free]
    assert [plate.name for plate in plates_of(folder, calibration=True)] == [kept]


def test_the_label_knows_the_lines_of_a_steep_plate_better_than_its_shape(tmp_path: Path) -> None:
    steep = [[60.0, 50.0], [100.0, 52.0], [100.0, 78.0], [60.0, 76.0]]  # 40 x 26 px
    said, unsaid = names(2, calibration=False)
    folder = write_set(
        tmp_path / "set",
        {
            said: {"text": "A123BC77", "plate_type": "standard", "corners": steep},
            unsaid: {"text": "A124BC77", "corners": steep},
        },
    )
    assert [plate.lines for plate in plates_of(folder, calibration=False)] == [1, 2]


def test_crops_show_the_plate_and_not_its_surroundings(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", {names(1, calibration=False)[0]: {"text": "A123BC77"}})
    plates = plates_of(folder, calibration=False)
    (crop,) = exact_crops(plates)
    assert crop.text == "A123BC77"
    assert np.median(crop.plate.pixels) > 200  # the light field; around it everything is 90
    first, second = (jittered_crops(plates, rng=np.random.default_rng(seed))[0] for seed in (0, 1))
    assert not np.array_equal(prepare([first.plate]), prepare([second.plate]))


def test_labelled_plates_are_mixed_in_at_their_share(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", {names(1, calibration=False)[0]: {"text": "A123BC77"}})
    rng = np.random.default_rng(0)
    mixed = batches(share=0.5, folder=folder)
    texts = [mixed.sample(rng).text for _ in range(60)]
    assert 18 <= texts.count("A123BC77") <= 42


@pytest.mark.parametrize("count", [1, 5])
def test_backgrounds_are_small_pictures_without_plates(tmp_path: Path, count: int) -> None:
    folder = write_set(tmp_path / "set", {"a.png": {}}, negative=True)
    rows = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    cv2.imwrite(str(folder / "images" / "large.png"), np.full((900, 1500, 3), 40, np.uint8))
    rows.append({"file": "images/large.png", "width": 1500, "height": 900, "plates": []})
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (background,) = background_photographs(folder, count=count, rng=np.random.default_rng(0))
    assert background.shape == (288, 480, 3)


def test_calibration_pictures_are_no_backgrounds(tmp_path: Path) -> None:
    (taken,), (kept,) = names(1, calibration=False), names(1, calibration=True)
    (tmp_path / "images").mkdir()
    for name, level in ((taken, 40), (kept, 200)):
        cv2.imwrite(str(tmp_path / "images" / name), np.full((60, 80, 3), level, np.uint8))
    rows = [{"file": f"images/{name}", "width": 80, "height": 60, "plates": []} for name in (taken, kept)]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (background,) = background_photographs(tmp_path, count=9, rng=np.random.default_rng(0))
    assert background.mean() == pytest.approx(40)
