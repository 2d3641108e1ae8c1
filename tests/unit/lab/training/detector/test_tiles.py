from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from platereader._geometry import Quad
from platereader.lab.synthesis.scene import Scene
from platereader.lab.training.detector import tiles as detector_tiles
from platereader.lab.training.detector.tiles import LabelledScene, box_points, cut_tile, join_mosaic, relight


def _scene(*, has_corners: bool = True, size: tuple[int, int] = (600, 800)) -> LabelledScene:
    """A black picture with one white plate."""
    corners = np.array([[[300, 250], [480, 262], [478, 302], [298, 290]]], np.float32)
    if not has_corners:
        corners = box_points(np.array([[300, 250, 480, 290]], np.float32))
    pixels = np.zeros((*size, 3), np.uint8)
    cv2.fillPoly(pixels, [np.round(corners[0]).astype(np.int32)], (255, 255, 255))
    return LabelledScene(
        pixels,
        np.concatenate((corners.min(1), corners.max(1)), -1),
        np.array([1]),
        corners,
        np.array([has_corners]),
        np.zeros((0, 4), np.float32),
    )


def _with_second_plate(scene: LabelledScene, *, away_px: tuple[float, float]) -> LabelledScene:
    """The scene with the labels of its plate once more, some pixels away."""
    step = np.array(away_px, np.float32)
    return replace(
        scene,
        boxes=np.concatenate((scene.boxes, scene.boxes + np.tile(step, 2))),
        corners=np.concatenate((scene.corners, scene.corners + step)),
        lines=np.tile(scene.lines, 2),
        has_corners=np.tile(scene.has_corners, 2),
    )


def _white(tile: LabelledScene) -> NDArray[np.bool_]:
    # The border outside of the scene is grey 114.
    return tile.pixels[..., 0] > 170


def _drawn(tile: LabelledScene) -> NDArray[np.bool_]:
    mask = np.zeros(tile.pixels.shape[:2], np.uint8)
    for corners in tile.corners:
        cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], (1,), shift=4)
    return mask > 0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("has_corners", [True, False])
def test_labels_lie_on_the_plate(seed: int, has_corners: bool) -> None:
    tile = cut_tile(_scene(has_corners=has_corners), size=(192, 256), rng=np.random.default_rng(seed))
    assert tile.pixels.shape == (192, 256, 3)
    if not len(tile.boxes):
        return  # the plate is cut off in this tile
    white, drawn = _white(tile), _drawn(tile)
    if white.sum() > 400:
        assert (white & drawn).sum() / (white | drawn).sum() > 0.8
    rows, columns = np.nonzero(white)
    seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    hull = np.clip([*tile.corners[0].min(0), *tile.corners[0].max(0)], 0, [256, 192, 256, 192])
    np.testing.assert_allclose(tile.boxes[0], hull, atol=1e-3)
    # A tilted plate that the tile cuts shows less than its hull.
    whole = hull == [*tile.corners[0].min(0), *tile.corners[0].max(0)]
    np.testing.assert_allclose(tile.boxes[0], seen, atol=2 if whole.all() else 4)


def test_corners_stay_in_reading_order_also_when_mirrored() -> None:
    turns: list[bool] = []
    for seed in range(20):
        tile = cut_tile(_scene(), size=(256, 256), rng=np.random.default_rng(seed))
        for corners in tile.corners:
            quad = Quad.from_points(corners)
            assert quad.area > 0
            assert quad.top_left[0] < quad.top_right[0]
            turns.append(quad.top_left[1] < quad.top_right[1])
    assert {True, False} == set(turns)


def test_plates_known_by_box_are_not_turned() -> None:
    for seed in range(12):
        tile = cut_tile(_scene(has_corners=False), size=(256, 256), rng=np.random.default_rng(seed))
        for corners in tile.corners:
            assert corners[0, 1] == pytest.approx(corners[1, 1], abs=1e-2)


def test_sizes_cover_small_to_filling() -> None:
    widths = [
        float(tile.boxes[0, 2] - tile.boxes[0, 0])
        for seed in range(80)
        if len((tile := cut_tile(_scene(), size=(320, 320), rng=np.random.default_rng(seed))).boxes)
    ]
    assert min(widths) < 60
    assert max(widths) > 220
    assert len(widths) > 60


def test_some_plates_fill_the_tile_and_some_are_seen_from_a_side() -> None:
    tiles = [cut_tile(_scene(), size=(160, 200), rng=np.random.default_rng(seed)) for seed in range(150)]
    widths = np.array([float(np.ptp(tile.boxes[0, [0, 2]])) for tile in tiles if len(tile.boxes)])
    level = [tile.corners[0] for tile in tiles if len(tile.corners) and abs(np.ptp(tile.corners[0, :2, 1])) < 5]
    aspects = np.array([np.ptp(corners[:2, 0]) / np.ptp(corners[[1, 2], 1]) for corners in level])
    assert 0.02 < (widths >= 0.7 * 200).mean() < 0.3
    assert 0.02 < (aspects < 0.7 * 180 / 40).mean() < 0.3


