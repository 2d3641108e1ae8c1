"""The plates of South Ossetia as data."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import PlateFormat
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import CYRILLIC, LOOK_ALIKES
from platereader.plates.schemes._layouts import layouts_for

_FORMATS = (
    PlateFormat(
        "standard",
        "l ddd ll",
        letters=LOOK_ALIKES,
        title="cars, lorries, buses",
        since="2006",
        source="Wikipedia (it, ru, pl); as the Russian plate, with flag and RSO in a field on the left",
    ),
)

SOUTH_OSSETIA: Final = PlateScheme("XO", formats=_FORMATS, spelling=CYRILLIC, layouts=layouts_for("XO", _FORMATS))
"""South Ossetian plates, in Cyrillic, without a region; XO is a code that ISO 3166 leaves to users.

Not here, and why: four digits and three letters of before 2006 (no Latin twins); the first plates of 2006, trailers,
motorcycles and the government (one source, and patterns that a Ukrainian or Belarusian plate has that is cut off).
"""
