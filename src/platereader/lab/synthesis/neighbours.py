"""Which plates of the neighbouring countries are shown to the reader, and how often."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np

from platereader import plates
from platereader.plates import PlateFormat, PlateScheme

_SHOWN = (
    (plates.KAZAKHSTAN, 20.0),
    (plates.BELARUS, 17.0),
    (plates.UKRAINE, 14.0),
    (plates.ARMENIA, 10.0),
    (plates.UZBEKISTAN, 9.0),
    (plates.GEORGIA, 7.0),
    (plates.AZERBAIJAN, 7.0),
    (plates.KYRGYZSTAN, 12.0),
    (plates.TAJIKISTAN, 4.0),
    (plates.MOLDOVA, 4.0),
    (plates.ABKHAZIA, 0.6),
    (plates.SOUTH_OSSETIA, 0.6),
    (plates.TRANSNISTRIA, 0.5),
    (plates.DONETSK, 0.8),
    (plates.LUHANSK, 0.8),
)
NEIGHBOURS: Final[tuple[PlateScheme, ...]] = tuple(scheme for scheme, _ in _SHOWN)
"""Schemes with layouts, the ones most seen in Russia first."""

SCHEME_WEIGHTS: Final[Mapping[str, float]] = {scheme.country: weight for scheme, weight in _SHOWN}
"""How often each country is shown; rare ones far above their share on the road."""

NEIGHBOUR_FORMAT_WEIGHTS: Final[Mapping[str, float]] = {
    "standard": 10.0,
    "standard_two_line": 4.0,
    "standard_": 2.5,
    "company": 4.0,
    "": 3.0,
}
"""How often each group of types is shown, by the start of the name: cars, two lines, what is no longer issued,
companies, all others."""


def random_scheme(rng: np.random.Generator, *, weights: Mapping[str, float] = SCHEME_WEIGHTS) -> PlateScheme:
    """A random neighbouring country; those without a weight, by code, are not drawn."""
    shares = list(itertools.accumulate(weights.get(scheme.country, 0.0) for scheme in NEIGHBOURS))
    return NEIGHBOURS[min(bisect.bisect_right(shares, rng.random() * shares[-1]), len(NEIGHBOURS) - 1)]


def any_region(plate_format: PlateFormat, *, rng: np.random.Generator) -> str | None:
    """A random region code of the right form, in use or not; None where the form has anything but digits."""
    group = next((group for group in plate_format.groups if group.is_region), None)
    if group is None or set(group.forms[0]) != {"d"}:
        return None
    count = len(group.forms[0])
    return f"{int(rng.integers(1, int('9' * count), endpoint=True)):0{count}d}"
