"""Lettering cut out of pictures: what is found, what is refused, and plates written with it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from platereader._arrays import BgrImage
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.glyphs import Mask, glyph_mask
from platereader.lab.synthesis.lettering import Lettering, cut_lettering, letter_mask
from platereader.lab.synthesis.pose import corners_of, homography
from platereader.lab.synthesis.render import render_plate
from platereader.plates import RUSSIA

_TURNED = np.array([(0.10, 0.30), (0.86, 0.22), (0.88, 0.66), (0.11, 0.78)], np.float32)

STANDARD = RUSSIA.layout("standard")


def _photographed(text: str, name: str, *, width_px: float = 500, seed: int = 4, contrast: float = 1.0) -> RealPlate:
    """A plate seen from the side, a little blurred, on grey, with labelled corners that are somewhat wrong."""
    layout = RUSSIA.layout(name)
    front = render_plate(text, layout, height_px=112, rng=np.random.default_rng(seed)).pixels
    front = np.clip(128 + contrast * (front.astype(np.float32) - 128), 0, 255).astype(np.uint8)
    size = (round(width_px / 0.76), round(width_px / 0.76 * front.shape[0] / front.shape[1] / 0.45))
    corners = (_TURNED * np.array(size, np.float32)).astype(np.float32)
    picture: BgrImage = np.full((size[1], size[0], 3), 110, np.uint8)
    matrix = homography(corners_of((front.shape[1], front.shape[0])), corners)
    cv2.warpPerspective(front, matrix, size, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    wrong = np.array([(-3, 2), (2, -2), (3, 2), (-2, -3)], np.float32) * np.float32(width_px / 500)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)
    return RealPlate(blurred, (corners + wrong).astype(np.float32), layout.line_count, text, "a.jpg")


def _correlation(mask: Mask, char: str) -> float:
    outline = glyph_mask(char, width_px=mask.shape[1], height_px=mask.shape[0])
    return float(np.corrcoef(mask.ravel(), outline.ravel())[0, 1])


@pytest.mark.parametrize(
    ("text", "name"),
    [("A123BC77", "standard"), ("1234AB50", "military"), ("M548KX116", "standard_two_line"), ("T234577", "police")],
)
def test_cut_outs_look_like_what_was_printed(text: str, name: str) -> None:
    plate = _photographed(text, name)
    before = plate.pixels.copy()
    lettering = cut_lettering([plate])
    assert set(lettering) <= set(text)
    assert sum(len(masks) for masks in lettering.values()) >= len(text) - 2
    for char, masks in lettering.items():
        for mask in masks:
            assert mask.dtype == np.uint8
            assert mask.max() > 240
            assert not mask.flags.writeable
            assert _correlation(mask, char) > 0.8
    assert np.array_equal(plate.pixels, before)


def test_a_wrong_label_gives_no_wrong_cut_outs() -> None:
    told = replace(_photographed("A123BC77", "standard"), text="K123BC77")
    assert "K" not in cut_lettering([told])


@pytest.mark.parametrize("other", ["ABC", "A123BC"])
def test_texts_of_no_type_give_nothing(other: str) -> None:
    assert not cut_lettering([replace(_photographed("A123BC77", "standard"), text=other)])


def test_small_and_faint_plates_give_nothing() -> None:
    assert not cut_lettering([_photographed("A123BC77", "standard", width_px=100)])
    assert not cut_lettering([_photographed("A123BC77", "standard", contrast=0.15)])


def test_plates_are_written_with_cut_outs() -> None:
    lettering = cut_lettering([_photographed("A123BC77", "standard", seed=seed) for seed in range(3)])
    text = "C321AB77"
    rendered = render_plate(text, STANDARD, height_px=112, rng=np.random.default_rng(8), lettering=lettering)
    drawn = render_plate(text, STANDARD, height_px=112, rng=np.random.default_rng(8))
    assert not np.array_equal(rendered.pixels, drawn.pixels)
    again = cut_lettering([RealPlate(rendered.pixels, corners_of((520, 112)), 1, text, "a.jpg")])
    assert sum(len(masks) for masks in again.values()) >= len(text) - 2


def test_without_a_cut_out_the_outline_is_drawn_and_nothing_is_random() -> None:
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    outline = glyph_mask("A", width_px=20, height_px=30, grow=2)
    for lettering in (None, {}, {"A": ()}, {"B": (outline,)}):
        assert np.array_equal(letter_mask(lettering, "A", size_px=(20, 30), grow=2, rng=rng), outline)
    assert rng.bit_generator.state == state


def test_missing_characters_leave_the_plate_as_it_was() -> None:
    lettering: Lettering = {"K": (np.full((9, 9), 255, np.uint8),)}
    plates = [
        render_plate("A123BC77", STANDARD, height_px=64, rng=np.random.default_rng(1), lettering=source)
        for source in (None, lettering)
    ]
    assert np.array_equal(plates[0].pixels, plates[1].pixels)


def test_every_cut_out_is_drawn_at_the_wanted_size() -> None:
    lettering: Lettering = {"7": tuple(np.full((40, 25), level, np.uint8) for level in (100, 200))}
    rng = np.random.default_rng(0)
    masks = [letter_mask(lettering, "7", size_px=(12, 50), grow=4, rng=rng) for _ in range(20)]
    assert {mask.shape for mask in masks} == {(50, 12)}
    assert {int(mask.max()) for mask in masks} == {100, 200}
