from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader._geometry import Box
from platereader.errors import DatasetError
from platereader.lab.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.lab.training.detector import finetune_data
from platereader.lab.training.detector.finetune_data import (
    MIN_HELD_OUT,
    MadeUpScenes,
    MixedScenes,
    drawn_street,
    load_tuning_pictures,
    split,
)


def picture(name: str, *, text: str | None = None, plates: int = 1) -> LabelledImage:
    plate = LabelledPlate(Box(30.0, 40.0, 90.0, 60.0), text=text)
    return LabelledImage(Path(f"set/{name}.png"), 128, 96, (plate,) * plates)


def write_set(folder: Path, count: int, *, rows: Sequence[dict[str, object]] = ()) -> Path:
    """Pictures in the YOLO layout of one plate each, known by its box alone; ``rows`` make it our own layout."""
    (folder / "images").mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(folder / f"images/p{index}.png"), np.full((96, 128, 3), 3 * index, np.uint8))
        if not rows:
            (folder / "labels").mkdir(exist_ok=True)
            (folder / f"labels/p{index}.txt").write_text("0 0.46875 0.52083 0.46875 0.20833\n", encoding="utf-8")
    if rows:
        (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


def test_a_fifth_of_a_yolo_set_is_held_out(tmp_path: Path) -> None:
    tuning = load_tuning_pictures(write_set(tmp_path / "set", 60))
    assert len(tuning.train) + len(tuning.held_out) == 60
    assert not tuning.skipped
    assert all(is_calibration(image.path) for image in tuning.held_out)
    assert not any(is_calibration(image.path) for image in tuning.train)
    assert tuning.train[0].plates[0].corners is None


def test_of_few_pictures_eight_with_a_plate_are_held_out_always_the_same() -> None:
    images = [picture(f"{index}") for index in range(22)] + [picture(f"e{index}", plates=0) for index in range(10)]
    train, held_out = split(images)
    assert sum(bool(image.good_boxes) for image in held_out) == MIN_HELD_OUT
    assert {image.path for image in images if is_calibration(image.path)} <= {image.path for image in held_out}
    assert [image.path for image in split(images[::-1])[1]] == [image.path for image in held_out]
    assert len(train) + len(held_out) == 32


def test_no_car_is_on_both_sides() -> None:
    images = [picture(f"{index}", text=f"A{index % 20:03}BC77") for index in range(40)]
    train, held_out = split(images)
    texts = [{plate.text for image in side for plate in image.plates} for side in (train, held_out)]
    assert train
    assert not texts[0] & texts[1]
    with pytest.raises(DatasetError, match="show the same plates"):
        split([picture(f"{index}", text="A123BC77") for index in range(40)])


def test_what_cannot_be_used_is_named_and_too_little_is_refused(tmp_path: Path) -> None:
    plate: dict[str, object] = {"box": [30, 40, 90, 60]}
    rows: list[dict[str, object]] = [{"file": f"images/p{index}.png", "plates": [plate]} for index in range(22)]
    rows.append({"file": "images/p22.png", "plates": [{"text": "A123BC77"}]})
    rows.append({"file": "images/p23.png", "plates": []})
    rows.append({"file": "images/p24.png", "plates": [{**plate, "box_quality": "loose"}]})
    folder = write_set(tmp_path / "set", 25, rows=rows)
    (folder / "images/p0.png").write_bytes(b"no picture")
    tuning = load_tuning_pictures(folder)
    assert sorted(row.path.name for row in tuning.skipped) == ["p0.png", "p22.png"]
    assert len(tuning.train) + len(tuning.held_out) == 23
    for index in range(1, 4):
        (folder / f"images/p{index}.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"(?s)18 usable pictures with a plate, at least 20 .*p0\.png"):
        load_tuning_pictures(folder)


def test_the_fingerprint_changes_with_a_box(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", 24)
    before = load_tuning_pictures(folder).fingerprint
    assert load_tuning_pictures(folder).fingerprint == before
    (folder / "labels/p3.txt").write_text("0 0.5 0.5 0.4 0.2\n", encoding="utf-8")
    assert load_tuning_pictures(folder).fingerprint != before


def test_the_users_pictures_make_their_share_of_the_scenes(tmp_path: Path) -> None:
    tuning = load_tuning_pictures(write_set(tmp_path / "set", 24))
    other = MadeUpScenes(tuning.train).scene(np.random.default_rng(1))
    scenes, rng = MixedScenes(tuning.train, rest=lambda _: other, share=0.7), np.random.default_rng(0)
    drawn = [scenes.scene(rng) is other for _ in range(400)]
    assert 0.22 < np.mean(drawn) < 0.38


def test_rendered_plates_have_corners_and_leave_labels_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune_data, "_STREETS", 1)
    tuning = load_tuning_pictures(write_set(tmp_path / "set", 24))
    scenes, rng = MadeUpScenes(tuning.train), np.random.default_rng(2)
    drawn = [scenes.scene(rng) for _ in range(8)]
    streets = [one for one in drawn if one.pixels.shape[0] > 96]
    pasted = [one for one in drawn if one.pixels.shape[0] == 96]
    assert streets
    assert pasted
    assert all(one.has_corners.all() and len(one.boxes) >= 1 for one in streets)
    for one in pasted:
        assert np.allclose(one.boxes[0], [30, 40, 90, 60], atol=0.1)
        assert one.has_corners.tolist() in ([False], [False, True])
        assert one.lines[0] == -1
    assert any(len(one.boxes) == 2 for one in pasted)


def test_a_street_has_plates() -> None:
    street = drawn_street(np.random.default_rng(0))
    assert 1 <= len(street.plates) <= 3
    assert all(plate.corners is not None for plate in street.plates)
