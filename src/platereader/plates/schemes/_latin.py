"""Plates of any other country in Latin letters, for those who would have them read."""

from __future__ import annotations

from typing import Final

from platereader.plates._alphabet import Alphabet
from platereader.plates._formats import LATIN_LETTERS, PlateFormat
from platereader.plates._pattern import DIGITS
from platereader.plates._schemes import PlateScheme
from platereader.plates.schemes._appearance import SQUARE_MM

_SOURCE = "no standard: what most countries' plates have in common"

_FORMATS = (
    PlateFormat("other", "a{5,8}", title="vehicles of any country", source=_SOURCE),
    PlateFormat(
        "other_two_line", "a{2,4} / a{3,4}", size_mm=SQUARE_MM, title="vehicles of any country", source=_SOURCE
    ),
)

LATIN: Final = PlateScheme("XX", formats=_FORMATS, fallback=True)
"""Any 5 to 8 Latin letters and digits, a letter and two digits among them; its country is not known.

It is a fallback: what fits a format of another scheme belongs to that one, unless the recognizer looks for the mark of
that country and did not see it. What is a misread plate of another scheme and fits none of its formats counts as
foreign, so pass it only where foreign plates matter.
"""

LATIN_36: Final = Alphabet(DIGITS + LATIN_LETTERS)
"""Ten digits and the 26 Latin letters: C = 37."""
