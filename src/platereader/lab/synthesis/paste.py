"""Rendered plates in pictures, with exact corners: anywhere, at a given place, or instead of a real plate."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Quad, shared_area
from platereader.lab.synthesis import degrade, pose
from platereader.lab.synthesis.camera import Step, apply_steps
from platereader.lab.synthesis.crops import random_layout, random_text
from platereader.lab.synthesis.fields import log_uniform, with_curves
from platereader.lab.synthesis.foreign.plates import render_foreign
from platereader.lab.synthesis.holders import add_holder
from platereader.lab.synthesis.legibility import window_corners
from platereader.lab.synthesis.pose import Corners, PoseRange
from platereader.lab.synthesis.render import Front, render_plate
from platereader.lab.synthesis.scene import Cutout, Scene, ScenePlate

# Of plates that are taken away, those in whose place an empty field is left, as in a holder without a plate.
_BLANK_SHARE = 0.35
_SOILING = (
    Step(degrade.dirt, 0.15, strongest=0.7),
    Step(degrade.snow, 0.04, strongest=0.6),
    Step(degrade.spots, 0.05),
    Step(degrade.lighting_gradient, 0.4, strongest=0.8),
    Step(degrade.shadow_edge, 0.12, strongest=0.8),
    Step(degrade.glare, 0.06, strongest=0.8),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Tone:
    """How a plate must look to belong to its surroundings."""

    black: NDArray[np.float32]  # (3,) BGR of its ink
    white: NDArray[np.float32]  # (3,) BGR of its field
    blur_px: float  # sigma
    noise: float  # sigma, grey levels


def random_front(rng: np.random.Generator, *, height_px: int, foreign_share: float = 0.4) -> Front:
    """A clean plate of any type with any text, of another country at that share; two lines get twice the height."""
    if rng.random() < foreign_share:
        return render_foreign(rng, height_px=height_px)
    layout = random_layout(rng)
    text = random_text(layout, rng=rng)
    return render_plate(text, layout, height_px=height_px * layout.line_count, rng=rng)


def paste_plate(scene: Scene, *, front: Front, rng: np.random.Generator) -> Scene:
    """Set a plate somewhere, 20 px wide or more, in the tones of what surrounds it, if it has a free place."""
    rows, columns = scene.pixels.shape[:2]
    aspect = front.pixels.shape[1] / front.pixels.shape[0]
    largest = min(0.55 * columns, 0.7 * rows * aspect)
    width_px = log_uniform(min(20.0, largest), largest, rng=rng)
    width_px = width_px * 1.75 if rng.random() < 0.06 else width_px
    width_px *= 1.0 if aspect > 2.5 else 0.7
    for _ in range(6):
        quad = pose.random_quad(aspect, width_px=width_px, pose=PoseRange(), rng=rng)
        low, high = quad.min(axis=0), quad.max(axis=0)
        room = np.array((columns, rows), np.float32) - (high - low)
        quad = quad - low + np.maximum(room, 0) * rng.random(2).astype(np.float32)
        place = Quad.from_points(quad).box.padded(4.0, 4.0)
        if (room > 0).all() and not any(shared_area(place, plate.quad.box) > 0 for plate in scene.plates):
            return set_plate(scene, front=front, corners=quad, rng=rng)
    return scene


def set_plate(
    scene: Scene,
    *,
    front: Front,
    corners: Corners,
    rng: np.random.Generator,
    white_bgr: NDArray[np.float32] | None = None,
    wear: float = 1.0,
) -> Scene:
    """Set a plate at a given place, in the tones of what surrounds it.

    ``corners`` are float32 (4, 2), pixels, from the top left clockwise. ``white_bgr``, float32 (3,), is what a white
    plate shows in this light, 0 to 255; None estimates it. ``wear`` multiplies the probability of dirt, snow, shadows
    and glare.
    """
    tone = _tone_around(scene.pixels, quad=corners, rng=rng)
    if white_bgr is not None:
        tone = replace(tone, white=white_bgr, black=white_bgr * np.float32(0.1))
    pixels, plate = _with_plate(scene.pixels, front=front, quad=corners, tone=tone, rng=rng, wear=wear)
    return Scene(pixels, (*scene.plates, plate))


def replace_plate(scene: Scene, *, index: int, front: Front, rng: np.random.Generator) -> Scene:
    """Put a rendered plate with exact corners where a real one is, in its plane and in its tones.

    A plate of about the same aspect covers the real one; another kind of plate is set in its middle after the real one
    has been painted over.
    """
    old = scene.plates[index]
    old_quad = old.quad.to_array()
    tone = _tone_of(scene.pixels, quad=old_quad, rng=rng)
    old_aspect = max(1.0, old.quad.width / max(1.0, old.quad.height))
    aspect = front.pixels.shape[1] / front.pixels.shape[0]
    pixels = scene.pixels
    if abs(math.log(aspect / old_aspect)) < 0.35:
        # Labels are a few per cent off: the new plate is larger, so that no rim of the old one looks out.
        share_x, share_y = 1.0 + rng.uniform(0.02, 0.08), 1.0 + rng.uniform(0.08, 0.22)
    else:
        pixels = _painted_over(pixels, quad=old_quad)
        share_x = min(1.0, aspect / old_aspect * rng.uniform(1.2, 1.9))
        share_y = share_x * old_aspect / aspect
    quad = _in_plane(old_quad, share_x=share_x, share_y=share_y)
    pixels, new = _with_plate(pixels, front=front, quad=quad, tone=tone, rng=rng)
    return Scene(pixels, (*scene.plates[:index], new, *scene.plates[index + 1 :]))


def erase_plates(scene: Scene, *, rng: np.random.Generator) -> Scene:
    """Take every plate away: what is above it runs into what is below, or an empty field is left."""
    pixels = scene.pixels
    for plate in scene.plates:
        quad = plate.quad.to_array()
        tone = _tone_of(pixels, quad=quad, rng=rng)
        pixels = _painted_over(pixels, quad=quad)
        if rng.random() < _BLANK_SHARE:
            blank = np.full((40, 184, 3), 245 if rng.random() < 0.5 else rng.integers(0, 256, 3), np.uint8)
            if rng.random() < 0.4:
                cv2.rectangle(blank, (2, 2), (181, 37), rng.uniform(0, 255, 3).tolist(), 2)
            # No wear: under enough dirt or snow an empty field cannot be told from a plate.
            pixels = np.array(pixels)
            _draw(pixels, Cutout(_shrunk(blank, quad=quad)), corners=quad, tone=tone, rng=rng, in_holder=True)
    return Scene(pixels)


def draw_cutout(
    pixels: BgrImage, *, cutout: Cutout, corners: Corners, rng: np.random.Generator, in_holder: bool = False
) -> None:
    """Draw something that is no plate onto a picture, the way plates are set in.

    ``pixels`` are written to; the cut-out is drawn at about the size it gets. Only whole rectangles are put
    ``in_holder``.
    """
    tone = _tone_around(pixels, quad=corners, rng=rng)
    soiled = replace(cutout, pixels=apply_steps(cutout.pixels, steps=_SOILING, rng=rng))
    _draw(pixels, soiled, corners=corners, tone=tone, rng=rng, in_holder=in_holder and cutout.cover is None)


def _in_plane(quad: Corners, *, share_x: float, share_y: float) -> Corners:
    """A rectangle in the plane of another one and with its middle, its sides in parts of the other's."""
    return window_corners(quad, (0.5 - share_x / 2, 0.5 - share_y / 2, 0.5 + share_x / 2, 0.5 + share_y / 2))


