"""What a kind of foreign plate is: proportions, texts, colours and ornaments, each with its possibilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Bgr: TypeAlias = tuple[int, int, int]

COLOURS: dict[str, Bgr] = {
    "white": (240, 242, 242),
    "paper": (222, 234, 238),
    "cream": (190, 226, 240),
    "grey": (178, 178, 176),
    "silver": (205, 206, 203),
    "lead": (120, 118, 114),
    "yellow": (40, 190, 240),
    "lemon": (110, 225, 245),
    "orange": (30, 110, 225),
    "red": (40, 35, 165),
    "maroon": (50, 30, 105),
    "pink": (190, 170, 235),
    "sky": (235, 205, 165),
    "blue": (150, 75, 30),
    "navy": (95, 40, 20),
    "mint": (205, 225, 175),
    "green": (70, 115, 35),
    "pine": (50, 72, 22),
    "brown": (40, 65, 100),
    "black": (28, 25, 25),
}
"""Named colours, BGR."""


@dataclass(frozen=True, slots=True)
class ForeignStyle:
    """One kind of plate. Where several things are possible they stand in a row, split by commas.

    Attributes:
        name: where it is from.
        weight: how often it is drawn, relative to the others.
        aspects: widths divided by heights.
        patterns: texts: ``L`` letter, ``D`` digit, ``A`` either, ``/`` next line, ``*`` emblem, ``~`` and ``^`` strokes
            of a square and of a running foreign script; blanks, dashes and dots stand for themselves.
        paints: pairs ``background:ink`` of named colours.
        backgrounds: what lies behind the text.
        upper: kinds of the small line above the text.
        lower: kinds of the small line below it.
        extras: ornaments, each with its probability.
        line_shares: heights of the text lines relative to each other; even if empty.
        fill: least and greatest height of the text in parts of the area it has.
    """

    name: str
    weight: float
    aspects: str
    patterns: str
    paints: str
    backgrounds: str = "plain"
    upper: str = "none"
    lower: str = "none"
    extras: str = ""
    line_shares: tuple[float, ...] = ()
    fill: tuple[float, float] = (0.78, 0.98)

    def chance(self, extra: str) -> float:
        """Probability of an ornament."""
        odds = dict(item.split() for item in split(self.extras))
        return float(odds.get(extra, 0.0))


def split(row: str) -> list[str]:
    """What stands in a row of possibilities."""
    return row.split(", ") if row else []


def one_of(row: str, *, rng: np.random.Generator) -> str:
    """Any of a row of possibilities."""
    choices = split(row)
    return choices[int(rng.integers(len(choices)))]
