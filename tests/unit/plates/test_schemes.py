"""Schemes of one's own, and several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader.errors import InvalidArgumentError
from platereader.plates import (
    DEFAULT_SCHEMES,
    LATIN_LETTERS,
    RUSSIA,
    Alphabet,
    PlateFormat,
    PlateGrammar,
    PlateLayout,
    PlateScheme,
    Region,
    Schemes,
    Spelling,
)

LETTERS = LATIN_LETTERS + "ÄÖÜ"
STANDARD = PlateFormat("standard", "[l{1,3}] l{1,2} nd{0,3}", letters=LETTERS)
LAYOUT = PlateLayout(STANDARD, ((75.0, 75.0, 75.0),))
ELECTRIC = PlateFormat("electric", "[l{1,3}] l{1,2} nd{0,3} E", letters=LETTERS)
GERMANY = PlateScheme(
    "DE",
    (STANDARD, ELECTRIC),
    regions=Region.table({"B": "Berlin", "K": "Cologne", "M": "Munich", "MK": "Märkischer Kreis"}),
)
LORRY = PlateFormat("lorry", "ll dddd n")
BELARUS = PlateScheme("BY", (LORRY,))
BOTH = Schemes((RUSSIA, GERMANY))


def test_a_pattern_with_repetitions() -> None:
    assert all(map(STANDARD.matches, ("KÖX12", "MUCAB1234", "AB1", "BAB1000")))
    outside = ("", "B1", "B12", "BA0123", "BA12345", "MUCABC1", "1AB", "BA1E", "ba12", "BÉ12")
    assert not any(map(STANDARD.matches, outside))


@given(st.text(alphabet="AÖ01E", max_size=8))
def test_the_grammar_accepts_what_the_formats_do(text: str) -> None:
    assert GRAMMAR.accepts(text) == Schemes((GERMANY,)).fit(text).legal


GRAMMAR = PlateGrammar.build((GERMANY,), alphabet=Alphabet("0123456789" + LETTERS))


def test_sampled_texts_fit_and_vary_in_length() -> None:
    rng = np.random.default_rng(0)
    texts = [GERMANY.sample_text(STANDARD, rng=rng) for _ in range(200)]
    assert all(GERMANY.regions.keys() & STANDARD.region_codes(text) for text in texts)
    assert {len(text) for text in texts} == set(range(3, 9))
    assert {BELARUS.sample_text(LORRY, rng=rng)[6] for _ in range(200)} == set("123456789")


@pytest.mark.parametrize(
    ("text", "country", "name", "region"),
    [
        ("A123BC77", "RU", "standard", "77"),
        ("KÖX12", "DE", "standard", "K"),
        ("BAB12E", "DE", "electric", "B"),
        ("MKA1", "DE", "standard", None),  # M-KA 1 or MK-A 1
        ("XAB12", "DE", "standard", None),
        ("A1B2C3", None, None, None),
    ],
)
def test_a_text_belongs_to_the_country_whose_format_it_fits(
    text: str, country: str | None, name: str | None, region: str | None
) -> None:
    fit = BOTH.fit(text)
    assert (fit.country, fit.format) == (country, name)
    assert (None if fit.region is None else fit.region.code) == region
    assert fit.region_known == (text not in {"XAB12", "A1B2C3"})


def test_what_nothing_tells_apart_has_no_country() -> None:
    schemes = Schemes((RUSSIA, BELARUS))
    fit = schemes.fit("AB12345")  # a Russian taxi of region 45, or a Belarusian lorry
    assert fit.legal
    assert (fit.countries, fit.country, fit.format, fit.region) == (("RU", "BY"), None, None, None)
    assert fit.region_known
    assert schemes.fit("AB12399").country is None
    assert schemes.fit("AB12390").country == "RU"  # a lorry's last digit is never 0
    assert schemes.fit("AB12345", lines=2).countries == ()


def test_a_region_that_is_in_use_tells_countries_apart() -> None:
    numbered = PlateScheme("BY", (PlateFormat("lorry", "ll dddd [n]"),), regions=Region.table({"7": "Minsk"}))
    schemes = Schemes((RUSSIA, numbered))
    assert schemes.fit("AB12345").country == "RU"
    assert schemes.fit("AB12347").country is None


def test_the_local_spelling_needs_a_country() -> None:
    assert BOTH.to_local("A123BC77", country="RU") == "А123ВС77"
    assert BOTH.to_local("KÖX12", country="DE") == "KÖX12"
    assert BOTH.to_local("KÖX12", country=None) == "KÖX12"
    assert DEFAULT_SCHEMES.to_local("KÖX12", country=None) == "KÖX12"
    assert DEFAULT_SCHEMES.to_local("A1B2", country=None) == "А1В2"
    assert BOTH.to_local("A1B2", country=None) == "A1B2"  # both countries have these characters


def test_latin_spelling_of_all_scripts() -> None:
    greece = PlateScheme("GR", (PlateFormat("car", "lll dddd"),), spelling=Spelling("ΥΖ", "YZ"))
    schemes = Schemes((RUSSIA, greece))
    assert schemes.to_latin("а 123 вс-77") == "A123BC77"
    assert schemes.to_latin("υζA-1234") == "YZA1234"


@pytest.mark.parametrize(
    "pattern", ["", "/", "l / l / l", "l x", "l{3}", "l{2,1} d", "[l] d [l]", "l[d]", "[l", "l{0,1}", "l || d", "b1"]
)
def test_patterns_that_cannot_be_read_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"pattern is .*slots are l \(letter\)"):
        PlateFormat("x", pattern)


@pytest.mark.parametrize(
    ("country", "formats", "message"),
    [
        ("GER", (STANDARD,), "ISO 3166"),
        ("de", (STANDARD,), "ISO 3166"),
        ("DE", (), "formats"),
        ("DE", (LORRY,) * 2, "formats"),
    ],
)
def test_schemes_that_are_none_are_refused(country: str, formats: tuple[PlateFormat, ...], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        PlateScheme(country, formats)


def test_several_schemes_are_of_different_countries() -> None:
    with pytest.raises(InvalidArgumentError, match="each country once"):
        Schemes((RUSSIA, replace(RUSSIA)))
    with pytest.raises(InvalidArgumentError, match=r"\(RUSSIA,\)"):
        Schemes.of(RUSSIA)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="has a str"):
        Schemes.of("RU")  # type: ignore[arg-type]
    assert Schemes.of(BOTH) is BOTH


def test_only_codes_of_the_right_form_are_sampled() -> None:
    car = PlateFormat("car", "ll [dd] l", letters="ABDG")
    scheme = PlateScheme("GE", (car,), regions=Region.table({"10": "ten", "A": "of other plates"}))
    texts = {scheme.sample_text(car, rng=np.random.default_rng(seed)) for seed in range(20)}
    assert {text[2:4] for text in texts} == {"10"}
    assert all(car.matches(text) for text in texts)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"country": None}, "country is None"),
        ({"formats": STANDARD}, "formats is a PlateFormat, expected is a tuple of PlateFormats"),
        ({"formats": ("l d",)}, "formats is a tuple with 'l d', expected is a tuple of PlateFormats"),
        ({"layouts": LAYOUT}, "layouts is a PlateLayout, expected is a tuple of PlateLayouts"),
        ({"layouts": ("standard",)}, "layouts is a tuple with 'standard', expected is a tuple of PlateLayouts"),
        ({"regions": {"B": "Berlin"}}, r"regions: .*Region\.table"),
        ({"regions": ["B"]}, r"regions: .*Region\.table"),
        ({"spelling": "ABC"}, "spelling is 'ABC'"),
    ],
)
def test_fields_of_another_kind_are_refused(wrong: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"country": "DE", "formats": (STANDARD,), **wrong}
    with pytest.raises(InvalidArgumentError, match=message):
        PlateScheme(**fields)


@pytest.mark.parametrize("letters", ["", "abc", "A1", "A B", ["A", "B"], 5])
def test_letters_are_upper_case_letters(letters: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"letters is .*expected are upper-case letters"):
        PlateFormat("x", "l d", letters=letters)


@pytest.mark.parametrize("pattern", ["a", "a{1,2}", "ll a", "a l"])
def test_a_pattern_that_no_text_fits_is_refused(pattern: str) -> None:
    """A text with ``a`` has a letter and two digits."""
    with pytest.raises(InvalidArgumentError, match="no text fits"):
        PlateFormat("x", pattern)


def test_one_with_just_enough_room_is_not() -> None:
    plate_format = PlateFormat("x", "0 ll l|al")
    assert plate_format.lengths == {4, 5}  # without the slot nothing is needed
    assert plate_format.matches("0AB1C")
    assert not plate_format.matches("0ABBC")


def test_samples_with_a_given_region_have_the_letters_and_digits_that_they_need() -> None:
    plate_format = PlateFormat("x", "[ll] a{2,5}")
    scheme, rng = PlateScheme("ZZ", (plate_format,)), np.random.default_rng(0)
    for _ in range(100):
        text = scheme.sample_text(plate_format, rng=rng, region="AB")
        assert text.startswith("AB")
        assert plate_format.matches(text)
    with pytest.raises(InvalidArgumentError, match="region is 'A1'"):
        scheme.sample_text(plate_format, rng=rng, region="A1")
