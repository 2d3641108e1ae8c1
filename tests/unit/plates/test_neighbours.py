"""The plates of Russia's neighbours: what they say of themselves, real texts, and what several countries share."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from platereader import plates
from platereader.plates import LATIN, LATIN_36, RUSSIA, PlateGrammar, PlateScheme, Schemes, schemes
from platereader.plates._pattern import group_allows

NAMED = tuple(one for one in map(plates.__dict__.get, plates.__all__) if isinstance(one, PlateScheme))
NEIGHBOURS = tuple(one for one in NAMED if one not in (RUSSIA, LATIN))
ALL = Schemes((RUSSIA, *NEIGHBOURS, LATIN))
GRAMMAR = PlateGrammar.build(ALL, alphabet=LATIN_36)
BY_COUNTRY = {scheme.country: scheme for scheme in ALL}
FORMATS = [(scheme, one) for scheme in (*NEIGHBOURS, LATIN) for one in scheme.formats]
EACH_SCHEME = pytest.mark.parametrize("scheme", NEIGHBOURS, ids=lambda one: one.country)
SOVIET = {"ua_tractor_su", "ua_trailer_su"}  # other Cyrillic letters


def test_all_are_there() -> None:
    codes = "RU BY KZ UA AM GE AZ KG UZ TJ MD XA XO XT XD XL XX"
    assert sorted(scheme.country for scheme in NAMED) == sorted(codes.split())
    assert set(schemes.__all__) <= set(plates.__all__)
    assert LATIN_36.characters == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert ALL.characters == frozenset(LATIN_36.characters)
    assert plates.DEFAULT_SCHEMES.members == (RUSSIA,)


@pytest.mark.parametrize(("scheme", "plate_format"), FORMATS, ids=lambda one: getattr(one, "name", None))
def test_sampled_texts_fit_and_can_be_cut_into_groups(scheme: PlateScheme, plate_format: plates.PlateFormat) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        text = scheme.sample_text(plate_format, rng=rng)
        parts = plate_format.split(text)
        assert plate_format.matches(text)
        assert "".join(part.text for part in parts) == text
        assert {part.line for part in parts} == set(range(plate_format.line_count))
        assert Schemes((scheme,)).fit(text).region_known
        assert scheme.country in ALL.fit(text).countries or scheme is LATIN
        assert GRAMMAR.accepts(text)


@EACH_SCHEME
def test_every_format_says_where_it_comes_from(scheme: PlateScheme) -> None:
    for one in scheme.formats:
        assert one.title
        assert one.source
        assert re.fullmatch(r"([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?", one.since)
        assert one.name.endswith("_two_line") <= (one.line_count == 2)


@EACH_SCHEME
def test_every_region_code_can_stand_on_a_plate(scheme: PlateScheme) -> None:
    rng = np.random.default_rng(0)
    for code, region in scheme.regions.items():
        assert (region.code, bool(region.name), bool(region.source)) == (code, True, True)
        groups = ((one, group) for one in scheme.formats for group in one.groups if group.is_region)
        able = [one for one, group in groups if group_allows(group, code, letters=one.letters)]
        assert able
        assert all(code in one.region_codes(scheme.sample_text(one, rng=rng, region=code)) for one in able)


@pytest.mark.parametrize(("country", "last"), [("KZ", 20), ("KG", 9), ("TJ", 8), ("UZ", 99)])
def test_codes_of_two_digits_have_no_gap(country: str, last: int) -> None:
    codes = [code for code in BY_COUNTRY[country].regions if code.isdigit()]
    assert codes == [f"{number:02d}" for number in range(1, last + 1)]


@pytest.mark.parametrize(
    ("country", "text", "name", "region"),
    [
        ("BY", "2914KC7", "standard", "Minsk"),
        ("BY", "3787CP7", "standard", "Minsk"),
        ("BY", "E123AB5", "electric", "Minsk Region"),
        ("BY", "AB12340", "lorry", "Ministry of Defence, border and internal troops"),
        ("BY", "7TAX1234", "taxi", "Minsk"),
        ("BY", "1234ABI", "standard_2000", None),
        ("KZ", "498VDZ08", "standard", "Jambyl Region"),
        ("KZ", "980CF01", "company", "Astana"),
        ("KZ", "A082ZPO", "standard_1993", "Almaty"),
        ("KZ", "S320XHM", "standard_1993", "Pavlodar Region"),
        ("KZ", "O123AB", "company_1993", "Akmola Region or North Kazakhstan Region"),
        ("UA", "BH5507IT", "standard", None),
        ("UA", "II1000II", "standard", None),
        ("UA", "AA1234ZB", "electric", None),
        ("UA", "10922BX", "tractor", None),
        ("AM", "37SC478", "standard", None),
        ("AM", "10AL099", "standard", None),
        ("AM", "888DO88", "company", None),
        ("GE", "OO964GG", "standard", None),
        ("GE", "ABC123", "standard_1993", None),
        ("AZ", "77EN811", "standard", None),
        ("KG", "01027AEN", "standard", "Bishkek"),
        ("KG", "B3132AJ", "standard_1994", None),
        ("KG", "08123PT", "government", "Chuy Region"),
        ("UZ", "01X666BB", "standard", "Tashkent"),
        ("UZ", "90S950DA", "standard", "Khorezm Region"),
        ("UZ", "40123ABC", "company", "Fergana Region"),
        ("UZ", "X123456", "diplomatic", None),
        ("TJ", "1234AB06", "standard", "Sughd Region"),
        ("MD", "ABC123", "standard", None),
        ("MD", "CAB12", "standard_1992", None),
        ("XT", "T123AB", "standard", "Tiraspol"),
        ("XA", "A123BC", "standard", None),
    ],
)
def test_real_plates(country: str, text: str, name: str, region: str | None) -> None:
    fit = Schemes((BY_COUNTRY[country],)).fit(text)
    assert fit.format == name
    assert (None if fit.region is None else fit.region.name) == region
    assert country in ALL.fit(text).countries


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("UA", "APET7007", "AP7007ET"),
        ("KZ", "24110VBZ", "241VBZ10"),
        ("KZ", "98001CF", "980CF01"),
        ("KZ", "A082ZPO", "A082ZPO"),
        ("BY", "AB71234", "AB12347"),
        ("BY", "1234AB7", "1234AB7"),
        ("UA", "10922BX", "10922BX"),
        ("UZ", "01X666BB", "01X666BB"),
    ],
)
def test_what_is_printed_on_two_lines_may_have_another_order_than_the_number(
    country: str, text: str, number: str
) -> None:
    fits = Schemes((BY_COUNTRY[country],)).fits(text, lines=2)
    assert {one.to_number(text) for _, one in fits} == {number}
    fit = Schemes((BY_COUNTRY[country],)).fit(number, lines=None if text == number else 1)
    assert fit.plate_format is not None
    assert fit.plate_format.to_number(number) == number


@pytest.mark.parametrize("text", ["84022PE", "00900PB", "10000AB"])
def test_old_ukrainian_plates_have_one_line_and_tractors_two(text: str) -> None:
    ukraine = Schemes((BY_COUNTRY["UA"],))
    assert ukraine.fit(text, lines=1).format == "standard_1995"
    assert ukraine.fit(text, lines=2).format == "tractor"


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("BY", "1234YB7"),  # not a letter of its plates
        ("BY", "E1234AB7"),
        ("KZ", "498VDZ00"),
        ("UA", "AD1234AA"),
        ("UA", "AA1234AZ"),  # Z and Y stand first
        ("UA", "123456"),
        ("TJ", "1234AF01"),
        ("XT", "A123OB"),
        ("XA", "A123BC77"),
        ("UZ", "D000000"),
    ],
)
def test_texts_that_no_plate_there_has(country: str, text: str) -> None:
    assert not Schemes((BY_COUNTRY[country],)).fit(text).legal


@pytest.mark.parametrize(
    ("text", "lines", "countries"),
    [
        ("AB12345", None, {"RU", "BY"}),  # a taxi of region 45, or a lorry
        ("AB12345", 1, {"RU", "BY"}),
        ("AB51234", 2, {"BY"}),
        ("1234AB05", None, {"RU", "TJ"}),  # military, or a car of Dushanbe
        ("1234AB05", 1, {"RU", "TJ"}),
        ("1234AB21", 1, {"RU"}),
        ("1234AB05", 2, {"RU"}),  # a motorcycle
        ("37RF943", None, {"AM", "AZ"}),
        ("37OZ001", 2, {"AM", "AZ"}),
        ("980CF01", None, {"KZ", "AM"}),
        ("888DO88", None, {"AM"}),
        ("24110VBZ", 2, {"KZ", "UZ"}),
        ("APET7007", 2, {"UA"}),
        ("01027AEN", None, {"KG", "UZ"}),
        ("50027AEN", None, {"UZ"}),
        ("X123BC", None, {"KZ", "XA", "XO", "XD", "XL"}),
        ("A123BC", None, {"KZ", "XA", "XO", "XD", "XL", "XT"}),
        ("A123BC77", None, {"RU"}),
    ],
)
def test_what_several_countries_share(text: str, lines: Literal[1, 2] | None, countries: set[str]) -> None:
    fit = ALL.fit(text, lines=lines)
    assert set(fit.countries) == countries
    assert fit.country == (min(countries) if len(countries) == 1 else None)


@pytest.mark.parametrize(
    ("text", "lines", "country"),
    [
        ("34PK43", None, "XX"),
        ("34PK43", 2, "XX"),
        ("D0BUZ1", None, "XX"),
        ("12345678", None, None),
        ("TOYOTA", None, None),
        ("T0YOTA", None, None),  # one digit is a misread letter
        ("A123", None, None),
        ("ZB1234567", None, None),
        ("A123BC646", None, "RU"),  # of no region that is in use, and Russian all the same
        ("AB12377", 2, None),  # a Russian taxi has one line; that makes it no foreigner
    ],
)
def test_any_other_country_where_no_scheme_fits(text: str, lines: Literal[1, 2] | None, country: str | None) -> None:
    both = Schemes((LATIN, RUSSIA))
    assert both.fit(text, lines=lines).country == country
    if lines is None:
        assert PlateGrammar.build(both, alphabet=LATIN_36).accepts(text) == (country is not None)


@pytest.mark.parametrize(
    ("country", "typed", "latin", "local"),
    [
        ("BY", "1234 кс-7", "1234KC7", "1234КС7"),
        ("BY", "1234 ІІ-7", "1234II7", "1234ІІ7"),
        ("BY", "7tax1234", "7TAX1234", "7TAX1234"),
        ("UA", "ві 1234 ах", "BI1234AX", "ВІ1234АХ"),
        ("UA", "AA 1234 ZB", "AA1234ZB", "AA1234ZB"),
        ("TJ", "1234 АВ 01", "1234AB01", "1234АВ01"),
        ("XA", "а 123 вс", "A123BC", "А123ВС"),
        ("XT", "т 123 ав", "T123AB", "Т123АВ"),
        ("KZ", "498 vdz 08", "498VDZ08", "498VDZ08"),
        ("AM", "37 sc 478", "37SC478", "37SC478"),
    ],
)
def test_spelling_there_and_back(country: str, typed: str, latin: str, local: str) -> None:
    assert ALL.to_latin(typed) == latin
    assert ALL.to_local(latin, country=country) == local
    assert ALL.to_latin(local) == latin


def test_photographs_fit_their_country(shared_data: Path) -> None:
    folders = [shared_data / "data" / "train" / name for name in ("neighbours", "more")]
    if not all(folder.is_dir() for folder in folders):
        pytest.skip("needs the photographs of neighbouring countries")
    fitting: Counter[str] = Counter()
    for folder in folders:
        for row in map(json.loads, (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()):
            for plate in row["plates"]:
                country, text = plate.get("country") or row["country"], plate["text"]
                if text is None or country not in BY_COUNTRY or plate["plate_type"] in SOVIET:
                    continue
                lines = plate.get("lines") if plate.get("lines") in {1, 2} else None  # three count as one here
                fit = Schemes((BY_COUNTRY[country],)).fit(text, lines=lines)
                assert fit.plate_format is not None, text
                if "registry_order" in plate:
                    assert fit.plate_format.to_number(text) == plate["registry_order"]
                assert country in ALL.fit(text, lines=lines).countries, text
                fitting[country] += 1
    assert fitting["KZ"] > 90
    assert set(fitting) == {"RU", "BY", "KZ", "UA", "AM", "GE", "AZ", "KG", "UZ"}
