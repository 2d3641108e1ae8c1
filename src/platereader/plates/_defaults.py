"""The schemes that are there, found by their countries or for what a recognizer was made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, cast

from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates import schemes
from platereader.plates._alphabet import Alphabet
from platereader.plates._grammar import PlateGrammar
from platereader.plates._schemes import PlateScheme, Schemes
from platereader.plates.schemes import LATIN, RUSSIA, RUSSIAN

COUNTRIES: Final = Schemes(
    (
        RUSSIA, schemes.BELARUS, schemes.KAZAKHSTAN, schemes.UKRAINE, schemes.ARMENIA, schemes.GEORGIA,
        schemes.AZERBAIJAN, schemes.KYRGYZSTAN, schemes.UZBEKISTAN, schemes.TAJIKISTAN, schemes.MOLDOVA,
        schemes.ABKHAZIA, schemes.SOUTH_OSSETIA, schemes.TRANSNISTRIA, schemes.DONETSK, schemes.LUHANSK,
    )
)  # fmt: skip
"""All but ``LATIN``, which stands for any other country."""

DEFAULT_SCHEMES: Final = Schemes((RUSSIA,))
"""Those of a recognizer that looks for no country's mark: it was made for Russian plates."""

_ALL: Final = "ALL"
_BY_CODE: Final = {scheme.country: scheme for scheme in (*COUNTRIES, LATIN)}


def default_schemes(alphabet: Alphabet) -> Schemes:
    """The schemes of the countries whose marks a recognizer looks for, else Russia, if it can spell their plates."""
    characters = frozenset(alphabet.characters)
    made_for = [one for one in COUNTRIES if one.country in alphabet.marks] or DEFAULT_SCHEMES
    able = tuple(one for one in made_for if any(each.characters <= characters for each in one.formats))
    return DEFAULT_SCHEMES if able == DEFAULT_SCHEMES.members else Schemes(able)


@lru_cache(maxsize=8)
def default_grammar(alphabet: Alphabet = RUSSIAN) -> PlateGrammar:
    """The grammar of Russian plates, built once for each alphabet."""
    return PlateGrammar.build(DEFAULT_SCHEMES, alphabet=alphabet)


def schemes_of(codes: str | Iterable[str]) -> Schemes:
    """The schemes of countries by their codes, in the order given, for ``Pipeline.build(schemes=...)``.

    Args:
        codes: ISO 3166 codes in any case, as ``"RU,KZ"`` or one by one; a country that comes twice counts once. ``all``
            stands for every country that is not named before it. It leaves ``XX`` out, plates of any other country,
            because a misread plate would count as one: ``"all,XX"`` takes it in.

    Raises:
        UnknownNameError: no scheme has such a code; the message names those that have one.
        InvalidArgumentError: no code at all, or something else than texts.
    """
    if not isinstance(cast(object, codes), Iterable):
        raise InvalidArgumentError(f"codes is a {type(codes).__name__}, expected are country codes: 'RU,KZ'.")
    words = codes.split(",") if isinstance(codes, str) else list(codes)
    found = tuple(dict.fromkeys(scheme for word in words for scheme in _schemes_of(word)))
    if not found:
        raise InvalidArgumentError("codes are none, expected is one at least: 'RU,KZ'.")
    return DEFAULT_SCHEMES if found == DEFAULT_SCHEMES.members else Schemes(found)


def _schemes_of(word: object) -> tuple[PlateScheme, ...]:
    if not isinstance(word, str):
        raise InvalidArgumentError(f"codes has a {type(word).__name__}, expected are country codes: 'RU,KZ'.")
    code = word.strip().upper()
    if code == _ALL:
        return COUNTRIES.members
    if code not in _BY_CODE:
        raise UnknownNameError(
            f"country is {word.strip()!r}, known are {', '.join(_BY_CODE)} (any other country), or all."
        )
    return (_BY_CODE[code],)
