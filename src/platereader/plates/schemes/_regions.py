"""The region codes of all countries: one table, read when it is first asked, as importing the library opens no file."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from platereader.plates._characters import Region


class Regions(Mapping[str, Region]):
    """The regions of a country by their codes, in the order of the file."""

    def __init__(self, country: str) -> None:
        self._country = country

    def __getitem__(self, code: str) -> Region:
        return _table()[self._country][code]

    def __contains__(self, code: object) -> bool:
        return code in _table()[self._country]

    def __iter__(self) -> Iterator[str]:
        return iter(_table()[self._country])

    def __len__(self) -> int:
        return len(_table()[self._country])


@cache
def _table() -> dict[str, dict[str, Region]]:
    """All regions, by country and code."""
    from importlib.resources import files  # slow to load, and not everyone asks for a region

    text = files("platereader.plates.schemes").joinpath("_regions.csv").read_text(encoding="utf-8")
    table: dict[str, dict[str, Region]] = defaultdict(dict)
    for row in csv.DictReader(text.splitlines()):
        country = row.pop("country")
        table[country][row["code"]] = Region(**row)
    return table
