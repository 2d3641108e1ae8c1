"""The plates that were issued in Donetsk and Luhansk until 2023, as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import CYRILLIC, LOOK_ALIKES
from platereader.plates.schemes._layouts import layouts_for


def _car(country_mark: str) -> PlateFormat:
    return PlateFormat(
        "standard",
        "l ddd ll",
        letters=LOOK_ALIKES,
        title="cars",
        since="2015",
        source="nomeroff-net; issued until 2023; as the Russian plate, with flag and "
        f"{country_mark} in place of the region",
    )


_DONETSK_FORMATS = (_car("DPR"),)

DONETSK: Final = PlateScheme(
    "XD", formats=_DONETSK_FORMATS, spelling=CYRILLIC, layouts=layouts_for("XD", _DONETSK_FORMATS)
)
"""Plates of the former republic in Donetsk; XD is a code that ISO 3166 leaves to users."""

_LUHANSK_FORMATS = (_car("LPR"),)

LUHANSK: Final = PlateScheme(
    "XL", formats=_LUHANSK_FORMATS, spelling=CYRILLIC, layouts=layouts_for("XL", _LUHANSK_FORMATS)
)
"""Plates of the former republic in Luhansk, which read as those of Donetsk do; XL is a code of the same kind."""
