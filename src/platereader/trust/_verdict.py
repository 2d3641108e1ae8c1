"""What a country's plates say of a text that was judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from platereader.plates import ILLEGIBLE, Region, Schemes, TextFit
from platereader.results import Character

__all__ = ["Wording", "wording_of"]


class Wording(NamedTuple):
    """The last fields of a ``Verdict``, in their order."""

    country: str | None
    format: str | None
    region: Region | None
    text_local: str
    masked_text: str


def wording_of(
    text: str, characters: Sequence[Character], *, fit: TextFit, schemes: Schemes, min_character: float
) -> Wording:
    """Country, format, region, local spelling and masked text.

    Args:
        text: in Latin spelling.
        characters: of the text, with their posteriors.
        fit: what the text is under the schemes.
        schemes: of the countries that the plate may be of.
        min_character: characters less probable than this are masked, 0 to 1.
    """
    local = schemes.to_local(text, country=fit.country)
    masked = "".join(one.char if one.confidence >= min_character else ILLEGIBLE for one in characters)
    return Wording(fit.country, fit.format, fit.region, local, masked)
