"""Plates that look as the Russian one, with flag and letters of their own in place of the region, as data."""

from __future__ import annotations

from typing import Final, Literal

from platereader.plates._formats import BLACK, WHITE, Colour, PlateFormat
from platereader.plates._layout import CountryStrip, Flag
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import BLUE, CYRILLIC, GREEN, LOOK_ALIKES, RED, SKY, YELLOW, Look, scheme


def _scheme(
    country: str, strip: CountryStrip, *, title: str = "cars, lorries, buses", since: str = "", source: str
) -> PlateScheme:
    formats = (PlateFormat("standard", "l ddd ll", letters=LOOK_ALIKES, title=title, since=since, source=source),)
    looks = {"standard": (Look("58 76 58", strip),)}
    return scheme(country, formats, looks, spelling=CYRILLIC)


def _strip(code: str, *stripes: Colour, at: Literal["left", "right"] = "right") -> CountryStrip:
    """Flag and letters in a field of the size of the region's."""
    return CountryStrip(code, Flag(stripes), at=at, width_mm=116.0, divider=True)


ABKHAZIA: Final = _scheme(
    "XA",
    _strip("ABH", GREEN, WHITE, GREEN, WHITE, GREEN, WHITE, GREEN),
    source="Wikipedia (mk), kennzeichen-guide.de; as the Russian plate, with flag and ABH in place of the region",
)
"""Abkhazian plates, in Cyrillic, without a region; XA is a code that ISO 3166 leaves to users.

The thirteenth letter, the Cyrillic Be, has no Latin twin: plates that carry it fit no format. The others read as those
of South Ossetia, Transnistria or Donetsk do: only the picture tells them apart.
"""

SOUTH_OSSETIA: Final = _scheme(
    "XO",
    _strip("RSO", WHITE, RED, YELLOW, at="left"),
    since="2006",
    source="Wikipedia (it, ru, pl); as the Russian plate, with flag and RSO in a field on the left",
)
"""South Ossetian plates, in Cyrillic, without a region; XO is a code that ISO 3166 leaves to users.

Not here, and why: four digits and three letters of before 2006 (no Latin twins); the first plates of 2006, trailers,
motorcycles and the government (one source, and patterns that a Ukrainian or Belarusian plate has that is cut off).
"""

DONETSK: Final = _scheme(
    "XD",
    _strip("DPR", BLACK, BLUE, RED),
    title="cars",
    since="2015",
    source="nomeroff-net; issued until 2023; as the Russian plate, with flag and DPR in place of the region",
)
"""Plates of the former republic in Donetsk; XD is a code that ISO 3166 leaves to users."""

LUHANSK: Final = _scheme(
    "XL",
    _strip("LPR", SKY, BLUE, RED),
    title="cars",
    since="2015",
    source="nomeroff-net; issued until 2023; as the Russian plate, with flag and LPR in place of the region",
)
"""Plates of the former republic in Luhansk, which read as those of Donetsk do; XL is a code of the same kind."""
