"""What the plates of Russia's neighbours look like, as far as a renderer has to know.

Measured on photographs: heights of characters, width of the strip, colours of Armenian, Azerbaijani, Kazakh, Kyrgyz,
Ukrainian and Uzbek plates, one photograph each of Belarusian and Georgian ones. The others, and all two-line plates
but the Kazakh ones, are drawn from descriptions: heights and widths inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from platereader.plates._formats import PlateFormat
from platereader.plates._layout import CountryStrip, Face, PlateLayout


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


def layouts_for(formats: Iterable[PlateFormat], looks: Mapping[str, tuple[Look, ...]]) -> tuple[PlateLayout, ...]:
    """All layouts of formats, by the looks of each, of which the usual one comes last."""
    return tuple(look.layout(one) for one in formats for look in looks.get(one.name, ()))
