"""What the reader is taught to say of a plate."""

import numpy as np
import pytest

from platereader.lab.synthesis.capture import CropProfile, cut_plate, hide_some
from platereader.lab.synthesis.label import Mark, mark_of, masked, text_of, tokens_of
from platereader.lab.synthesis.legibility import character_boxes
from platereader.plates import BELARUS, KAZAKHSTAN, RUSSIA, UZBEKISTAN

QUAD = np.array([[40, 40], [300, 40], [300, 96], [40, 96]], np.float32)
LAYOUT = RUSSIA.layout("standard")
BOXES = character_boxes("A123BC777", LAYOUT)


def test_a_whole_plate_has_both_ends_and_its_mark() -> None:
    tokens = tokens_of("A123BC77", legible=[True] * 8, ends=(True, True), mark=Mark("RU", 8))
    assert tokens == ("[", *"A123BC77", "RU", "]")
    assert text_of(tokens) == "A123BC77"


def test_a_missing_end_takes_its_mark_with_it() -> None:
    legible = [True] * 8 + [False]
    assert tokens_of("A123BC777", legible=legible, ends=(True, False), mark=Mark("RU", 9)) == ("[", *"A123BC77", "?")
    legible = [False, False, *[True] * 6]
    assert tokens_of("123ABC02", legible=legible, ends=(False, True), mark=Mark("KZ", 0)) == ("?", *"3ABC02", "]")
    middle = tokens_of("1234AB5", legible=[True] * 7, ends=(False, True), mark=Mark("BY", 4))
    assert middle == (*"1234", "BY", *"AB5", "]")


@pytest.mark.parametrize("place", [0, 4, 8])
def test_what_hides_a_character_hides_the_mark_beside_it(place: int) -> None:
    beside, legible = min(place, 7), [True] * 8
    assert "RU" in tokens_of("A123BC77", legible=legible, ends=(True, True), mark=Mark("RU", place))
    legible[beside] = False
    tokens = tokens_of("A123BC77", legible=legible, ends=(True, True), mark=Mark("RU", place))
    assert "RU" not in tokens
    assert tokens[beside + 1] == "?"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("11111111", "A123BC77"),
        ("00111111", "?23BC77"),
        ("11111100", "A123BC?"),
        ("10101111", "A?2?BC77"),
        ("10011011", "A?3B?77"),
    ],
)
def test_a_run_of_hidden_characters_is_one_mark(seen: str, expected: str) -> None:
    legible = [mark == "1" for mark in seen]
    assert masked("A123BC77", legible) == expected
    assert tokens_of("A123BC77", legible=legible, ends=(True, True)) == ("[", *expected, "]")


@pytest.mark.parametrize(
    ("scheme", "name", "text", "place"),
    [
        (RUSSIA, "standard", "A123BC77", 8),
        (KAZAKHSTAN, "standard", "123ABC02", 0),
        (UZBEKISTAN, "standard", "01A123BC", 8),
    ],
)
def test_marks_stand_where_they_are_read(scheme: object, name: str, text: str, place: int) -> None:
    assert scheme in (RUSSIA, KAZAKHSTAN, UZBEKISTAN)
    chosen = next(one for one in (RUSSIA, KAZAKHSTAN, UZBEKISTAN) if one is scheme)
    assert mark_of(chosen.country, chosen.layout(name), text) == Mark(chosen.country, place)


def test_the_mark_of_a_lower_line_stands_between_the_lines() -> None:
    layout = next(one for one in BELARUS.layouts if one.line_count == 2 and one.strip and one.strip.lines == "lower")
    text = BELARUS.sample_text(layout.plate_format, rng=np.random.default_rng(0))
    upper = sum(len(part.text) for part in layout.plate_format.split(text) if part.line == 0)
    mark = mark_of("BY", layout, text)
    assert mark == Mark("BY", upper)
    assert 0 < upper < len(text)


def test_a_hidden_digit_is_never_taught_as_the_end_of_the_plate() -> None:
    profile = CropProfile(hidden_share=1.0)
    picture = np.random.default_rng(0).integers(0, 255, (140, 360, 3), dtype=np.uint8)
    last_hidden = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        pixels, quad, _, seen = hide_some(picture, quad=QUAD, boxes=BOXES, profile=profile, rng=rng)
        assert pixels.shape == picture.shape
        assert quad.shape == (4, 2)
        assert not np.array_equal(pixels, picture)
        if not seen.legible[-1]:
            last_hidden += 1
            tokens = tokens_of("A123BC777", legible=seen.legible, ends=seen.ends, mark=Mark("RU", 9))
            # Where the rim is seen beyond a thin obstacle, what is hidden before it is said to be.
            assert tokens[-1] == "?" or tokens[-2:] == ("?", "]")
    assert last_hidden > 40


def test_what_lies_outside_of_the_corners_is_not_seen_beyond_an_obstacle_either() -> None:
    """Corners that end at a thin obstacle leave out the rim and the characters on its other side."""
    profile, part = CropProfile(hidden_share=1.0, cut_share=0.3), 0
    picture = np.random.default_rng(0).integers(0, 255, (140, 360, 3), dtype=np.uint8)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        _, quad, boxes, seen = hide_some(picture, quad=QUAD, boxes=BOXES, profile=profile, rng=rng)
        _, cut = cut_plate(picture, quad=quad, boxes=boxes, lines=1, profile=profile, rng=rng)
        left, right = ((quad[corner, 0] - QUAD[0, 0]) / np.ptp(QUAD[:, 0]) for corner in (0, 1))
        part += left > 0.03 or right < 0.97
        assert not (seen.ends[0] and left > 0.031)
        assert not (seen.ends[1] and right < 0.969)
        for box, shown, legible in zip(BOXES, boxes, seen.both(cut).legible, strict=True):
            assert shown[0] == pytest.approx((box[0] - left) / (right - left), abs=1e-3)
            assert not legible or (box[2] > left and box[0] < right) or cut.ends != (True, True)
    assert part > 80


def test_a_cut_plate_has_no_end_where_it_is_cut() -> None:
    profile = CropProfile(cut_share=1.0)
    picture = np.zeros((140, 360, 3), np.uint8)
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for seed in range(120):
        rng = np.random.default_rng(seed)
        _, seen = cut_plate(picture, quad=QUAD, boxes=BOXES, lines=1, profile=profile, rng=rng)
        counts[seen.ends] += 1
        if seen.ends != (True, True):  # else the top or the bottom is missing, or next to nothing
            assert seen.legible[0] or not seen.ends[0]
            assert seen.legible[-1] or not seen.ends[1]
    assert counts[(True, False)] > counts[(False, True)] > 20
    assert counts[(False, False)] == 0
