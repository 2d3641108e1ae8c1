"""How plates of other countries look: proportions, texts, colours and ornaments, each with its possibilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

_TABLE = Path(__file__).with_name("styles.csv")

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


def random_style(rng: np.random.Generator) -> ForeignStyle:
    """A row of the table, or in a fifth of the cases a plate of no country at all."""
    if rng.random() < 0.2:
        return _mixed(rng)
    return STYLES[min(len(STYLES) - 1, int(np.searchsorted(_ODDS, rng.random())))]


def _mixed(rng: np.random.Generator) -> ForeignStyle:
    """Any shape with any colours: what it has of each is another country's."""
    aspect = float(_MIXED_ASPECTS[rng.integers(len(_MIXED_ASPECTS))] * rng.uniform(0.92, 1.08))
    lines = 2 if rng.random() < (0.8 if aspect < 1.8 else 0.25 if aspect < 2.3 else 0.0) else 1
    lettered, painted, backed, named = (STYLES[int(rng.integers(len(STYLES)))] for _ in range(4))
    fitting = [one for one in split(lettered.patterns) if one.count("/") == lines - 1]
    return ForeignStyle(
        name="mixed",
        weight=0.0,
        aspects=str(aspect),
        patterns=", ".join(fitting) or ("LLL DDD", "LL DD/DDDD")[lines - 1],
        paints=painted.paints,
        backgrounds=backed.backgrounds,
        upper=named.upper,
        lower=named.lower,
        extras=_ANY_EXTRAS,
        fill=(0.65, 1.0),
    )


def _table() -> Iterator[ForeignStyle]:
    """The rows of ``styles.csv``: an empty cell is the default, and one with a ditto mark as in the row above."""
    names, *rows = (line.split("|") for line in _TABLE.read_text(encoding="utf-8").splitlines())
    before: dict[str, str] = {}
    for row in rows:
        cells = {name: before[name] if cell == '"' else cell for name, cell in zip(names, row, strict=False)}
        before = dict.fromkeys(names, "") | cells
        pairs = {name: tuple(map(float, split(cells.pop(name, "")))) for name in ("line_shares", "fill")}
        given: dict[str, Any] = {name: value for name, value in (cells | pairs).items() if value}
        given["weight"] = float(given["weight"])
        yield ForeignStyle(**given)


STYLES: tuple[ForeignStyle, ...] = tuple(_table())
"""Every kind of plate, written from common knowledge: a third of them American by weight, a quarter European."""

_TOTAL = sum(style.weight for style in STYLES)
_ODDS = np.cumsum([style.weight / _TOTAL for style in STYLES])
_MIXED_ASPECTS = (4.64, 3.5, 3.1, 2.5, 2.0, 2.0, 1.5, 1.25)
_ANY_EXTRAS = "stickers 0.2, bolts 0.3, frame 0.15, rim 0.4, seal 0.2, emblem 0.2, band 0.25, strip 0.15"
