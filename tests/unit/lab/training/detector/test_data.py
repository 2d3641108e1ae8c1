from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from noise_sets import CORNERS, write_noise_set

from platereader._geometry import Box, iou
from platereader.lab.datasets import photographs as labelled
from platereader.lab.synthesis.scene import Scene
from platereader.lab.training import finder
from platereader.lab.training.detector import data as detector_data
from platereader.lab.training.detector import material as material_module
from platereader.lab.training.detector.data import TileMaker, make_tile, with_distractors, without_plates
from platereader.lab.training.detector.material import Material, detector_material, load_sets
from platereader.lab.training.detector.tiles import LabelledScene, box_points, cut_tile
from platereader.lab.training.finder import FinderBatches, as_batch


@pytest.fixture(scope="module")
def material(noise_sets: Path) -> Material:
    """Of all four sets; four pictures without plates are kept apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled, "HELD_OUT_NEGATIVES", 4)
        return detector_material(load_sets(noise_sets))


def test_tiles_come_from_every_kind_of_scene(material: Material) -> None:
    maker, rng = TileMaker(material), np.random.default_rng(0)
    tiles = [make_tile(maker.scene, size=(96, 128), mosaic=True, rng=rng) for _ in range(60)]
    assert all(tile.pixels.shape == (96, 128, 3) for tile in tiles)
    batch = as_batch(tiles)
    assert batch.pictures.shape == (60, 96, 128, 3)
    assert batch.pictures.dtype == torch.uint8
    assert int(batch.is_plate.sum()) == sum(len(tile.boxes) for tile in tiles)
    assert {False, True} == {bool(known) for tile in tiles for known in tile.has_corners}
    assert {0, 1} <= {int(lines) for tile in tiles for lines in tile.lines}
    assert {False, True} == {tile.complete for tile in tiles}


def test_tiles_grow_towards_the_end(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "_BATCH", 2)
    monkeypatch.setattr(finder, "_MIN_BATCH", 1)
    progress = torch.zeros(1)
    batches = FinderBatches(TileMaker(material).scene, seed=0, progress=progress)
    early = [tuple(batches[number].pictures.shape[1:3]) for number in range(6)]
    progress[0] = 0.95
    late = [tuple(batches[number].pictures.shape[1:3]) for number in range(6)]
    assert max(height * width for height, width in early) <= 416 * 416
    assert any(width == 640 for _, width in late)


def test_a_batch_depends_on_its_seed_and_number_only(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "_BATCH", 2)
    first, again, other, next_one = (
        FinderBatches(TileMaker(material).scene, seed=seed, progress=torch.zeros(1))[number].pictures
        for seed, number in ((1, 0), (1, 0), (2, 0), (1, 1))
    )
    assert torch.equal(first, again)
    assert all(first.shape != one.shape or not torch.equal(first, one) for one in (other, next_one))


def test_one_labelled_folder_is_enough(noise_sets: Path) -> None:
    maker, rng = TileMaker(detector_material(load_sets(noise_sets / "russian"))), np.random.default_rng(0)
    tiles = [make_tile(maker.scene, size=(96, 128), mosaic=False, rng=rng) for _ in range(10)]
    assert any(len(tile.boxes) for tile in tiles)


def test_pictures_that_fired_before_are_drawn_more_often(material: Material, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = material.empty
    scenes = {first.path: np.uint8(10), second.path: np.uint8(200)}
    monkeypatch.setattr(
        material_module.DecodedScenes,
        "of",
        lambda _, image: LabelledScene.of(Scene(np.full((120, 160, 3), scenes[image.path], np.uint8))),
    )
    pair = replace(material, empty=(replace(first, fires=0.6), second))
    maker, rng = TileMaker(pair), np.random.default_rng(0)
    monkeypatch.setattr(detector_data, "_COLOURED_SHARE", 0.0)
    monkeypatch.setattr(detector_data, "paste_distractors", lambda scene, **_: (scene, ()))
    drawn = [int(maker._negative(rng).pixels[0, 0, 0]) for _ in range(300)]
    assert 0.65 < drawn.count(10) / 300 < 0.85


def test_a_wall_of_plates_is_full_of_plates_that_lie_apart(material: Material) -> None:
    maker = TileMaker(material)
    for seed in range(3):
        wall = maker._wall(np.random.default_rng(seed))
        assert len(wall.boxes) >= 4
        assert wall.has_corners.all()
        height, width = wall.pixels.shape[:2]
        middles = wall.corners.mean(1)
        assert ((middles > 0) & (middles < (width, height))).all()
        boxes = [Box(*row) for row in wall.boxes.tolist()]
        assert all(iou(one, other) < 0.1 for one, other in combinations(boxes, 2))


def test_large_photographs_are_remembered_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material_module, "_MEMORY_SIDE_PX", 160)
    write_noise_set(tmp_path / "set", "gr_", [{"text": "A123BC77", "box": [99, 100, 220, 130], "corners": CORNERS}])
    seen: list[LabelledScene] = []

    def cut(scene: LabelledScene, *, size: tuple[int, int], rng: np.random.Generator) -> LabelledScene:
        seen.append(scene)
        return cut_tile(scene, size=size, rng=rng)

    monkeypatch.setattr(detector_data, "cut_tile", cut)
    maker = TileMaker(detector_material(load_sets(tmp_path / "set")))
    for seed in range(6):
        make_tile(maker.scene, size=(64, 64), mosaic=False, rng=np.random.default_rng(seed))
    assert {scene.pixels.shape for scene in seen} == {(100, 160, 3)}
    assert any(np.allclose(scene.corners[0], np.array(CORNERS) / 2) for scene in seen)


def _scene(boxes: list[tuple[float, float, float, float]]) -> LabelledScene:
    rng = np.random.default_rng(0)
    pixels = np.full((240, 320, 3), 120, np.uint8)
    rows = np.array(boxes, np.float32)
    for x1, y1, x2, y2 in rows.astype(int).tolist():
        pixels[y1:y2, x1:x2] = rng.integers(0, 2, (y2 - y1, x2 - x1, 1)) * 255
    lines, has_corners = np.zeros(len(rows), np.int64), np.ones(len(rows), np.bool_)
    return LabelledScene(pixels, rows, lines, box_points(rows), has_corners, np.array([(10, 10, 60, 40)], np.float32))


def test_erased_plates_leave_no_label_and_no_number() -> None:
    scene = _scene([(60, 80, 160, 104), (200, 150, 280, 170)])
    for seed in range(10):
        empty = without_plates(scene, rng=np.random.default_rng(seed))
        assert len(empty.boxes) == len(empty.lines) == len(empty.corners) == len(empty.has_corners) == 0
        assert np.array_equal(empty.ignored, scene.ignored)
        for x1, y1, x2, y2 in scene.boxes.astype(int).tolist():
            steps = np.diff(empty.pixels[y1:y2, x1:x2, 1].astype(float), axis=1)
            assert float(np.median(np.abs(steps))) < 12
            assert (empty.pixels[y1:y2, x1:x2] != scene.pixels[y1:y2, x1:x2]).any()


def test_distractors_keep_the_labels_and_change_other_places() -> None:
    scene = _scene([(60, 80, 160, 104)])
    changed = 0
    for seed in range(20):
        made = with_distractors(scene, most=3, rng=np.random.default_rng(seed))
        assert np.array_equal(made.boxes, scene.boxes)
        assert np.array_equal(made.corners, scene.corners)
        assert np.array_equal(made.pixels[80:104, 60:160], scene.pixels[80:104, 60:160])
        assert np.array_equal(made.pixels[10:40, 10:60], scene.pixels[10:40, 10:60])
        changed += int((made.pixels != scene.pixels).any())
    assert changed > 10
