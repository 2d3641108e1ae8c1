"""What weather, light, lenses and sensors do to a picture: one short function per effect.

Every effect is ``effect(pixels, *, rng, strength)``: a uint8 BGR picture (H, W, 3) in, a new one of the same shape
out, the input never written to. ``strength`` runs from 0 (next to nothing) to 1 (severe). Lengths follow the height
of the picture, which is meant to show one plate and a little of its surroundings.
"""

from __future__ import annotations

import math
from typing import Protocol, cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis import fields
from platereader.lab.synthesis.fields import FloatImage

# OpenCV leaves its fast path for a slow Fourier transform above 11 x 11.
_LONGEST_STREAK_PX = 9.9


class Effect(Protocol):
    """One thing that happens to a picture between the plate and the file."""

    def __call__(self, pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
        """Return the changed picture; ``strength`` in [0, 1]."""
        ...


# ---------------------------------------------------------------- light


def lighting_gradient(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Light that falls off smoothly in a random direction."""
    span = 0.75 * strength
    return fields.with_gain(pixels, (1.0 + rng.uniform(-span, span, (2, 3))) * 128.0)


def shadow_edge(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """A shadow with a straight, more or less soft border across the picture."""
    height, width = pixels.shape[:2]
    angle = rng.uniform(0, 2 * math.pi)
    nx, ny = math.cos(angle), math.sin(angle)
    offset = nx * rng.random() * width + ny * rng.random() * height
    xs = np.arange(width, dtype=np.float32) * np.float32(nx)
    ys = np.arange(height, dtype=np.float32) * np.float32(ny)
    distance = xs[None, :] + (ys - np.float32(offset))[:, None]
    softness = rng.uniform(0.01, 0.15) * math.hypot(width, height)
    depth = 0.25 + 0.6 * strength * rng.uniform(0.6, 1.0)
    brighter = np.clip(distance, -softness, softness) * np.float32(64 * depth / softness)
    return fields.with_gain(pixels, brighter + np.float32(128 - 64 * depth))


def glare(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """A bright blob with a soft edge: the sun or a lamp mirrored in the metal."""
    height, width = pixels.shape[:2]
    half_axes = (rng.uniform(0.25, 1.1) * height / width, rng.uniform(0.15, 0.6))
    blob = fields.spot(half_axes, angle_rad=rng.uniform(-1.0, 1.0), rng=rng)
    tint = np.array([rng.uniform(0.8, 1.0), rng.uniform(0.9, 1.0), 1.0])
    return fields.with_light(pixels, blob[..., None] * tint * (255.0 * strength))


def headlights(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """A lamp beside the plate: a wide veil of light over half of the picture."""
    xs = (np.linspace(0, 1, 24) - rng.choice([-0.1, 1.1])) / 0.5
    ys = (np.linspace(0, 1, 12) - rng.uniform(-0.2, 1.2)) / 1.2
    veil = np.exp(-(xs**2))[None, :] * np.exp(-(ys**2))[:, None] * (320.0 * strength)
    return fields.with_light(pixels, veil[..., None] * np.array([rng.uniform(0.7, 1.0), 1.0, 1.0]))


# ---------------------------------------------------------------- the plate's surface


def faded_paint(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Worn lettering: contrast lost unevenly towards the colour of the field."""
    field = np.median(pixels[::6, ::6].reshape(-1, 3), axis=0).astype(np.float64)
    grid = rng.uniform(0.1, 0.85, (3, 8)) * strength
    height, width = pixels.shape[:2]
    worn = cast(FloatImage, cv2.resize(grid.astype(np.float32), (width, height)))
    return fields.with_paint(pixels, colour=field, alpha=worn)


def dirt(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Road dirt or mud: a film everywhere, opaque in fields.patches, often from below."""
    cover = fields.patches(pixels, rng=rng, cover=0.02 + 0.40 * strength, lean=rng.uniform(-0.2, 0.8))
    film = np.float32(0.25 * strength * rng.random())
    shade = rng.uniform(30, 130)
    colour = shade * np.array([rng.uniform(0.6, 0.95), rng.uniform(0.8, 1.0), 1.0])
    return fields.with_paint(pixels, colour=colour, alpha=np.maximum(cover * np.float32(rng.uniform(0.4, 0.95)), film))


def snow(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Snow or frost stuck to the plate: white fields.patches, heavier at the bottom or top edge."""
    cover = fields.patches(pixels, rng=rng, cover=0.02 + 0.35 * strength, lean=rng.uniform(-1.0, 1.0))
    return fields.with_paint(pixels, colour=rng.uniform(170, 250) * np.array([1.0, 0.98, 0.95]), alpha=cover)


def spots(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Stone chips, insects, drops: a few small dots and scratches."""
    marked: BgrImage = np.array(pixels)
    height, width = pixels.shape[:2]
    for _ in range(1 + int(rng.random() * 12 * strength)):
        x, y = int(rng.random() * width), int(rng.random() * height)
        colour = float(rng.uniform(20, 230))
        if rng.random() < 0.75:
            radius = max(1, round(height * rng.uniform(0.01, 0.02 + 0.04 * strength)))
            cv2.circle(marked, (x, y), radius, (colour * 0.9, colour, colour), -1, cv2.LINE_AA)
        else:
            end = (x + int(rng.normal(0, 0.4) * height), y + int(rng.normal(0, 0.2) * height))
            cv2.line(marked, (x, y), end, (colour, colour, colour), 1, cv2.LINE_AA)
    return marked


def occlusion(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Something in front: a tow bar, a cable or a bumper edge. At full strength it may hide a character."""
    hidden: BgrImage = np.array(pixels)
    height, width = pixels.shape[:2]
    shade = float(rng.uniform(5, 110))
    colour = (shade * float(rng.uniform(0.8, 1.0)), shade, shade * float(rng.uniform(0.9, 1.1)))
    kind = rng.random()
    if kind < 0.4:  # a bar from the top or bottom edge
        x, half = rng.random() * width, height * (0.02 + 0.10 * strength)
        lean = rng.normal(0, 0.15) * height
        points = [(x - half, -2), (x + half, -2), (x + half + lean, height + 2), (x - half + lean, height + 2)]
    elif kind < 0.7:  # a ball or hook that rises over the lower edge
        radius = max(1, round(height * (0.05 + 0.25 * strength)))
        centre = (int(rng.random() * width), height + int(radius * rng.uniform(-0.4, 0.5)))
        cv2.circle(hidden, centre, radius, colour, -1, cv2.LINE_AA)
        return hidden
    else:  # an edge that cuts the top or bottom
        depth, tilt = height * (0.02 + 0.22 * strength) * rng.random(), rng.normal(0, 0.06) * height
        points = [(-2, -2), (width + 2, -2), (width + 2, depth + tilt), (-2, depth - tilt)]
        if rng.random() < 0.5:
            points = [(x, height - y) for x, y in points]
    cv2.fillConvexPoly(hidden, np.array(points, np.int32), colour, cv2.LINE_AA)
    return hidden


# ---------------------------------------------------------------- lens


def defocus(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """An unsharp lens: a Gaussian, now and then a flat disc."""
    radius_px = 0.3 + strength * 0.042 * pixels.shape[0]
    if rng.random() < 0.7 or radius_px < 1.2:
        return soften(pixels, sigma_px=radius_px * 0.8)
    side = 2 * math.ceil(radius_px) + 1
    offsets = np.arange(side, dtype=np.float32) - np.float32(side // 2)
    reach = np.sqrt(offsets[:, None] ** 2 + offsets[None, :] ** 2)
    disc = np.clip(np.float32(radius_px + 0.5) - reach, 0, 1)
    return cast(BgrImage, cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE))


def motion_blur(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Movement during the exposure, mostly along the plate."""
    length_px = 1.0 + strength * 0.25 * pixels.shape[0]
    angle = rng.normal(0, 0.35) if rng.random() < 0.7 else rng.uniform(0, math.pi)
    if abs(math.sin(angle)) > 0.5:
        length_px = 1.0 + 0.6 * (length_px - 1.0)
    passes = 1 if length_px <= _LONGEST_STREAK_PX else 2
    kernel = streak_kernel(min(length_px / passes, _LONGEST_STREAK_PX), angle_rad=float(angle))
    for _ in range(passes):
        pixels = cast(BgrImage, cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REPLICATE))
    return pixels


def soften(pixels: BgrImage, *, sigma_px: float) -> BgrImage:
    """Blur with a Gaussian of ``sigma_px``; wide ones are done at half size, where they cost a sixth."""
    if sigma_px < 2.0 or min(pixels.shape[:2]) < 8:
        return cast(BgrImage, cv2.GaussianBlur(pixels, (0, 0), sigma_px))
    height, width = pixels.shape[:2]
    small = cast(BgrImage, cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    half = soften(small, sigma_px=sigma_px / 2)
    return cast(BgrImage, cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR))


def streak_kernel(length_px: float, *, angle_rad: float) -> FloatImage:
    """Return the normalised kernel (side, side) of a straight movement of ``length_px`` pixels."""
    side = 2 * math.ceil(length_px / 2) + 1
    half, centre, shift = length_px / 2, side // 2, 4
    dx, dy = half * math.cos(angle_rad), half * math.sin(angle_rad)
    ends = [(round((centre + s * dx) * 2**shift), round((centre + s * dy) * 2**shift)) for s in (-1, 1)]
    streak = np.zeros((side, side), np.uint8)
    cv2.line(streak, ends[0], ends[1], (255,), 1, cv2.LINE_AA, shift)
    streak[centre, centre] = 255
    kernel = streak.astype(np.float32)
    return cast(FloatImage, kernel / kernel.sum())


def low_resolution(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Few pixels: the picture is made up to 6 times smaller and brought back."""
    height, width = pixels.shape[:2]
    factor = 1.0 + 5.0 * strength
    small = (max(2, round(width / factor)), max(2, round(height / factor)))
    down = cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR
    up = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return cast(BgrImage, cv2.resize(cv2.resize(pixels, small, interpolation=down), (width, height), interpolation=up))


# ---------------------------------------------------------------- sensor and file


def sensor_noise(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Grain of the sensor, coloured or grey, sharp or smeared by the camera's own filter."""
    sigma = 1.0 + 26.0 * strength
    grain = fields.grain_bank(smeared=rng.random() < 0.5, coloured=rng.random() < 0.6)
    height, width = pixels.shape[:2]
    tile = fields.window_of(grain, height=height, width=width, rng=rng)
    gain = sigma / fields.GRAIN_SPREAD
    return cast(BgrImage, cv2.addWeighted(pixels, 1.0, tile, gain, -128.0 * gain))


def night(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Too little light: dark, with crushed shadows and a warm or cold cast."""
    gain = 1.0 - strength * rng.uniform(0.55, 0.88)
    gamma = 1.0 + strength * rng.uniform(0.0, 0.9)
    cast_bgr = 1.0 + np.array([rng.uniform(-0.3, 0.1), 0.0, rng.uniform(-0.1, 0.2)]) * strength
    ramp = (np.arange(256) / 255.0) ** gamma * gain * 255.0
    return fields.with_curves(pixels, ramp[:, None] * cast_bgr[None, :])


def infrared(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """An infrared or black-and-white camera: no colour, hard contrast."""
    weights = rng.dirichlet([2.0, 3.0, 4.0]) * strength + np.array([0.114, 0.587, 0.299]) * (1 - strength)
    mix = np.tile(weights.astype(np.float32), (3, 1))
    grey = cv2.transform(pixels, mix)
    gain, lift = 1.0 + 0.5 * strength * rng.random(), -40.0 * strength * rng.random()
    return fields.with_curves(cast(BgrImage, grey), np.arange(256.0)[:, None] * gain + lift)


def white_balance(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """A colour cast, and a little more or less saturation."""
    gains = 1.0 + strength * rng.uniform(-0.35, 0.35, 3)
    saturation = 1.0 + strength * rng.uniform(-0.8, 0.5)
    luma = np.array([0.114, 0.587, 0.299])
    mix = np.diag(gains) @ (saturation * np.eye(3) + (1 - saturation) * luma[None, :])
    return cast(BgrImage, cv2.transform(pixels, mix.astype(np.float32)))


def contrast(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Exposure off: contrast, brightness and gamma shifted, highlights sometimes burnt out."""
    slope = math.exp(strength * rng.uniform(-1.1, 0.6))
    gamma = math.exp(strength * rng.uniform(-0.6, 0.6))
    ramp = ((np.arange(256) / 255.0) ** gamma - 0.5) * slope + 0.5 + strength * rng.uniform(-0.3, 0.2)
    return fields.with_curves(pixels, ramp[:, None] * 255.0)


def haze(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Fog, a dirty lens or a windscreen: everything drawn towards one light grey."""
    veil = rng.uniform(90, 230, 3) * 0.2 + rng.uniform(90, 230) * 0.8
    amount = strength * rng.uniform(0.4, 0.85)
    return fields.with_curves(pixels, np.arange(256)[:, None] * (1 - amount) + veil[None, :] * amount)


def overexposed(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Too much light: the ground burns out, its glow eats thin strokes, and half of the time one whole place."""
    gain = 1.0 + strength * rng.uniform(0.4, 2.4)
    bright = fields.with_curves(pixels, np.arange(256.0)[:, None] * gain)
    glow = soften(bright, sigma_px=0.3 + strength * float(rng.uniform(0.01, 0.04)) * pixels.shape[0])
    share = strength * float(rng.uniform(0.2, 0.75))
    lifted = cast(BgrImage, cv2.addWeighted(bright, 1.0, glow, share, -float(rng.uniform(0.2, 0.8)) * 255 * share))
    if rng.random() < 0.5:
        return lifted
    height, width = pixels.shape[:2]
    half_axes = (rng.uniform(0.15, 0.6) * height / width, rng.uniform(0.12, 0.5))
    lost = fields.spot(half_axes, angle_rad=rng.uniform(-1.0, 1.0), rng=rng)
    return fields.with_light(lifted, lost[..., None] * np.full(3, 255.0 * strength))


def bent(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """A bent plate: its rows rise and fall along it."""
    height, width = pixels.shape[:2]
    along = np.arange(width, dtype=np.float32) / width
    waves = float(rng.uniform(0.4, 1.6))
    rise = np.sin(2 * math.pi * (waves * along + float(rng.random()))) * (0.14 * strength * height)
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = rows + (rise - rise.mean()).astype(np.float32)[None, :]
    return cast(BgrImage, cv2.remap(pixels, columns, moved, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def interlaced(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """Two fields of a moving plate in one frame: every second row was seen a fiftieth of a second later."""
    combed: BgrImage = np.array(pixels)
    limit = max(1, round(0.3 * strength * pixels.shape[0]))
    shift = int(rng.integers(1, limit + 1)) * (1 if rng.random() < 0.5 else -1)
    move = np.array([[1, 0, shift], [0, 1, 0]], np.float32)
    size = (pixels.shape[1], pixels.shape[0])
    later = cv2.warpAffine(pixels, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    first = int(rng.integers(2))
    combed[first::2] = later[first::2]
    return combed


def sharpening(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """The camera's own sharpening, with its halos."""
    radius_px = float(rng.uniform(0.7, 0.8 + 0.02 * int(pixels.shape[0])))
    amount = 0.2 + 2.3 * strength
    soft = soften(pixels, sigma_px=radius_px)
    return cast(BgrImage, cv2.addWeighted(pixels, 1.0 + amount, soft, -amount, 0.0))


def jpeg(pixels: BgrImage, *, rng: np.random.Generator, strength: float) -> BgrImage:
    """JPEG at quality 95 down to 8, its block grid at a random place."""
    quality = round(95 - 87 * strength)
    left, top = int(rng.integers(8)), int(rng.integers(8))
    padded = cv2.copyMakeBorder(pixels, top, 0, left, 0, cv2.BORDER_REPLICATE)
    return fields.through_jpeg(cast(BgrImage, padded), quality=quality)[top:, left:]
