"""The countries whose schemes are there, and those of them that a recognizer was made for."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from platereader.plates import schemes
from platereader.plates._alphabet import Alphabet
from platereader.plates._grammar import PlateGrammar
from platereader.plates._schemes import Schemes
from platereader.plates.schemes import RUSSIA, RUSSIAN

__all__ = ["COUNTRIES", "DEFAULT_SCHEMES", "default_grammar", "default_schemes"]

COUNTRIES: Final = Schemes(
    (
        RUSSIA,
        schemes.BELARUS,
        schemes.KAZAKHSTAN,
        schemes.UKRAINE,
        schemes.ARMENIA,
        schemes.GEORGIA,
        schemes.AZERBAIJAN,
        schemes.KYRGYZSTAN,
        schemes.UZBEKISTAN,
        schemes.TAJIKISTAN,
        schemes.MOLDOVA,
        schemes.ABKHAZIA,
        schemes.SOUTH_OSSETIA,
        schemes.TRANSNISTRIA,
        schemes.DONETSK,
        schemes.LUHANSK,
    )
)
"""All but ``LATIN``, which stands for any other country."""

DEFAULT_SCHEMES: Final = Schemes((RUSSIA,))
"""Those of a recognizer that looks for no country's mark: it was made for Russian plates."""


def default_schemes(alphabet: Alphabet) -> Schemes:
    """The schemes of the countries whose marks a recognizer looks for, else Russia, if it can spell their plates.

    Args:
        alphabet: of the recognizer.
    """
    characters = frozenset(alphabet.characters)
    made_for = [one for one in COUNTRIES if one.country in alphabet.marks] or DEFAULT_SCHEMES
    able = tuple(one for one in made_for if any(each.characters <= characters for each in one.formats))
    return DEFAULT_SCHEMES if able == DEFAULT_SCHEMES.members else Schemes(able)


@lru_cache(maxsize=8)
def default_grammar(alphabet: Alphabet = RUSSIAN) -> PlateGrammar:
    """The grammar of Russian plates, built once for each alphabet."""
    return PlateGrammar.build(DEFAULT_SCHEMES, alphabet=alphabet)
