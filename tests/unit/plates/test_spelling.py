from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIA, PlateFormat, PlateScheme, Schemes, Spelling


@pytest.mark.parametrize(
    "typed", ["А123ВС77", "а123вс77", "a123bc77", " а 123 вс-77 ", "А 123 ВС – 77", "A\u00a0123BC\t77"]
)
def test_to_latin_spells_what_people_type(typed: str) -> None:
    assert RUSSIA.spelling.to_latin(typed) == "A123BC77"


def test_all_twelve_letters_have_both_spellings() -> None:
    assert RUSSIA.to_local("ABEKMHOPCTYX") == "АВЕКМНОРСТУХ"
    assert RUSSIA.spelling.to_latin("АВЕКМНОРСТУХ") == "ABEKMHOPCTYX"
    assert RUSSIA.spelling.to_latin("авекмнорстух") == "ABEKMHOPCTYX"


def test_to_latin_keeps_what_it_does_not_know() -> None:
    assert RUSSIA.spelling.to_latin("Я123жй77") == "Я123ЖЙ77"


@pytest.mark.parametrize("text", ["001CD177", "001CD1777", "036D11577", "036T115177"])
def test_diplomatic_marks_stay_latin(text: str) -> None:
    assert RUSSIA.to_local(text) == text


def test_a_police_trailer_is_not_taken_for_a_diplomat() -> None:
    assert RUSSIA.to_local("123T77") == "123Т77"
    assert RUSSIA.to_local("1234T177") == "1234Т177"


@given(st.text(alphabet="0123456789ABEKMHOPCTYXD"))
def test_cyrillic_round_trip(text: str) -> None:
    assert RUSSIA.spelling.to_latin(RUSSIA.to_local(text)) == text


def test_latin_plates_are_spelt_as_they_are() -> None:
    assert Spelling().to_latin("kö-x 12") == "KÖX12"
    assert Spelling().to_local("KÖX12") == "KÖX12"


@pytest.mark.parametrize(("local", "latin"), [("АВ", "A"), ("АА", "AB"), ("АВ", "AA")])
def test_spellings_that_could_not_be_undone_are_refused(local: str, latin: str) -> None:
    with pytest.raises(InvalidArgumentError, match="local"):
        Spelling(local, latin)


def test_letters_whose_upper_case_is_another_letter() -> None:
    georgia = PlateScheme("GE", (PlateFormat("car", "ll ddd ll", letters="ABDG"),), spelling=Spelling("აბგდ", "ABGD"))
    assert georgia.spelling.to_latin("აბ-123-გდ") == "AB123GD"
    assert Schemes((RUSSIA, georgia)).to_latin("აბ-123-გდ") == "AB123GD"
    assert georgia.to_local("AB123GD") == "აბ123გდ"
