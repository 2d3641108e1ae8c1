"""Colours, sizes and letters that the plates of several countries share."""

from __future__ import annotations

from typing import Final

from platereader.plates._formats import Colour
from platereader.plates._spelling import Spelling

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
