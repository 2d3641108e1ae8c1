from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from platereader.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.errors import DatasetError
from platereader.geometry import Box, Quad
from platereader.training import detector_data
from platereader.training.detector_data import (
    LabelledSets,
    TileMaker,
    TileStream,
    as_batch,
    detector_material,
    held_out_negatives,
    load_sets,
    scene_of,
)
from platereader.training.detector_tiles import LabelledScene, cut_tile

_CORNERS = [[100, 100], [220, 104], [219, 130], [99, 126]]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small sets of noise with labels."""
    root = tmp_path_factory.mktemp("photographs")
    plate: dict[str, object] = {
        "text": "A123BC77",
        "plate_type": "standard",
        "box_quality": "fitted",
        "corners": _CORNERS,
    }
    loose: dict[str, object] = {"box": [10, 10, 60, 30], "box_quality": "loose"}
    _write(root / "russian", "gr_", [{**plate, "box": [99, 100, 220, 130]}])
    _write(root / "more", "kz_", [{**plate, "box": [99, 100, 220, 130]}, loose])
    _write(root / "other", "rl_", [{"box": [40, 40, 140, 70]}])
    _write(root / "negatives", "oa_", [])
    return root


def _write(folder: Path, prefix: str, plates: list[dict[str, object]]) -> None:
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows: list[str] = []
    for index in range(12):
        name = f"images/{prefix}{index}.jpg"
        cv2.imwrite(str(folder / name), rng.integers(0, 256, (200, 320, 3), dtype=np.uint8))
        numbered = [{**plate, "text": f"A{index:03d}BC77"} if "text" in plate else plate for plate in plates]
        rows.append(json.dumps({"file": name, "width": 320, "height": 200, "plates": numbered}))
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")


def _image(plate: LabelledPlate, *, name: str = "gr_1.jpg") -> LabelledImage:
    return LabelledImage(Path(name), 320, 200, (plate,))


def test_calibration_pictures_are_never_trained_on(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    material = detector_material(load_sets(photographs))
    images = [*(image for source in material.sources for image in source.images), *material.empty]
    assert len(images) > 20
    assert not any(is_calibration(image.path) for image in images)


def test_held_out_empty_scenes_do_not_depend_on_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 3)
    images = [LabelledImage(Path(f"a/{index}.jpg"), 1, 1, ()) for index in range(9)]
    assert held_out_negatives(images) == held_out_negatives(images[::-1])
    assert len(held_out_negatives(images)) == 3


def test_loose_boxes_are_areas_to_ignore() -> None:
    pixels = np.zeros((200, 320, 3), np.uint8)
    scene = scene_of(_image(LabelledPlate(Box(10, 10, 60, 30), box_quality="loose")), pixels, complete=True)
    assert len(scene.boxes) == len(scene.unsure) == 0
    np.testing.assert_allclose(scene.ignored, [[0, 6, 70, 34]])


def test_incomplete_labels_make_the_whole_picture_unsure() -> None:
    scene = scene_of(_image(LabelledPlate(Box(10, 10, 60, 30))), np.zeros((200, 320, 3), np.uint8), complete=False)
    assert scene.unsure.tolist() == [[0, 0, 320, 200]]
    assert scene.has_corners.tolist() == [False]


@pytest.mark.parametrize(
    ("name", "plate_type", "box", "expected"),
    [
        ("gr_1.jpg", "standard", (0, 0, 40, 30), 0),
        ("gr_1.jpg", "unknown", (0, 0, 40, 30), -1),
        ("gr_1.jpg", "foreign (UA)", (0, 0, 90, 20), -1),
        ("gr_1.jpg", "square_two_line", (0, 0, 90, 20), 1),
        ("rl_1.jpg", None, (0, 0, 40, 30), 0),
        ("as_1.jpg", None, (0, 0, 40, 30), 1),
        ("as_1.jpg", None, (0, 0, 90, 20), 0),
        ("ch_1.jpg", None, (0, 0, 40, 30), -1),
    ],
)
def test_line_count(name: str, plate_type: str | None, box: tuple[float, float, float, float], expected: int) -> None:
    plate = LabelledPlate(Box(*box), plate_type=plate_type)
    assert scene_of(_image(plate, name=name), np.zeros((9, 9, 3), np.uint8), complete=True).lines.tolist() == [expected]


def test_boxes_follow_the_corners_where_both_are_given() -> None:
    plate = LabelledPlate(Box(0, 0, 5, 5), Quad.from_points(_CORNERS), plate_type="standard")
    scene = scene_of(_image(plate), np.zeros((200, 320, 3), np.uint8), complete=True)
    assert scene.boxes.tolist() == [[99, 100, 220, 130]]


def test_batches_come_from_every_kind_of_scene(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    maker, rng = TileMaker(detector_material(load_sets(photographs))), np.random.default_rng(0)
    tiles = [maker.tile(size=(96, 128), mosaic=True, rng=rng) for _ in range(60)]
    assert all(tile.pixels.shape == (96, 128, 3) for tile in tiles)
    batch = as_batch(tiles)
    assert batch.pictures.shape == (60, 3, 96, 128)
    assert batch.pictures.dtype == torch.uint8
    assert batch.targets.boxes.shape == (*batch.targets.lines.shape, 4)
    assert int(batch.targets.is_plate.sum()) == sum(len(tile.boxes) for tile in tiles)
    assert {0.0, 1.0} == set(batch.targets.has_corners[batch.targets.is_plate].tolist())
    assert {0, 1} <= set(batch.targets.lines[batch.targets.is_plate].tolist())


def test_tiles_grow_towards_the_end(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    monkeypatch.setattr(detector_data, "_BATCH", 2)
    monkeypatch.setattr(detector_data, "_MIN_BATCH", 1)
    progress = torch.zeros(1)
    stream = iter(TileStream(detector_material(load_sets(photographs)), progress=progress, seed=0))
    early = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    progress[0] = 0.95
    late = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    assert (256, 256) in early
    assert any(width == 640 for _, width in late)


def test_stream_depends_on_its_seed_only(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    monkeypatch.setattr(detector_data, "_BATCH", 2)
    progress = torch.zeros(1)
    material = detector_material(load_sets(photographs))
    first, again, other = (
        next(iter(TileStream(material, progress=progress, seed=seed))).pictures for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def _sets(*images: LabelledImage, empty: int = 0) -> LabelledSets:
    scenes = tuple(LabelledImage(Path(f"empty_{index}.jpg"), 320, 200, ()) for index in range(empty))
    return LabelledSets({"russian": images, "more": (), "other": (), "negatives": scenes}, 0)


def _name(*, calibration: bool, skip: int = 0) -> str:
    names = [f"p{index}.jpg" for index in range(100)]
    return [name for name in names if is_calibration(Path(name)) == calibration][skip]


def test_other_pictures_of_a_calibration_car_are_not_trained_on() -> None:
    kept, twin, free = (_name(calibration=True), _name(calibration=False), _name(calibration=False, skip=1))
    cornered = LabelledPlate(Box(99, 100, 220, 130), Quad.from_points(_CORNERS), "A123BC77")
    other = LabelledPlate(Box(99, 100, 220, 130), Quad.from_points(_CORNERS), "B123BC77")
    images = [_image(cornered, name=kept), _image(cornered, name=twin), _image(other, name=free)]
    material = detector_material(_sets(*images))
    assert [image.path.name for source in material.sources for image in source.images] == [free]


def test_one_labelled_folder_is_enough(photographs: Path) -> None:
    maker, rng = TileMaker(detector_material(load_sets(photographs / "russian"))), np.random.default_rng(0)
    tiles = [maker.tile(size=(96, 128), mosaic=False, rng=rng) for _ in range(10)]
    assert any(len(tile.boxes) for tile in tiles)


def test_material_without_plates_or_without_corners_is_refused(photographs: Path) -> None:
    with pytest.raises(DatasetError, match="no photograph to train on"):
        detector_material(load_sets(photographs / "negatives"))
    with pytest.raises(DatasetError, match="neither photographs with the corners"):
        detector_material(_sets(_image(LabelledPlate(Box(9, 9, 60, 30)), name=_name(calibration=False))))


def test_pictures_that_cannot_be_decoded_are_counted(tmp_path: Path) -> None:
    _write(tmp_path / "set", "gr_", [])
    whole = (tmp_path / "set" / "images" / "gr_3.jpg").read_bytes()
    (tmp_path / "set" / "images" / "gr_3.jpg").write_bytes(whole[: len(whole) // 2])
    sets = load_sets(tmp_path / "set")
    assert sets.skipped == 1
    assert sorted(image.path.name for image in sets.images["negatives"]).count("gr_3.jpg") == 0


def test_large_photographs_are_remembered_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "_MEMORY_SIDE_PX", 160)
    _write(tmp_path / "set", "gr_", [{"text": "A123BC77", "box": [99, 100, 220, 130], "corners": _CORNERS}])
    seen: list[LabelledScene] = []

    def cut(scene: LabelledScene, *, size: tuple[int, int], rng: np.random.Generator) -> LabelledScene:
        seen.append(scene)
        return cut_tile(scene, size=size, rng=rng)

    monkeypatch.setattr(detector_data, "cut_tile", cut)
    maker = TileMaker(detector_material(load_sets(tmp_path / "set")))
    for seed in range(6):
        maker.tile(size=(64, 64), mosaic=False, rng=np.random.default_rng(seed))
    assert {scene.pixels.shape for scene in seen} == {(100, 160, 3)}
    assert any(np.allclose(scene.corners[0], np.array(_CORNERS) / 2) for scene in seen)
