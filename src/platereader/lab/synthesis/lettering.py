"""Lettering cut out of labelled photographs: real stamping and paint, to compose plates of every type from.

Each cut-out is checked against the library's own outlines, so that a wrong label or a bolt in the way costs a
character, not the truth of the lettering.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.fields import FloatImage, pick
from platereader.lab.synthesis.fixtures import PlacedCharacter
from platereader.lab.synthesis.glyphs import CHARACTERS, Mask, fitted, glyph_mask
from platereader.lab.synthesis.layout import lay_out, layout_of
from platereader.lab.synthesis.pose import Corners, corners_of, homography
from platereader.plates import RUSSIA, PlateLayout, Schemes
from platereader.plates._layout import Face

Lettering: TypeAlias = Mapping[str, Sequence[Mask]]
"""Cut-outs of each character: uint8 ``(H, W)`` in a tight box, 0 = bare plate, 255 = ink; every size is allowed."""

_RUSSIAN = Schemes((RUSSIA,))
_MIN_WIDTH_PX = 110.0  # of a plate of 520 mm; others in proportion
_MARGIN_MM = 14
"""Kept around the labelled corners, which are off by up to a tenth of the height."""

_COARSE = 0.5
_SHIFT_MM = 12
_STRETCHES = (0.9, 0.94, 0.97, 1.0, 1.03, 1.06)
_MIN_FIT = 0.45
_ROOM_MM = 5.0
_SEARCH_MM = 6
_MIN_CONTRAST = 45.0
_HEIGHTS = (0.85, 1.15)
_WIDTHS = (0.7, 1.3)
_CRISPNESS = 1.7
"""A photograph blurs the edges of the ink; this much steeper they are about as sharp as paint."""

_MIN_CORRELATION = 0.75
_NEAR_BEST = 0.02


class _Placement(NamedTuple):
    """Where the layout lies in a rectified plate: pixels = stretch * millimetres + offset, for x and y."""

    stretch: tuple[float, float]
    offset: tuple[float, float]


def cut_lettering(plates: Iterable[RealPlate]) -> Lettering:
    """Cut single characters out of labelled photographs, about a pixel a millimetre.

    Plates that are of no known type, faint or small give nothing, nor do characters that touch something, have an
    implausible size or look more like another one.
    """
    found: dict[str, list[Mask]] = {}
    for plate in plates:
        layout = layout_of(plate.text, lines=plate.lines, schemes=_RUSSIAN)
        if layout is None or _px_per_mm(plate.corners, layout) < _MIN_WIDTH_PX / 520:
            continue
        characters, _ = lay_out(plate.text, layout=layout)
        grey = _rectified(plate, layout)
        placement = _place(grey, characters)
        if placement is None:
            continue
        for character in characters:
            mask = _cut(grey, character, placement)
            if mask is not None and _resembles(mask, character.char):
                found.setdefault(character.char, []).append(mask)
    return {char: tuple(found[char]) for char in sorted(found)}


def letter_mask(
    lettering: Lettering | None,
    char: str,
    *,
    size_px: tuple[int, int],
    grow: int,
    rng: np.random.Generator,
    face: Face = "gost",
) -> Mask:
    """A random cut-out of a character, or its outline where there is none; only cut-outs draw from ``rng``.

    uint8 ``(height, width)``, 0 = bare plate, 255 = ink; read-only. ``grow`` is for outlines, see ``glyph_mask``;
    cut-outs keep their strokes, and are of Russian plates: they stand for the face ``"gost"`` alone.
    """
    choices = lettering.get(char, ()) if lettering is not None and face == "gost" else ()
    if not choices:
        return glyph_mask(char, width_px=size_px[0], height_px=size_px[1], grow=grow, face=face)
    return fitted(pick(choices, rng=rng), size_px=size_px)


# ---------------------------------------------------------------- the whole plate


def _px_per_mm(corners: Corners, layout: PlateLayout) -> float:
    """Resolution of the photograph in the worse direction, pixels a millimetre."""
    edges = np.asarray(corners, np.float64) - np.roll(corners, 1, axis=0)
    left, upper, right, lower = (float(np.linalg.norm(edge)) for edge in edges)
    width, height = layout.plate_format.size_mm
    return min(min(upper, lower) / width, min(left, right) / height)


def _rectified(plate: RealPlate, layout: PlateLayout) -> FloatImage:
    """The squarely seen plate and its margin, a pixel a millimetre, ink bright: float32, 0 to 255."""
    size = layout.plate_format.size_mm
    # Green alone: every plate's ink stands out from its ground there.
    green = np.ascontiguousarray(plate.pixels[..., 1])
    corners = np.asarray(plate.corners, np.float32)
    shrink = min(1.0, 1.4 / _px_per_mm(corners, layout))
    if shrink < 1.0:
        small = (max(1, round(green.shape[1] * shrink)), max(1, round(green.shape[0] * shrink)))
        corners = corners * np.array((small[0] / green.shape[1], small[1] / green.shape[0]), np.float32)
        green = cast(Mask, cv2.resize(green, small, interpolation=cv2.INTER_AREA))
    matrix = homography(corners, corners_of(size) + np.float32(_MARGIN_MM))
    full = (round(size[0] + 2 * _MARGIN_MM), round(size[1] + 2 * _MARGIN_MM))
    warped = cv2.warpPerspective(green, matrix, full, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    grey: FloatImage = np.asarray(warped, np.float32)
    return 255 - grey if layout.plate_format.ink.rgb[1] < layout.plate_format.ground.rgb[1] else grey


def _place(grey: FloatImage, characters: Sequence[PlacedCharacter]) -> _Placement | None:
    """Move and stretch the layout to where the ink is; None where it fits nowhere."""
    picture = cast(FloatImage, cv2.resize(grey, None, fx=_COARSE, fy=_COARSE, interpolation=cv2.INTER_AREA))
    best, best_fit = None, _MIN_FIT
    left, top = (min(character.rect[side] for character in characters) - _ROOM_MM for side in (0, 1))
    for across, down in itertools.product(_STRETCHES, _STRETCHES):
        template = _template(characters, (left, top), (across * _COARSE, down * _COARSE))
        if any(wanted > there for wanted, there in zip(template.shape, picture.shape, strict=True)):
            continue
        fits = cast(FloatImage, cv2.matchTemplate(picture, template, cv2.TM_CCOEFF_NORMED))
        y0, x0, shift = _COARSE * (_MARGIN_MM + top), _COARSE * (_MARGIN_MM + left), _COARSE * _SHIFT_MM
        first_row, first_column = max(0, round(y0 - shift)), max(0, round(x0 - shift))
        window = fits[first_row : round(y0 + shift) + 1, first_column : round(x0 + shift) + 1]
        if window.size == 0 or float(window.max()) <= best_fit:
            continue
        best_fit = float(window.max())
        y, x = divmod(int(window.argmax()), window.shape[1])
        offset = ((x + first_column) / _COARSE - across * left, (y + first_row) / _COARSE - down * top)
        best = _Placement((across, down), offset)
    return best


def _template(
    characters: Sequence[PlacedCharacter], origin_mm: tuple[float, float], scale: tuple[float, float]
) -> FloatImage:
    """All characters by their outlines, with a little room around, from ``origin_mm`` on."""
    right, bottom = (max(character.rect[side] for character in characters) + _ROOM_MM for side in (2, 3))
    size = (round((bottom - origin_mm[1]) * scale[1]), round((right - origin_mm[0]) * scale[0]))
    template = np.zeros(size, np.float32)
    for character in characters:
        width, height = round(character.width_mm * scale[0]), round(character.height_mm * scale[1])
        x, y = (round((character.rect[axis] - origin_mm[axis]) * scale[axis]) for axis in (0, 1))
        template[y : y + height, x : x + width] = glyph_mask(character.char, width_px=width, height_px=height)
    return template


# ---------------------------------------------------------------- one character


def _cut(grey: FloatImage, character: PlacedCharacter, placement: _Placement) -> Mask | None:
    """The ink of one character, or None where it cannot be told from what is around it."""
    (across, down), (dx, dy) = placement
    width, height = across * character.width_mm, down * character.height_mm
    expected = (across * character.center_mm + dx - width / 2, down * character.top_mm + dy)
    left, top = _nearby(grey, character.char, origin=expected, size=(width, height))
    aside = 1.5 * _ROOM_MM
    rows = slice(max(0, round(top - _ROOM_MM)), round(top + height + _ROOM_MM))
    columns = slice(max(0, round(left - aside)), round(left + width + aside))
    cell = grey[rows, columns]
    if cell.size == 0:
        return None
    ground, ink = (float(level) for level in np.percentile(cell, (15, 88)))
    if ink - ground < _MIN_CONTRAST:
        return None
    coverage = np.clip(((cell - ground) / (ink - ground) - 0.5) * _CRISPNESS + 0.5, 0, 1)
    return _main_blob((coverage * 255).astype(np.uint8), expected=(width, height))


def _nearby(
    grey: FloatImage, char: str, *, origin: tuple[float, float], size: tuple[float, float]
) -> tuple[float, float]:
    """Where near an expected left and top the outline of a character fits best, in pixels."""
    width, height = round(size[0]), round(size[1])
    left, top = max(0, round(origin[0]) - _SEARCH_MM), max(0, round(origin[1]) - _SEARCH_MM)
    window = grey[top : round(origin[1]) + height + _SEARCH_MM, left : round(origin[0]) + width + _SEARCH_MM]
    if window.shape[0] < height or window.shape[1] < width:
        return origin
    template = glyph_mask(char, width_px=width, height_px=height).astype(np.float32)
    fits = cast(FloatImage, cv2.matchTemplate(window, template, cv2.TM_CCOEFF_NORMED))
    y, x = divmod(int(fits.argmax()), fits.shape[1])
    return float(left + x), float(top + y)


def _main_blob(matte: Mask, *, expected: tuple[float, float]) -> Mask | None:
    """The largest whole piece of ink in a tight box, without its neighbours; None if its size is wrong."""
    solid = (matte > 127).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    rows, columns = solid.shape
    right, bottom = stats[:, 0] + stats[:, 2], stats[:, 1] + stats[:, 3]
    whole = (stats[:, 0] > 0) & (stats[:, 1] > 0) & (right < columns) & (bottom < rows)
    whole[0] = False
    label = int(np.argmax(np.where(whole, stats[:, cv2.CC_STAT_AREA], -1)))
    x, y, width, height = (int(value) for value in stats[label, :4])
    if (
        not whole[label]
        or not _HEIGHTS[0] <= height / expected[1] <= _HEIGHTS[1]
        or not _WIDTHS[0] <= width / expected[0] <= _WIDTHS[1]
    ):
        return None
    own = cv2.dilate((labels == label).astype(np.uint8), np.ones((5, 5), np.uint8))
    others = cv2.dilate(((labels != label) & (labels > 0)).astype(np.uint8), np.ones((3, 3), np.uint8))
    mask: Mask = np.where((own > 0) & (others == 0), matte, 0).astype(np.uint8)[y : y + height, x : x + width].copy()
    mask.flags.writeable = False
    return mask


def _resembles(mask: Mask, char: str) -> bool:
    """Whether a cut-out resembles its character well, and no other one clearly better."""
    height, width = mask.shape
    correlations = dict(zip(CHARACTERS, _outlines(width, height) @ _standard(mask), strict=True))
    own = float(correlations[char])
    return own >= max(_MIN_CORRELATION, float(max(correlations.values())) - _NEAR_BEST)


@lru_cache(maxsize=4096)
def _outlines(width_px: int, height_px: int) -> NDArray[np.float32]:
    """All outlines in a box of that size as rows of mean 0 and length 1."""
    return np.stack([_standard(glyph_mask(char, width_px=width_px, height_px=height_px)) for char in CHARACTERS])


def _standard(mask: Mask) -> NDArray[np.float32]:
    """A mask as a vector of mean 0 and length 1."""
    values = mask.astype(np.float32).ravel()
    values -= values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-6)
