"""The countries that the shipped weights were made for."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from platereader.plates._alphabet import Alphabet
from platereader.plates._grammar import PlateGrammar
from platereader.plates._russia import RUSSIA, RUSSIAN
from platereader.plates._schemes import Schemes

__all__ = ["DEFAULT_SCHEMES", "default_grammar", "default_schemes"]

DEFAULT_SCHEMES: Final = Schemes((RUSSIA,))
"""Russia first; others follow with weights that read them."""


def default_schemes(alphabet: Alphabet) -> Schemes:
    """Those of them of whose plates a recognizer with this alphabet can spell some."""
    characters = frozenset(alphabet.characters)
    able = tuple(one for one in DEFAULT_SCHEMES if any(each.characters <= characters for each in one.formats))
    return DEFAULT_SCHEMES if able == DEFAULT_SCHEMES.members else Schemes(able)


@lru_cache(maxsize=8)
def default_grammar(alphabet: Alphabet = RUSSIAN) -> PlateGrammar:
    """Their grammar, built once for each alphabet."""
    return PlateGrammar.build(DEFAULT_SCHEMES, alphabet=alphabet)
