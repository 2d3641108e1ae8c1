"""Things without lettering that a detector takes for plates: windows, grilles, lamps, stripes, bricks, barcodes."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.scene import Cutout
from platereader.lab.synthesis.signs import Paint, Size, random_paint


def _wall_paint(rng: np.random.Generator) -> Paint:
    """Any paint, mostly halfway to grey or further: buildings are rarely as loud as signs."""
    paint, share = random_paint(rng), rng.uniform(0.0, 0.8)
    grey = sum(paint) / 3
    blue, green, red = (int(channel + (grey - channel) * share) for channel in paint)
    return blue, green, red


def windows(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A house front of ``(height, width)`` px: rows of panes in frames, some of them lit."""
    height, width = size
    front: BgrImage = np.full((height, width, 3), _wall_paint(rng), np.uint8)
    rows = int(rng.integers(1, max(2, min(6, height // 12) + 1)))
    columns = int(rng.integers(1, max(2, min(12, width // 10) + 1)))
    frame, glass = _wall_paint(rng), np.array(_wall_paint(rng), np.float64) * rng.uniform(0.15, 0.7)
    gap_x, gap_y = rng.uniform(0.06, 0.35, 2)
    rim, crossed = max(1, int(rng.uniform(0.0, 0.1) * height / rows)), rng.random() < 0.5
    for row in range(rows):
        for column in range(columns):
            x1, x2 = int((column + gap_x / 2) * width / columns), int((column + 1 - gap_x / 2) * width / columns)
            y1, y2 = int((row + gap_y / 2) * height / rows), int((row + 1 - gap_y / 2) * height / rows)
            light = glass * rng.uniform(0.6, 1.4) if rng.random() < 0.85 else np.array((150, 210, 240))
            cv2.rectangle(front, (x1, y1), (x2, y2), light.clip(0, 255).tolist(), -1)
            cv2.rectangle(front, (x1, y1), (x2, y2), frame, rim)
            if crossed:
                cv2.line(front, ((x1 + x2) // 2, y1), ((x1 + x2) // 2, y2), frame, rim)
    return Cutout(front)


def grille(size: Size, *, rng: np.random.Generator) -> Cutout:
    """Bars across, upright or both, as on radiators, vents, fences and blinds; sometimes with a badge in the middle."""
    height, width = size
    pitch = max(3.0, min(size) / rng.uniform(2.5, 14))
    share = rng.uniform(0.25, 0.75)
    ys, xs = (((np.arange(count) + rng.uniform(0, pitch)) / pitch % 1.0 < share) for count in size)
    kind = rng.random()
    if kind < 0.45:
        bars = np.broadcast_to(ys[:, None], size)
    elif kind < 0.75:
        bars = np.broadcast_to(xs[None], size)
    else:
        bars = ys[:, None] & xs[None] if rng.random() < 0.5 else ys[:, None] | xs[None]
    back = np.array(random_paint(rng), np.float64) * rng.uniform(0.05, 0.5)
    shade = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), height)[:, None, None]
    front = np.where(bars[..., None], np.array(random_paint(rng)) * shade, back).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        cv2.rectangle(front, (0, 0), (width - 1, height - 1), random_paint(rng), max(1, min(size) // 14))
    if rng.random() < 0.25:
        cv2.circle(front, (width // 2, height // 2), max(2, height // 4), random_paint(rng), -1, cv2.LINE_AA)
    return Cutout(front)


def lamp(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A tail lamp, head lamp or reflector: a rounded glass in red, amber and white parts, ribbed, perhaps lit."""
    height, width = size
    colours = np.array([(25, 20, 190), (20, 130, 235), (230, 230, 230), (30, 30, 120)])
    parts = int(rng.integers(1, 4))
    glass = np.repeat(colours[rng.integers(len(colours), size=parts)], -(-width // parts), axis=0)[:width]
    ribs = 1.0 + rng.uniform(0, 0.3) * np.sin(np.arange(width) * rng.uniform(0.3, 2.0))
    down = np.linspace(rng.uniform(0.5, 1.1), rng.uniform(0.5, 1.1), height)
    front = glass[None] * (ribs[None, :, None] * down[:, None, None])
    if rng.random() < 0.5:
        y, x = rng.uniform(0.2, 0.8, 2) * size
        far = ((np.arange(height)[:, None] - y) / height) ** 2 + ((np.arange(width)[None] - x) / width) ** 2
        front = front + 255 * np.exp(-far * rng.uniform(8, 60))[..., None]
    cover = np.zeros(size, np.uint8)
    radius = max(1, int(min(size) * rng.uniform(0.1, 0.5)))
    low, high = (radius, radius), (max(radius, width - 1 - radius), max(radius, height - 1 - radius))
    cv2.rectangle(cover, low, high, 255, -1)
    cv2.rectangle(cover, low, high, 255, 2 * radius - 1)
    return Cutout(front.clip(0, 255).astype(np.uint8), cover)


def stripes(size: Size, *, rng: np.random.Generator) -> Cutout:
    """Slanted or upright bands in two colours: hazard boards, barriers, crossings."""
    pairs = (((30, 20, 200), (240, 240, 240)), ((20, 200, 250), (15, 15, 15)), ((240, 240, 240), (70, 70, 70)))
    pair = np.array(pick(pairs, rng=rng) if rng.random() < 0.7 else (random_paint(rng), random_paint(rng)))
    slant = float(rng.choice((0.0, 1.0, -1.0, rng.uniform(-1.5, 1.5))))
    pitch = max(6.0, max(size) / rng.uniform(2.5, 12))
    along = np.arange(size[1])[None] + slant * np.arange(size[0])[:, None]
    bands = (along / pitch % 1.0 < rng.uniform(0.3, 0.7)).astype(np.uint8)
    return Cutout(pair[bands].astype(np.uint8))


def bricks(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A wall of bricks or tiles, every other row shifted."""
    height, width = size
    course = max(4, int(height / rng.uniform(2, 9)))
    length = max(6, int(course * rng.uniform(1.5, 4.5)))
    joint = max(1, course // 8)
    wall: BgrImage = np.full((height, width, 3), _wall_paint(rng), np.uint8)
    paint = np.array(_wall_paint(rng), np.float64)
    for row in range(-(-height // course)):
        top, start = row * course, -(length // 2) * (row % 2)
        for left in range(start, width, length):
            colour = (paint * rng.uniform(0.8, 1.2)).clip(0, 255).tolist()
            cv2.rectangle(wall, (left + joint, top + joint), (left + length - 1, top + course - 1), colour, -1)
    return Cutout(wall)


def barcode(size: Size, *, rng: np.random.Generator) -> Cutout:
    """Upright bars of uneven width on white, or a square code."""
    height, width = size
    if rng.random() < 0.7:
        bars = np.repeat(rng.integers(0, 2, 95), 2)[None].astype(np.uint8)
    else:
        bars = rng.integers(0, 2, (25, max(4, round(25 * width / height)))).astype(np.uint8)
    edge = max(1, min(size) // 10)
    inner = cv2.resize(bars * 225, (max(1, width - 2 * edge), max(1, height - 2 * edge)), interpolation=cv2.INTER_AREA)
    grey = cv2.copyMakeBorder(inner, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(245,))
    return Cutout(cast(BgrImage, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)))
