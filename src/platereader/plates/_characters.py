"""What characters on a plate stand for: regions by their codes, and the letters of a country's own script."""

from __future__ import annotations

import unicodedata
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
        """Regions by code, from their English names by code: ``Region.table({"B": "Berlin", "HH": "Hamburg"})``.

        Raises:
            InvalidArgumentError: ``names`` is no mapping, or has something else than texts.
        """
        if not isinstance(cast(object, names), Mapping):
            raise InvalidArgumentError(
                f"names is a {type(names).__name__}, expected are names by code: Region.table({{'B': 'Berlin'}})."
            )
        return {code: cls(code, name, source=source) for code, name in names.items()}


@dataclass(frozen=True, slots=True)
class Spelling:
    """Letters of a country's own script and the Latin letters that stand for them; ``Spelling()`` is Latin as it is.

    Attributes:
        local: letters of the local script, each once; empty for a country whose plates are Latin.
        latin: the Latin letter for each of them, in the same order.

    Raises:
        InvalidArgumentError: the two do not pair one letter with one letter.
    """

    local: str = ""
    latin: str = ""

    def __post_init__(self) -> None:
        if not len(self.local) == len(self.latin) == len(set(self.local)) == len(set(self.latin)):
            raise InvalidArgumentError(
                f"local is {self.local!r} and latin {self.latin!r}: give one other Latin letter for each local one."
            )

    def to_latin(self, text: str) -> str:
        """Spell a plate as the library does: upper-case, Latin letters, without spaces and hyphens.

        Args:
            text: a plate as someone typed it, in either script and any case: ``"а 123 вс-77"``. Other characters stay
                as they are.
        """
        if not text.isalnum():
            text = "".join(char for char in text if not char.isspace() and unicodedata.category(char) != "Pd")
        table = str.maketrans(self.local, self.latin)
        for local, latin in zip(self.local, self.latin, strict=True):  # upper case is another letter in some scripts
            if len(local.upper()) == 1:
                table.setdefault(ord(local.upper()), ord(latin))
        return text.upper().translate(table)

    def to_local(self, text: str) -> str:
        """Spell a plate, given in Latin letters, with those of the local script."""
        return text.translate(str.maketrans(self.latin, self.local))
