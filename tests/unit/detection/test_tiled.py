from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from far_plates import ShortSighted

from fakes import PatchDetector, frame_with, patch_pipeline
from platereader import Box, ContractError, Detection, InvalidArgumentError, Quad
from platereader._arrays import BgrImage
from platereader.detection._region import RegionDetector
from platereader.detection._tiled import TiledDetector
from platereader.pipeline import Pipeline
from platereader.results import Lines

REGION = [(0.0, 0.0), (90.0, 0.0), (90.0, 90.0)]


@dataclass(frozen=True)
class Scripted:
    """Finds what it is told to, by the shape of the picture and the red value of its first pixel."""

    answers: dict[tuple[int, int, int], list[Detection]]

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        return [self.answers.get((*frame.shape[:2], int(frame[0, 0, 2])), []) for frame in frames]


def two_tiles(left: list[Detection], right: list[Detection], whole: list[Detection] | None = None) -> list[Detection]:
    """What comes of these finds in a frame of 180x100 px, tiles of 100 px at 0 and 80, an overlap of 20 px."""
    frame = np.zeros((100, 180, 3), np.uint8)
    frame[:, 80:, 2] = 1
    answers = {(100, 100, 0): left, (100, 100, 1): right, (100, 180, 0): whole or []}
    return TiledDetector(Scripted(answers), tile_px=100, overlap_px=20).detect([frame])[0]


def find(x1: float, x2: float, score: float = 0.9, *, lines: Lines | None = 1, y1: float = 40) -> Detection:
    """A detection 10 px high."""
    box = Box(x1, y1, x2, y1 + 10)
    return Detection(box, score, Quad.from_box(box), lines)


def test_a_frame_of_one_tile_goes_to_the_inner_detector_as_it_is() -> None:
    inner = ShortSighted()
    frame = frame_with({50: Box(10, 10, 90, 30)}, width=960, height=540)
    assert TiledDetector(inner).detect([frame]) == ShortSighted().detect([frame])
    assert inner.shapes == [[(540, 960)]]


def test_a_4k_frame_is_fifteen_tiles_and_the_whole() -> None:
    inner = ShortSighted()
    TiledDetector(inner).detect([np.zeros((2160, 3840, 3), np.uint8)])
    assert inner.shapes == [[(2160, 3840), *[(960, 960)] * 15]]


def test_a_frame_larger_than_a_tile_in_one_direction_only() -> None:
    inner = ShortSighted()
    TiledDetector(inner, tile_px=100, overlap_px=20).detect([np.zeros((40, 101, 3), np.uint8)])
    assert inner.shapes == [[(40, 101), (40, 100), (40, 100)]]


def test_views_of_all_frames_share_calls_of_bounded_size() -> None:
    inner = ShortSighted()
    frames = [frame_with({50: Box(x, 10, x + 20, 15)}) for x in range(0, 300, 60)]
    found = TiledDetector(inner, tile_px=128, overlap_px=32).detect(frames)
    assert [len(call) for call in inner.shapes] == [16, 16, 16, 2]
    assert [[item.box for item in items] for items in found] == [[Box(x, 10, x + 20, 15)] for x in range(0, 300, 60)]


def test_pieces_of_which_there_is_no_whole_are_joined_without_corners() -> None:
    assert two_tiles([find(65, 100, 0.7)], [find(0, 35, 0.8)]) == [Detection(Box(65, 40, 115, 50), 0.8, None, 1)]
    assert two_tiles([find(65, 100, lines=2)], [find(0, 35)])[0].lines is None


def test_pieces_above_each_other_are_joined_too() -> None:
    frame = np.zeros((180, 100, 3), np.uint8)
    frame[80:, :, 2] = 1
    answers = {(100, 100, number): [Detection(Box(40, y, 50, y + 35), 0.8)] for number, y in enumerate((65, 0))}
    found = TiledDetector(Scripted(answers), tile_px=100, overlap_px=20).detect([frame])[0]
    assert [one.box for one in found] == [Box(40, 65, 50, 115)]


def test_a_piece_that_is_nearly_all_keeps_its_corners() -> None:
    assert two_tiles([find(75, 100, 0.7)], [find(1, 20, 0.8)]) == [find(75, 100, 0.8)]


def test_an_unsure_piece_is_not_joined_to_a_sure_one() -> None:
    assert two_tiles([find(70, 100, 0.9)], [find(0, 35, 0.4)]) == [find(70, 100, 0.9)]


def test_the_whole_wins_over_its_pieces_whatever_their_scores() -> None:
    assert two_tiles([find(70, 100, 0.99)], [find(0, 35, 0.98)], [find(70, 115, 0.5)]) == [find(70, 115, 0.5)]
    assert two_tiles([find(84, 100, 0.99)], [find(4, 24, 0.4)]) == [find(84, 104, 0.4)]


