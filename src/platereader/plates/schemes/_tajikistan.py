"""The plates of Tajikistan as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import WHITE, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates.schemes._appearance import CYRILLIC, GREEN, LOOK_ALIKES, RED, Look, scheme
from platereader.plates.schemes._regions import Regions

_FORMATS = (
    PlateFormat(
        "standard",
        "dddd ll [dd]",
        letters=LOOK_ALIKES,
        title="vehicles of persons",
        since="2010",
        source="Wikipedia (it), kant.kg; letters smaller than digits until 2014; uncertain: since 2009 by kant.kg",
    ),
    PlateFormat(
        "company",
        "ddd ll [dd]",
        letters=LOOK_ALIKES,
        title="vehicles of the state and of companies",
        since="2010",
        source="Wikipedia (it)",
    ),
)

_STRIP = CountryStrip("TJ", Flag((RED, RED, WHITE, WHITE, WHITE, GREEN, GREEN)), width_mm=46.0)
_BOTH = (Look("76 58 76", _STRIP), Look("70 70 70", _STRIP))

_LOOKS = {"standard": _BOTH, "company": _BOTH}

TAJIKISTAN: Final = scheme("TJ", _FORMATS, _LOOKS, regions=Regions("TJ"), spelling=CYRILLIC)
"""Tajik plates: letters common to both alphabets.

Not here, and why: the plates of 1996 to 2009, whose pattern could not be checked.
"""
