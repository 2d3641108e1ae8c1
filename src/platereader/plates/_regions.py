"""Region codes and what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import cast

from platereader.errors import InvalidArgumentError


@dataclass(frozen=True, slots=True)
class Region:
    """One region code and what it stands for.

    Attributes:
        code: as printed, in Latin spelling: ``"05"``, ``"777"``, ``"MUC"``.
        name: the region or other authority, in English.
        name_local: the same in the country's language; empty where it is not known.
        since: ISO date, year-month or year since when the code is listed; empty where no date is known.
        source: the order or other publication that this rests on.

    Raises:
        InvalidArgumentError: one of them is no text.
    """

    code: str
    name: str
    name_local: str = ""
    since: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not all(isinstance(cast(object, getattr(self, one.name)), str) for one in fields(self)):
            raise InvalidArgumentError(f"{self!r} has a field that is no text: leave it empty where nothing is known.")

    @classmethod
    def table(cls, names: Mapping[str, str], *, source: str = "") -> dict[str, Region]:
        """Regions by code, from their names by code: ``Region.table({"B": "Berlin", "HH": "Hamburg"})``.

        Args:
            names: English name by code.
            source: what all of them rest on.
        """
        return {code: cls(code, name, source=source) for code, name in names.items()}
