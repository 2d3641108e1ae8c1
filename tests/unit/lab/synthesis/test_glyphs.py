"""The outlines: right shapes, right sizes, clear errors."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from platereader.errors import UnknownNameError
from platereader.lab.synthesis.glyphs import CHARACTERS, glyph_aspect, glyph_mask


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


@pytest.mark.parametrize("char", [*CHARACTERS, *"RUS"])
def test_ink_fills_its_box(char: str) -> None:
    mask = glyph_mask(char, width_px=round(200 * glyph_aspect(char)), height_px=200)
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


@pytest.mark.parametrize("char", ["Z", "a", "Ж", ""])
def test_unknown_character(char: str) -> None:
    with pytest.raises(UnknownNameError, match="allowed are"):
        glyph_aspect(char)
    with pytest.raises(UnknownNameError, match="allowed are"):
        glyph_mask(char, width_px=5, height_px=9)
