"""Things that look like plates and are none, set into pictures the way rendered plates are.

A detector that learns only from rendered plates takes every flat thing that was set in for a plate; these teach it to
look at what is on it. The same warp, tones, blur and grain are used for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad, shared_area
from platereader.lab.synthesis import signs, structures
from platereader.lab.synthesis.fields import log_uniform, pick, with_curves
from platereader.lab.synthesis.paste import draw_cutout
from platereader.lab.synthesis.pose import Corners, PoseRange, random_quad
from platereader.lab.synthesis.scene import Cutout, Scene


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of thing: ``draw(size, rng=rng)``, how often, and between which widths over heights."""

    draw: Callable[..., Cutout]
    weight: float
    aspects: tuple[float, float]


_KINDS = (
    _Kind(signs.shop_sign, 3.0, (1.0, 9.0)),
    _Kind(signs.lettering, 2.5, (2.0, 12.0)),
    _Kind(signs.dealer_plate, 1.6, (1.3, 5.5)),
    _Kind(signs.direction_board, 1.0, (0.8, 4.5)),
    _Kind(signs.poster, 1.2, (0.6, 4.0)),
    _Kind(signs.sticker, 0.8, (1.0, 5.0)),
    _Kind(signs.badge, 1.0, (2.0, 8.0)),
    _Kind(signs.round_sign, 0.5, (1.0, 1.0)),
    _Kind(signs.door_number, 0.5, (0.8, 2.5)),
    _Kind(structures.windows, 2.0, (0.8, 7.0)),
    _Kind(structures.grille, 2.0, (1.0, 7.0)),
    _Kind(structures.lamp, 1.5, (0.6, 5.0)),
    _Kind(structures.stripes, 0.7, (1.0, 8.0)),
    _Kind(structures.bricks, 0.6, (1.0, 5.0)),
    _Kind(structures.barcode, 0.5, (1.0, 4.0)),
)
_SHARES = [kind.weight / sum(kind.weight for kind in _KINDS) for kind in _KINDS]


def paste_distractors(
    scene: Scene, *, count: int, rng: np.random.Generator, kept_clear: Sequence[Box] = ()
) -> tuple[Scene, tuple[Box, ...]]:
    """Set things that are no plates into a picture, in the tones of what surrounds them, beside its plates.

    There are fewer than ``count`` where there is no free place; the areas ``kept_clear`` (pixels) stay as they are.
    Returned are the scene with the same plates, and the upright boxes of what was set in, pixels.
    """
    pixels: BgrImage = np.array(scene.pixels)
    plates = [plate.quad.box for plate in scene.plates]
    # The box as labelled and the one around the corners may differ a little; neither may be covered.
    occupied = [*plates, *(plate.box for plate in scene.plates), *kept_clear]
    places: list[Box] = []
    for _ in range(count):
        if rng.random() < 0.07:
            place = _caption(pixels, occupied=occupied, rng=rng)
        else:
            place = _distractor(pixels, plates=plates, occupied=occupied, rng=rng)
        if place is not None:
            places.append(place)
            occupied.append(place)
    return Scene(pixels, scene.plates), tuple(places)


