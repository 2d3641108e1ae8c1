"""Training samples for the reader: one plate as the rectifier would hand it over, rendered or from a photograph."""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

import cv2
import numpy as np

from platereader.arrays import BgrImage
from platereader.plates.formats import FORMATS, PlateFormat, sample_text
from platereader.rectification.layout import DEFAULT_MARGIN
from platereader.results import Lines
from platereader.synthesis.camera import PHOTOGRAPH, STREET, Camera, apply_steps
from platereader.synthesis.mount import mount
from platereader.synthesis.pose import (
    CornerError,
    Corners,
    PoseRange,
    corners_of,
    homography,
    noisy_corners,
    random_quad,
)
from platereader.synthesis.render import render_plate

__all__ = ["CropProfile", "PlateSample", "jitter_real", "plate_sample", "random_format", "random_text"]

FORMAT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "standard": 62.0,
        "standard_two_line": 6.0,
        "taxi": 5.0,
        "trailer": 5.0,
        "motorcycle": 3.0,
        "moped": 1.0,
        "tractor": 2.0,
        "off_road": 1.0,
        "military": 8.0,
        "police": 8.0,
        "diplomatic": 3.0,
        "transit": 3.0,
    }
)
"""How often each group of types is shown, by the start of the name; rare ones far above their share on the road."""

_POPULOUS_CODES = (
    "77", "97", "99", "177", "197", "199", "777", "797", "799", "977",
    "50", "90", "150", "190", "750", "790", "250", "550", "78", "98", "178", "198",
    "23", "93", "123", "193", "66", "96", "196", "16", "116", "716", "02", "102", "702",
    "74", "174", "774", "63", "163", "763", "61", "161", "761", "54", "154", "59", "159",
    "24", "124", "52", "152", "34", "134",
)  # fmt: skip
"""Codes of the most populous subjects, which most cars carry (see `platereader.plates.regions`)."""

_INWARD = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], np.float32)


@dataclass(frozen=True, slots=True)
class PlateSample:
    """One plate as the recognizer's preprocessing gets it.

    Attributes:
        pixels: uint8 (H, W, 3) BGR, rectified.
        lines: Lines of text on the plate; two-line plates are not yet cut and joined.
        text: What it says, upper-case Latin look-alikes.
        format_name: Name of its type.
    """

    pixels: BgrImage
    lines: Lines
    text: str
    format_name: str


@dataclass(frozen=True, slots=True)
class CropProfile:
    """What the samples look like.

    Attributes:
        camera: Effects on rendered plates.
        photograph: Effects on real plates, which have their own weather already.
        pose: How far plates are turned.
        corner_error: How wrong the rectifier's corners are.
        box_share: Share of samples cut by a loose or tight box instead of four corners.
        margin: What the rectifier keeps around the corners, in parts of the height of one line.
        camera_width_px: Range of a one-line plate's width in the camera's own pixels.
        line_size_px: Width and height of a rectified one-line plate.
        two_line_size_px: Width and height of a rectified two-line plate.
        format_weights: Weight of each group of types, by the start of its name.
    """

    camera: Camera = STREET
    photograph: Camera = PHOTOGRAPH
    pose: PoseRange = field(default_factory=PoseRange)
    corner_error: CornerError = field(default_factory=CornerError)
    box_share: float = 0.22
    margin: float = DEFAULT_MARGIN
    camera_width_px: tuple[float, float] = (40.0, 220.0)
    line_size_px: tuple[int, int] = (192, 48)
    two_line_size_px: tuple[int, int] = (160, 96)
    format_weights: Mapping[str, float] = field(default_factory=lambda: FORMAT_WEIGHTS)

    def size_px(self, lines: Lines) -> tuple[int, int]:
        """Width and height of a rectified plate of so many lines."""
        return self.line_size_px if lines == 1 else self.two_line_size_px


def plate_sample(
    rng: np.random.Generator, *, profile: CropProfile | None = None, backgrounds: Sequence[BgrImage] = ()
) -> PlateSample:
    """Draw a plate, put it before a camera and cut it out as the pipeline would.

    Args:
        rng: Source of randomness.
        profile: What samples look like; None for the default.
        backgrounds: Photographs to cut surroundings from, uint8 (H, W, 3) BGR; without any they are made up.

    Returns:
        The sample, `pixels` of the profile's size for its number of lines.
    """
    profile = profile or CropProfile()
    plate_format = random_format(rng, weights=profile.format_weights)
    text = random_text(plate_format, rng=rng)
    lines = plate_format.line_count
    aspect = plate_format.size_mm[0] / plate_format.size_mm[1]
    width_px = _camera_width_px(rng, profile=profile) * (1.0 if lines == 1 else 0.6)
    front = _front(text, plate_format, height_px=width_px / aspect, rng=rng)
    front = apply_steps(front, steps=profile.camera.surface, rng=rng)
    quad = random_quad(aspect, width_px=width_px, pose=profile.pose, rng=rng)
    picture, quad = _photographed(front, quad=quad, backgrounds=backgrounds, rng=rng)
    picture = apply_steps(picture, steps=profile.camera.view, rng=rng)
    pixels = _rectified(picture, quad=quad, lines=lines, profile=profile, rng=rng)
    return PlateSample(pixels=pixels, lines=lines, text=text, format_name=plate_format.name)


