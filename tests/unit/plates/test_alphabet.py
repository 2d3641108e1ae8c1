from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import RUSSIAN, Alphabet, to_cyrillic, to_latin


def test_russian_alphabet_has_ten_digits_twelve_letters_and_d() -> None:
    assert sorted(RUSSIAN.characters) == sorted("0123456789" + "ABEKMHOPCTYX" + "D")
    assert RUSSIAN.size == 24
    assert RUSSIAN.blank == 0


def test_characters_are_classes_from_one() -> None:
    assert RUSSIAN.encode("01D") == [1, 2, 23]
    assert RUSSIAN.decode([1, 2, 23]) == "01D"


def test_decode_leaves_blanks_out_and_keeps_repeats() -> None:
    assert Alphabet("AB").decode([0, 1, 1, 0, 2]) == "AAB"


@given(st.text(alphabet=RUSSIAN.characters))
def test_encode_and_decode_round_trip(text: str) -> None:
    assert RUSSIAN.decode(RUSSIAN.encode(text)) == text


def test_encode_names_the_bad_character() -> None:
    with pytest.raises(InvalidArgumentError, match=r"'Z' at position 2 of 'A1Z'"):
        RUSSIAN.encode("A1Z")


@pytest.mark.parametrize("index", [-1, 24])
def test_decode_refuses_a_class_out_of_range(index: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"class {index}"):
        RUSSIAN.decode([index])


@pytest.mark.parametrize("characters", ["", "AA"])
def test_alphabet_refuses_characters_that_cannot_be_told_apart(characters: str) -> None:
    with pytest.raises(InvalidArgumentError, match="characters"):
        Alphabet(characters)


@pytest.mark.parametrize(
    "typed", ["А123ВС77", "а123вс77", "a123bc77", " а 123 вс-77 ", "А 123 ВС – 77", "A\u00a0123BC\t77"]
)
def test_to_latin_spells_what_people_type(typed: str) -> None:
    assert to_latin(typed) == "A123BC77"


def test_all_twelve_letters_have_both_spellings() -> None:
    assert to_cyrillic("ABEKMHOPCTYX") == "АВЕКМНОРСТУХ"
    assert to_latin("АВЕКМНОРСТУХ") == "ABEKMHOPCTYX"
    assert to_latin("авекмнорстух") == "ABEKMHOPCTYX"


def test_to_latin_keeps_what_it_does_not_know() -> None:
    assert to_latin("Я123жй77") == "Я123ЖЙ77"


@pytest.mark.parametrize("text", ["001CD177", "001CD1777", "036D11577", "036T115177"])
def test_diplomatic_marks_stay_latin(text: str) -> None:
    assert to_cyrillic(text) == text


def test_a_police_trailer_is_not_taken_for_a_diplomat() -> None:
    assert to_cyrillic("123T77") == "123Т77"
    assert to_cyrillic("1234T177") == "1234Т177"


@given(st.text(alphabet="0123456789ABEKMHOPCTYXD"))
def test_cyrillic_round_trip(text: str) -> None:
    assert to_latin(to_cyrillic(text)) == text
