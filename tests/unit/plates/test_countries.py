"""Schemes found by the codes of their countries."""

from __future__ import annotations

from typing import Any

import pytest

from platereader import plates
from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates import DEFAULT_SCHEMES, KAZAKHSTAN, LATIN, RUSSIA, PlateScheme, schemes_of

NAMED = {one for one in map(plates.__dict__.get, plates.__all__) if isinstance(one, PlateScheme)}


@pytest.mark.parametrize("codes", ["KZ,RU", " kz , Ru ", ["KZ", "ru"], iter(["kz", "ru"]), "KZ,RU,kz"])
def test_codes_keep_their_order_in_any_case(codes: Any) -> None:
    assert schemes_of(codes).members == (KAZAKHSTAN, RUSSIA)


def test_every_scheme_has_a_code() -> None:
    assert {schemes_of(one.country).members for one in NAMED} == {(one,) for one in NAMED}
    assert schemes_of("RU") is DEFAULT_SCHEMES  # whose grammar is built once


def test_all_is_every_country_but_the_unknown_ones() -> None:
    assert set(schemes_of("all")) == NAMED - {LATIN}
    assert schemes_of("all").members[0] == RUSSIA
    first, *rest = schemes_of("kz,ALL,xx")
    assert (first, rest[-1]) == (KAZAKHSTAN, LATIN)
    assert {first, *rest} == NAMED


@pytest.mark.parametrize("codes", ["FR", "RU,FR", "RU,", "", "RU;KZ", "RUSSIA"])
def test_an_unknown_code_names_the_known_ones(codes: str) -> None:
    with pytest.raises(UnknownNameError, match=r"known are RU, BY, KZ, .*XX .*all"):
        schemes_of(codes)


@pytest.mark.parametrize("codes", [[], None, [RUSSIA], 7])
def test_what_is_no_code_is_refused(codes: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="codes"):
        schemes_of(codes)
