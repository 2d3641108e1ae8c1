"""Plate types: which one a text fits, and random legal texts.

Everything about types can be imported from here: what a type consists of (`platereader.plates._layout`), the types as
data (`platereader.plates._gost`) and their grammar for decoding (`platereader.plates._grammar`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates._gost import FORMATS, formats_of
from platereader.plates._grammar import PlateGrammar, russian_grammar
from platereader.plates._layout import LETTERS, Colour, Group, Part, PlateFormat
from platereader.plates._regions import known_codes, region_by_code

__all__ = [
    "FORMATS",
    "Colour",
    "Group",
    "Part",
    "PlateFormat",
    "PlateGrammar",
    "by_name",
    "format_of",
    "formats_of",
    "russian_grammar",
    "sample_text",
]


def by_name(name: str) -> PlateFormat:
    """The type of that name, such as ``"standard"`` or ``"taxi"``.

    Raises:
        UnknownNameError: If there is none.
    """
    for plate_format in FORMATS:
        if plate_format.name == name:
            return plate_format
    names = ", ".join(plate_format.name for plate_format in FORMATS)
    raise UnknownNameError(f"name: got {name!r}; the plate types are {names}")


def format_of(text: str, *, lines: Literal[1, 2] | None = None) -> PlateFormat | None:
    """The likeliest type of a text: the first in `FORMATS` whose region code is in use, else the first that fits.

    ``AA123477`` is a trailer (region 77) although a taxi of a region 477 would read the same: there is no such region.

    Args:
        text: Plate text in upper-case Latin look-alikes, without spaces.
        lines: Only types with so many lines, which tells a motorcycle from a military car; None for all.

    Returns:
        The type, or None if the text fits no type.
    """
    candidates = formats_of(text, lines=lines)
    for plate_format in candidates:
        code = plate_format.region_code(text)
        if code is None or region_by_code(code) is not None:
            return plate_format
    return candidates[0] if candidates else None


def sample_text(plate_format: PlateFormat, *, rng: np.random.Generator, region: str | None = None) -> str:
    """A random legal text of that type: letters and non-zero numbers uniform, the region uniform over those in use.

    Args:
        plate_format: The type.
        rng: Source of randomness.
        region: Two- or three-digit region code to use instead of a random one.

    Raises:
        InvalidArgumentError: If `region` cannot stand on that type.
    """
    text = "".join(_sample_group(group, rng=rng, region=region) for group in plate_format.groups)
    if region is not None and (not plate_format.matches(text) or plate_format.region_code(text) != region):
        message = (
            f"region: got {region!r} for a {plate_format.name} plate; give two or three digits such as '77', or None"
        )
        raise InvalidArgumentError(message)
    return text


def _sample_group(group: Group, *, rng: np.random.Generator, region: str | None) -> str:
    """Random characters of one group."""
    if group.is_region:
        codes = known_codes()
        return region if region is not None else codes[int(rng.integers(len(codes)))]
    if group.is_number:
        largest = int("9" * len(group.slots))
        return f"{int(rng.integers(1, largest, endpoint=True)):0{len(group.slots)}d}"
    return "".join(LETTERS[int(rng.integers(len(LETTERS)))] if slot == "l" else slot for slot in group.slots)
