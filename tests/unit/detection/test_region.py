from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from far_plates import ShortSighted

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, InvalidArgumentError
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.testing import check_detector

TRIANGLE = [(100.0, 40.0), (300.0, 40.0), (200.0, 200.0)]
INSIDE, OUTSIDE = Box(180, 90, 240, 105), Box(90, 170, 140, 185)


@pytest.mark.parametrize(("x", "inside"), [(59, False), (60, True), (100, True), (101, False)])
def test_the_middle_decides_and_the_edge_belongs_to_the_region(x: int, inside: bool) -> None:
    square = [(70, 0), (110, 0), (110, 240), (70, 240)]
    frame = frame_with({50: Box(x, 50, x + 20, 60)})
    assert bool(RegionDetector(PatchDetector(), square).detect([frame])[0]) is inside


def test_the_inner_detector_sees_the_region_and_its_margin() -> None:
    inner = ShortSighted()
    frame = frame_with({50: INSIDE})
    (found,) = RegionDetector(inner, TRIANGLE, margin_px=30).detect([frame])
    assert inner.shapes == [[(220, 250)]]
    assert [(item.box, item.corners and item.corners.box) for item in found] == [(INSIDE, INSIDE)]


def test_a_region_may_reach_beyond_the_frame() -> None:
    wide = [(-500, -500), (5000, -500), (5000, 5000), (-500, 5000)]
    frame = frame_with({50: INSIDE, 100: OUTSIDE})
    assert RegionDetector(PatchDetector(), wide).detect([frame]) == PatchDetector().detect([frame])


def test_a_plate_on_the_edge_of_the_region_is_seen_whole() -> None:
    region = [(150, 0), (300, 0), (300, 240), (150, 240)]
    plate = Box(100, 50, 202, 70)
    (found,) = RegionDetector(PatchDetector(), region, margin_px=60).detect([frame_with({50: plate})])
    assert [item.box for item in found] == [plate]


def test_either_way_round_a_dent_and_a_closed_ring() -> None:
    dented = [(0, 0), (300, 0), (300, 200), (150, 20), (0, 200)]
    frame = frame_with({50: Box(120, 90, 180, 110), 100: Box(20, 60, 80, 80), 150: Box(230, 60, 290, 80)})
    for ring in (dented, dented[::-1], [*dented, dented[0]]):
        (found,) = RegionDetector(PatchDetector(), ring).detect([frame])
        assert [item.box.x1 for item in found] == [20, 230]


@pytest.mark.parametrize("y", [20.0, 40.0, 60.0])
def test_points_level_with_a_corner_of_the_region(y: float) -> None:
    hexagon = [(40, 20), (80, 20), (100, 40), (80, 60), (40, 60), (20, 40)]
    detector = RegionDetector(PatchDetector(), hexagon)
    for x in (5.0, 60.0, 150.0):
        frame = frame_with({50: Box(x - 5, y - 5, x + 5, y + 5)})
        assert bool(detector.detect([frame])[0]) is (x == 60.0)


def test_frames_keep_their_order_and_tiles_go_inside() -> None:
    frames = [frame_with({50: INSIDE}), frame_with({}), frame_with({100: INSIDE, 50: OUTSIDE}, width=640)]
    inner = ShortSighted(sight_px=100)
    detector = RegionDetector(TiledDetector(inner, tile_px=100, overlap_px=50), TRIANGLE, margin_px=40)
    small = Box(180, 90, 210, 105)
    frames[0] = frame_with({50: small})
    frames[2] = frame_with({100: small, 50: OUTSIDE}, width=640)
    found = detector.detect(frames)
    assert [[item.box for item in items] for items in found] == [[small], [], [small]]
    check_detector(detector, frames)


@pytest.mark.parametrize("shift", [(1000, 0), (0, 1000), (-1000, 0), (0, -1000)])
def test_a_region_outside_of_the_frame_is_an_error(shift: tuple[int, int]) -> None:
    region = [(x + shift[0], y + shift[1]) for x, y in TRIANGLE]
    with pytest.raises(InvalidArgumentError, match=r"outside of the frame of 320x240 px: give it in pixels"):
        RegionDetector(PatchDetector(), region).detect([frame_with({})])


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ([(0, 0), (9, 9)], "region has 2 different points: pass 3 or more"),
        ([(0, 0), (9, 9), (0, 0)], "region has 2 different points"),
        ([], r"shape \(0,\), expected is \(N, 2\)"),
        ([(0, 0, 1), (9, 9, 1), (0, 9, 1)], r"shape \(3, 3\)"),
        ([(0, 0), (9,)], "no list of points"),
        ("everywhere", "no list of points"),
        ([(0, 0), (9, 9), (0, float("nan"))], "not finite"),
        ([(0, 0), (1, 0), (1, 1), (0, 1)], "encloses 1 square pixels: fractions must be multiplied"),
        ([(0, 0), (90, 90), (90, 0), (0, 90)], "crosses or touches itself"),
        ([(0, 0), (90, 0), (45, 0)], "crosses or touches itself"),
        ([(0, 0), (90, 0), (90, 0), (0, 90)], "crosses or touches itself"),
        ([(0, 0), (90, 0), (90, 90), (45, 0), (0, 90)], "crosses or touches itself"),
        ([(0, 0), (90, 0), (90, 90), (90, 45), (0, 90)], "crosses or touches itself"),
    ],
)
def test_what_is_no_polygon_is_refused(region: Any, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        RegionDetector(PatchDetector(), region)


def test_a_region_of_two_square_pixels_without_a_margin_is_enough() -> None:
    region = [(200, 90), (202, 90), (202, 91), (200, 91)]
    inner = ShortSighted()
    assert RegionDetector(inner, region, margin_px=0).detect([frame_with({})]) == [[]]
    assert inner.shapes == [[(1, 2)]]


def test_other_senseless_settings_are_refused() -> None:
    for margin_px in (-1, float("nan"), "160", None, True):
        with pytest.raises(InvalidArgumentError, match=f"margin_px is {margin_px!r}"):
            RegionDetector(PatchDetector(), TRIANGLE, margin_px=margin_px)  # type: ignore[arg-type]
    pipeline: Any = patch_pipeline()
    with pytest.raises(InvalidArgumentError, match="inner is a Pipeline"):
        RegionDetector(pipeline, TRIANGLE)


def test_the_region_is_kept_as_it_was() -> None:
    points = np.array(TRIANGLE)
    detector = RegionDetector(PatchDetector(), points)  # type: ignore[arg-type]
    points[:] = 0
    assert detector.region == tuple(TRIANGLE)
