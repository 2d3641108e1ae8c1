"""How plates of other countries look: proportions, texts, colours and ornaments, each with its possibilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from platereader.lab.synthesis.fields import pick

_TABLE = Path(__file__).with_name("styles.csv")
_COLOURS = Path(__file__).with_name("colours.txt")

Bgr: TypeAlias = tuple[int, int, int]

COLOURS: dict[str, Bgr] = {
    name: (int(blue), int(green), int(red))
    for name, blue, green, red in map(str.split, _COLOURS.read_text(encoding="utf-8").splitlines())
}
"""Named colours, BGR."""


@dataclass(frozen=True, slots=True)
class ForeignStyle:
    """One kind of plate, with everything that is possible of each thing.

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
    aspects: tuple[float, ...]
    patterns: tuple[str, ...]
    paints: tuple[str, ...]
    backgrounds: tuple[str, ...] = ("plain",)
    upper: tuple[str, ...] = ("none",)
    lower: tuple[str, ...] = ("none",)
    extras: Mapping[str, float] = field(default_factory=dict[str, float])
    line_shares: tuple[float, ...] = ()
    fill: tuple[float, float] = (0.78, 0.98)

    def chance(self, extra: str) -> float:
        """Probability of an ornament."""
        return self.extras.get(extra, 0.0)


def random_style(rng: np.random.Generator) -> ForeignStyle:
    """A row of the table, or in a fifth of the cases a plate of no country at all."""
    if rng.random() < 0.2:
        return _mixed(rng)
    return STYLES[min(len(STYLES) - 1, int(np.searchsorted(_ODDS, rng.random())))]


def _mixed(rng: np.random.Generator) -> ForeignStyle:
    """Any shape with any colours: what it has of each is another country's."""
    aspect = pick(_MIXED_ASPECTS, rng=rng) * rng.uniform(0.92, 1.08)
    lines = 2 if rng.random() < (0.8 if aspect < 1.8 else 0.25 if aspect < 2.3 else 0.0) else 1
    lettered, painted, backed, named = (pick(STYLES, rng=rng) for _ in range(4))
    fitting = tuple(one for one in lettered.patterns if one.count("/") == lines - 1)
    return ForeignStyle(
        name="mixed",
        weight=0.0,
        aspects=(aspect,),
        patterns=fitting or (("LLL DDD", "LL DD/DDDD")[lines - 1],),
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
        yield ForeignStyle(**{name: _parsed(name, cell) for name, cell in cells.items() if cell})


def _parsed(name: str, cell: str) -> Any:
    """The value of a cell: a name, a number, or what is possible, split by commas."""
    if name in {"name", "weight"}:
        return float(cell) if name == "weight" else cell
    choices = cell.split(", ")
    if name == "extras":
        return {extra: float(odds) for extra, odds in map(str.split, choices)}
    return tuple(map(float, choices)) if name in {"aspects", "line_shares", "fill"} else tuple(choices)


STYLES: tuple[ForeignStyle, ...] = tuple(_table())
"""Every kind of plate, written from common knowledge: a third of them American by weight, a quarter European."""

_TOTAL = sum(style.weight for style in STYLES)
_ODDS = np.cumsum([style.weight / _TOTAL for style in STYLES])
_MIXED_ASPECTS = (4.64, 3.5, 3.1, 2.5, 2.0, 2.0, 1.5, 1.25)
_ANY_EXTRAS = {
    "stickers": 0.2, "bolts": 0.3, "frame": 0.15, "rim": 0.4, "seal": 0.2, "emblem": 0.2, "band": 0.25, "strip": 0.15,
}  # fmt: skip
