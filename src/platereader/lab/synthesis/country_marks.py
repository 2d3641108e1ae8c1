"""Flag, code, hologram and seals on the plates of other countries, new and bleached."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.fixtures import Marks, Paint, Rect, shade
from platereader.lab.synthesis.glyphs import Mask, glyph_aspect, glyph_mask
from platereader.plates._layout import CountryStrip, Flag

_SUBPIXEL_BITS = 4
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
    ground, print_paint = paints
    for rect, colour in marks.grounds:
        _fill(_part(pixels, rect, scale), shade(colour, rng=rng), ink=_part(ink, rect, scale), paint=print_paint)
    if strip is not None:
        if marks.flag is not None and strip.flag is not None:
            target, printed = _part(pixels, marks.flag, scale), _part(ink, marks.flag, scale)
            flag = _bleached(strip.flag, target, ground=ground if strip.filled else target.astype(np.float32), rng=rng)
            _fill(target, flag, ink=printed, paint=print_paint)
        _draw_code(pixels, marks, strip, scale=scale, rng=rng)
        if marks.hologram is not None:
            _draw_band(_part(pixels, marks.hologram, scale), rng=rng)
    for seal in marks.seals:
        _draw_seal(pixels, seal, scale=scale, rng=rng)


def draw_disc(
    pixels: BgrImage, center_px: tuple[float, float], radius_px: float, *, colour: tuple[float, float, float]
) -> None:
    """Draw a filled circle placed to a fraction of a pixel."""
    one = 2**_SUBPIXEL_BITS
    center = (round((center_px[0] - 0.5) * one), round((center_px[1] - 0.5) * one))
    cv2.circle(pixels, center, max(1, round(radius_px * one)), colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _part(picture: NDArray[np.uint8], rect: Rect, scale: float) -> NDArray[np.uint8]:
    """A view of the pixels of a rectangle, at least one each way."""
    rows, columns = picture.shape[:2]
    x1, y1 = min(max(0, round(rect[0] * scale)), columns - 1), min(max(0, round(rect[1] * scale)), rows - 1)
    return picture[y1 : max(y1 + 1, round(rect[3] * scale)), x1 : max(x1 + 1, round(rect[2] * scale))]


def _fill(target: BgrImage, ground: NDArray[np.float32], *, ink: Mask, paint: Paint) -> None:
    """Give a part of a picture a ground, uniform or a picture, with ink of that size on it."""
    share = ink.astype(np.float32)[..., None] * np.float32(1 / 255)
    target[:] = np.clip(ground + (paint - ground) * share, 0, 255).astype(np.uint8)


def _bleached(
    flag: Flag, target: BgrImage, *, ground: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The flag at the size of its target, more or less bleached towards its ground."""
    high, wide = target.shape[:2]
    picture = _flag_picture(flag, upright=high > wide)
    small = np.asarray(cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
    share = rng.uniform(0.75, 0.95) if rng.random() < 0.06 else min(0.9, rng.exponential(0.2))
    small *= np.float32(rng.uniform(0.85, 1.05))
    return np.asarray(small + (ground - small) * np.float32(share), np.float32)


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


def _draw_code(pixels: BgrImage, marks: Marks, strip: CountryStrip, *, scale: float, rng: np.random.Generator) -> None:
    """The letters of the country."""
    if marks.code_field is not None and strip.code_ground is not None:
        _part(pixels, marks.code_field, scale)[:] = np.clip(shade(strip.code_ground, rng=rng), 0, 255).astype(np.uint8)
    if marks.code is None:
        return
    colour, weight = shade(strip.ink, rng=rng), int(rng.integers(-3, 5))
    x1, y1, x2, y2 = marks.code
    step = (x2 - x1) / len(strip.code)
    for index, char in enumerate(strip.code):
        width = min((y2 - y1) * glyph_aspect(char, face="din"), 0.86 * step)
        middle = x1 + (index + 0.5) * step
        target = _part(pixels, (middle - width / 2, y1, middle + width / 2, y2), scale)
        high, wide = target.shape[:2]
        mask = glyph_mask(char, width_px=wide, height_px=high, grow=weight, face="din")
        _fill(target, target.astype(np.float32), ink=mask, paint=colour)


def _draw_band(target: BgrImage, *, rng: np.random.Generator) -> None:
    """A silver band with a pattern; one plate in eight has lost it."""
    if rng.random() < 0.12:
        return
    high, wide = target.shape[:2]
    cells = _SILVER * np.float32(rng.uniform(0.6, 1.1)) + rng.normal(0, 1, (9, 2, 3)) * rng.uniform(8, 40)
    mode = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    pattern = cv2.resize(cells.astype(np.float32), (wide, high), interpolation=mode)
    strength = np.float32(rng.uniform(0.5, 1.0))
    target[:] = np.clip(target + (pattern.reshape(target.shape) - target) * strength, 0, 255).astype(np.uint8)


def _draw_seal(pixels: BgrImage, rect: Rect, *, scale: float, rng: np.random.Generator) -> None:
    """A sticker, hologram or stamp; some places are empty."""
    if rng.random() < 0.2:
        return
    x = (rect[0] + rect[2]) / 2 * scale + rng.normal(0.0, 0.8) * scale
    y = (rect[1] + rect[3]) / 2 * scale + rng.normal(0.0, 0.8) * scale
    radius = (rect[2] - rect[0]) / 2 * scale * rng.uniform(0.75, 1.0)
    base = np.array(pick(_SEAL_BGR, rng=rng), np.float64) * rng.uniform(0.7, 1.2)
    for share, gain in ((1.0, 1.0), (0.6, float(rng.uniform(0.7, 1.4)))):
        draw_disc(pixels, (x, y), radius * share, colour=np.clip(base * gain, 0, 255).tolist())
