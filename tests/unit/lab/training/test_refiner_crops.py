from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from platereader._geometry import Box
from platereader.detection._crops import to_frame
from platereader.lab.training.detector.tiles import LabelledScene
from platereader.lab.training.refiner import crops_of

_PLATE = Box(40, 40, 100, 60)


def _tile(*, has_corners: bool = True, lines: int = 1, shift: float = 0.0) -> LabelledScene:
    """A tile of 200 x 120 px with one plate, which may be moved to the left."""
    corners = np.array([[[40, 42], [100, 40], [100, 58], [40, 60]]], np.float32) - np.array([shift, 0], np.float32)
    boxes = np.concatenate((corners.min(1), corners.max(1)), 1)
    return LabelledScene(
        np.zeros((120, 200, 3), np.uint8),
        np.clip(boxes, 0, [200, 120, 200, 120]).astype(np.float32),
        np.array([lines]),
        corners,
        np.array([has_corners]),
        np.zeros((0, 4), np.float32),
    )


def test_a_place_at_a_plate_shows_it() -> None:
    (window,), (sample,) = crops_of(_tile(), places=[Box(44, 38, 104, 60)])
    assert sample.kinds.tolist() == [1, 1, 0]
    assert sample.has_corners
    assert not sample.has_box
    np.testing.assert_allclose(to_frame(sample.corners[None], [window])[0], _tile().corners[0], atol=1e-3)


def test_a_plate_beyond_the_edge_is_cut() -> None:
    _, (sample,) = crops_of(_tile(shift=50), places=[Box(0, 40, 50, 60)])
    assert sample.kinds.tolist() == [1, 1, 1]


def test_of_a_plate_without_corners_the_box_is_known() -> None:
    (window,), (sample,) = crops_of(_tile(has_corners=False, lines=-1), places=[_PLATE])
    assert sample.kinds.tolist() == [1, -1, 0]
    assert (sample.has_corners, sample.has_box) == (False, True)
    np.testing.assert_allclose(to_frame(sample.box.reshape(1, 2, 2), [window])[0], [[40, 40], [100, 60]], atol=1e-3)


@pytest.mark.parametrize(
    ("tile", "place", "shown"),
    [
        (_tile(), Box(120, 80, 180, 100), True),
        (_tile(), Box(70, 40, 130, 60), False),  # overlaps the plate, and is not it
        (replace(_tile(), complete=False), Box(120, 80, 180, 100), False),
        (replace(_tile(), ignored=np.array([[150, 90, 160, 95]], np.float32)), Box(120, 80, 180, 100), False),
    ],
)
def test_only_what_is_known_to_be_no_plate_is_learnt_as_none(tile: LabelledScene, place: Box, shown: bool) -> None:
    _, samples = crops_of(tile, places=[place])
    assert [sample.kinds.tolist() for sample in samples] == ([[0, -1, -1]] if shown else [])
