"""Paints: a standard's colour as it comes out of the works, and after some years."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.plates import Colour

__all__ = ["Paint", "ramp", "shade"]

Paint: TypeAlias = NDArray[np.float32]
"""float32 ``(3,)``: blue, green, red, about 0 to 255."""

_DARK_LEVEL = 60
_SHARES = np.linspace(0, 1, 256, dtype=np.float32)[:, None, None]


def shade(colour: Colour, *, rng: np.random.Generator) -> Paint:
    """A paint near a colour: white yellows and greys, black fades."""
    blue, green, red = rng.normal(0.0, 4.0, 3).tolist()
    if max(colour.rgb) < _DARK_LEVEL:
        faded, kept = rng.exponential(22.0), 1.0
    else:
        faded, kept = 0.0, 1.0 - min(0.4, rng.exponential(0.08))
    r, g, b = (value * kept + faded for value in colour.rgb)
    return np.array([b + blue, g + green, r + red], np.float32)


def ramp(ground: Paint, ink: Paint) -> BgrImage:
    """Look-up table from ink coverage to colour, uint8 ``(256, 1, 3)``."""
    return np.clip(ground + (ink - ground) * _SHARES, 0, 255).astype(np.uint8)
