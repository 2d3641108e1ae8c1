"""The countries that the shipped weights were made for."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from platereader.plates._alphabet import Alphabet
from platereader.plates._grammar import PlateGrammar
from platereader.plates._russia import RUSSIA, RUSSIAN
from platereader.plates._schemes import Schemes

__all__ = ["DEFAULT_SCHEMES", "default_grammar"]

DEFAULT_SCHEMES: Final = Schemes((RUSSIA,))
"""Russia first; others follow with weights that read them."""


@lru_cache(maxsize=8)
def default_grammar(alphabet: Alphabet = RUSSIAN) -> PlateGrammar:
    """Their grammar, built once for each alphabet."""
    return PlateGrammar.build(DEFAULT_SCHEMES, alphabet=alphabet)
