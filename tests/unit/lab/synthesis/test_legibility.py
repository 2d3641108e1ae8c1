"""What a label may say of a plate that is not all there."""

import cv2
import numpy as np
import pytest

from platereader.lab.synthesis.legibility import character_boxes, inside, still_clear, window_corners
from platereader.lab.synthesis.render import render_plate
from platereader.plates import RUSSIA

STANDARD = RUSSIA.layout("standard")
BOXES = character_boxes("A123BC77", STANDARD)


def test_characters_stand_from_left_to_right_within_the_plate() -> None:
    assert len(BOXES) == 8
    lefts = [box[0] for box in BOXES]
    assert lefts == sorted(lefts)
    assert all(0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1 for box in BOXES)


def test_the_lower_line_stands_below() -> None:
    boxes = character_boxes("1234AB77", RUSSIA.layout("motorcycle"))
    assert max(box[3] for box in boxes[:4]) < min(box[1] for box in boxes[4:])


def test_what_lies_outside_of_a_window_is_not_seen() -> None:
    everything, left_half = inside(BOXES, (0.0, 0.0, 1.0, 1.0)), inside(BOXES, (0.0, 0.0, 0.5, 1.0))
    assert all(everything)
    assert left_half[0]
    assert not left_half[-1]
    assert not any(inside(BOXES, (0.0, 0.5, 1.0, 1.0)))  # half a character is none


def test_only_soiled_characters_are_unclear() -> None:
    clean = render_plate("A123BC77", STANDARD, height_px=64, rng=np.random.default_rng(0)).pixels
    soiled = clean.copy()
    left, right = round(BOXES[2][0] * clean.shape[1]), round(BOXES[2][2] * clean.shape[1])
    soiled[:, left:right] = 90
    assert still_clear(clean, soiled, BOXES) == [index != 2 for index in range(8)]


def test_a_dark_or_blurred_plate_is_still_clear() -> None:
    clean = render_plate("A123BC77", STANDARD, height_px=64, rng=np.random.default_rng(0)).pixels
    dark = cv2.convertScaleAbs(cv2.GaussianBlur(clean, (0, 0), 1.5), alpha=0.4)
    assert all(still_clear(clean, np.asarray(dark, np.uint8), BOXES))


def test_corners_of_a_part_follow_the_perspective() -> None:
    corners = np.array([(0, 0), (100, 10), (100, 30), (0, 40)], np.float32)
    part = window_corners(corners, (0.0, 0.0, 0.5, 1.0))
    assert part[0] == pytest.approx((0, 0), abs=1e-3)
    assert part[3] == pytest.approx((0, 40), abs=1e-3)
    assert part[1][0] > 55  # the right end is farther away: the middle of the plate lies right of the picture's
    assert part[1][1] == pytest.approx(part[1][0] / 10, abs=1e-2)
