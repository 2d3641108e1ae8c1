"""Plates of no particular country: not every plate is Russian, and a reader has to say so.

Texts, colours, proportions and bands are random.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from platereader.arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.results import Lines
from platereader.synthesis.glyphs import CHARACTERS, glyph_aspect, glyph_mask
from platereader.synthesis.layout import MIN_HEIGHT_PX

_Bgr: TypeAlias = tuple[int, int, int]

_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
_OWN_LETTERING = len(_FONTS)
_PAINTS: tuple[tuple[_Bgr, _Bgr], ...] = (
    ((240, 242, 242), (25, 22, 22)),
    ((240, 242, 242), (110, 40, 25)),
    ((240, 242, 242), (35, 35, 160)),
    ((240, 242, 242), (60, 100, 20)),
    ((40, 190, 240), (25, 22, 22)),
    ((130, 215, 235), (110, 40, 25)),
    ((205, 225, 175), (25, 22, 22)),
    ((25, 22, 22), (235, 235, 235)),
    ((120, 50, 20), (235, 235, 235)),
    ((40, 35, 160), (240, 240, 240)),
    ((70, 120, 40), (240, 240, 240)),
)
"""Ground and ink, BGR: the combinations met on the roads of Europe, the Americas and Asia."""


@dataclass(frozen=True, slots=True)
class _Style:
    """Proportions and ornaments of one random kind of plate."""

    aspect: float
    lines: int
    band: float
    strip: float
    rim: float


@dataclass(frozen=True, slots=True, eq=False)
class ForeignPlate:
    """The front of a made-up foreign plate; its corners are those of the picture.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        text: Large characters on it, upper line first: any of A to Z and the digits.
        lines: Lines of large characters.
    """

    pixels: BgrImage
    text: str
    lines: Lines


def render_foreign(rng: np.random.Generator, *, height_px: int) -> ForeignPlate:
    """Draw the front of a made-up foreign plate.

    Args:
        rng: Source of randomness.
        height_px: Height of the picture, at least 16; the aspect is random, from 1.2 to 4.8.

    Raises:
        InvalidArgumentError: ``height_px`` is below 16.
    """
    if height_px < MIN_HEIGHT_PX:
        raise InvalidArgumentError(f"height_px is {height_px}, allowed is {MIN_HEIGHT_PX} and more.")
    style = _random_style(rng)
    ground, ink = _PAINTS[int(rng.choice(len(_PAINTS), p=_paint_odds()))]
    width_px = round(height_px * style.aspect)
    pixels = np.full((height_px, width_px, 3), ground, np.uint8)
    left = _draw_ornaments(pixels, style=style, ink=ink, rng=rng)
    top = round(height_px * (style.strip + style.rim + 0.05))
    bottom = height_px - round(height_px * (style.rim + 0.06 + (0.1 if rng.random() < 0.3 else 0.0)))
    cut = [round(top + (bottom - top) * step / style.lines) for step in range(style.lines + 1)]
    font = int(rng.integers(_OWN_LETTERING + 1))
    texts: list[str] = []
    for y1, y2 in itertools.pairwise(cut):
        count = int(rng.integers(2, 6) if style.lines == 2 else rng.integers(5, 9))
        text = _random_text(count, own=font == _OWN_LETTERING, rng=rng)
        texts.append(text)
        gap = round(0.03 * height_px)
        _draw_text(
            pixels, text, box=(left, y1 + gap // 2, width_px - round(0.08 * height_px), y2 - gap), font=font, ink=ink
        )
    gain = rng.uniform(0.75, 1.0)
    toned: BgrImage = np.clip(pixels * gain + rng.normal(0.0, 5.0, 3), 0, 255).astype(np.uint8)
    return ForeignPlate(toned, "".join(texts), 1 if style.lines == 1 else 2)


def _paint_odds() -> list[float]:
    """White grounds are by far the commonest."""
    weights = [6.0, 1.5, 1.0, 0.7, 1.5, 1.0] + [0.6] * (len(_PAINTS) - 6)
    return [weight / sum(weights) for weight in weights]


def _random_style(rng: np.random.Generator) -> _Style:
    """European long, American, square and motorcycle shapes."""
    aspect, lines = ((4.64, 1), (4.64, 1), (2.0, 1), (3.1, 1), (2.5, 1), (1.5, 2), (2.0, 2), (1.25, 2))[
        int(rng.integers(8))
    ]
    return _Style(
        aspect=aspect * rng.uniform(0.95, 1.04),
        lines=lines,
        band=rng.uniform(0.08, 0.11) if aspect > 3 and rng.random() < 0.7 else 0.0,
        strip=rng.uniform(0.15, 0.28) if aspect < 3.3 and rng.random() < 0.6 else 0.0,
        rim=rng.uniform(0.015, 0.04) if rng.random() < 0.6 else 0.0,
    )


def _draw_ornaments(pixels: BgrImage, *, style: _Style, ink: _Bgr, rng: np.random.Generator) -> int:
    """Band at the left, strip at the top, rim; returns where text may begin."""
    height, width = pixels.shape[:2]
    colour = (int(rng.integers(90, 200)), int(rng.integers(20, 110)), int(rng.integers(10, 80)))
    left = round(0.08 * height)
    if style.band:
        band = round(width * style.band)
        pixels[:, :band] = colour
        cv2.circle(pixels, (band // 2, height // 3), max(1, band // 4), (40, 210, 235), max(1, band // 12), cv2.LINE_AA)
        text = "".join(_LETTERS[index] for index in rng.integers(len(_LETTERS), size=int(rng.integers(1, 4))))
        _draw_text(
            pixels, text, box=(1, round(height * 0.6), band - 1, round(height * 0.9)), font=0, ink=(240, 240, 240)
        )
        left += band
    if style.strip:
        strip = round(height * style.strip)
        filled = rng.random() < 0.5
        if filled:
            pixels[:strip] = colour
        text = "".join(_LETTERS[index] for index in rng.integers(len(_LETTERS), size=int(rng.integers(5, 11))))
        box = (round(width * 0.25), strip // 6, round(width * 0.75), strip - strip // 6)
        _draw_text(pixels, text, box=box, font=int(rng.integers(3)), ink=(240, 240, 240) if filled else ink)
    if style.rim:
        cv2.rectangle(pixels, (0, 0), (width - 1, height - 1), ink, max(1, round(style.rim * height)))
    return int(left)


def _random_text(count: int, *, own: bool, rng: np.random.Generator) -> str:
    """Letters and digits; only those with an outline of ours if asked."""
    pool = CHARACTERS if own else _LETTERS + "0123456789" * 2
    return "".join(pool[index] for index in rng.integers(len(pool), size=count))


def _draw_text(pixels: BgrImage, text: str, *, box: tuple[int, int, int, int], font: int, ink: _Bgr) -> None:
    """Spread a text over a box."""
    x1, y1, x2, y2 = box
    height = y2 - y1
    pitch = min((x2 - x1) / len(text), 0.95 * height)
    if height < 4 or pitch < 3:
        return
    start = (x1 + x2 - pitch * len(text)) / 2
    for index, char in enumerate(text):
        width = max(2, round(0.8 * pitch))
        if font == _OWN_LETTERING:
            width = max(2, min(width, round(glyph_aspect(char) * height)))
            mask = glyph_mask(char, width_px=width, height_px=height)
        else:
            mask = _hershey(char, font=_FONTS[font], width_px=width, height_px=height)
        x = round(start + pitch * (index + 0.5) - width / 2)
        share = mask[..., None].astype(np.float32) / np.float32(255)
        target = pixels[y1:y2, x : x + width]
        target[...] = (target + (np.asarray(ink, dtype=np.float32) - target) * share).astype(np.uint8)


def _hershey(char: str, *, font: int, width_px: int, height_px: int) -> BgrImage:
    """A character of one of OpenCV's stroke fonts, filling its box, as uint8 ``(H, W)``."""
    (wide, tall), _ = cv2.getTextSize(char, font, 2.0, 9)
    canvas = np.zeros((tall + 24, wide + 24), np.uint8)
    cv2.putText(canvas, char, (12, tall + 12), font, 2.0, 255, 9, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(canvas)
    shown = cv2.resize(canvas[y : y + h, x : x + w], (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(shown, dtype=np.uint8)