def jitter_real(
    frame: BgrImage,
    *,
    corners: Corners,
    lines: Lines = 1,
    rng: np.random.Generator,
    profile: CropProfile | None = None,
) -> BgrImage:
    """Cut a labelled plate out of a photograph with wrong corners, fewer pixels and other light than it has.

    Args:
        frame: The photograph, uint8 (H, W, 3) BGR; not written to.
        corners: The plate's corners in it, float32 (4, 2), pixels: top left, top right, bottom right, bottom left.
        lines: Lines of text on the plate.
        rng: Source of randomness.
        profile: What samples look like; None for the default.

    Returns:
        uint8 BGR of the profile's size for so many lines.
    """
    profile = profile or CropProfile()
    picture, quad = _surroundings(frame, corners=np.asarray(corners, np.float32))
    true_width_px = float(np.linalg.norm(quad[1] - quad[0]))
    width_px = _camera_width_px(rng, profile=profile) * (1.0 if lines == 1 else 0.6)
    if rng.random() < 0.5 or true_width_px > profile.camera_width_px[1]:
        scale = min(1.0, width_px / true_width_px)
        if rng.random() < 0.5:
            scale = min(1.0, max(scale, profile.size_px(lines)[0] / true_width_px))
        picture = cast(BgrImage, cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        quad = quad * np.float32(scale)
    camera = profile.photograph
    picture = apply_steps(picture, steps=camera.view, rng=rng)
    return _rectified(picture, quad=quad, lines=lines, profile=profile, rng=rng)


# ---------------------------------------------------------------- what is printed


def random_format(rng: np.random.Generator, *, weights: Mapping[str, float] = FORMAT_WEIGHTS) -> PlateFormat:
    """A random plate type.

    Args:
        rng: Source of randomness.
        weights: Weight of each group of types by the start of the name; the longest start that fits counts, and
            the types of a group share its weight evenly. Types of no group are not drawn.
    """
    shares = _cumulative_shares(tuple(weights.items()))
    return FORMATS[min(bisect.bisect_right(shares, rng.random()), len(FORMATS) - 1)]


@functools.lru_cache(maxsize=16)
def _cumulative_shares(weights: tuple[tuple[str, float], ...]) -> tuple[float, ...]:
    starts = [
        max((start for start, _ in weights if plate_format.name.startswith(start)), key=len, default=None)
        for plate_format in FORMATS
    ]
    by_start = dict(weights)
    each = [0.0 if start is None else by_start[start] / starts.count(start) for start in starts]
    return tuple(float(share) for share in np.cumsum(each) / sum(each))


def random_text(plate_format: PlateFormat, *, rng: np.random.Generator) -> str:
    """A random text: half with any region code in use, most others with a common one, a few with any digits at all.

    The few keep the reader from forgetting that codes are added by decree.
    """
    has_region = any(group.is_region for line in plate_format.lines for group in line)
    choice = rng.random()
    if not has_region or choice < 0.5:
        return sample_text(plate_format, rng=rng)
    if choice < 0.92:
        region = _POPULOUS_CODES[int(rng.integers(len(_POPULOUS_CODES)))]
    else:
        region = f"{int(rng.integers(1, 100)):02d}" if rng.random() < 0.4 else str(int(rng.integers(100, 1000)))
    return sample_text(plate_format, rng=rng, region=region)


# ---------------------------------------------------------------- before the camera


def _camera_width_px(rng: np.random.Generator, *, profile: CropProfile) -> float:
    """Width of the plate in the camera's pixels: half of them evenly spread, half leaning to the far and small."""
    low, high = profile.camera_width_px
    if rng.random() < 0.5:
        return float(rng.uniform(max(low, 0.35 * high), high))
    return math.exp(rng.uniform(math.log(low), math.log(max(low, 0.6 * high))))


def _front(text: str, plate_format: PlateFormat, *, height_px: float, rng: np.random.Generator) -> BgrImage:
    """Render a clean front at a little more than `height_px`.

    Only two heights are rendered, because the renderer keeps its glyphs by size; the rest is shrinking.
    """
    wanted = 1.3 * height_px
    rendered = (32 if wanted <= 32 else 64) * plate_format.line_count
    front = render_plate(text, plate_format, height_px=rendered, rng=rng).pixels
    scale = wanted / rendered
    if scale > 0.7:
        return front
    return cast(BgrImage, cv2.resize(front, None, fx=scale, fy=scale, interpolation=_shrinking(scale)))


def _shrinking(scale: float) -> int:
    """Averaging areas costs six times as much as interpolation and only pays where pixels would be skipped."""
    return cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA


def _photographed(
    front: BgrImage, *, quad: Corners, backgrounds: Sequence[BgrImage], rng: np.random.Generator
) -> tuple[BgrImage, Corners]:
    """Warp the mounted plate onto a background a little larger than it."""
    mounted, inner = mount(front, rng=rng)
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    margin_x, margin_y = 0.10 * (right - left) + 2, 0.22 * (bottom - top) + 2
    quad = quad - np.array((left - margin_x, top - margin_y), np.float32)
    width, height = math.ceil(right - left + 2 * margin_x), math.ceil(bottom - top + 2 * margin_y)
    picture = _background((width, height), photographs=backgrounds, rng=rng)
    cv2.warpPerspective(
        mounted,
        homography(inner, quad),
        (width, height),
        dst=picture,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    return picture, quad


def _background(size_px: tuple[int, int], *, photographs: Sequence[BgrImage], rng: np.random.Generator) -> BgrImage:
    """A piece of a photograph, or a smooth play of colours, as a fresh picture of (width, height) pixels."""
    if photographs and rng.random() < 0.7:
        photograph = photographs[int(rng.integers(len(photographs)))]
        width, height = size_px
        left = int(rng.integers(max(1, photograph.shape[1] - width + 1)))
        top = int(rng.integers(max(1, photograph.shape[0] - height + 1)))
        piece = photograph[top : top + height, left : left + width]
        fits = piece.shape[:2] == (height, width)
        return piece.copy() if fits else cast(BgrImage, cv2.resize(piece, size_px, interpolation=cv2.INTER_LINEAR))
    paint = rng.uniform(10, 240, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(5, 245))
    grid = paint + rng.normal(0, rng.uniform(2, 45), (4, 5, 1)) + rng.normal(0, 6, (4, 5, 3))
    small = np.clip(grid, 0, 255).astype(np.uint8)
    mode = cv2.INTER_NEAREST if rng.random() < 0.15 else cv2.INTER_LINEAR
    return cast(BgrImage, cv2.resize(small, size_px, interpolation=mode))


def _surroundings(frame: BgrImage, *, corners: Corners) -> tuple[BgrImage, Corners]:
    """The part of a photograph around a plate, and the corners within it."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = (high - low) * np.array((0.2, 0.45), np.float32) + np.float32(2)
    rows, columns = frame.shape[:2]
    left, top = np.clip(np.floor(low - margin), 0, (columns - 1, rows - 1)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high + margin), (left + 1, top + 1), (columns, rows)).astype(int).tolist()
    return frame[top:bottom, left:right], (corners - np.array((left, top), np.float32)).astype(np.float32)


# ---------------------------------------------------------------- as the rectifier would


def _rectified(
    picture: BgrImage, *, quad: Corners, lines: Lines, profile: CropProfile, rng: np.random.Generator
) -> BgrImage:
    """Cut the plate out by wrong corners, or by a box that is too loose or too tight."""
    size_px = profile.size_px(lines)
    slope = math.atan2(float(quad[1, 1] - quad[0, 1]), float(quad[1, 0] - quad[0, 0]))
    if rng.random() < profile.box_share and abs(slope) < math.radians(12):
        found, pad_px = _boxed(quad, rng=rng), 0.0
    else:
        found = noisy_corners(quad, error=profile.corner_error, rng=rng)
        pad_px = size_px[1] * profile.margin / (lines + 2 * profile.margin)
    matrix = homography(found, (corners_of(size_px) + pad_px * _INWARD).astype(np.float32))
    warped = cv2.warpPerspective(picture, matrix, size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast(BgrImage, warped)


def _boxed(quad: Corners, *, rng: np.random.Generator) -> Corners:
    """Corners of an upright box around the plate, 4 % too tight to 15 % too loose."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    size = (high - low) * np.array((1.0, 1.6), np.float32)
    left, top = low - rng.uniform(-0.04, 0.15, 2) * size
    right, bottom = high + rng.uniform(-0.04, 0.15, 2) * size
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
