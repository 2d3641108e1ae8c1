"""Flag, code, hologram and seals on the plates of other countries, new and bleached."""

from __future__ import annotations

from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fixtures import Marks, Paint, Rect, shade
from platereader.lab.synthesis.glyphs import Mask, glyph_aspect, glyph_mask
from platereader.plates._layout import CountryStrip, Flag

_Area: TypeAlias = tuple[slice, slice]

_FLAG_PX = (96, 64)
_SILVER = np.array((196, 196, 192), np.float32)
_SEAL_BGR = ((190, 190, 190), (60, 60, 190), (170, 90, 40), (60, 160, 200), (110, 130, 90))


def draw_marks(
    pixels: BgrImage,
    *,
    ink: Mask,
    marks: Marks,
    strip: CountryStrip | None,
    paints: tuple[Paint, Paint],
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Draw areas of another ground, flag, code, hologram and seals, over or under the ``ink``: uint8 ``(H, W)``.

    ``strip`` says what they look like, None where there are none but seals; ``paints`` are the colours of ground and
    print, ``scale`` is pixels a millimetre.
    """
    for rect, colour in marks.grounds:
        area = _area(rect, scale, pixels)
        _fill(pixels, area, shade(colour, rng=rng), ink=ink[area], paint=paints[1])
    if strip is not None:
        _draw_flag(pixels, marks, strip, ink=ink, paints=paints, scale=scale, rng=rng)
        _draw_code(pixels, marks, strip, scale=scale, rng=rng)
        _draw_band(pixels, marks, scale=scale, rng=rng)
    for seal in marks.seals:
        _draw_seal(pixels, seal, scale=scale, rng=rng)


def _area(rect: Rect, scale: float, pixels: BgrImage) -> _Area:
    """The pixels of a rectangle, at least one each way."""
    rows, columns = pixels.shape[:2]
    x1, y1 = min(max(0, round(rect[0] * scale)), columns - 1), min(max(0, round(rect[1] * scale)), rows - 1)
    x2, y2 = max(x1 + 1, round(rect[2] * scale)), max(y1 + 1, round(rect[3] * scale))
    return slice(y1, min(y2, rows)), slice(x1, min(x2, columns))


def _fill(pixels: BgrImage, area: _Area, ground: NDArray[np.float32], *, ink: Mask, paint: Paint) -> None:
    """Give an area a ground, uniform or a picture, with ink of that size on it."""
    share = ink.astype(np.float32)[..., None] * np.float32(1 / 255)
    pixels[area] = np.clip(ground + (paint - ground) * share, 0, 255).astype(np.uint8)


# ---------------------------------------------------------------- the flag


def _draw_flag(
    pixels: BgrImage,
    marks: Marks,
    strip: CountryStrip,
    *,
    ink: Mask,
    paints: tuple[Paint, Paint],
    scale: float,
    rng: np.random.Generator,
) -> None:
    """The flag, more or less bleached."""
    if marks.flag is None or strip.flag is None:
        return
    area = _area(marks.flag, scale, pixels)
    high, wide = pixels[area].shape[:2]
    picture = _flag_picture(strip.flag, upright=high > wide)
    small = np.asarray(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
    bleached = rng.uniform(0.75, 0.95) if rng.random() < 0.06 else min(0.9, rng.exponential(0.2))
    ground = pixels[area].astype(np.float32) if not strip.filled else paints[0]
    light = np.float32(rng.uniform(0.85, 1.05))
    colours = small * light + (ground - small * light) * np.float32(bleached)
    _fill(pixels, area, np.asarray(colours, np.float32), ink=ink[area], paint=paints[1])


def _flag_picture(flag: Flag, *, upright: bool) -> NDArray[np.float32]:
    """A flag of 96 x 64 pixels, or the other way round, float32 BGR."""
    width, height = _FLAG_PX[::-1] if upright else _FLAG_PX
    stripes = np.array([colour.rgb[::-1] for colour in flag.stripes], np.float32)
    along = width if flag.vertical else height
    colours = stripes[np.arange(along) * len(stripes) // along]
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = colours[None] if flag.vertical else colours[:, None]
    if flag.cross is not None:
        half = min(width, height) // 9
        for part in (np.s_[height // 2 - half : height // 2 + half], np.s_[:, width // 2 - half : width // 2 + half]):
            picture[part] = flag.cross.rgb[::-1]
    if flag.disc is not None:
        cv2.circle(picture, (width // 2, height // 2), round(0.27 * min(width, height)), flag.disc.rgb[::-1], -1)
    return picture


# ---------------------------------------------------------------- code, hologram, seals


def _draw_code(pixels: BgrImage, marks: Marks, strip: CountryStrip, *, scale: float, rng: np.random.Generator) -> None:
    """The letters of the country."""
    if marks.code_field is not None and strip.code_ground is not None:
        area = _area(marks.code_field, scale, pixels)
        pixels[area] = np.clip(shade(strip.code_ground, rng=rng), 0, 255).astype(np.uint8)
    if marks.code is None:
        return
    colour, weight = shade(strip.ink, rng=rng), int(rng.integers(-3, 5))
    x1, y1, x2, y2 = marks.code
    step = (x2 - x1) / len(strip.code)
    for index, char in enumerate(strip.code):
        width = min((y2 - y1) * glyph_aspect(char, face="din"), 0.86 * step)
        middle = x1 + (index + 0.5) * step
        area = _area((middle - width / 2, y1, middle + width / 2, y2), scale, pixels)
        high, wide = pixels[area].shape[:2]
        mask = glyph_mask(char, width_px=wide, height_px=high, grow=weight, face="din")
        _fill(pixels, area, pixels[area].astype(np.float32), ink=mask, paint=colour)


def _draw_band(pixels: BgrImage, marks: Marks, *, scale: float, rng: np.random.Generator) -> None:
    """A silver band with a pattern; one plate in eight has lost it."""
    if marks.hologram is None or rng.random() < 0.12:
        return
    area = _area(marks.hologram, scale, pixels)
    high, wide = pixels[area].shape[:2]
    cells = (_SILVER * np.float32(rng.uniform(0.6, 1.1)) + rng.normal(0, 1, (9, 2, 3)) * rng.uniform(8, 40)).astype(
        np.float32
    )
    mode = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    pattern = cv2.resize(cells, (wide, high), interpolation=mode)
    under = pixels[area].astype(np.float32)
    strength = np.float32(rng.uniform(0.5, 1.0))
    pixels[area] = np.clip(under + (pattern.reshape(under.shape) - under) * strength, 0, 255).astype(np.uint8)


def _draw_seal(pixels: BgrImage, rect: Rect, *, scale: float, rng: np.random.Generator) -> None:
    """A sticker, hologram or stamp; some places are empty."""
    if rng.random() < 0.2:
        return
    bits = 4
    center = ((rect[0] + rect[2]) / 2 * scale, (rect[1] + rect[3]) / 2 * scale)
    center = cast("tuple[float, float]", tuple(value + rng.normal(0.0, 0.8) * scale for value in center))
    radius = (rect[2] - rect[0]) / 2 * scale * rng.uniform(0.75, 1.0)
    base = np.array(_SEAL_BGR[int(rng.integers(len(_SEAL_BGR)))], np.float64) * rng.uniform(0.7, 1.2)
    for share, gain in ((1.0, 1.0), (0.6, float(rng.uniform(0.7, 1.4)))):
        colour = np.clip(base * gain, 0, 255).tolist()
        where = (round((center[0] - 0.5) * 2**bits), round((center[1] - 0.5) * 2**bits))
        cv2.circle(pixels, where, max(1, round(radius * share * 2**bits)), colour, -1, cv2.LINE_AA, bits)
