"""What lies behind the text of a foreign plate: plain, fading, scenery, graphics; and how it wears."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import FloatImage
from platereader.lab.synthesis.fixtures import Paint


def plate_background(kind: str, *, size_px: tuple[int, int], colour: Paint, rng: np.random.Generator) -> BgrImage:
    """Paint an empty plate of a kind in ``_KINDS``: uint8 ``(H, W, 3)`` BGR, its ``colour`` float32 ``(3,)`` BGR."""
    width, height = size_px
    plain = np.full((height, width, 3), colour, np.float32)
    return np.asarray(np.clip(_KINDS[kind](plain, rng), 0, 255), np.uint8)


def weathered(pixels: BgrImage, *, rng: np.random.Generator) -> BgrImage:
    """Years on the road: uneven light, bleached colours, a tint."""
    height, width = pixels.shape[:2]
    light = rng.uniform(0.7, 1.0) * (1.0 + rng.uniform(0.01, 0.1) * rng.normal(0, 1, (3, 5)))
    gain = cv2.resize(light.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    toned = pixels * gain[..., None]
    if rng.random() < 0.25:
        toned += (toned.mean(axis=(0, 1)) - toned) * np.float32(rng.uniform(0.1, 0.5))
    toned += rng.normal(0.0, 2.5, 3).astype(np.float32)
    return np.asarray(np.clip(toned, 0, 255), np.uint8)


def vivid_colour(rng: np.random.Generator) -> Paint:
    """Any strong colour, float32 (3,) BGR."""
    hue = np.array([[[rng.integers(180), rng.integers(90, 230), rng.integers(90, 235)]]], np.uint8)
    return np.asarray(cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0], np.float32)


def _pale_colour(rng: np.random.Generator) -> Paint:
    """Any pale colour, as printed under text."""
    return np.asarray(vivid_colour(rng) * 0.5 + 118, np.float32)


def _plain(plain: FloatImage, _rng: np.random.Generator) -> FloatImage:
    return plain


def _sheen(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Reflective sheeting: faint slanted lines and a brighter side."""
    height, width = plain.shape[:2]
    across = np.linspace(0, 1, width, dtype=np.float32)[None]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    lines = np.sin((across * width * rng.uniform(0.3, 1.2) + down * height * rng.uniform(-1, 1)).astype(np.float32))
    return np.asarray(
        plain + (lines * rng.uniform(1, 7) + (across - 0.5) * rng.uniform(-40, 40))[..., None], np.float32
    )


def _fade(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """Another colour above, often another one below, the plate's own behind the text."""
    share = np.linspace(0, 1, plain.shape[0], dtype=np.float32)[:, None, None]
    reach = np.float32(rng.uniform(0.2, 0.7))
    above = np.clip(1 - share / reach, 0, 1) * np.float32(rng.uniform(0.4, 1.0))
    below = np.clip(1 - (1 - share) / reach, 0, 1) * np.float32(rng.uniform(0.3, 1.0) * (rng.random() < 0.6))
    top, bottom = (vivid_colour(rng) if rng.random() < 0.5 else _pale_colour(rng) for _ in range(2))
    return np.asarray(plain + (top - plain) * above + (bottom - plain) * below, np.float32)


def _fade_down(plain: FloatImage, _rng: np.random.Generator) -> FloatImage:
    """Nearly white above, the full colour below."""
    share = np.linspace(1, 0, plain.shape[0], dtype=np.float32)[:, None, None]
    full = plain * np.array((0.55, 0.95, 0.45), np.float32)
    return np.asarray(full + (np.float32(240) - full) * share, np.float32)


def _fade_across(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    return np.ascontiguousarray(_fade(plain.transpose(1, 0, 2), rng).transpose(1, 0, 2))


def _two_tone(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """A strip of another colour above, below, or on both sides."""
    height = plain.shape[0]
    strip, colour = max(1, round(height * rng.uniform(0.12, 0.28))), vivid_colour(rng)
    where = rng.random()
    if where < 0.7:
        plain[:strip] = colour
    if where > 0.4:
        plain[height - strip :] = colour if rng.random() < 0.6 else vivid_colour(rng)
    return plain


def _blobs(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """A blurred photograph."""
    height, width = plain.shape[:2]
    spots = rng.uniform(90, 255, (int(rng.integers(2, 6)), int(rng.integers(3, 9)), 3)).astype(np.float32)
    cloud = cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(plain + (cloud - plain) * np.float32(rng.uniform(0.15, 0.6)), np.float32)


def _scenery(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """A sky and one to three ranges of hills."""
    height, width = plain.shape[:2]
    picture = _fade(plain, rng) if rng.random() < 0.7 else plain
    steps = np.linspace(0, 1, 24)
    level = rng.uniform(0.3, 0.75)
    for _ in range(int(rng.integers(1, 4))):
        waves = sum(rng.uniform(0, 0.12) * np.sin(steps * rng.uniform(2, 18) + rng.uniform(0, 6)) for _ in range(3))
        rows = (level + np.asarray(waves)) * height
        edge = np.stack((steps * width, rows), axis=1)
        outline = np.concatenate((edge, [(width, height + 1), (0, height + 1)])).round().astype(np.int32)
        colour = vivid_colour(rng) if rng.random() < 0.35 else _pale_colour(rng)
        layer = picture.copy()
        cv2.fillPoly(layer, [outline], colour.tolist())
        cv2.addWeighted(layer, share := float(rng.uniform(0.3, 0.9)), picture, 1 - share, 0, dst=picture)
        level += rng.uniform(0.05, 0.2)
    return np.asarray(cv2.blur(picture, (3, 3)), np.float32)


def _graphic(plain: FloatImage, rng: np.random.Generator) -> FloatImage:
    """A large picture in the middle or at a side: fruit, flag, bird, whatever."""
    height, width = plain.shape[:2]
    picture = _fade(plain, rng) if rng.random() < 0.5 else plain
    layer = picture.copy()
    middle = np.array((width * (0.5 if rng.random() < 0.6 else rng.uniform(0.1, 0.9)), height * rng.uniform(0.4, 0.6)))
    for _ in range(int(rng.integers(1, 5))):
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(4, 12))))
        reach = height * rng.uniform(0.08, 0.42) * rng.uniform(0.5, 1.0, len(angles))
        shift = rng.normal(0, 0.08 * height, 2)
        points = middle + shift + np.stack((np.cos(angles), np.sin(angles)), 1) * reach[:, None]
        cv2.fillPoly(layer, [points.round().astype(np.int32)], vivid_colour(rng).tolist())
    share = np.float32(rng.uniform(0.25, 0.9))
    return np.asarray(cv2.blur(picture + (layer - picture) * share, (3, 3)), np.float32)


_KINDS: dict[str, Callable[[FloatImage, np.random.Generator], FloatImage]] = {
    kind.__name__[1:]: kind
    for kind in (_plain, _sheen, _fade, _fade_down, _fade_across, _two_tone, _blobs, _scenery, _graphic)
}
