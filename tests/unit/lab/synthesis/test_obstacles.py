"""Ends of plates are hidden as far as they should be, and the labels know it."""

from __future__ import annotations

import numpy as np
import pytest

from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.label import masked
from platereader.lab.synthesis.legibility import character_boxes, window_corners
from platereader.lab.synthesis.obstacle_shapes import Side
from platereader.lab.synthesis.obstacles import (
    KINDS,
    Hidden,
    Kind,
    gap_shares,
    hide_end,
    legible_boxes,
    legible_in_part,
    rim_visible,
    without_end,
)
from platereader.plates import RUSSIA

QUAD = np.array([(60, 50), (260, 80), (260, 120), (60, 130)], np.float32)  # its right end is farther away
TEXT = "A123BC777"
BOXES = character_boxes(TEXT, RUSSIA.layout("standard"))
SIDES: tuple[Side, ...] = ("left", "right")


def scene(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (180, 320, 3), np.uint8)


def hidden(kind: Kind, side: Side, share: float, seed: int = 0, tone: float | None = None) -> Hidden:
    rng = np.random.default_rng(seed)
    return hide_end(scene(), quad=QUAD, side=side, share=share, kind=kind, rng=rng, tone=tone)


def point(across: float, down: float) -> tuple[int, int]:
    x, y = window_corners(QUAD, (across, down, 1.0, 1.0))[0].tolist()
    return int(x), int(y)


def share_along_the_middle(one: Hidden, side: Side) -> float:
    """Where opacity passes a half, in plate widths from the end inwards."""
    for share in np.arange(0.6, 0.0, -0.002).tolist():
        x, y = point(share if side == "left" else 1 - share, 0.5)
        if one.opacity[y, x] >= 0.5:
            return float(share)
    return 0.0


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", ["post", "ground_post", "strip", "ground_strip", "hand", "another_plate", "frame"])
@pytest.mark.parametrize("share", [0.08, 0.2, 0.4])
def test_the_share_is_measured_in_the_plane_of_the_plate(kind: Kind, side: Side, share: float) -> None:
    measured = [share_along_the_middle(hidden(kind, side, share, seed), side) for seed in range(3)]
    tolerance = 0.012 if kind != "hand" else 0.025  # the tip of a finger is round
    assert measured == pytest.approx([share] * 3, abs=tolerance)


@pytest.mark.parametrize("kind", ["snow", "dirt"])
def test_a_rough_edge_has_its_share_on_average(kind: Kind) -> None:
    measured = [share_along_the_middle(hidden(kind, "right", 0.2, seed), "right") for seed in range(24)]
    assert float(np.mean(measured)) == pytest.approx(0.2, abs=0.025)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_obstacle_changes_and_the_input_is_not_written_to(kind: Kind) -> None:
    picture, quad = scene(), QUAD.copy()
    picture.flags.writeable = quad.flags.writeable = False
    rng = np.random.default_rng(5)
    one = hide_end(picture, quad=quad, side="right", share=0.2, kind=kind, rng=rng)
    assert one.pixels.shape == picture.shape
    assert one.opacity.shape == picture.shape[:2]
    assert not np.shares_memory(one.pixels, picture)
    outside = one.opacity == 0
    assert np.array_equal(one.pixels[outside], picture[outside])
    assert not np.array_equal(one.pixels, picture)
    x, y = point(0.5, 0.5)
    assert outside[y, x]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_picture(kind: Kind) -> None:
    first, second, other = (hidden(kind, "left", 0.15, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, second.pixels)
    assert kind == "frame" or not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("tone", [0.0, 128.0, 255.0])
def test_a_post_has_its_tone(tone: float) -> None:
    means = []
    for seed in range(12):
        one = hidden("post", "right", 0.3, seed, tone)
        means.append(float(one.pixels[one.opacity == 1].mean()))
    assert float(np.mean(means)) == pytest.approx(tone, abs=45)


def test_a_strip_of_the_ground_is_not_told_apart_from_it() -> None:
    picture = np.full((180, 320, 3), (90, 170, 210), np.uint8)
    rng = np.random.default_rng(0)
    one = hide_end(picture, quad=QUAD, side="right", share=0.2, kind="ground_strip", rng=rng)
    assert np.abs(one.pixels.astype(int) - picture).mean() < 4


@pytest.mark.parametrize("side", SIDES)
def test_labels_name_no_hidden_character(side: Side) -> None:
    gaps = gap_shares(BOXES, side=side)
    assert len(gaps) == 8
    assert gaps == sorted(gaps)
    for count, gap in enumerate(gaps[:3], start=1):
        label = masked(TEXT, legible_boxes(hidden("frame", side, gap), quad=QUAD, boxes=BOXES))
        assert label == (f"?{TEXT[count:]}" if side == "left" else f"{TEXT[:-count]}?")
        assert legible_in_part(BOXES, side=side, share=gap).count(False) == count
    assert all(legible_boxes(hidden("frame", side, 0.03), quad=QUAD, boxes=BOXES))


@pytest.mark.parametrize(("hidden_part", "legible"), [(0.1, True), (0.35, False)])
def test_a_character_may_lose_a_fifth_of_its_width(hidden_part: float, legible: bool) -> None:
    left, _, right, _ = BOXES[-1]
    one = Hidden(scene(), np.zeros((180, 320), np.float32))
    flat = np.array([(20, 60), (300, 60), (300, 120), (20, 120)], np.float32)
    one.opacity[:, round(20 + 280 * (right - hidden_part * (right - left))) :] = 1.0
    assert legible_boxes(one, quad=flat, boxes=BOXES)[-1] is legible


def test_gaps_of_two_lines_stand_within_each_line() -> None:
    boxes = character_boxes("1234AB77", RUSSIA.layout("motorcycle"))
    gaps = gap_shares(boxes, side="left")
    assert len(gaps) == 6
    assert all(0 < gap < 1 for gap in gaps)


def test_what_lies_outside_of_the_picture_is_hidden() -> None:
    beyond = QUAD + np.array((130, 0), np.float32)
    whole = Hidden(scene(), np.zeros((180, 320), np.float32))
    assert not legible_boxes(whole, quad=beyond, boxes=BOXES)[-1]
    assert legible_boxes(whole, quad=beyond, boxes=BOXES)[0]


def test_the_rim_is_seen_beyond_a_post_that_stands_free() -> None:
    posts = [hidden("post", "right", 0.14, seed) for seed in range(30)]
    seen = [rim_visible(one, quad=QUAD, side="right") for one in posts]
    assert 3 <= sum(seen) <= 20
    for one in posts:
        assert not legible_boxes(one, quad=QUAD, boxes=BOXES)[-1]  # hidden either way
        assert rim_visible(one, quad=QUAD, side="left")
    assert not rim_visible(hidden("frame", "right", 0.05), quad=QUAD, side="right")


@pytest.mark.parametrize("side", SIDES)
def test_a_box_that_ends_early_keeps_the_other_end(side: Side) -> None:
    rest = without_end(QUAD, side=side, share=0.25)
    kept = [1, 2] if side == "left" else [0, 3]
    assert rest[kept] == pytest.approx(QUAD[kept], abs=1e-3)
    moved = rest[0] if side == "left" else rest[1]
    assert moved == pytest.approx(window_corners(QUAD, (0.25, 0, 0.75, 1))[0 if side == "left" else 1], abs=1e-3)


@pytest.mark.parametrize("share", [0.0, -0.1, 0.7, float("nan")])
def test_impossible_shares_are_refused(share: float) -> None:
    with pytest.raises(InvalidArgumentError, match="share"):
        hidden("post", "right", share)