def coloured(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """A grey photograph in colours, some of which change over the picture; any other one as it is. Never written to."""
    sample = pixels[::16, ::16].astype(np.int16)
    if float(np.abs(sample[..., 0] - sample[..., 2]).mean()) > 3.0:
        return pixels
    first = with_curves(pixels, _tint(rng))
    if rng.random() < 0.6:
        return first
    shape = (pixels.shape[1], pixels.shape[0])
    coarse = rng.random((int(rng.integers(2, 6)), int(rng.integers(2, 6)))).astype(np.float32)
    smooth = cast("NDArray[np.float32]", cv2.resize(coarse, shape, interpolation=cv2.INTER_LINEAR))
    share = np.clip(smooth * np.float32(3) - np.float32(1), 0, 1)
    second = with_curves(pixels, _tint(rng))
    return cast(BgrImage, cv2.blendLinear(first, second, share, np.float32(1) - share))


def _tint(rng: np.random.Generator) -> NDArray[np.float64]:
    """Curves (256, 3) from grey to colour: shadows, middle tones and lights each lean another way."""
    knots = np.array((0.0, 90.0, 180.0, 255.0))
    strength = rng.uniform(5, 40)
    curves = [np.interp(np.arange(256), knots, knots + rng.normal(0, strength, 4)) for _ in range(3)]
    return np.stack(curves, -1)


# ---------------------------------------------------------------- one of them


def _distractor(
    pixels: BgrImage, *, plates: Sequence[Box], occupied: Sequence[Box], rng: np.random.Generator
) -> Box | None:
    """Draw one thing in a free place; None if there is none."""
    kind = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
    aspect = log_uniform(*kind.aspects, rng=rng)
    rows, columns = pixels.shape[:2]
    beside = pick(plates, rng=rng) if plates and rng.random() < 0.7 else None
    largest = min(0.6 * columns, 0.6 * rows * aspect)
    width = log_uniform(min(14.0, largest), largest, rng=rng)
    if beside is not None:
        width = min(largest, beside.width * log_uniform(0.3, 2.5, rng=rng))
    for _ in range(4):
        quad = random_quad(aspect, width_px=width, pose=PoseRange(), rng=rng)
        corners = _placed(quad, pixels, beside=beside, rng=rng)
        box = Quad.from_points(corners).box
        if _is_free(box, pixels, occupied, margin_px=0.2 * width / aspect + 4.0):
            # As large as it is seen, a little more where that is small.
            drawn_width = width * min(1.15, 280 / width)
            cutout = kind.draw((max(6, round(drawn_width / aspect)), max(6, round(drawn_width))), rng=rng)
            in_holder = aspect > 1.2 and rng.random() < 0.4
            draw_cutout(pixels, cutout=cutout, corners=corners, rng=rng, in_holder=in_holder)
            return box
    return None


def _caption(pixels: BgrImage, *, occupied: Sequence[Box], rng: np.random.Generator) -> Box | None:
    """Write a camera's line straight onto the picture."""
    rows, columns = pixels.shape[:2]
    text, font = signs.caption(rng), int(rng.choice((0, 1, 2, 3, 4)))
    (wide, tall), under = cv2.getTextSize(text, font, 1.0, 1)
    scale = columns * rng.uniform(0.12, 0.7) / wide
    width, height = wide * scale, (tall + under) * scale
    x = float(rng.choice((0.02, 0.98, rng.random()))) * (columns - width)
    y = float(rng.choice((0.02, 0.98, rng.random()))) * (rows - height)
    box = Box(x, y, x + width, y + height)
    if not _is_free(box, pixels, occupied, margin_px=4.0):
        return None
    thick, origin = max(1, round(scale * rng.uniform(1, 3))), (round(x), round(y + tall * scale))
    if rng.random() < 0.3:
        cv2.rectangle(pixels, (int(x), int(y)), (int(x + width), int(y + height)), signs.random_paint(rng), -1)
    if rng.random() < 0.4:
        cv2.putText(pixels, text, origin, font, scale, (10, 10, 10), thick + 2, cv2.LINE_AA)
    ink = (250, 250, 250) if rng.random() < 0.6 else signs.random_paint(rng)
    cv2.putText(pixels, text, origin, font, scale, ink, thick, cv2.LINE_AA)
    return box


def _placed(quad: Corners, pixels: BgrImage, *, beside: Box | None, rng: np.random.Generator) -> Corners:
    """The corners anywhere on the picture, or within a few widths of a plate."""
    rows, columns = pixels.shape[:2]
    low, high = quad.min(axis=0), quad.max(axis=0)
    if beside is None:
        slack = np.maximum(np.array((columns, rows)) - (high - low), 0)
        start = slack * rng.random(2)
    else:
        start = np.array(beside.center) - (high - low) / 2 + rng.normal(0, (1.2, 0.8)) * beside.width
    return cast(Corners, (quad - low + start).astype(np.float32))


def _is_free(box: Box, pixels: BgrImage, occupied: Sequence[Box], *, margin_px: float) -> bool:
    """Whether a box lies inside of the picture, and away from what is there."""
    inside = box.x1 >= 0 and box.y1 >= 0 and box.x2 <= pixels.shape[1] and box.y2 <= pixels.shape[0]
    return inside and not any(shared_area(box.padded(margin_px, margin_px), other) > 0 for other in occupied)
