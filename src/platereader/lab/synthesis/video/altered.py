"""Photographs altered: one digit of the plate is another one of its digits, or lettering stands beside the plate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.lab.synthesis.pose import corners_of, homography
from platereader.lab.synthesis.scenes.frames import Photograph

_FLAT_PX = (520, 112)
_DIGITS = slice(1, 4)  # of the characters of a Russian plate of one line
_GLYPH_HEIGHTS = (50, 108)
_GLYPH_WIDTHS = (12, 80)
_RIM_PX = 4


def with_another_digit(photograph: Photograph, text: str) -> tuple[Photograph, str] | None:
    """The photograph with one digit of its Russian plate replaced by another one of its digits, and the new text.

    None where the three digits are the same, or cannot be told from the ground. No plate has three zeros.
    """
    to_flat = homography(photograph.plates[0], corners_of(_FLAT_PX))
    flat = cast(BgrImage, cv2.warpPerspective(photograph.pixels, to_flat, _FLAT_PX, flags=cv2.INTER_CUBIC))
    places = _digit_places(flat)
    pairs = list(permutations(range(len(places)), 2))
    texts = {pair: _replaced(text, *pair) for pair in pairs if _replaced(text, *pair)[_DIGITS] != "000"}
    able = [pair for pair, new in texts.items() if new != text and text[_DIGITS].isdecimal()]
    if not able:
        return None
    # The one that is the narrowest in the other's place.
    source, target = min(able, key=lambda pair: places[pair[0]].width - places[pair[1]].width)
    changed, mask = _copied(flat, places[source], places[target])
    pixels = photograph.pixels.copy()
    size = (pixels.shape[1], pixels.shape[0])
    back = np.linalg.inv(to_flat)
    share = cv2.warpPerspective(mask, back, size, flags=cv2.INTER_LINEAR)[..., None] / np.float32(255)
    drawn = cv2.warpPerspective(changed, back, size, flags=cv2.INTER_CUBIC)
    mixed = np.rint(share * drawn + (1 - share) * pixels).astype(np.uint8)
    return Photograph(mixed, photograph.plates), texts[source, target]


def _replaced(text: str, source: int, target: int) -> str:
    """The text with one of its digits, counted from 0, in the place of another."""
    place = _DIGITS.start + target
    return text[:place] + text[_DIGITS.start + source] + text[place + 1 :]


def with_lettering(photograph: Photograph, words: str, *, place: Box, grey: int) -> Photograph:
    """The photograph with words in a place of the plate's plane, in parts of a plate of 520 x 112."""
    pixels = photograph.pixels.copy()
    size_px = (max(1, round(place.width)), max(1, round(place.height)))
    width, height = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, 3.0, 8)[0]
    ink = np.zeros((height + 40, width + 40), np.uint8)
    cv2.putText(ink, words, (20, height + 20), cv2.FONT_HERSHEY_DUPLEX, 3.0, 255, 8, cv2.LINE_AA)
    ink = np.asarray(cv2.resize(ink, size_px, interpolation=cv2.INTER_AREA), np.uint8)
    flat = corners_of(size_px) + np.array((place.x1, place.y1), np.float32)
    to_picture = homography(corners_of(_FLAT_PX), photograph.plates[0])
    outline = cv2.perspectiveTransform(flat[None].astype(np.float64), to_picture)[0].astype(np.float32)
    matrix = homography(corners_of(size_px), outline)
    share = cv2.warpPerspective(ink, matrix, (pixels.shape[1], pixels.shape[0]), flags=cv2.INTER_AREA)[..., None]
    mixed = pixels + (share / np.float32(255)) * (np.float32(grey) - pixels)
    return Photograph(np.rint(mixed).astype(np.uint8), photograph.plates)


def _digit_places(flat: BgrImage) -> list[Box]:
    """The three digits of a flat plate of one line, from the left: the tall glyphs after its first letter."""
    grey = cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY)
    dark = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 91, 12)
    glyphs = sorted(_glyphs(np.asarray(dark, np.uint8)), key=lambda box: box.x1)[:6]
    if len(glyphs) < 6:
        return []
    digits, letters = glyphs[_DIGITS], (glyphs[0], *glyphs[4:])
    tall = min(box.height for box in digits) > max(box.height for box in letters)
    return digits if tall else []


def _glyphs(dark: NDArray[np.uint8]) -> Iterator[Box]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    for x, y, width, height, _ in stats[1:].tolist():
        fits = _GLYPH_WIDTHS[0] <= width <= _GLYPH_WIDTHS[1] and _GLYPH_HEIGHTS[0] <= height <= _GLYPH_HEIGHTS[1]
        if fits and x > 0 and x + width < _FLAT_PX[0]:
            yield Box(x, y, x + width, y + height)


def _copied(flat: BgrImage, source: Box, target: Box) -> tuple[BgrImage, NDArray[np.uint8]]:
    """The flat plate with one glyph in the place of another, and where it was changed, uint8 ``(H, W)``."""
    width, height = round(max(source.width, target.width)) + 2 * _RIM_PX, round(target.height) + 2 * _RIM_PX
    glyph = cv2.getRectSubPix(flat, (round(source.width) + 2 * _RIM_PX, height), source.center)
    mask = np.zeros(flat.shape[:2], np.uint8)
    left, top = round(target.center[0] - width / 2), round(target.center[1] - height / 2)
    mask[max(0, top) : top + height, max(0, left) : left + width] = 255
    # First the ground alone: what replaces a glyph may be narrower.
    changed = cv2.inpaint(flat, mask, 3, cv2.INPAINT_TELEA)
    left = round(target.center[0] - glyph.shape[1] / 2)
    place = changed[max(0, top) : top + height, max(0, left) : left + glyph.shape[1]]
    place[:] = glyph[max(0, -top) :, max(0, -left) :][: place.shape[0], : place.shape[1]]
    return cast(BgrImage, changed), mask
