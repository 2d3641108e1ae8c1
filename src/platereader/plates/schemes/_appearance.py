"""What the plates of several countries share: colours, sizes and letters, and how a renderer lays them out.

Measured on photographs: heights of characters, width of the strip, colours of Armenian, Azerbaijani, Kazakh, Kyrgyz,
Ukrainian and Uzbek plates, one photograph each of Belarusian and Georgian ones. The others, and all two-line plates
but the Kazakh ones, are drawn from descriptions: heights and widths inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from platereader.plates._characters import Region, Spelling
from platereader.plates._formats import Colour, PlateFormat
from platereader.plates._layout import CountryStrip, Face, PlateLayout
from platereader.plates._schemes import PlateScheme

YELLOW: Final = Colour("yellow", (245, 188, 20))
RED: Final = Colour("red", (188, 24, 36))
BLUE: Final = Colour("blue", (18, 74, 160))
GREEN: Final = Colour("green", (20, 120, 60))
SKY: Final = Colour("light blue", (0, 160, 205))
ORANGE: Final = Colour("orange", (240, 165, 20))
SILVER: Final = Colour("silver", (186, 190, 190))

SQUARE_MM: Final = (280.0, 202.0)
"""Two lines, where the size itself could not be checked: the proportion of a Kazakh photograph."""

FLAT_MM: Final = (280.0, 140.0)
"""The same with the proportion of Armenian and Ukrainian photographs, 1.9 to 2.1."""

LOOK_ALIKES: Final = "ABEKMHOPCTYX"
"""The 12 letters of GOST R 50577: those that look alike in Cyrillic and Latin."""

CYRILLIC: Final = Spelling(local="АВЕКМНОРСТУХ", latin=LOOK_ALIKES)
CYRILLIC_WITH_I: Final = Spelling(local="АВЕКМНОРСТУХІ", latin="ABEKMHOPCTYXI")
"""With the Belarusian and Ukrainian I."""


@dataclass(frozen=True, slots=True)
class Look:
    """A layout without its format; heights as ``"76 58 76"``, two lines parted by a slash."""

    heights: str
    strip: CountryStrip | None = None
    face: Face = "gost"
    separators: tuple[str, ...] = ()
    boxed: int = 0
    boxed_at: Literal["right", "left", "upper left"] = "right"

    def layout(self, plate_format: PlateFormat) -> PlateLayout:
        """The layout of a format; its field has the colour of the plate."""
        heights = tuple(tuple(float(one) for one in line.split()) for line in self.heights.split("/"))
        return PlateLayout(
            plate_format,
            heights,
            boxed=self.boxed,
            boxed_ground=plate_format.ground,
            boxed_at=self.boxed_at,
            strip=self.strip,
            face=self.face,
            separators=self.separators,
        )


def scheme(
    country: str,
    formats: tuple[PlateFormat, ...],
    looks: Mapping[str, tuple[Look, ...]],
    *,
    regions: Mapping[str, Region] | None = None,
    spelling: Spelling | None = None,
) -> PlateScheme:
    """The plates of a country, with the looks of each format by its name, of which the usual one comes last."""
    layouts = tuple(look.layout(one) for one in formats for look in looks.get(one.name, ()))
    return PlateScheme(country, formats, {} if regions is None else regions, spelling or Spelling(), layouts)
