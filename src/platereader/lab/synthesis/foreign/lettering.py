"""Lettering of foreign plates as masks: large characters in many faces, small lines, strokes of foreign scripts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.glyphs import CHARACTERS, Mask, glyph_aspect, glyph_mask, outlines

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EMBLEM = "*"
STROKES = "~^"
"""Marks of the two kinds of foreign script."""

_BASE_PX = 64
_SANS, _CORNERED, _ROUND, _SERIF, _RUSSIAN = range(5)
_FACE_ODDS = np.cumsum((0.2, 0.2, 0.27, 0.08, 0.25))
_WIDTHS = (0.52, 0.6, 0.68, 0.78, 0.92)
_STROKES = (6, 7, 8, 9, 10, 12)
_WIDE, _HIGH = 4, 6
_SYLLABLES = (
    "ba", "ca", "da", "el", "fo", "gra", "ho", "in", "ka", "la", "mi", "no", "or", "pa", "ri", "sa", "to", "va",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lettering:
    """How the large characters of a plate are cut.

    ``width`` is in parts of that of the outline, ``stroke`` and ``gap_px`` are pixels at a height of 64, ``slant`` is
    the sideways step of the top in parts of the height.
    """

    face: int
    width: float
    stroke: int
    gap_px: int
    slant: float


def random_lettering(rng: np.random.Generator) -> Lettering:
    """Any face, mostly narrow and upright."""
    return Lettering(
        face=int(np.searchsorted(_FACE_ODDS, rng.random())),
        width=pick(_WIDTHS, rng=rng),
        stroke=pick(_STROKES, rng=rng),
        gap_px=int(rng.integers(6, 20)),
        slant=float(rng.uniform(0.05, 0.2)) if rng.random() < 0.08 else 0.0,
    )


def line_mask(text: str, *, lettering: Lettering, rng: np.random.Generator) -> tuple[Mask, list[float]]:
    """A line of large characters: letters, digits and the marks of ``ForeignStyle.patterns``.

    Returned are uint8 ``(64, W)``, 255 = ink, and where emblems stand, in parts of the width.
    """
    crowded = len(text) > 6
    gap = np.zeros((_BASE_PX, lettering.gap_px * 2 // 3 if crowded else lettering.gap_px), np.uint8)
    tiles: list[Mask] = []
    middles: list[int] = []
    for char in text:
        tile = _tile(char, lettering=lettering, rng=rng)
        if char == EMBLEM:
            middles.append(sum(one.shape[1] for one in tiles) + tile.shape[1] // 2)
        tiles += [tile, gap]
    mask = np.concatenate(tiles[:-1], axis=1)
    if lettering.slant:  # the top is pushed to the right
        push = lettering.slant * _BASE_PX
        matrix = np.array([(1.0, -lettering.slant, push), (0.0, 1.0, 0.0)], np.float32)
        mask = cast(Mask, cv2.warpAffine(mask, matrix, (mask.shape[1] + round(push), _BASE_PX)))
    return mask, [middle / mask.shape[1] for middle in middles]


def small_line(kind: str, *, rng: np.random.Generator) -> Mask:
    """A line of small characters, a state, a city or a slogan: uint8 ``(H, W)``, cut at the ink.

    ``kind`` is ``caps``, ``tiny`` (capitals far apart), ``serif``, ``script`` or ``strokes`` (of a foreign script).
    """
    if kind == "strokes":
        return np.concatenate([square_strokes(rng) for _ in range(int(rng.integers(3, 7)))], axis=1)
    words = " ".join(random_word(rng) for _ in range(int(rng.integers(1, 4))))
    text = words.upper() if kind in {"caps", "tiny"} else words.title()
    text = " ".join(text) if kind == "tiny" and rng.random() < 0.4 else text
    faces = {
        "caps": cv2.FONT_HERSHEY_DUPLEX,
        "tiny": cv2.FONT_HERSHEY_SIMPLEX,
        "serif": cv2.FONT_HERSHEY_TRIPLEX,
        "script": cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    }
    return _written(text, face=faces[kind], thickness=int(rng.integers(2, 5)))


def random_word(rng: np.random.Generator) -> str:
    """A word of no language, two to four syllables."""
    return "".join(pick(_SYLLABLES, rng=rng) for _ in range(int(rng.integers(2, 5))))


def code_mask(rng: np.random.Generator) -> Mask:
    """One to three letters: the code of a country."""
    text = "".join(LETTERS[index] for index in rng.integers(len(LETTERS), size=int(rng.integers(1, 4))))
    return _written(text, face=cv2.FONT_HERSHEY_SIMPLEX, thickness=3)


def square_strokes(rng: np.random.Generator) -> Mask:
    """A character of straight strokes in a square, as Chinese, Japanese and Korean ones look from afar."""
    tile = np.zeros((_BASE_PX, 62), np.uint8)
    thickness = int(rng.integers(4, 7))
    for _ in range(int(rng.integers(3, 7))):
        x, y = (int(value) for value in rng.integers(6, 56, 2))
        reach = int(rng.integers(14, 44))
        kind = rng.random()
        end = (min(57, x + reach), y) if kind < 0.45 else (x, min(59, y + reach))
        if kind > 0.8:
            end = (min(57, x + reach // 2), min(59, y + reach // 2))
        cv2.line(tile, (x, y), end, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.3:
        cv2.ellipse(tile, (20, 20), (13, 13), 0, 0, 360, 255, thickness, cv2.LINE_AA)
    return tile


def running_strokes(rng: np.random.Generator) -> Mask:
    """A letter of a running script such as Arabic: a bow on the line, dots above or below it."""
    tile = np.zeros((_BASE_PX, 44), np.uint8)
    thickness = int(rng.integers(5, 8))
    if rng.random() < 0.3:
        cv2.line(tile, (22, 6), (22, 52), 255, thickness, cv2.LINE_AA)
    else:
        first, reach = int(rng.integers(0, 90)), int(rng.integers(120, 260))
        axes = (int(rng.integers(10, 20)), int(rng.integers(8, 16)))
        cv2.ellipse(tile, (22, 36), axes, 0, first, first + reach, 255, thickness, cv2.LINE_AA)
    for dot in range(int(rng.integers(0, 3))):
        cv2.circle(tile, (14 + 14 * dot, 58 if rng.random() < 0.4 else 12), 4, 255, -1, cv2.LINE_AA)
    return tile


def _tile(char: str, *, lettering: Lettering, rng: np.random.Generator) -> Mask:
    """What one mark of a pattern looks like."""
    if char in {" ", EMBLEM}:
        return np.zeros((_BASE_PX, 16 if char == " " else 34), np.uint8)
    if char in STROKES:
        return square_strokes(rng) if char == "~" else running_strokes(rng)
    if char in "-.=":
        tile = np.zeros((_BASE_PX, 20 if char != "." else 12), np.uint8)
        half = max(2, lettering.stroke // 2)
        for row in (24, 40) if char == "=" else (32,):
            tile[row - half : row + half + 1, 1:-1] = 255
        return tile
    return _glyph(char, lettering.face, lettering.width, lettering.stroke)


@lru_cache(maxsize=8192)
def _glyph(char: str, face: int, width: float, stroke: int) -> Mask:
    """A character 64 px high and about as wide as requested."""
    if face == _RUSSIAN and char in CHARACTERS:
        wide = round(_BASE_PX * glyph_aspect(char) * (0.5 + 0.6 * width))
        return glyph_mask(char, width_px=wide, height_px=_BASE_PX, grow=2 * (stroke - 8))
    if face == _SANS:
        tile = _written(char, face=cv2.FONT_HERSHEY_SIMPLEX, thickness=max(2, stroke // 2), scale=3.0)
        wide = max(6, round(tile.shape[1] * _BASE_PX / tile.shape[0] * (0.4 + 0.6 * width)))
        return np.asarray(cv2.resize(tile, (wide, _BASE_PX), interpolation=cv2.INTER_AREA), np.uint8)
    return _stroked(char, width=width, stroke=stroke, face=face)


def _stroked(char: str, *, width: float, stroke: int, face: int) -> Mask:
    """A character with strokes of one width along its skeleton: corners cut, rounded, or with serifs at the ends."""
    broad = width * (1.45 if char in "MW" else 1.15)
    stroke = max(3, min(stroke, round(broad * (10 if char in "MW" else 14))))  # counters of narrow ones stay open
    unit_y = (_BASE_PX - stroke - 2) / _HIGH
    unit_x = unit_y * broad
    margin = stroke / 2 + (0.6 * unit_x if face == _SERIF else 0) + 1
    tile = np.zeros((_BASE_PX, round(unit_x * _WIDE + 2 * margin)), np.uint8)
    for chain in outlines()["skeleton", char].split(","):
        points = np.array([divmod(int(point), 10) for point in chain.split()], np.float64)
        chains = [_rounded(points) if face in {_ROUND, _RUSSIAN} else points]
        if face == _SERIF:
            ends = [end for end in (points[0], points[-1]) if end[1] in {0, _HIGH}]
            chains += [np.array(((x - 0.6, y), (x + 0.6, y))) for x, y in ends]
        for line in chains:
            pixels = line * (unit_x, unit_y) + (margin, stroke / 2 + 1)
            cv2.polylines(tile, [(pixels * 16).round().astype(np.int32)], False, 255, stroke, cv2.LINE_AA, 4)
    x, _, w, _ = cv2.boundingRect(tile)
    return tile[:, x : x + w]


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A chain with its inner corners cut twice."""
    for most in (0.45, 0.2):
        pieces = [points[:1]]
        for before, corner, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
            for other in (before, after):
                step = other - corner
                length = float(np.hypot(*step))
                pieces.append((corner + step * (min(most, 0.3 * length) / length))[None])
        points = np.concatenate((*pieces, points[-1:]))
    return points


def _written(text: str, *, face: int, thickness: int, scale: float = 1.0) -> Mask:
    """A text of a stroke font, cut at its ink."""
    (wide, tall), below = cv2.getTextSize(text, face, scale, thickness)
    canvas = np.zeros((tall + below + 2 * thickness + 8, wide + 2 * thickness + 8), np.uint8)
    cv2.putText(canvas, text, (thickness + 4, tall + thickness + 2), face, scale, 255, thickness, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(canvas)
    return canvas[y : y + h, x : x + w]
