"""What stands on a foreign plate beside its text: bands, strips, emblems, stickers, bolts, rims and frames."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fixtures import Paint
from platereader.lab.synthesis.foreign.backgrounds import vivid_colour
from platereader.lab.synthesis.foreign.lettering import code_mask, small_line
from platereader.lab.synthesis.foreign.styles import ForeignStyle
from platereader.lab.synthesis.glyphs import Mask

_PALE = np.array((240, 240, 240), np.float32)


@dataclass(slots=True)
class FreeArea:
    """What is left of a plate for its text, pixels; ornaments take from it."""

    left: float
    top: float
    right: float
    bottom: float


def stamp(pixels: BgrImage, mask: Mask, *, area: FreeArea, ink: Paint, emboss: float = 0.0) -> FreeArea:
    """Print a mask, uint8 ``(h, w)`` with 255 = ink, into the middle of an area as high as that, and return its place.

    A print that is too wide is narrowed. ``ink`` is float32 ``(3,)`` BGR; ``emboss`` is the strength of the light on
    the pressed edge, 0 to 1, negative from below.
    """
    height, width = area.bottom - area.top, area.right - area.left
    wide = mask.shape[1] * height / mask.shape[0]
    if wide > width:
        squeeze = max(0.72, width / wide)
        height, wide = min(height, height * width / (wide * squeeze)), width
    x = round((area.left + area.right - wide) / 2)
    y = round((area.top + area.bottom - height) / 2)
    w, h = max(2, round(wide)), max(2, round(height))
    x, y = max(0, x), max(0, y)
    w, h = min(w, pixels.shape[1] - x), min(h, pixels.shape[0] - y)
    if w < 2 or h < 2:
        return area
    shown = cv2.resize(mask, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) * np.float32(1 / 255)
    target = pixels[y : y + h, x : x + w]
    layer = target.astype(np.float32)
    layer += (ink - layer) * shown[..., None]
    if emboss:
        edge = np.diff(shown, axis=0, prepend=np.float32(0))
        layer += (edge * (1 - 0.4 * shown) * np.float32(110 * emboss))[..., None]
    target[...] = np.clip(layer, 0, 255)
    return FreeArea(x, y, x + w, y + h)


def bands(pixels: BgrImage, style: ForeignStyle, *, area: FreeArea, rng: np.random.Generator) -> None:
    """Bands at the sides and the strip at the top; takes them from the area."""
    height, width = pixels.shape[:2]
    blue = np.array((rng.uniform(110, 190), rng.uniform(40, 95), rng.uniform(5, 50)), np.float32)
    if rng.random() < style.chance("strip"):
        area.top = max(area.top, _strip(pixels, colour=blue, rng=rng))
    wide = round(min(0.12 * width, height * rng.uniform(0.36, 0.5)))
    if rng.random() < style.chance("flag_band"):
        _flag(pixels, x=round(0.02 * width), wide=wide, rng=rng)
        area.left += wide
    elif rng.random() < style.chance("band"):
        colour = blue if rng.random() < 0.85 else vivid_colour(rng)
        _band(pixels[:, :wide], colour=colour, rng=rng)
        area.left += wide
    if rng.random() < style.chance("band_right"):
        _band(pixels[:, width - wide :], colour=blue if rng.random() < 0.7 else vivid_colour(rng), rng=rng)
        area.right -= wide
    if rng.random() < style.chance("divider"):
        x = round(width * (rng.uniform(0.7, 0.85) if rng.random() < 0.6 else rng.uniform(0.15, 0.25)))
        cv2.line(pixels, (x, 0), (x, height), (40, 40, 40), max(1, round(0.03 * height)))


def marks(pixels: BgrImage, style: ForeignStyle, *, area: FreeArea, rng: np.random.Generator) -> None:
    """Emblems and the code beside the text; takes them from the area."""
    height = pixels.shape[0]
    size = height * rng.uniform(0.2, 0.36)
    if rng.random() < style.chance("emblem"):
        emblem(pixels, centre=(area.left + size / 2, height * rng.uniform(0.2, 0.55)), size=size, rng=rng)
        area.left += size * (1.1 if style.chance("emblem") > 0.6 else 0.2)
    if rng.random() < style.chance("emblem_right"):
        emblem(pixels, centre=(area.right - size / 2, height / 2), size=size, rng=rng)
        area.right -= size * 1.1
    if rng.random() < style.chance("code"):
        place = FreeArea(area.left, height * 0.55, area.left + 0.3 * height, height * rng.uniform(0.7, 0.85))
        stamp(pixels, code_mask(rng), area=place, ink=vivid_colour(rng) * np.float32(0.6))
        area.left += 0.3 * height
    if rng.random() < style.chance("seal"):
        centre = (rng.uniform(area.left, area.right), height * rng.uniform(0.12, 0.9))
        cv2.circle(pixels, _whole(centre), max(1, round(0.05 * height)), vivid_colour(rng).tolist(), -1, cv2.LINE_AA)


def emblem(pixels: BgrImage, *, centre: tuple[float, float], size: float, rng: np.random.Generator) -> None:
    """A coat of arms, a map, a flower: two or three patches of colour, centre and size in pixels."""
    faint = rng.random() < 0.3
    for part in range(int(rng.integers(1, 4))):
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 10))))
        reach = size * rng.uniform(0.25, 0.55, len(angles)) / (1 + 0.5 * part)
        points = np.array(centre) + np.stack((np.cos(angles), np.sin(angles)), 1) * reach[:, None]
        colour = vivid_colour(rng) * np.float32(0.4) + np.float32(130) if faint else vivid_colour(rng)
        cv2.fillPoly(pixels, [(points * 16).round().astype(np.int32)], colour.tolist(), cv2.LINE_AA, 4)


def fittings(pixels: BgrImage, style: ForeignStyle, *, ink: Paint, rng: np.random.Generator) -> None:
    """What lies over everything: rim, stickers in the corners, bolts, a dealer's frame."""
    height, width = pixels.shape[:2]
    if rng.random() < style.chance("rim"):
        inset = round(height * rng.uniform(0.0, 0.03))
        far = (width - 1 - inset, height - 1 - inset)
        colour = ink if rng.random() < 0.75 else vivid_colour(rng)
        cv2.rectangle(pixels, (inset, inset), far, colour.tolist(), max(1, round(height * rng.uniform(0.012, 0.04))))
    if rng.random() < style.chance("stickers"):
        _stickers(pixels, rng=rng)
    if rng.random() < style.chance("frame"):
        _frame(pixels, rng=rng)
    elif rng.random() < style.chance("bolts"):
        _bolts(pixels, rng=rng)


