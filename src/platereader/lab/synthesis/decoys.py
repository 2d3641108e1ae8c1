"""Samples for the reader that are no Russian plate: plates of other countries, and what only looks like a plate."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.camera import apply_steps
from platereader.lab.synthesis.capture import CropProfile, camera_width_px, cut_plate, place_on_background, rectified
from platereader.lab.synthesis.crops import PlateSample
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.foreign.plates import render_foreign
from platereader.lab.synthesis.label import tokens_of
from platereader.lab.synthesis.pose import Corners, random_quad
from platereader.plates._alphabet import ILLEGIBLE, Alphabet
from platereader.results import Lines

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.&"


def foreign_sample(
    rng: np.random.Generator,
    *,
    alphabet: Alphabet,
    profile: CropProfile,
    backgrounds: Sequence[BgrImage] = (),
    pattern: str | None = None,
) -> PlateSample:
    """A made-up foreign plate before a camera; characters that the alphabet lacks are ``?`` in its text.

    Its text is of the ``pattern`` that ``render_foreign`` knows, or of a random one.
    """
    plate = render_foreign(rng, height_px=64, pattern=pattern)
    aspect = plate.pixels.shape[1] / plate.pixels.shape[0]
    width_px = camera_width_px(rng, profile=profile) * min(1.0, aspect / 4)
    front = cv2.resize(plate.pixels, (math.ceil(1.3 * width_px), math.ceil(1.3 * width_px / aspect)))
    quad = random_quad(aspect, width_px=width_px, pose=profile.pose, rng=rng)
    picture, quad = place_on_background(np.asarray(front, np.uint8), quad=quad, backgrounds=backgrounds, rng=rng)
    picture = apply_steps(picture, steps=profile.camera.view, rng=rng)
    pixels, _ = cut_plate(picture, quad=quad, boxes=(), lines=plate.lines, profile=profile, rng=rng)
    tokens = tokens_of(plate.text, legible=[char in alphabet.characters for char in plate.text], ends=(True, True))
    return PlateSample(pixels, plate.lines, tokens)


def scenery_sample(
    rng: np.random.Generator, *, profile: CropProfile, scenes: Sequence[BgrImage], plates: Sequence[RealPlate] = ()
) -> PlateSample:
    """Something in a photograph that is no plate: a piece of an empty scene, or of a car beside its plate.

    ``scenes`` are photographs without plates, at least one. The surroundings of ``plates`` are taken in half of the
    cases, where there is room.
    """
    lines: Lines = 1 if rng.random() < 0.8 else 2
    aspect = float(rng.uniform(3.0, 6.0) if lines == 1 else rng.uniform(1.2, 2.2))
    scene = pick(scenes, rng=rng)
    quad = _random_place(scene, aspect=aspect, profile=profile, rng=rng)
    if plates and rng.random() < 0.5:
        plate = pick(plates, rng=rng)
        kept_clear = np.asarray(plate.corners, np.float32)
        places = (_random_place(plate.pixels, aspect=aspect, profile=profile, rng=rng) for _ in range(8))
        beside = next((place for place in places if not _overlap(place, kept_clear)), None)
        if beside is not None:
            scene, quad = plate.pixels, beside
    scene = apply_steps(scene, steps=profile.photograph, rng=rng) if rng.random() < 0.3 else scene
    return PlateSample(rectified(scene, quad=quad, lines=lines, profile=profile, rng=rng), lines)


def lettered_sample(
    rng: np.random.Generator, *, profile: CropProfile, backgrounds: Sequence[BgrImage] = ()
) -> PlateSample:
    """Lettering that is on no plate, a shop sign or a telephone number: only ``?``."""
    count = int(rng.integers(2, 12))
    text = "".join(_LETTERS[index] for index in rng.integers(len(_LETTERS), size=count))
    font, thickness = pick(_FONTS, rng=rng), int(rng.integers(1, 6))
    (wide, tall), _ = cv2.getTextSize(text, font, 1.5, thickness)
    ground, ink = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    sign = np.full((tall + 16, wide + 16, 3), ground, np.uint8)
    cv2.putText(sign, text, (8, tall + 8), font, 1.5, ink.tolist(), thickness, cv2.LINE_AA)
    aspect, width_px = sign.shape[1] / sign.shape[0], camera_width_px(rng, profile=profile)
    quad = random_quad(aspect, width_px=width_px, pose=profile.pose, rng=rng)
    picture, quad = place_on_background(sign, quad=quad, backgrounds=backgrounds, rng=rng)
    picture = apply_steps(picture, steps=profile.camera.view, rng=rng)
    pixels = rectified(picture, quad=quad, lines=1, profile=profile, rng=rng)
    return PlateSample(pixels, 1, (ILLEGIBLE,))


def _random_place(scene: BgrImage, *, aspect: float, profile: CropProfile, rng: np.random.Generator) -> Corners:
    """A turned rectangle somewhere in a picture, 15 to 70 % as wide."""
    width_px = rng.uniform(0.15, 0.7) * scene.shape[1]
    quad = random_quad(aspect, width_px=width_px, pose=profile.pose, rng=rng)
    return quad + (rng.random(2) * (scene.shape[1], scene.shape[0])).astype(np.float32)


def _overlap(first: Corners, second: Corners) -> bool:
    """Whether the upright boxes around two quads meet, or nearly: what is cut out is a little off its quad."""
    room = np.float32(0.25) * (first.max(axis=0) - first.min(axis=0))
    low = np.maximum(first.min(axis=0) - room, second.min(axis=0))
    high = np.minimum(first.max(axis=0) + room, second.max(axis=0))
    return bool((low < high).all())
