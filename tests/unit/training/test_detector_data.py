from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from platereader.datasets import LabelledImage, LabelledPlate, is_calibration
from platereader.geometry import Box, Quad
from platereader.training import detector_data
from platereader.training.detector_data import (
    TileMaker,
    TileStream,
    as_batch,
    detector_sources,
    held_out_negatives,
    scene_of,
)

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
        rows.append(json.dumps({"file": name, "width": 320, "height": 200, "plates": plates}))
    (folder / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")


def _image(plate: LabelledPlate, *, name: str = "gr_1.jpg") -> LabelledImage:
    return LabelledImage(Path(name), 320, 200, (plate,))


def test_calibration_pictures_are_never_trained_on(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    sources, empty = detector_sources(photographs)
    images = [image for source in sources for image in source.images] + empty
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
    maker, rng = TileMaker(photographs), np.random.default_rng(0)
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
    stream = iter(TileStream(photographs, progress=progress, seed=0))
    early = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    progress[0] = 0.95
    late = [tuple(next(stream).pictures.shape[2:]) for _ in range(6)]
    assert (256, 256) in early
    assert any(width == 640 for _, width in late)


def test_stream_depends_on_its_seed_only(photographs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_data, "HELD_OUT_NEGATIVES", 4)
    monkeypatch.setattr(detector_data, "_BATCH", 2)
    progress = torch.zeros(1)
    first, again, other = (
        next(iter(TileStream(photographs, progress=progress, seed=seed))).pictures for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert first.shape != other.shape or not torch.equal(first, other)
