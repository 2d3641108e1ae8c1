"""What stands on a plate, and where, in millimetres from its top left corner; and its paints, new and old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.plates import Colour

Paint: TypeAlias = NDArray[np.float32]
"""float32 ``(3,)``: blue, green, red, about 0 to 255."""

_SHARES = np.linspace(0, 1, 256, dtype=np.float32)[:, None, None]

Rect: TypeAlias = tuple[float, float, float, float]
"""``(x1, y1, x2, y2)`` in millimetres."""

Placement: TypeAlias = tuple[float, float, float, float]
"""Centre, top, height and room of one character."""


@dataclass(frozen=True, slots=True)
class PlacedCharacter:
    """One character and the box its ink fills, in millimetres."""

    char: str
    center_mm: float
    top_mm: float
    width_mm: float
    height_mm: float

    @property
    def rect(self) -> Rect:
        """The box."""
        half = self.width_mm / 2
        return self.center_mm - half, self.top_mm, self.center_mm + half, self.top_mm + self.height_mm


@dataclass(frozen=True, slots=True)
class Marks:
    """What marks the country on plates that have it elsewhere than Russian ones, and what stands between groups.

    ``field`` is that of a region code, ``code`` the letters of the country and ``code_field`` what they stand on,
    ``hologram`` a silver band, ``seals`` are round; ``grounds`` are areas of another ground than the plate's.
    """

    strip: Rect | None = None
    field: Rect | None = None
    flag: Rect | None = None
    code: Rect | None = None
    code_field: Rect | None = None
    hologram: Rect | None = None
    seals: tuple[Rect, ...] = ()
    grounds: tuple[tuple[Rect, Colour], ...] = ()


@dataclass(frozen=True, slots=True)
class Fixtures:
    """What stands on a plate besides its characters, in millimetres; ``size`` is width and height of the metal.

    Field of the region, RUS and flag are those of Russian plates, ``marks`` what others have. ``bolts`` are centres of
    holes, ``rules`` dividing lines and hyphens, of the colour of the characters.
    """

    size: tuple[float, float]
    field: Rect | None
    rus: Rect | None
    flag: Rect | None
    bolts: tuple[tuple[float, float], ...]
    rules: tuple[Rect, ...] = ()
    marks: Marks | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Place of each character, and the fixtures, for one layout and length of each group."""

    places: tuple[Placement, ...]
    fixtures: Fixtures


class SlotGroup(NamedTuple):
    """One group of a text: the slots that its characters fill, and their height."""

    slots: str
    height_mm: float


Row: TypeAlias = tuple[SlotGroup, ...]
"""The groups of one line."""


def shade(colour: Colour, *, rng: np.random.Generator) -> Paint:
    """A paint near a colour: white yellows and greys, black fades."""
    blue, green, red = rng.normal(0.0, 4.0, 3).tolist()
    if max(colour.rgb) < 60:
        faded, kept = rng.exponential(22.0), 1.0
    else:
        faded, kept = 0.0, 1.0 - min(0.4, rng.exponential(0.08))
    r, g, b = (value * kept + faded for value in colour.rgb)
    return np.array([b + blue, g + green, r + red], np.float32)


def ramp(ground: Paint, ink: Paint) -> BgrImage:
    """Look-up table from ink coverage to colour, uint8 ``(256, 1, 3)``."""
    return np.clip(ground + (ink - ground) * _SHARES, 0, 255).astype(np.uint8)
