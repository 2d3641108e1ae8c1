"""What stands on a plate, and where: characters, and all that is not text, in millimetres from the top left corner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from platereader.plates import Colour

__all__ = ["Fixtures", "Marks", "PlacedCharacter", "Placement", "Rect", "SlotGroup", "Template"]

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


@dataclass(frozen=True, slots=True)
class Marks:
    """What marks the country on plates that have it elsewhere than Russian ones, and what stands between groups.

    Attributes:
        strip: the strip at an end, or None.
        field: the separate field of a region code, or None.
        flag: the flag, or None.
        code: the letters of the country, or None.
        code_field: the small field that they stand on, or None.
        hologram: a silver band, or None.
        seals: round stickers, holograms and stamps.
        grounds: areas of another ground than the plate's.
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
    """What stands on a plate besides its characters, in millimetres.

    Attributes:
        size: width and height of the metal.
        field: the separate field of the region of a Russian plate, or None.
        rus: the word RUS, or None.
        flag: the Russian flag, or None.
        bolts: centres of the two holes.
        rules: dividing lines and hyphens, of the colour of the characters.
        marks: what plates of other countries have; None on those without.
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