def test_a_false_find_inside_of_a_piece_does_not_replace_it() -> None:
    found = two_tiles([find(40, 100, 0.9), find(62, 70, 0.3)], [])
    assert found == [find(40, 100, 0.9), find(62, 70, 0.3)]
    assert two_tiles([find(50, 100, 0.9)], [], [find(70, 78, 0.3)]) == [find(50, 100, 0.9), find(70, 78, 0.3)]


def test_a_tile_shows_a_small_plate_better_than_the_frame_unless_that_is_much_surer() -> None:
    tile, frame = find(30, 42, 0.85), find(31, 44, 0.9)
    assert two_tiles([tile], [], [frame]) == [tile]
    assert two_tiles([find(30, 42, 0.6)], [], [frame]) == [frame]


def test_of_two_wholes_one_inside_of_the_other_the_surer_stays() -> None:
    digits, plate = find(45, 57, 0.4), find(25, 60, 0.9)
    assert two_tiles([digits], [], [plate]) == [plate]
    assert two_tiles([find(45, 57, 0.95)], [], [plate]) == [find(45, 57, 0.95)]


def test_what_one_view_shows_twice_stays_as_the_inner_detector_decided() -> None:
    both = [find(20, 40, 0.9), find(22, 42, 0.8)]
    assert two_tiles(both, []) == both


def test_neighbouring_plates_stay_two() -> None:
    assert two_tiles([find(20, 40)], [], [find(22, 42, 0.8, y1=47)]) == [find(20, 40), find(22, 42, 0.8, y1=47)]


def test_a_plate_at_the_edge_of_the_frame_is_not_cut_by_a_seam() -> None:
    kept = find(0, 12, 0.4)
    assert two_tiles([kept], [], [find(2, 13, 0.45)]) == [kept]


def test_what_a_seam_cuts_off_is_not_said_to_leave_the_frame() -> None:
    cut, at_the_edge, whole = (
        replace(find(x, x + 20), truncated=truncated) for x, truncated in ((80, True), (0, True), (40, False))
    )
    by_place = {found.box.x1: found.truncated for found in two_tiles([cut, at_the_edge, whole], [])}
    assert by_place == {80: None, 0: True, 40: False}
    frame = np.zeros((100, 100, 3), np.uint8)
    (alone,) = TiledDetector(Scripted({(100, 100, 0): [cut]}), tile_px=100, overlap_px=20).detect([frame])[0]
    assert alone.truncated is True


def test_best_first() -> None:
    assert [item.score for item in two_tiles([find(10, 20, 0.5)], [find(60, 70, 0.8)])] == [0.8, 0.5]


def test_boxes_are_clipped_to_the_frame_and_corners_are_not() -> None:
    (found,) = two_tiles([], [find(80, 130)])
    assert found.box == Box(160, 40, 180, 50)
    assert found.corners == Quad.from_box(Box(160, 40, 210, 50))


def test_a_box_that_is_nowhere_is_refused_in_the_name_of_whose_it_is() -> None:
    frame = frame_with({}, width=180, height=100)
    lost = Scripted({(100, 180, 0): [find(900, 950)]})
    with pytest.raises(ContractError, match=r"Scripted\.detect gave the box"):
        Pipeline(replace(patch_pipeline().parts, detector=TiledDetector(lost, tile_px=100, overlap_px=20))).read(frame)


def test_no_plates_and_odd_frames() -> None:
    frames = [np.zeros((height, width, 3), np.uint8) for height, width in ((1, 1), (1, 900), (700, 65))]
    assert TiledDetector(ShortSighted(), tile_px=64, overlap_px=16).detect(frames) == [[], [], []]


def test_an_inner_detector_that_loses_a_picture_is_told_so() -> None:
    class Loses:
        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            return [[] for _ in frames[1:]]

    with pytest.raises(ContractError, match=r"Loses\.detect returned 2 items for 3"):
        TiledDetector(Loses(), tile_px=100, overlap_px=20).detect([frame_with({}, width=180, height=100)])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tile_px": 63}, "tile_px is 63, allowed are 64 px and more"),
        ({"tile_px": "960"}, "tile_px is '960', allowed are 64 px and more"),
        ({"tile_px": 960.0}, r"tile_px is 960\.0, allowed are 64 px and more"),
        ({"overlap_px": None}, "overlap_px is None, allowed are 0 to 480 px"),
        ({"overlap_px": -1}, "overlap_px is -1, allowed are 0 to 480 px"),
        ({"overlap_px": 481}, "overlap_px is 481, allowed are 0 to 480 px.*try 240"),
        (
            {"inner": patch_pipeline()},
            "inner is a Pipeline, expected is a detector, .* the method detect",
        ),
        ({"inner": RegionDetector(PatchDetector(), REGION)}, r"RegionDetector\(TiledDetector\(detector\), region\)"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {"inner": PatchDetector(), **settings}
    with pytest.raises(InvalidArgumentError, match=says):
        TiledDetector(**arguments)
