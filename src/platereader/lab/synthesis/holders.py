"""What surrounds a plate on a car: holder frames with their lettered lip, bare edges, shadows."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.pose import Corners, outline_of


def add_holder(pixels: BgrImage, *, rng: np.random.Generator, light: float = 1.0) -> tuple[BgrImage, Corners]:
    """Put a plate into a random holder, or on bare bodywork with a shadowed edge.

    ``pixels`` are cut at the plate's outer metal edge and not written to; ``light`` is what a white plate shows, 0 to
    1. Returned are the larger picture, uint8 BGR, and the plate's corners in it, float32 (4, 2), pixels.
    """
    kind = rng.random()
    framed, left, top = pixels, 0, 0
    if kind < 0.55:
        framed, left, top = _framed(pixels, light=light, rng=rng)
    elif kind < 0.85:
        framed, left, top = _bare(pixels, light=light, rng=rng)
    return framed, outline_of(pixels) + np.array((left, top), np.float32)


def _colour(rng: np.random.Generator, *, light: float) -> tuple[float, float, float]:
    """Mostly black plastic, sometimes chrome, white or any paint."""
    kind = rng.random()
    if kind < 0.88:
        darkest, brightest = (8, 60) if kind < 0.72 else (110, 250)
        shade = light * float(rng.uniform(darkest, brightest))
        return shade, shade, shade
    blue, green, red = (light * rng.uniform(10, 240, 3)).tolist()
    return blue, green, red


def _framed(pixels: BgrImage, *, light: float, rng: np.random.Generator) -> tuple[BgrImage, int, int]:
    """A holder: a rim all around that overlaps the metal a little, with a wider lip below; and the plate's place."""
    height, width = pixels.shape[:2]
    unit = min(height, width / 4)  # a two-line plate's holder is no thicker than a one-line plate's
    rim = max(1, round(unit * rng.uniform(0.02, 0.09)))
    lip = max(rim, round(unit * rng.uniform(0.03, 0.22)))
    colour = _colour(rng, light=light)
    framed = cast(BgrImage, cv2.copyMakeBorder(pixels, rim, lip, rim, rim, cv2.BORDER_CONSTANT, value=colour))
    overlap = round(unit * rng.uniform(0.0, 0.035))
    if overlap:
        inside, outside = (rim, rim), (rim + width - 1, rim + height - 1)
        cv2.rectangle(framed, inside, outside, colour, overlap)
    if lip > max(2.0, 0.08 * unit) and rng.random() < 0.75:
        _letter_lip(framed, top=rim + height, colour=colour, light=light, rng=rng)
    if rng.random() < 0.5:
        edge = tuple(min(255.0, channel + light * float(rng.uniform(10, 70))) for channel in colour)
        cv2.rectangle(framed, (0, 0), (framed.shape[1] - 1, framed.shape[0] - 1), edge, 1)
    return framed, rim, rim


def _letter_lip(
    framed: BgrImage, *, top: int, colour: tuple[float, float, float], light: float, rng: np.random.Generator
) -> None:
    """Draw a dealer's line on the lip: at this size a row of small strokes, perhaps on a band of its own."""
    lip, width = framed.shape[0] - top, framed.shape[1]
    if rng.random() < 0.35:
        band = tuple(float(channel) for channel in light * rng.uniform(20, 250, 3))
        left, right = sorted(rng.uniform(0.0, 1.0, 2))
        cv2.rectangle(framed, (int(left * width), top + 1), (int(right * width), top + lip - 2), band, -1)
    ink = light * (255.0 - sum(colour) / 3 if rng.random() < 0.8 else float(rng.uniform(0, 255)))
    shape = (max(1, lip // 3), max(8, int(width / max(1.5, lip * rng.uniform(0.25, 0.45)))))
    strokes = rng.random(shape) < 0.6
    strokes[:, rng.random(shape[1]) < rng.uniform(0.2, 0.7)] = False
    mask = cv2.resize(strokes.astype(np.uint8), (width, max(1, lip - 2)), interpolation=cv2.INTER_NEAREST)
    framed[top + 1 : top + 1 + len(mask)][mask > 0] = ink


def _bare(pixels: BgrImage, *, light: float, rng: np.random.Generator) -> tuple[BgrImage, int, int]:
    """No holder: the metal's edge, then a strip of shadow on two or four sides; and the plate's place."""
    unit = min(pixels.shape[0], pixels.shape[1] / 4)
    below, beside, above = (round(unit * share) for share in rng.uniform(0.0, 0.14, 3))
    shade = light * float(rng.uniform(0, 70))
    framed = cv2.copyMakeBorder(pixels, above, below, beside, beside, cv2.BORDER_CONSTANT, value=(shade, shade, shade))
    return cast(BgrImage, framed), beside, above
