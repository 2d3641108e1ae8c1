"""Region codes: the two or three digits at the right of a plate, and the federal subject they stand for."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from platereader.plates._gost import formats_of


@dataclass(frozen=True, slots=True)
class Region:
    """One region code and what it stands for.

    Attributes:
        code: Two or three digits as printed, ``"05"``, ``"777"``.
        subject_en: Federal subject or other authority, in English.
        subject_ru: The same in Russian.
        date_since: ISO date, year-month or year since when the code is listed; empty where no date is known.
        source: The order or other publication that the row rests on.
    """

    code: str
    subject_en: str
    subject_ru: str
    date_since: str
    source: str


@lru_cache(maxsize=1)
def _table() -> dict[str, Region]:
    """All rows of regions.csv by code, in the order of the file."""
    from importlib.resources import files  # slow to load, and not everyone asks for a region

    text = files("platereader.plates").joinpath("regions.csv").read_text(encoding="utf-8")
    regions = (Region(**row) for row in csv.DictReader(text.splitlines()))
    return {region.code: region for region in regions}


def known_codes() -> tuple[str, ...]:
    """All region codes in use, in the order of the table."""
    return tuple(_table())


def region_by_code(code: str) -> Region | None:
    """The region of that code, or None if the table does not have it (codes are added by decree).

    Args:
        code: Two or three digits as printed.
    """
    return _table().get(code)


def region_of(text: str, *, lines: Literal[1, 2] | None = None) -> Region | None:
    """The region of a plate text, read as its likeliest type (see `platereader.plates._formats.format_of`).

    Args:
        text: Plate text in upper-case Latin look-alikes, without spaces.
        lines: Only consider types with so many lines; None for all.

    Returns:
        The region; None if the text fits no type, the type carries none, or the code is not in the table.
    """
    for plate_format in formats_of(text, lines=lines):
        code = plate_format.region_code(text)
        region = None if code is None else region_by_code(code)
        if code is None or region is not None:
            return region
    return None


def region_known(text: str, *, lines: Literal[1, 2] | None = None) -> bool:
    """Whether some type that the text fits carries no region code, or one that is in the table.

    Args:
        text: Plate text in upper-case Latin look-alikes, without spaces.
        lines: Only consider types with so many lines; None for all.
    """
    codes = (plate_format.region_code(text) for plate_format in formats_of(text, lines=lines))
    return any(code is None or region_by_code(code) is not None for code in codes)
