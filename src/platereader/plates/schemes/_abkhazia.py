"""The plates of Abkhazia as data."""

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
        source="Wikipedia (mk), kennzeichen-guide.de; as the Russian plate, with flag and ABH in place of the region",
    ),
)

ABKHAZIA: Final = PlateScheme("XA", formats=_FORMATS, spelling=CYRILLIC, layouts=layouts_for("XA", _FORMATS))
"""Abkhazian plates, in Cyrillic, without a region; XA is a code that ISO 3166 leaves to users.

The thirteenth letter, the Cyrillic Be, has no Latin twin: plates that carry it fit no format. The others read as those
of South Ossetia, Transnistria or Donetsk do: only the picture tells them apart.
"""