def test_some_plates_are_flat_as_recorders_of_every_other_row_show_them() -> None:
    scene = _scene(has_corners=False)  # such plates are not turned
    tiles = [cut_tile(scene, size=(320, 320), rng=np.random.default_rng(seed)) for seed in range(400)]
    boxes = np.concatenate([tile.boxes for tile in tiles])
    aspects = (boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1]) / (180 / 40)
    assert 0.01 < (aspects > 1.5).mean() < 0.1
    assert aspects.max() < 1 / 0.42 * 1.35


def test_cut_off_plate_is_an_area_to_ignore() -> None:
    both = _with_second_plate(_scene(), away_px=(200, 10))
    tiles = [cut_tile(both, size=(128, 128), rng=np.random.default_rng(seed)) for seed in range(20)]
    cut = [tile for tile in tiles if len(tile.ignored)]
    assert cut
    for tile in cut:
        assert len(tile.boxes) + len(tile.ignored) <= 2
        assert (tile.ignored >= 0).all()
        assert (tile.ignored <= 128).all()


def test_mosaic_keeps_the_labels_of_all_four() -> None:
    scenes = [_scene(has_corners=kind) for kind in (True, False, True, False)]
    counts: list[int] = []
    for seed in range(12):
        tile = join_mosaic(scenes, size=(320, 320), rng=np.random.default_rng(seed))
        assert tile.pixels.shape == (320, 320, 3)
        assert len(tile.boxes) == len(tile.corners) == len(tile.lines)
        counts.append(len(tile.boxes))
        drawn = _drawn(tile)
        assert not drawn.any() or _white(tile)[drawn].mean() > 0.7
    assert max(counts) == 4
    assert sum(counts) > 2 * len(counts)


def test_scene_without_plates() -> None:
    empty = cut_tile(LabelledScene.of(Scene(_scene().pixels)), size=(64, 96), rng=np.random.default_rng(0))
    assert empty.boxes.shape == (0, 4)
    assert empty.corners.shape == (0, 4, 2)


def test_relighting_changes_pixels_only_and_writes_to_none() -> None:
    scene = _scene(size=(600, 800))
    before = scene.pixels.copy()
    changed = [relight(scene, rng=np.random.default_rng(seed)) for seed in range(4)]
    assert np.array_equal(scene.pixels, before)
    assert any(not np.array_equal(other.pixels, before) for other in changed)
    assert all(other.pixels.shape == before.shape and other.boxes is scene.boxes for other in changed)


def test_a_plate_in_the_shade_is_darker_and_so_is_what_is_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_tiles, "_SHADE_SHARE", 1.0)
    monkeypatch.setattr(detector_tiles, "_EFFECTS", ())
    bright = replace(_scene(), pixels=np.full((600, 800, 3), 200, np.uint8))
    x1, y1, x2, y2 = bright.boxes[0].astype(int).tolist()
    for seed in range(5):
        dark = relight(bright, rng=np.random.default_rng(seed)).pixels
        assert dark[y1:y2, x1:x2].mean() < 185
        assert dark.max() > 195  # the rest of the scene keeps its light


def test_perspective_does_not_grow_with_the_tile() -> None:
    worst = 0.0
    for seed in range(40):
        scene = _with_second_plate(_scene(size=(1400, 1000)), away_px=(0, 300))
        tile = cut_tile(scene, size=(1280, 1280), rng=np.random.default_rng(seed))
        if len(tile.corners) == 2:
            (first, near), (second, far) = ((cv2.contourArea(quad), quad.mean(0)) for quad in tile.corners)
            # Areas go with the cube of what a homography divides by.
            worst = max(worst, abs(np.cbrt(first / second) - 1) / float(np.linalg.norm(near - far)))
    assert 0 < worst < 0.0005


def test_plates_near_the_horizon_of_the_warp_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_tiles, "_TILT", 3.0)
    stretches = [0.0]
    for seed in range(200):
        tile = cut_tile(_scene(), size=(192, 256), rng=np.random.default_rng(seed))
        for corners in tile.corners:
            top, right, bottom, left = (float(np.linalg.norm(corners[i] - corners[i - 1])) for i in (1, 2, 3, 0))
            stretches.append(max(top / bottom, bottom / top, left / right, right / left))
    assert 1.5 < max(stretches) < 12.5
