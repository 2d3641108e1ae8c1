from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from noise_sets import CORNERS, write_noise_set

from platereader.lab.datasets import photographs as labelled
from platereader.lab.training.batches import batches
from platereader.lab.training.detector import data as detector_data
from platereader.lab.training.detector import material as material_module
from platereader.lab.training.detector.data import TileMaker, make_tile
from platereader.lab.training.detector.material import detector_material, load_sets
from platereader.lab.training.detector.tiles import LabelledScene, cut_tile
from platereader.lab.training.finder import data as finder_data
from platereader.lab.training.finder.data import FinderBatches, as_batch


def test_tiles_come_from_every_kind_of_scene(noise_sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 4)
    maker, rng = TileMaker(detector_material(load_sets(noise_sets))), np.random.default_rng(0)
    tiles = [make_tile(maker.scene, size=(96, 128), mosaic=True, rng=rng) for _ in range(60)]
    assert all(tile.pixels.shape == (96, 128, 3) for tile in tiles)
    batch = as_batch(tiles)
    assert batch.pictures.shape == (60, 3, 96, 128)
    assert batch.pictures.dtype == torch.uint8
    assert int(batch.targets.is_plate.sum()) == sum(len(tile.boxes) for tile in tiles)
    assert {False, True} == {bool(known) for tile in tiles for known in tile.has_corners}
    assert {0, 1} <= {int(lines) for tile in tiles for lines in tile.lines}
    assert {False, True} == {tile.complete for tile in tiles}


def test_tiles_grow_towards_the_end(noise_sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 4)
    monkeypatch.setattr(finder_data, "_BATCH", 2)
    monkeypatch.setattr(finder_data, "_MIN_BATCH", 1)
    progress, draw = torch.zeros(1), TileMaker(detector_material(load_sets(noise_sets))).scene
    stream = batches(FinderBatches(draw), progress=progress, seed=0, workers=0)
    early = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    progress[0] = 0.95
    late = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    assert max(height * width for height, width in early) <= 416 * 416
    assert any(width == 640 for _, width in late)


def test_stream_depends_on_its_seed_only(noise_sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled, "HELD_OUT_NEGATIVES", 4)
    monkeypatch.setattr(finder_data, "_BATCH", 2)
    progress = torch.zeros(1)
    material = detector_material(load_sets(noise_sets))
    first, again, other = (
        next(batches(FinderBatches(TileMaker(material).scene), progress=progress, seed=seed, workers=0)).pictures
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)


def test_one_labelled_folder_is_enough(noise_sets: Path) -> None:
    maker, rng = TileMaker(detector_material(load_sets(noise_sets / "russian"))), np.random.default_rng(0)
    tiles = [make_tile(maker.scene, size=(96, 128), mosaic=False, rng=rng) for _ in range(10)]
    assert any(len(tile.boxes) for tile in tiles)


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
