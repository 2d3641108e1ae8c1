"""The outlines: right shapes, right sizes, clear errors."""

import itertools
from pathlib import Path
from typing import cast, get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from platereader.errors import UnknownNameError
from platereader.lab.synthesis.glyphs import CHARACTERS, glyph_aspect, glyph_mask
from platereader.plates import LATIN_36
from platereader.plates._layout import Face

FACES: tuple[Face, ...] = get_args(Face)


@pytest.mark.parametrize("char", [char for char in CHARACTERS if char != "D"])
def test_outline_agrees_with_the_reference(char: str, shared_data: Path) -> None:
    path = shared_data / "reference" / "glyphs" / f"{char}.png"
    if not path.is_file():
        pytest.skip(f"needs the reference bitmap {path.name}")
    reference = cast(NDArray[np.uint8], cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    height, width = reference.shape
    expected = reference > 127
    drawn = glyph_mask(char, width_px=width, height_px=height) > 127
    assert (expected & drawn).sum() / (expected | drawn).sum() >= 0.95
    assert glyph_aspect(char) == pytest.approx(width / height, rel=0.02)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("char", LATIN_36.characters)
def test_ink_fills_its_box(char: str, face: Face) -> None:
    mask = glyph_mask(char, width_px=round(200 * glyph_aspect(char, face=face)), height_px=200, face=face)
    inked = mask > 127
    assert inked[:4].any()
    assert inked[-4:].any()
    assert inked[:, :4].any()
    assert inked[:, -4:].any()


def test_a_9_is_a_6_turned_round() -> None:
    six = glyph_mask("6", width_px=60, height_px=100).astype(int)
    nine = glyph_mask("9", width_px=60, height_px=100).astype(int)
    assert np.abs(nine - six[::-1, ::-1]).max() <= 1


@pytest.mark.parametrize(("width_px", "height_px"), [(1, 1), (7, 12), (60, 100), (700, 900)])
def test_any_size(width_px: int, height_px: int) -> None:
    mask = glyph_mask("B", width_px=width_px, height_px=height_px)
    assert mask.shape == (height_px, width_px)
    assert mask.dtype == np.uint8


def test_small_glyphs_keep_their_share_of_ink() -> None:
    shares = [glyph_mask("8", width_px=size, height_px=2 * size).mean() for size in (10, 40, 160)]
    assert max(shares) - min(shares) < 3


def test_grow_makes_strokes_thicker() -> None:
    thin, normal, thick = (glyph_mask("K", width_px=68, height_px=100, grow=grow).mean() for grow in (-4, 0, 4))
    assert thin < normal < thick


def test_masks_are_shared_and_so_read_only() -> None:
    mask = glyph_mask("A", width_px=20, height_px=30)
    with pytest.raises(ValueError, match="read-only"):
        mask[0, 0] = 1


@pytest.mark.parametrize("face", FACES)
def test_no_two_characters_look_alike(face: Face) -> None:
    masks = {
        char: glyph_mask(char, width_px=36, height_px=60, face=face).astype(float) / 255 for char in LATIN_36.characters
    }
    for (first, one), (second, other) in itertools.combinations(masks.items(), 2):
        # O and 0 of the old faces differ in their width alone
        wider = abs(glyph_aspect(first, face=face) - glyph_aspect(second, face=face))
        assert float(np.abs(one - other).mean()) > 0.03 or wider > 0.1, (first, second)


def test_the_faces_differ() -> None:
    for one, other in itertools.combinations(FACES, 2):
        same = [char for char in LATIN_36.characters if _distance(char, one, other) < 1]
        assert len(same) < 4, same  # a plain T or X is nobody's


def _distance(char: str, *faces: Face) -> float:
    """Mean difference of the grey levels of a character 60 px high in two faces, at its own width in each."""
    canvas = np.zeros((len(faces), 60, 80))
    for drawn, face in zip(canvas, faces, strict=True):
        width = round(60 * glyph_aspect(char, face=face))
        drawn[:, :width] = glyph_mask(char, width_px=width, height_px=60, face=face)
    return float(np.abs(canvas[0] - canvas[1]).mean())


def test_only_the_0_of_fe_is_cut() -> None:
    def counters(char: str, face: Face) -> int:
        mask = np.pad(glyph_mask(char, width_px=120, height_px=200, face=face), 2)
        return cv2.connectedComponents((mask < 128).astype(np.uint8), connectivity=4)[0] - 2

    assert (counters("0", "fe"), counters("O", "fe")) == (0, 1)
    assert (counters("0", "din"), counters("0", "gost"), counters("8", "fe"), counters("B", "fe")) == (1, 1, 2, 2)


@pytest.mark.parametrize("char", "RUS")
def test_the_letters_of_the_country_code_are_thin(char: str) -> None:
    thin, bold = (glyph_mask(char, width_px=70, height_px=100, face=face).mean() for face in ("code", "gost"))
    assert thin < bold
    with pytest.raises(UnknownNameError, match="allowed are RSU"):
        glyph_aspect("A", face="code")


@pytest.mark.parametrize("char", ["Я", "a", "Ж", ""])
def test_unknown_character(char: str) -> None:
    with pytest.raises(UnknownNameError, match="allowed are"):
        glyph_aspect(char)
    with pytest.raises(UnknownNameError, match="allowed are"):
        glyph_mask(char, width_px=5, height_px=9)
