from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIAN, Alphabet


def test_russian_alphabet_has_ten_digits_twelve_letters_and_d() -> None:
    assert sorted(RUSSIAN.characters) == sorted("0123456789" + "ABEKMHOPCTYX" + "D")
    assert RUSSIAN.size == 24
    assert RUSSIAN.blank == 0


def test_characters_are_classes_from_one() -> None:
    assert RUSSIAN.encode("01D") == [1, 2, 23]
    assert RUSSIAN.decode([1, 2, 23]) == "01D"


def test_marks_have_columns_of_their_own_and_are_no_classes_of_a_text() -> None:
    marked = Alphabet("AB", marks=("RU", "KZ", "BY"))
    assert (Alphabet("AB").columns, marked.columns) == (3, 6)
    assert marked.size == 3


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


@pytest.mark.parametrize("characters", [["A", "B"], b"AB", 5, None, ("A",)])
def test_an_alphabet_is_a_text(characters: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="give a text of one or more different characters"):
        Alphabet(characters)
