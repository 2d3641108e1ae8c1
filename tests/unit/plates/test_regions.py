from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from platereader.errors import InvalidArgumentError
from platereader.plates import DEFAULT_SCHEMES, RUSSIA, Region


def test_every_row_is_complete() -> None:
    assert len(RUSSIA.regions) > 150
    for code, region in RUSSIA.regions.items():
        assert region.code == code
        assert re.fullmatch(r"(?!00)[0-9]{2}|[1-9][0-9]{2}", region.code)
        assert re.search("[A-Za-z]", region.name)
        assert re.search("[А-Яа-я]", region.name_local)
        assert re.fullmatch(r"([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?", region.since)
        assert "MVD order" in region.source


def test_all_two_digit_codes_are_given_out() -> None:
    assert [code for code in RUSSIA.regions if len(code) == 2] == [f"{number:02d}" for number in range(1, 100)]


def test_three_digit_codes_belong_to_the_region_of_their_last_two_digits() -> None:
    for code, region in RUSSIA.regions.items():
        assert region.name == RUSSIA.regions[code[-2:]].name


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
    assert {RUSSIA.regions[code].name for code in codes.split()} == {subject}


@pytest.mark.parametrize("code", ["", "00", "7", "646", "0077", "AA"])
def test_unknown_codes(code: str) -> None:
    assert code not in RUSSIA.regions


@pytest.mark.parametrize(
    ("text", "lines", "known"),
    [
        ("AA1234646", None, False),
        ("A123BC", None, False),
        ("", None, False),
    ],
)
def test_texts_without_a_region_in_the_table(text: str, lines: Literal[1, 2] | None, known: bool) -> None:
    fit = DEFAULT_SCHEMES.fit(text, lines=lines)
    assert fit.region is None
    assert fit.region_known is known


def test_a_table_of_names() -> None:
    assert Region.table({"B": "Berlin"}) == {"B": Region("B", "Berlin")}
    codes: Any = ["B"]
    with pytest.raises(InvalidArgumentError, match=r"names is a list.*Region\.table"):
        Region.table(codes)
