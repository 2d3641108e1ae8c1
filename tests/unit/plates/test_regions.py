from __future__ import annotations

import re
from typing import Literal

import pytest

from platereader.plates._regions import known_codes, region_by_code, region_known, region_of


def test_every_row_is_complete() -> None:
    assert len(known_codes()) == len(set(known_codes())) > 150
    for code in known_codes():
        region = region_by_code(code)
        assert region is not None
        assert re.fullmatch(r"(?!00)[0-9]{2}|[1-9][0-9]{2}", region.code)
        assert re.search("[A-Za-z]", region.subject_en)
        assert re.search("[А-Яа-я]", region.subject_ru)
        assert re.fullmatch(r"([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?", region.date_since)
        assert "MVD order" in region.source


def test_all_two_digit_codes_are_given_out() -> None:
    assert [code for code in known_codes() if len(code) == 2] == [f"{number:02d}" for number in range(1, 100)]


def test_three_digit_codes_belong_to_the_region_of_their_last_two_digits() -> None:
    for code in known_codes():
        region, base = region_by_code(code), region_by_code(code[-2:])
        assert region is not None
        assert base is not None
        assert region.subject_en == base.subject_en


@pytest.mark.parametrize(
    ("subject", "codes"),
    [
        ("Moscow", "77 97 99 177 197 199 777 797 799 977"),
        ("Moscow Oblast", "50 90 150 190 250 550 750 790"),
        ("Saint Petersburg", "78 98 178 198 778"),
        ("Krasnodar Krai", "23 93 123 193 323"),
        ("Tatarstan", "16 116 716"),
        ("Bashkortostan", "02 102 702"),
        ("Nizhny Novgorod Oblast", "52 152 252"),
        ("Crimea", "82"),
        ("Chechnya", "20 95"),
    ],
)
def test_codes_of_subjects(subject: str, codes: str) -> None:
    for code in codes.split():
        region = region_by_code(code)
        assert region is not None
        assert region.subject_en == subject


@pytest.mark.parametrize("code", ["", "00", "7", "646", "0077", "AA"])
def test_unknown_codes(code: str) -> None:
    assert region_by_code(code) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A123BC77", "77"),
        ("A123BC777", "777"),
        ("AA12377", "77"),
        ("AA123477", "77"),
        ("AA123177", "177"),
        ("001CD177", "77"),
        ("036T115177", "177"),
        ("AA123A47", "47"),
        ("A123499", "99"),
        ("1234AA102", "102"),
    ],
)
def test_region_of(text: str, code: str) -> None:
    region = region_of(text)
    assert region is not None
    assert region.code == code
    assert region_known(text)


@pytest.mark.parametrize(
    ("text", "lines", "known"),
    [
        ("A123BC646", None, False),
        ("AA1234646", None, False),
        ("1234AA21", 1, True),
        ("A123BC", None, False),
        ("", None, False),
    ],
)
def test_texts_without_a_region_in_the_table(text: str, lines: Literal[1, 2] | None, known: bool) -> None:
    assert region_of(text, lines=lines) is None
    assert region_known(text, lines=lines) is known
