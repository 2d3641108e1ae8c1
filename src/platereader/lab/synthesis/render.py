"""Text to the clean front of a plate, seen squarely, with the variety of real ones: makers, paint, screws, age.

The picture's four corners are the plate's corners at the outer metal edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.country_marks import draw_disc, draw_marks
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.fixtures import Fixtures, Paint, PlacedCharacter, Rect, ramp, shade
from platereader.lab.synthesis.glyphs import Mask, glyph_aspect, glyph_mask
from platereader.lab.synthesis.layout import MIN_HEIGHT_PX, lay_out
from platereader.lab.synthesis.lettering import Lettering, letter_mask
from platereader.plates import PlateLayout
from platereader.plates._layout import Face
from platereader.results import Lines

_OVERSAMPLING = 4
_SUBPIXEL_BITS = 4
_Bgr: TypeAlias = tuple[float, float, float]

_FLAG_BGR = np.array([[240, 240, 240], [165, 75, 25], [45, 40, 205]], np.float32)
_CAPS_BGR: tuple[_Bgr, ...] = (
    (235, 235, 235), (25, 25, 25), (40, 40, 190), (150, 70, 20), (40, 170, 190), (90, 90, 90),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """The clean front of a plate, seen squarely and cut at its outer metal edge.

    ``pixels`` are uint8 (H, W, 3) BGR; ``text`` has the large characters, upper line first, without dashes and emblems:
    A to Z and the digits, ``?`` for one of another script.
    """

    pixels: BgrImage
    lines: Lines
    text: str = ""


def render_plate(
    text: str, layout: PlateLayout, *, height_px: int, rng: np.random.Generator, lettering: Lettering | None = None
) -> Front:
    """Draw one plate at that height; its width follows from the plate's size.

    ``text`` is in upper-case Latin letters or look-alikes, without spaces. ``rng`` decides strokes, spacing, colours,
    wear, relief and screws. ``lettering`` are cut-outs to write with; characters without any are drawn by their
    outline.

    Raises:
        InvalidArgumentError: the text does not fit the format, or ``height_px`` is below 16.
    """
    if height_px < MIN_HEIGHT_PX:
        raise InvalidArgumentError(
            f"height_px is {height_px}, allowed is {MIN_HEIGHT_PX} and more: render large, then shrink."
        )
    characters, fixtures = lay_out(text, layout=layout)
    scale = height_px / fixtures.size[1]
    ink = _blank(fixtures, int(rng.integers(12)), height_px).copy()
    _write(characters, ink, scale=scale, lettering=lettering, face=layout.face, rng=rng)
    if rng.random() < 0.2:
        ink = _worn(ink, rng=rng)
    pixels = _painted(ink, layout=layout, fixtures=fixtures, scale=scale, rng=rng)
    if rng.random() < 0.35:
        pixels = _embossed(pixels, ink=ink, rng=rng)
    _draw_bolts(pixels, fixtures=fixtures, scale=scale, rng=rng)
    return Front(pixels, layout.line_count, text)


@lru_cache(maxsize=4096)
def _blank(fixtures: Fixtures, style: int, height_px: int) -> Mask:
    """Ink of rim, region field and RUS in one of the looks of different makers; shared, read-only."""
    width, height = fixtures.size
    scale = height_px / height
    width_px = round(width * scale)
    zoom = scale * _OVERSAMPLING
    small = min(1.0, height / 112 if width > 3 * height else width / 290)
    margin, line, radius = (0.0, 0.0, 1.0, 1.8)[style % 4] * small, (2.4, 3.2, 4.0)[style // 4] * small, 11.0 * small
    inset = margin + line
    ink: Mask = np.zeros((height_px * _OVERSAMPLING, width_px * _OVERSAMPLING), np.uint8)
    _fill(ink, (margin, margin, width - margin, height - margin), radius=radius - margin, value=255, zoom=zoom)
    _fill(ink, (inset, inset, width - inset, height - inset), radius=radius - inset, value=0, zoom=zoom)
    if fixtures.field is not None:
        _draw_field(ink, fixtures.field, inset=inset, line=0.84 * line, radius=radius - inset, zoom=zoom)
    if fixtures.flag is not None:
        _fill(ink, fixtures.flag, radius=0.5, value=150, zoom=zoom)
    for rule in fixtures.rules:
        _fill(ink, rule, radius=0.0, value=255, zoom=zoom)
    ink = cast(Mask, cv2.resize(ink, (width_px, height_px), interpolation=cv2.INTER_AREA))
    if fixtures.rus is not None:
        _write_country(ink, fixtures.rus, scale=scale)
    ink.flags.writeable = False
    return ink


def _draw_field(ink: Mask, field: Rect, *, inset: float, line: float, radius: float, zoom: float) -> None:
    """The frame of the region field; on a one-line plate it is a line from rim to rim."""
    full_height = field[1] == 0.0
    left, top, right, bottom = field[0], max(field[1], inset), field[2] - inset, field[3] - inset
    half = line / 2
    outer = (left - half, top if full_height else top - half, right, bottom)
    inner = (left + half, top if full_height else top + half, right, bottom)
    _fill(ink, outer, radius=0.0 if full_height else radius, value=255, zoom=zoom)
    _fill(ink, inner, radius=radius, value=0, zoom=zoom)


def _fill(canvas: Mask, rect: Rect, *, radius: float, value: int, zoom: float) -> None:
    """Fill a rounded rectangle given in millimetres."""
    radius = max(radius, 0.01)
    left, top, right, bottom = rect[0] + radius, rect[1] + radius, rect[2] - radius, rect[3] - radius
    points: list[tuple[float, float]] = []
    for x, y, first in ((right, bottom, 0), (left, bottom, 90), (left, top, 180), (right, top, 270)):
        angles = (np.radians(np.arange(0, 91, 10)) + math.radians(first)).tolist()
        points.extend((x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles)
    fixed = np.round(np.asarray(points) * zoom * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], value, shift=_SUBPIXEL_BITS)


def _write_country(ink: Mask, rect: Rect, *, scale: float) -> None:
    """Put the word RUS into a rectangle."""
    x1, y1, x2, y2 = rect
    step = (x2 - x1) / 3
    for index, char in enumerate("RUS"):
        width = min((y2 - y1) * glyph_aspect(char, face="code"), 0.84 * step)
        width_px, height_px = max(1, round(width * scale)), max(1, round((y2 - y1) * scale))
        mask = glyph_mask(char, width_px=width_px, height_px=height_px, face="code")
        _stamp(ink, mask, center_px=((x1 + (index + 0.5) * step) * scale, (y1 + y2) / 2 * scale))


def _write(
    characters: tuple[PlacedCharacter, ...],
    ink: Mask,
    *,
    scale: float,
    lettering: Lettering | None,
    face: Face,
    rng: np.random.Generator,
) -> None:
    """Print the characters with the small irregularities of a press."""
    small = min(1.0, ink.shape[1] / scale / 400)
    shift_x, shift_y, *jitter = rng.normal(0.0, small, 2 + 3 * len(characters)).tolist()
    stretch_x, stretch_y, weight = rng.random(3).tolist()
    stretch_x, stretch_y, grow = 0.92 + 0.11 * stretch_x, 0.975 + 0.045 * stretch_y, round(8 * weight) - 4
    for index, character in enumerate(characters):
        dx, dy, dw = jitter[3 * index : 3 * index + 3]
        x = character.center_mm + 1.6 * shift_x + 0.7 * dx
        y = character.top_mm + character.height_mm / 2 + shift_y + 0.4 * dy
        width = round(character.width_mm * stretch_x * (1 + 0.03 * dw) * scale)
        size_px = (max(1, width), max(1, round(character.height_mm * stretch_y * scale)))
        mask = letter_mask(lettering, character.char, size_px=size_px, grow=grow, rng=rng, face=face)
        _stamp(ink, mask, center_px=(x * scale, y * scale))


def _stamp(ink: Mask, mask: Mask, *, center_px: tuple[float, float]) -> None:
    """Add one character to the ink, moved inwards where it would stick out."""
    (rows, columns), (height, width) = ink.shape, mask.shape
    x = min(max(0, round(center_px[0] - width / 2)), columns - width)
    y = min(max(0, round(center_px[1] - height / 2)), rows - height)
    target = ink[y : y + height, x : x + width]
    np.maximum(target, mask, out=target)


def _worn(ink: Mask, *, rng: np.random.Generator) -> Mask:
    """Ink that is gone in patches."""
    height, width = ink.shape
    rows = int(rng.integers(3, 14))
    patches = rng.random((rows, 3 * rows), dtype=np.float32)
    strength = float(rng.uniform(0.15, 0.6))
    keep = np.clip(1.0 + strength - strength * 2.2 * patches, 0.15, 1.0) * np.float32(255)
    smooth = cv2.resize(keep.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return cast(Mask, cv2.multiply(ink, smooth, scale=1 / 255))


def _painted(ink: Mask, *, layout: PlateLayout, fixtures: Fixtures, scale: float, rng: np.random.Generator) -> BgrImage:
    """Ink coverage to colours, with the flag."""
    ground = shade(layout.plate_format.ground, rng=rng)
    letters = shade(layout.plate_format.ink, rng=rng)
    pixels = cast(BgrImage, cv2.applyColorMap(ink, ramp(ground, letters)))
    if fixtures.field is not None and layout.boxed_ground != layout.plate_format.ground:
        x, y = round(fixtures.field[0] * scale), round(fixtures.field[1] * scale)
        boxed = shade(layout.boxed_ground, rng=rng)
        pixels[y:, x:] = cv2.applyColorMap(ink[y:, x:], ramp(boxed, letters))
    if fixtures.flag is not None:
        _draw_flag(pixels, fixtures.flag, scale=scale, ground=ground, rng=rng)
    if fixtures.marks is not None:
        marks, paints = fixtures.marks, (ground, letters)
        draw_marks(pixels, ink=ink, marks=marks, strip=layout.strip, paints=paints, scale=scale, rng=rng)
    return pixels


def _draw_flag(pixels: BgrImage, rect: Rect, *, scale: float, ground: Paint, rng: np.random.Generator) -> None:
    """Three stripes, more or less bleached, inside of their thin frame."""
    x1, y1, x2, y2 = (round(value * scale) for value in rect)
    bleach = np.float32(min(0.9, rng.exponential(0.2)))
    stripes = np.clip(_FLAG_BGR * (1 - bleach) + ground * bleach, 0, 255).astype(np.uint8)
    for index, colour in enumerate(stripes):
        top, bottom = (round(y1 + (y2 - y1) * step / 3) for step in (index, index + 1))
        pixels[max(top, y1 + 1) : min(bottom, y2 - 1), x1 + 1 : x2 - 1] = colour


def _embossed(pixels: BgrImage, *, ink: Mask, rng: np.random.Generator) -> BgrImage:
    """Light and shade on the edges of the raised characters."""
    angle = rng.uniform(0, 2 * math.pi)
    depth = rng.uniform(0.05, 0.35)
    kernel = np.zeros((3, 3), np.float32)
    dx, dy = round(math.cos(angle)), round(math.sin(angle))
    kernel[1 + dy, 1 + dx], kernel[1 - dy, 1 - dx] = depth, -depth
    relief = cast(NDArray[np.int16], cv2.filter2D(ink, cv2.CV_16S, kernel))
    return cast(BgrImage, cv2.add(pixels, cv2.merge([relief, relief, relief]), dtype=cv2.CV_8U))


def _draw_bolts(pixels: BgrImage, *, fixtures: Fixtures, scale: float, rng: np.random.Generator) -> None:
    """Holes, screws or caps where a plate has its holes, sometimes moved towards the digits, sometimes elsewhere."""
    if rng.random() < 0.12:
        return
    kind = int(rng.integers(4))
    radius = rng.uniform(*((1.8, 3.6), (3.0, 5.5), (4.0, 7.5), (2.5, 4.5))[kind])
    cap = pick(_CAPS_BGR, rng=rng)
    spread = 2.0 if rng.random() < 0.7 else 6.0
    for x, y in fixtures.bolts:
        if rng.random() < 0.06:
            continue
        center = ((x + rng.normal(0.0, spread)) * scale, (y + rng.normal(0.0, spread)) * scale)
        _draw_bolt(pixels, center, radius * scale, kind=kind, cap=cap, rng=rng)
    if rng.random() < 0.06:
        width, height = fixtures.size
        center = (rng.uniform(0.05, 0.95) * width * scale, rng.choice([0.07, 0.93]) * height * scale)
        _draw_bolt(pixels, center, radius * scale, kind=kind, cap=cap, rng=rng)


def _draw_bolt(
    pixels: BgrImage, center: tuple[float, float], radius: float, *, kind: int, cap: _Bgr, rng: np.random.Generator
) -> None:
    """One hole (0), screw head (1), coloured cap (2) or rivet (3); centre and radius in pixels."""
    level = float(rng.uniform(0, 60) if kind == 0 else rng.uniform(70, 210))
    rust = rng.uniform(0.55, 1.0)
    blue, green, red = cap if kind == 2 else (level * rust, level * (1 + rust) / 2, level)
    x, y = center
    if kind in (1, 3):
        draw_disc(pixels, (x + radius * 0.25, y + radius * 0.25), radius * 1.1, colour=(40, 40, 45))
    draw_disc(pixels, center, radius, colour=(blue, green, red))
    if kind != 0:
        shine = (min(255.0, blue + 55.0), min(255.0, green + 55.0), min(255.0, red + 55.0))
        draw_disc(pixels, (x - radius * 0.3, y - radius * 0.3), radius * 0.35, colour=shine)
