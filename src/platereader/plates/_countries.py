"""The schemes that are there, found by the codes of their countries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates._defaults import COUNTRIES, DEFAULT_SCHEMES
from platereader.plates._schemes import PlateScheme, Schemes
from platereader.plates.schemes import LATIN

__all__ = ["schemes_of"]

_ALL: Final = "ALL"
_BY_CODE: Final = {scheme.country: scheme for scheme in (*COUNTRIES, LATIN)}


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
    """The schemes of one code."""
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
