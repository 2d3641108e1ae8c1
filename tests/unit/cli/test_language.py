"""Russian for people; codes stay as they are."""

from __future__ import annotations

import argparse
import re
from typing import get_args

import pytest

from platereader.cli.language import _RUSSIAN as TRANSLATIONS
from platereader.cli.language import Language, language_of
from platereader.plates import Region, schemes_of
from platereader.results import Reason, Status

RUSSIAN = Language("ru")
CYRILLIC = re.compile("[А-Яа-яёЁ]")


@pytest.mark.parametrize("word", [*get_args(Reason), *get_args(Status)])
def test_every_status_and_reason_has_a_translation(word: str) -> None:
    words = word.replace("_", " ")
    assert CYRILLIC.search(RUSSIAN(words))
    assert Language("en")(words) == words


def test_every_region_has_a_russian_name() -> None:
    regions = [(scheme.country, region) for scheme in schemes_of("all") for region in scheme.regions.values()]
    assert len(regions) > 300
    names = {RUSSIAN.region(region, country=country) for country, region in regions}
    assert [name for name in names if re.search("[A-Za-z]", name)] == []


def test_translations_take_the_same_numbers_and_names() -> None:
    fields = re.compile(r"\{\w+\}")
    for english, russian in TRANSLATIONS.items():
        assert sorted(fields.findall(english)) == sorted(fields.findall(russian)), english


def test_a_region_of_a_country_of_yours_keeps_its_name() -> None:
    assert RUSSIAN.region(Region("B", "Berlin"), country="DE") == "Berlin"
    assert RUSSIAN.region(None, country=None) == ""
    assert Language("en").region(Region("05", "Dagestan", "Республика Дагестан"), country="RU") == "Dagestan"


@pytest.mark.parametrize(
    ("variables", "option", "expected"),
    [
        ({}, None, "en"),
        ({"LANG": "ru_RU.UTF-8"}, None, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C.UTF-8"}, None, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "en", "en"),
        ({"LANG": "C"}, "ru", "ru"),
        ({"LC_ALL": "", "LC_MESSAGES": "ru_RU"}, None, "ru"),
    ],
)
def test_the_option_goes_before_the_environment(
    variables: dict[str, str], option: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language_of(argparse.Namespace(lang=option)).code == expected
