"""Which plates of the neighbouring countries are shown to the reader, and how often."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np

from platereader.plates import (
    ABKHAZIA,
    ARMENIA,
    AZERBAIJAN,
    BELARUS,
    DONETSK,
    GEORGIA,
    KAZAKHSTAN,
    KYRGYZSTAN,
    LUHANSK,
    MOLDOVA,
    SOUTH_OSSETIA,
    TAJIKISTAN,
    TRANSNISTRIA,
    UKRAINE,
    UZBEKISTAN,
    PlateFormat,
    PlateScheme,
)

__all__ = ["NEIGHBOURS", "NEIGHBOUR_FORMAT_WEIGHTS", "SCHEME_WEIGHTS", "any_region", "random_scheme"]

NEIGHBOURS: Final = (
    KAZAKHSTAN,
    BELARUS,
    UKRAINE,
    ARMENIA,
    UZBEKISTAN,
    GEORGIA,
    AZERBAIJAN,
    KYRGYZSTAN,
    TAJIKISTAN,
    MOLDOVA,
    ABKHAZIA,
    SOUTH_OSSETIA,
    TRANSNISTRIA,
    DONETSK,
    LUHANSK,
)
"""Schemes with layouts, the ones most seen in Russia first."""

SCHEME_WEIGHTS: Final[Mapping[str, float]] = {
    "KZ": 20.0,
    "BY": 17.0,
    "UA": 14.0,
    "AM": 10.0,
    "UZ": 9.0,
    "GE": 7.0,
    "AZ": 7.0,
    "KG": 12.0,
    "TJ": 4.0,
    "MD": 4.0,
    "XA": 0.6,
    "XO": 0.6,
    "XT": 0.5,
    "XD": 0.8,
    "XL": 0.8,
}
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
    """A random neighbouring country.

    Args:
        rng: source of randomness.
        weights: by code of the country; countries without a weight are not drawn.
    """
    shares = list(itertools.accumulate(weights.get(scheme.country, 0.0) for scheme in NEIGHBOURS))
    return NEIGHBOURS[min(bisect.bisect_right(shares, rng.random() * shares[-1]), len(NEIGHBOURS) - 1)]


def any_region(plate_format: PlateFormat, *, rng: np.random.Generator) -> str | None:
    """A random region code of the right form, in use or not; None where the form has anything but digits."""
    group = next((group for group in plate_format.groups if group.is_region), None)
    if group is None or set(group.forms[0]) != {"d"}:
        return None
    count = len(group.forms[0])
    return f"{int(rng.integers(1, int('9' * count), endpoint=True)):0{count}d}"
