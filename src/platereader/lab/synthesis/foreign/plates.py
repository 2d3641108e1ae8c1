"""Plates of other countries, made up: not every plate is Russian, and a reader has to say so.

``platereader.lab.synthesis.foreign.styles`` says what they look like.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.fixtures import Paint
from platereader.lab.synthesis.foreign.backgrounds import plate_background, weathered
from platereader.lab.synthesis.foreign.lettering import LETTERS, STROKES, line_mask, random_lettering, small_line
from platereader.lab.synthesis.foreign.ornaments import FreeArea, bands, emblem, fittings, marks, stamp
from platereader.lab.synthesis.foreign.styles import COLOURS, ForeignStyle, random_style
from platereader.lab.synthesis.layout import MIN_HEIGHT_PX
from platereader.lab.synthesis.render import Front
from platereader.plates._alphabet import ILLEGIBLE

_DRAWN_PX = 44
"""Plates are drawn at least this high and then shrunk, so that small ones are as soft as photographed ones."""
_DIGITS = "0123456789"
_POOLS = {"L": LETTERS, "D": _DIGITS, "A": LETTERS + 3 * _DIGITS}


def render_foreign(rng: np.random.Generator, *, height_px: int, pattern: str | None = None) -> Front:
    """Draw the front of a made-up foreign plate, at least 16 px high; the aspect is random, from 1 to 5.

    In a ``pattern`` of the text ``L`` is a letter, ``D`` a digit, ``A`` either, ``/`` parts two lines, and all else
    stands for itself; None for a random one.

    Raises:
        InvalidArgumentError: ``height_px`` is below 16.
    """
    if height_px < MIN_HEIGHT_PX:
        raise InvalidArgumentError(f"height_px is {height_px}, allowed is {MIN_HEIGHT_PX} and more.")
    style = random_style(rng)
    aspect = pick(style.aspects, rng=rng) * rng.uniform(0.97, 1.03)
    drawn_px = max(height_px, _DRAWN_PX)
    background, ink = _paint(style, rng=rng)
    kind = pick(style.backgrounds, rng=rng)
    pixels = plate_background(kind, size_px=(round(drawn_px * aspect), drawn_px), colour=background, rng=rng)
    chosen = pick(style.patterns, rng=rng)
    filled = (pick(_POOLS[char], rng=rng) if char in _POOLS else char for char in pattern or chosen)
    lines = "".join(filled).split("/")
    area = _decorated(pixels, style, ink=ink, rng=rng)
    _write(pixels, lines, style=style, area=area, ink=ink, rng=rng)
    fittings(pixels, style, ink=ink, rng=rng)
    pixels = weathered(pixels, rng=rng)
    if drawn_px > height_px:
        size = (round(height_px * aspect), height_px)
        pixels = cast(BgrImage, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    shown = (char for char in "".join(lines) if char.isalnum() or char in STROKES)
    text = "".join(ILLEGIBLE if char in STROKES else char for char in shown)
    return Front(pixels, 1 if len(lines) == 1 else 2, text)


def _paint(style: ForeignStyle, *, rng: np.random.Generator) -> tuple[Paint, Paint]:
    """Colours of background and ink; every fourth ink has faded."""
    names = pick(style.paints, rng=rng).split(":")
    background, ink = (np.array(COLOURS[name], np.float32) + rng.normal(0, 4, 3).astype(np.float32) for name in names)
    if rng.random() < 0.25:
        ink = ink + (background - ink) * np.float32(rng.uniform(0.15, 0.55))
    return background, ink


def _decorated(pixels: BgrImage, style: ForeignStyle, *, ink: Paint, rng: np.random.Generator) -> FreeArea:
    """Draw bands, marks and the small lines; what is left is the area of the text."""
    height, width = pixels.shape[:2]
    side = height * rng.uniform(0.05, 0.12)
    area = FreeArea(side, height * rng.uniform(0.05, 0.1), width - side, height * rng.uniform(0.9, 0.95))
    bands(pixels, style, area=area, rng=rng)
    marks(pixels, style, area=area, rng=rng)
    upper, lower = pick(style.upper, rng=rng), pick(style.lower, rng=rng)
    for kind, above in ((upper, True), (lower, False)):
        if kind != "none":
            tall = height * (rng.uniform(0.08, 0.12) if kind == "tiny" else rng.uniform(0.11, 0.22))
            aside = width * rng.uniform(0.08, 0.28)
            y = area.top if above else area.bottom - tall
            colour = ink if rng.random() < 0.7 else _second_ink(ink, rng=rng)
            stamp(pixels, small_line(kind, rng=rng), area=FreeArea(aside, y, width - aside, y + tall), ink=colour)
            printed = tall + height * rng.uniform(0.02, 0.05)
            area.top, area.bottom = (area.top + printed, area.bottom) if above else (area.top, area.bottom - printed)
    return area


def _second_ink(ink: Paint, *, rng: np.random.Generator) -> Paint:
    """Another ink of about the same lightness."""
    other = rng.uniform(0, 1, 3).astype(np.float32)
    return other / max(0.1, float(other.mean())) * max(25.0, float(ink.mean()))


def _write(
    pixels: BgrImage, lines: list[str], *, style: ForeignStyle, area: FreeArea, ink: Paint, rng: np.random.Generator
) -> None:
    """The large characters, line under line, and the emblems between them."""
    lettering = random_lettering(rng)
    emboss = float(rng.uniform(-0.8, 0.8)) if rng.random() < 0.5 else 0.0
    shares = style.line_shares if len(style.line_shares) == len(lines) else (1 / len(lines),) * len(lines)
    fill, room_px, top = rng.uniform(*style.fill), area.bottom - area.top, area.top
    for line, share in zip(lines, shares, strict=True):
        tall = room_px * share
        gap = tall * (1 - fill) / 2 if len(lines) == 1 else max(1.0, 0.05 * tall)
        place = FreeArea(area.left, top + gap, area.right, top + tall - gap)
        mask, emblems = line_mask(line, lettering=lettering, rng=rng)
        printed = stamp(pixels, mask, area=place, ink=ink, emboss=emboss)
        size = (printed.bottom - printed.top) * rng.uniform(0.4, 0.8) if emblems else 0.0
        for middle in emblems:
            x = printed.left + middle * (printed.right - printed.left)
            emblem(pixels, centre=(x, (printed.top + printed.bottom) / 2), size=size, rng=rng)
        top += tall