def _strip(pixels: BgrImage, *, colour: Paint, rng: np.random.Generator) -> float:
    """A filled strip along the top with the name of the country; returns where it ends."""
    height, width = pixels.shape[:2]
    strip = round(height * rng.uniform(0.18, 0.26))
    pixels[:strip] = colour
    inner = FreeArea(0.2 * width, 0.2 * strip, 0.8 * width, 0.85 * strip)
    stamp(pixels, small_line("caps", rng=rng), area=inner, ink=_PALE)
    for x in (0.06 * width, 0.94 * width):
        if rng.random() < 0.6:
            emblem(pixels, centre=(x, strip / 2), size=0.8 * strip, rng=rng)
    return float(strip)


def _band(band: BgrImage, *, colour: Paint, rng: np.random.Generator) -> None:
    """A band with a ring of stars, a flag or nothing above, and a code below."""
    height, width = band.shape[:2]
    band[:] = colour
    above = rng.random()
    centre, radius = (width // 2, round(height * rng.uniform(0.25, 0.35))), max(1, round(0.28 * width))
    if above < 0.6:
        for angle in np.arange(0, 2 * np.pi, np.pi / 6):
            spot = (centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle))
            cv2.circle(band, _whole(spot), max(1, width // 20), (40.0, 210.0, 235.0), -1, cv2.LINE_AA)
    elif above < 0.85:
        emblem(band, centre=centre, size=0.7 * width, rng=rng)
    place = FreeArea(0.18 * width, height * 0.6, 0.82 * width, height * rng.uniform(0.78, 0.9))
    stamp(band, code_mask(rng), area=place, ink=_PALE)


def _flag(pixels: BgrImage, *, x: int, wide: int, rng: np.random.Generator) -> None:
    """A small flag of two or three colours with a code below, as beside the text in the east of Europe and in Asia."""
    height = pixels.shape[0]
    top, rows = round(height * rng.uniform(0.12, 0.25)), round(height * rng.uniform(0.25, 0.4))
    count = int(rng.integers(2, 4))
    for part in range(count):
        y1, y2 = (top + rows * (part + step) // count for step in (0, 1))
        pixels[y1:y2, x + wide // 8 : x + wide] = vivid_colour(rng)
    place = FreeArea(x + 0.15 * wide, top + rows * 1.15, x + wide * 0.95, height * 0.88)
    place.bottom = min(place.bottom, place.top + 0.24 * height)
    stamp(pixels, code_mask(rng), area=place, ink=np.array((130, 60, 20), np.float32))


def _stickers(pixels: BgrImage, *, rng: np.random.Generator) -> None:
    """One to four small labels in the corners."""
    height, width = pixels.shape[:2]
    for right, low in itertools.product((False, True), repeat=2):
        if rng.random() >= 0.45:
            continue
        w, h = (max(2, round(height * rng.uniform(0.12, 0.26))) for _ in range(2))
        aside, edge = round(height * rng.uniform(0.03, 0.1)), round(height * rng.uniform(0.02, 0.1))
        x, y = width - aside - w if right else aside, height - edge - h if low else edge
        pixels[y : y + h, x : x + w] = vivid_colour(rng) if rng.random() < 0.8 else _PALE
        inner = pixels[y + h // 4 : y + h - h // 4, x + w // 4 : x + w - w // 4]
        inner[...] = inner // 2 if rng.random() < 0.5 else inner // 2 + 120


def _bolts(pixels: BgrImage, *, rng: np.random.Generator) -> None:
    """Screws or empty holes: above, above and below, or at the sides."""
    height, width = pixels.shape[:2]
    aside, edge = rng.uniform(0.12, 0.3), rng.uniform(0.06, 0.12)
    places = [(aside, edge), (1 - aside, edge)]
    if rng.random() < 0.5:
        places += [(aside, 1 - edge), (1 - aside, 1 - edge)]
    if rng.random() < 0.2:
        places = [(0.04, 0.5), (0.96, 0.5)]
    level = float(rng.uniform(20, 200))
    radius = max(1, round(height * rng.uniform(0.02, 0.04)))
    for x, y in places:
        at = _whole((x * width, y * height))
        cv2.circle(pixels, at, radius, (level, level, level), -1, cv2.LINE_AA)
        if radius > 1:
            cv2.circle(pixels, (at[0], at[1] - 1), radius // 2, (min(255.0, level + 60),) * 3, -1, cv2.LINE_AA)


def _frame(pixels: BgrImage, *, rng: np.random.Generator) -> None:
    """A dealer's frame over the rim, with lettering above or below."""
    height, width = pixels.shape[:2]
    dark = rng.random() < 0.6
    colour = np.full(3, rng.uniform(10, 50) if dark else rng.uniform(140, 235), np.float32)
    side = max(1, round(height * rng.uniform(0.02, 0.06)))
    top, low = (max(side, round(height * rng.uniform(0.04, 0.16))) for _ in range(2))
    pixels[:top] = pixels[height - low :] = colour
    pixels[:, :side] = pixels[:, width - side :] = colour
    ink = _PALE if dark else np.full(3, 30, np.float32)
    for y1, y2 in ((0, top), (height - low, height)):
        if y2 - y1 > 0.08 * height and rng.random() < 0.7:
            inner = FreeArea(0.1 * width, y1 + 0.15 * (y2 - y1), 0.9 * width, y2 - 0.15 * (y2 - y1))
            stamp(pixels, small_line("caps", rng=rng), area=inner, ink=ink)


def _whole(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0]), round(point[1])
