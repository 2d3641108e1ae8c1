"""Cars drawn from behind, with a recess for the plate: pictures free of others' rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage, pick
from platereader.lab.synthesis.pose import Corners
from platereader.results import Lines

_Points: TypeAlias = Sequence[tuple[float, float]]
_Colour: TypeAlias = float | tuple[float, float, float] | NDArray[np.float32]  # grey, BGR, or of each pixel

# Widths of plate and car: 520 and 290 mm of about 1.76 m. Heights follow from 112 and 170 mm.
_PLATE_SIZES = {1: (0.295, 0.0636), 2: (0.165, 0.0966)}
_PAINTS_BGR = (
    (228, 230, 232), (196, 198, 200), (120, 122, 124), (64, 66, 68), (36, 36, 38), (44, 38, 150), (120, 70, 34),
    (96, 110, 60), (150, 178, 196), (58, 84, 112), (168, 140, 96), (52, 130, 196),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """The rear of a car, cut out, uint8 (H, W, 3) BGR, and where the outer edge of its plate belongs, pixels.

    ``alpha`` is float32 (H, W), 1 on the car, 0 beside it, in between where its shadow falls.
    """

    pixels: BgrImage
    alpha: FloatImage
    plate_corners: Corners


@dataclass(frozen=True, slots=True)
class _Build:
    """Proportions of one body, in parts of its width; y grows downwards from the roof."""

    roof: float
    waist: float
    bumper: float
    sill: float
    ground: float
    roof_inset: float
    glass_foot: float
    plate_y: float


_BUILDS = (
    _Build(roof=0.05, waist=0.36, bumper=0.60, sill=0.76, ground=0.86, roof_inset=0.20, glass_foot=0.33, plate_y=0.53),
    _Build(roof=0.05, waist=0.42, bumper=0.70, sill=0.86, ground=0.96, roof_inset=0.15, glass_foot=0.38, plate_y=0.60),
    _Build(roof=0.05, waist=0.46, bumper=0.86, sill=1.00, ground=1.10, roof_inset=0.10, glass_foot=0.44, plate_y=0.72),
)
"""Saloon, off-road car, van."""


class _Canvas:
    """A picture under construction, in which shapes are given in parts of its width."""

    def __init__(self, *, width_px: int, height: float) -> None:
        self.width_px = width_px
        self.shape = (round(height * width_px), width_px)
        self.pixels = np.zeros((*self.shape, 3), np.float32)
        self.alpha = np.zeros(self.shape, np.float32)

    def outline(self, points: _Points, *, rounding: float) -> FloatImage:
        """Mask of a polygon with rounded corners: blurred, then sharpened again."""
        mask = np.zeros(self.shape, np.uint8)
        fixed = np.round(np.array(points) * self.width_px * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, 4)
        sigma = max(0.6, rounding * self.width_px)
        soft = cast(FloatImage, cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32)) / 255
        sharp = (soft - 0.5) * np.float32(max(1.0, 1.6 * sigma)) + 0.5
        return np.asarray(np.clip(sharp, 0.0, 1.0), np.float32)

    def composite(self, mask: FloatImage, colour: _Colour) -> None:
        """Paint a mask, (H, W) in [0, 1]."""
        self.pixels += (np.asarray(colour, np.float32) - self.pixels) * mask[..., None]
        np.maximum(self.alpha, mask, out=self.alpha)

    def paint(self, points: _Points, colour: _Colour, *, rounding: float, opacity: float = 1.0) -> None:
        """Paint a polygon."""
        self.composite(self.outline(points, rounding=rounding) * np.float32(opacity), colour)

    def paint_pair(self, points: _Points, colour: _Colour, *, rounding: float, opacity: float = 1.0) -> None:
        """Paint a polygon, and the same on the other side of the car."""
        for shape in (points, [(1.0 - x, y) for x, y in points]):
            self.paint(shape, colour, rounding=rounding, opacity=opacity)

    def ramp(self, top: tuple[float, float], bottom: tuple[float, float]) -> NDArray[np.float32]:
        """A vertical run (H, 1, 1) from one (y, value) to another."""
        ys = np.arange(self.shape[0], dtype=np.float32) / self.width_px
        run = np.interp(ys, (top[0], bottom[0]), (top[1], bottom[1])).astype(np.float32)
        return run[:, None, None]


def draw_vehicle(rng: np.random.Generator, *, width_px: int, lines: Lines = 1) -> Vehicle:
    """Draw one car squarely from behind, a little narrower than the picture, with a recess for so many lines."""
    build = _BUILDS[int(rng.choice(len(_BUILDS), p=(0.5, 0.35, 0.15)))]
    paint = np.array(pick(_PAINTS_BGR, rng=rng), np.float32)
    canvas = _Canvas(width_px=width_px, height=build.ground + 0.06)
    _draw_shadow_and_wheels(canvas, build)
    _draw_body(canvas, build, paint=paint)
    _draw_glass(canvas, build, rng=rng)
    _draw_lamps(canvas, build, rng=rng)
    _draw_bumper(canvas, build, paint=paint, rng=rng)
    plate_corners = _draw_recess(canvas, build, paint=paint, lines=lines)
    pixels = np.clip(canvas.pixels, 0, 255).astype(np.uint8)
    return Vehicle(pixels=pixels, alpha=canvas.alpha, plate_corners=plate_corners)


def _box(x1: float, y1: float, x2: float, y2: float) -> list[tuple[float, float]]:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def _draw_shadow_and_wheels(canvas: _Canvas, build: _Build) -> None:
    mask = canvas.outline(_box(0.07, build.ground - 0.05, 0.93, build.ground + 0.005), rounding=0.03)
    soft = cast(FloatImage, cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.015 * canvas.width_px)))
    canvas.composite(soft * np.float32(0.85), 12)
    for left in (0.10, 0.76):
        canvas.paint(_box(left, build.sill - 0.10, left + 0.14, build.ground), 26, rounding=0.014)
    canvas.paint(_box(0.12, build.sill - 0.06, 0.88, build.sill + 0.035), 18, rounding=0.015)


def _draw_body(canvas: _Canvas, build: _Build, *, paint: NDArray[np.float32]) -> None:
    """Cabin and lower body in one paint, lit from above and darker round the corners."""
    inset = build.roof_inset
    cabin = [(inset, build.roof), (1 - inset, build.roof), (0.91, build.waist + 0.04), (0.09, build.waist + 0.04)]
    lower = [
        (0.08, build.waist), (0.92, build.waist), (0.965, build.waist + 0.09), (0.965, build.sill - 0.03),
        (0.93, build.sill), (0.07, build.sill), (0.035, build.sill - 0.03), (0.035, build.waist + 0.09),
    ]  # fmt: skip
    across = np.linspace(-1, 1, canvas.width_px, dtype=np.float32)[None, :, None]
    round_corners = (1.02 - 0.30 * across**4).astype(np.float32)
    light = (canvas.ramp((build.waist, 1.12), (build.sill, 0.58)) * round_corners).astype(np.float32)
    canvas.paint(cabin, (paint * np.float32(0.92) * round_corners).astype(np.float32), rounding=0.022)
    canvas.paint(lower, np.clip(paint * light + 6, 0, 255).astype(np.float32), rounding=0.025)
    shoulder = _box(0.10, build.waist + 0.012, 0.90, build.waist + 0.024)
    canvas.paint(shoulder, np.clip(paint * np.float32(1.3) + 30, 0, 255), rounding=0.004, opacity=0.5)
    for y in (build.waist + 0.035, build.bumper - 0.005):
        canvas.paint(_box(0.09, y, 0.91, y + 0.005), paint * np.float32(0.25), rounding=0.001, opacity=0.55)


def _draw_glass(canvas: _Canvas, build: _Build, *, rng: np.random.Generator) -> None:
    """The rear window, with the sky in its upper part."""
    inset, top = build.roof_inset + 0.035, build.roof + 0.045
    window = [(inset, top), (1 - inset, top), (0.855, build.glass_foot), (0.145, build.glass_foot)]
    glow = canvas.ramp((top, rng.uniform(50, 120)), (build.glass_foot, 22))
    canvas.paint(window, glow * np.array((1.06, 1.0, 0.95), np.float32), rounding=0.02)
    for left in (0.27, 0.60):
        seat = _box(left, build.glass_foot - 0.10, left + 0.13, build.glass_foot - 0.012)
        canvas.paint(seat, 20, rounding=0.02, opacity=0.55)
    canvas.paint(_box(0.44, top + 0.006, 0.56, top + 0.016), (40, 30, 150), rounding=0.003)


def _draw_lamps(canvas: _Canvas, build: _Build, *, rng: np.random.Generator) -> None:
    """Tail lamps at both sides, with an amber and a white part; sometimes lit."""
    upright = build.sill > 0.9
    top = build.waist + (0.02 if upright else 0.045)
    height, width = (0.20, 0.075) if upright else (0.085, rng.uniform(0.14, 0.2))
    red, bright = ((40, 30, 215), (150, 140, 255)) if rng.random() < 0.4 else ((34, 22, 150), (150, 165, 190))
    outer = [(0.045, top + 0.01), (0.05 + width, top), (0.03 + width, top + height), (0.05, top + height)]
    inner = _box(0.06 + 0.35 * width, top + 0.35 * height, 0.03 + 0.85 * width, top + 0.75 * height)
    canvas.paint_pair(outer, red, rounding=0.008)
    canvas.paint_pair(inner, bright, rounding=0.006, opacity=0.7)


def _draw_bumper(canvas: _Canvas, build: _Build, *, paint: NDArray[np.float32], rng: np.random.Generator) -> None:
    """A bumper that stands out a little, its plastic foot, reflectors and a badge."""
    sill = build.sill
    light = canvas.ramp((build.bumper, 1.08), (sill, 0.5))
    canvas.paint(_box(0.03, build.bumper, 0.97, sill + 0.005), np.clip(paint * light, 0, 255), rounding=0.02)
    foot = [(0.12, sill - 0.055), (0.88, sill - 0.055), (0.84, sill + 0.02), (0.16, sill + 0.02)]
    canvas.paint(foot, 38, rounding=0.012)
    canvas.paint_pair(_box(0.09, sill - 0.075, 0.19, sill - 0.06), (30, 22, 140), rounding=0.003)
    if rng.random() < 0.7:
        exhaust = _box(0.2, sill + 0.005, 0.27, sill + 0.03)
        canvas.paint(exhaust, 130, rounding=0.006)
    badge = np.zeros(canvas.shape, np.uint8)
    centre = (canvas.width_px // 2, round((build.waist + 0.075) * canvas.width_px))
    cv2.circle(badge, centre, max(2, round(0.022 * canvas.width_px)), (255,), -1, cv2.LINE_AA)
    canvas.composite(badge.astype(np.float32) / np.float32(255), rng.uniform(120, 220))


def _draw_recess(canvas: _Canvas, build: _Build, *, paint: NDArray[np.float32], lines: Lines) -> Corners:
    """The hollow that the plate sits in; returns the plate's corners."""
    width, height = _PLATE_SIZES[lines]
    middle = build.plate_y + 0.02
    left, top, right, bottom = 0.5 - width / 2, middle - height / 2, 0.5 + width / 2, middle + height / 2
    hollow = [
        (left - 0.05, top - 0.035), (right + 0.05, top - 0.035),
        (right + 0.03, bottom + 0.02), (left - 0.03, bottom + 0.02),
    ]  # fmt: skip
    canvas.paint(hollow, paint * np.float32(0.42), rounding=0.012)
    brow = _box(left - 0.045, top - 0.034, right + 0.045, top - 0.016)
    canvas.paint(brow, np.clip(paint * np.float32(0.8) + 40, 0, 255), rounding=0.006)
    return np.array(_box(left, top, right, bottom), np.float32) * float(canvas.width_px)
