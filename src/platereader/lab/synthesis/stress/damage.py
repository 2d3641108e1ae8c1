"""What is done to the pictures of the stress suite: every effect is ``effect(view, amount, *, rng)``.

Unlike the effects that training draws at random (``platereader.lab.synthesis.degrade``), each of these does one thing
by an exact amount; ``rng`` decides what the amount leaves open, such as the direction. They are part of a frozen suite:
a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage, either_sign, motion_kernel, through_jpeg
from platereader.lab.synthesis.pose import Corners, homography, moved_by, turned_away, warped
from platereader.lab.synthesis.stress.material import View


def width(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A plate of ``amount`` pixels; one that is smaller already stays as it is."""
    del rng
    scale = amount / view.width_px
    if scale >= 1.0:
        return view
    pixels = cast(BgrImage, cv2.resize(view.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    factors = np.array((pixels.shape[1] / view.pixels.shape[1], pixels.shape[0] / view.pixels.shape[0]), np.float32)
    return view.changed(pixels, corners=view.corners * factors)


def yaw(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Turned about the upright axis by ``amount`` degrees, to either side."""
    return turned(view, angles_deg=(amount * either_sign(rng), 0.0, 0.0))


def pitch(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Seen from above or below by ``amount`` degrees."""
    return turned(view, angles_deg=(0.0, amount * either_sign(rng), 0.0))


def roll(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Turned in the picture by ``amount`` degrees, to either side."""
    return turned(view, angles_deg=(0.0, 0.0, amount * either_sign(rng)))


def turned(view: View, *, angles_deg: tuple[float, float, float]) -> View:
    """The plate's plane turned by yaw, pitch and roll away from how it is seen; what surrounds it turns with it."""
    target = _turned_corners(view, angles_deg=angles_deg)
    low, high = target.min(axis=0), target.max(axis=0)
    room = 0.3 * (high - low) + 4
    across, down = (math.ceil(side) for side in (high - low + 2 * room).tolist())
    matrix = homography(view.corners, (target - low + room).astype(np.float32))
    pixels = warped(view.pixels, matrix, size_px=(across, down))
    return view.changed(pixels, corners=moved_by(matrix, points=view.corners))


def motion_blur(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A straight movement of ``amount`` per cent of the plate's width, more or less along the text."""
    length, angle = amount / 100 * view.width_px, rng.normal(0.0, 0.35)
    half = math.ceil(length / 2) + 1
    steps = np.linspace(-length / 2, length / 2, max(2, math.ceil(8 * length)))
    kernel = motion_kernel(steps * math.cos(angle), steps * math.sin(angle), half=half)
    pixels = cv2.filter2D(view.pixels, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return view.changed(cast(BgrImage, pixels))


def defocus(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A Gaussian blur whose standard deviation is ``amount`` per cent of the plate's width."""
    del rng
    sigma_px = max(amount / 100 * view.width_px, 0.05)
    pixels = cv2.GaussianBlur(view.pixels, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
    return view.changed(cast(BgrImage, pixels))


def jpeg(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Through a JPEG file of quality ``amount``, 1 to 100."""
    del rng
    return view.changed(through_jpeg(view.pixels, quality=round(amount)))


def noise(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Gaussian noise with a standard deviation of ``amount`` grey levels."""
    noisy = view.pixels + np.float32(amount) * rng.standard_normal(view.pixels.shape, np.float32)
    return view.changed(np.clip(noisy.round(), 0, 255).astype(np.uint8))


def darkness(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A share ``amount`` of the light is left."""
    del rng
    return view.changed(cast(BgrImage, cv2.convertScaleAbs(view.pixels, alpha=amount)))


def night(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A share ``amount`` of the light is left, the sensor adds noise of 6 grey levels, and the file is JPEG 40."""
    dark = noise(darkness(view, amount, rng=rng), 6.0, rng=rng)
    return jpeg(dark, 40, rng=rng)


def glare(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """A bright spot of a third of the plate's width on the plate; at an ``amount`` of 1 its middle is white."""
    x, y = view.point(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))
    height, width_px = view.pixels.shape[:2]
    radius = view.width_px / 6
    down = np.exp(-(((np.arange(height, dtype=np.float64) - y) / radius) ** 2))
    across = np.exp(-(((np.arange(width_px, dtype=np.float64) - x) / radius) ** 2))
    lit = view.pixels + 255 * amount * (down[:, None] * across)[..., None]
    return view.changed(np.clip(lit, 0, 255).astype(np.uint8))


def dirt(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Opaque dark patches over ``amount`` per cent of the picture."""
    return _soiled(view, cover=amount / 100, level=60.0, rng=rng)


def snow(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """Opaque white patches over ``amount`` per cent of the picture."""
    return _soiled(view, cover=amount / 100, level=230.0, rng=rng)


def occlusion(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """An upright bar over the plate, ``amount`` per cent of its width wide, anywhere on it."""
    share = amount / 100
    left = rng.uniform(-share / 2, 1 - share / 2)
    outline = ((left, -0.5), (left + share, -0.5), (left + share, 1.5), (left, 1.5))
    points = np.array([view.point(across, down) for across, down in outline])
    hidden: BgrImage = view.pixels.copy()
    shade = rng.uniform(10, 120)
    cv2.fillConvexPoly(hidden, np.round(points * 16).astype(np.int32), (shade, shade, shade), cv2.LINE_AA, 4)
    return view.changed(hidden)


def cut_off(view: View, amount: float, *, rng: np.random.Generator) -> View:
    """``amount`` per cent of the plate's width is gone at one side: there the picture ends, and so do the corners."""
    left = rng.random() < 0.5
    start, stop = (amount / 100, 1.0) if left else (0.0, 1.0 - amount / 100)
    places = ((start, 0.0), (stop, 0.0), (stop, 1.0), (start, 1.0))
    corners = np.array([view.point(across, down) for across, down in places], np.float32)
    edge = float((corners[[0, 3]] if left else corners[[1, 2]])[:, 0].mean())
    column = min(max(round(edge), 1), view.pixels.shape[1] - 1)
    if left:
        return view.changed(view.pixels[:, column:].copy(), corners=corners - np.array((column, 0), np.float32))
    return view.changed(view.pixels[:, :column].copy(), corners=corners)


EFFECTS: Mapping[str, Callable[..., View]] = {
    effect.__name__: effect
    for effect in (
        width, yaw, pitch, roll, motion_blur, defocus, jpeg, noise, darkness, night, glare, dirt, snow, occlusion,
        cut_off,
    )
}  # fmt: skip


def _turned_corners(view: View, *, angles_deg: tuple[float, float, float]) -> Corners:
    """Where a turn about the plate's middle takes its corners, by a camera six plate widths away."""
    about_y, about_x, about_z = (math.radians(angle) for angle in angles_deg)
    x, y = (view.corners - view.corners.mean(axis=0)).T.astype(np.float64)
    across, down, away = turned_away(x, y, yaw_rad=about_y, pitch_rad=about_x)
    distance = 6.0 * view.width_px
    scale = distance / (distance + away)
    cos, sin = math.cos(about_z) * scale, math.sin(about_z) * scale
    return np.stack((across * cos - down * sin, across * sin + down * cos), axis=1).astype(np.float32)


def _soiled(view: View, *, cover: float, level: float, rng: np.random.Generator) -> View:
    """Patches of one grey level, about an eighth of the plate's width across."""
    height, width_px = view.pixels.shape[:2]
    cells = max(3, round(8 * width_px / view.width_px))
    grid = rng.random((max(3, round(cells * height / width_px)), cells), np.float32)
    field = cast(FloatImage, cv2.resize(grid, (width_px, height), interpolation=cv2.INTER_CUBIC))
    threshold = np.float32(np.quantile(field, 1 - cover))
    alpha = np.clip((field - threshold) * np.float32(6) + np.float32(0.5), 0, 1)[..., None] * np.float32(0.9)
    painted = view.pixels * (1 - alpha) + np.float32(level) * alpha
    return view.changed(np.clip(painted, 0, 255).astype(np.uint8))