# ---------------------------------------------------------------- in which tones


def _patch(pixels: BgrImage, *, quad: Corners, margin: float) -> tuple[BgrImage, NDArray[np.float32]]:
    """The upright piece around a quad, with a margin in parts of its size, and its top left corner, float32 (2,)."""
    rows, columns = pixels.shape[:2]
    low, high = quad.min(axis=0), quad.max(axis=0)
    reach = (high - low) * np.float32(margin)
    left, top = np.clip(low - reach, 0, (columns - 2, rows - 2)).astype(int).tolist()
    right, bottom = np.clip(high + reach, (left + 2, top + 2), (columns, rows)).astype(int).tolist()
    return pixels[top:bottom, left:right], np.array((left, top), np.float32)


def _subsampled(patch: BgrImage) -> BgrImage:
    """About a thousand pixels (N, 3) of a piece, which tell its tones as well as all."""
    step_y, step_x = max(1, patch.shape[0] // 24), max(1, patch.shape[1] // 48)
    return patch[::step_y, ::step_x].reshape(-1, 3)


def _noise_of(patch: BgrImage) -> float:
    """Grain of a piece of photograph in grey levels: the median step between neighbours, little touched by edges."""
    # Some thirty rows tell it as well as all.
    green = patch[:: max(1, patch.shape[0] // 32), :, 1].astype(np.float32)
    steps = np.abs(green[:, 1:] - green[:, :-1]) if green.shape[1] > 1 else green
    return min(12.0, float(np.median(steps)) * 0.8)


def _tone_around(pixels: BgrImage, *, quad: Corners, rng: np.random.Generator) -> _Tone:
    """Tones estimated from the surroundings, which have no plate."""
    patch, _ = _patch(pixels, quad=quad, margin=0.6)
    dark, bright = np.percentile(_subsampled(patch), (4, 94), axis=0).astype(np.float32)
    tint = bright / max(1.0, float(bright.mean()))
    level = max(60.0, float(bright.mean())) * rng.uniform(0.7, 1.05) + rng.uniform(0, 100)
    white = np.minimum(level, 255) * (1 + 0.45 * (tint - 1))
    black = np.minimum(dark * np.float32(rng.uniform(0.4, 1.0)), rng.uniform(0.1, 0.45) * white)
    width = float(quad[:, 0].max() - quad[:, 0].min())
    blur = rng.uniform(0.2, 0.7) + abs(rng.normal(0, 0.004)) * width
    return _Tone(black.astype(np.float32), white.astype(np.float32), float(blur), _noise_of(patch))


def _tone_of(pixels: BgrImage, *, quad: Corners, rng: np.random.Generator) -> _Tone:
    """Tones measured on the real plate that stands there."""
    inner, _ = _patch(pixels, quad=quad, margin=-0.06)
    black, white = np.percentile(_subsampled(inner), (6, 88), axis=0).astype(np.float32)
    spread = max(8.0, float((white - black).mean()))
    green = inner[..., 1].astype(np.float32)
    steps = np.abs(np.diff(green, axis=1)) if green.shape[1] > 2 else np.full((1, 1), spread, np.float32)
    edge_px = spread / max(2.0, float(np.percentile(steps, 98)))
    blur = math.sqrt(max(0.04, (edge_px / 2.5) ** 2 - 0.25)) * rng.uniform(0.7, 1.2)
    # A small or unsharp plate never shows its true black; the warp and the blur below take it away again.
    black = np.minimum(black, white * np.float32(rng.uniform(0.15, 0.5)))
    width = float(quad[:, 0].max() - quad[:, 0].min())
    return _Tone(black, np.maximum(white, black + 12), min(blur, 0.02 * width + 0.4), _noise_of(inner))


# ---------------------------------------------------------------- into the picture


def _with_plate(
    pixels: BgrImage, *, front: Front, quad: Corners, tone: _Tone, rng: np.random.Generator, wear: float = 1.0
) -> tuple[BgrImage, ScenePlate]:
    """A copy of the picture with a plate in its holder, and the plate."""
    soiled = apply_steps(_shrunk(front.pixels, quad=quad), steps=_SOILING, rng=rng, severity=wear)
    result: BgrImage = np.array(pixels)
    _draw(result, Cutout(soiled), corners=quad, tone=tone, rng=rng, in_holder=True)
    corners, (rows, columns) = Quad.from_points(quad), pixels.shape[:2]
    return result, ScenePlate(corners.box.clipped(columns, rows) or corners.box, corners, front.lines)


def _draw(
    pixels: BgrImage, cutout: Cutout, *, corners: Corners, tone: _Tone, rng: np.random.Generator, in_holder: bool
) -> None:
    """Draw something onto the picture, in the given tones and as unsharp and grainy as it."""
    # 0 becomes the black and 245 the white of the surroundings.
    ramp = np.arange(256, dtype=np.float32)[:, None] / np.float32(245)
    drawn = with_curves(cutout.pixels, tone.black + ramp * (tone.white - tone.black))
    inner = pose.outline_of(drawn)
    if in_holder:
        drawn, inner = add_holder(drawn, rng=rng, light=float(tone.white.mean()) / 255)
    matrix = pose.homography(inner, corners)
    outline = pose.moved_by(matrix, points=pose.outline_of(drawn))
    rows, columns = pixels.shape[:2]
    reach = 2.0 + 2.0 * tone.blur_px
    left, top = np.clip(np.floor(outline.min(axis=0) - reach), 0, (columns - 1, rows - 1)).astype(int).tolist()
    last = np.clip(np.ceil(outline.max(axis=0) + reach), (left + 1, top + 1), (columns, rows))
    right, bottom = last.astype(int).tolist()
    size, matrix = (right - left, bottom - top), np.array([(1, 0, -left), (0, 1, -top), (0, 0, 1)], np.float64) @ matrix
    piece = pose.warped(drawn, matrix, size_px=size)
    cover = np.full(drawn.shape[:2], 255, np.uint8) if cutout.cover is None else cutout.cover
    mask = cv2.warpPerspective(cover, matrix, size, flags=cv2.INTER_LINEAR)
    if tone.blur_px > 0.35:
        piece = degrade.soften(piece, sigma_px=tone.blur_px)
        mask = cv2.GaussianBlur(mask, (0, 0), min(tone.blur_px, 2.0))
    if tone.noise > 1.5:
        piece = degrade.sensor_noise(piece, rng=rng, strength=min(1.0, (tone.noise - 1.0) / 26.0))
    alpha = mask.astype(np.float32) * np.float32(1 / 255)
    target = pixels[top:bottom, left:right]
    target[:] = cv2.blendLinear(piece, target, alpha, np.float32(1) - alpha)


def _shrunk(front: BgrImage, *, quad: Corners) -> BgrImage:
    """The front at little more than the size it gets: a warp alone would skip pixels."""
    target_px = 1.3 * max(float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[2] - quad[3])))
    scale = max(target_px, 16.0) / front.shape[1]
    if scale > 0.8:
        return front
    return cast(BgrImage, cv2.resize(front, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _painted_over(pixels: BgrImage, *, quad: Corners) -> BgrImage:
    """A copy in which the plate is gone: each column runs evenly from what is above it to what is below."""
    plane = _in_plane(quad, share_x=1.08, share_y=1.45)
    side = (64, 32)
    flat = pose.warped(pixels, pose.homography(plane, pose.corners_of(side)), size_px=side)
    above, below = flat[:2].mean(axis=0), flat[-2:].mean(axis=0)
    share = np.linspace(0, 1, side[1], dtype=np.float32)[:, None, None]
    blend = above[None] * (1 - share) + below[None] * share
    smooth = cv2.blur(np.asarray(blend, np.uint8), (9, 3))
    result: BgrImage = np.array(pixels)
    piece, start = _patch(result, quad=plane, margin=0.05)
    pose.warp_onto(piece, np.asarray(smooth, np.uint8), matrix=pose.homography(pose.corners_of(side), plane - start))
    return result
