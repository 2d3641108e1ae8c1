from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest

from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates import (
    DEFAULT_SCHEMES,
    RUSSIA,
    RUSSIAN,
    Colour,
    CountryStrip,
    Flag,
    PlateFormat,
    PlateLayout,
)

every_format = pytest.mark.parametrize("plate_format", RUSSIA.formats, ids=lambda one: one.name)
every_layout = pytest.mark.parametrize("layout", RUSSIA.layouts, ids=lambda one: one.name)

NO_LENGTH_OF_A_PLATE = ("", "A", "77", "A123BC", "A123BC7", "A123BC7777")
ZEROS = ("A000BC77", "0000AA77", "000D12377", "001D00077", "001CD077", "A123BC00", "A123BC077")


def _names(text: str, lines: Literal[1, 2] | None = None) -> list[str]:
    return [plate_format.name for _, plate_format in DEFAULT_SCHEMES.fits(text, lines=lines)]


def test_formats_and_layouts_are_found_by_name() -> None:
    assert RUSSIA.format("taxi").code == "1B"
    assert RUSSIA.layout("taxi").plate_format is RUSSIA.format("taxi")
    with pytest.raises(UnknownNameError, match="'lorry'"):
        RUSSIA.format("lorry")
    with pytest.raises(UnknownNameError, match="'lorry'"):
        RUSSIA.layout("lorry")


def test_all_types_of_the_standard_that_are_issued_are_there() -> None:
    codes = {plate_format.code for plate_format in RUSSIA.formats}
    assert codes >= {"1", "1A", "1B", "2", "3", "4", "5", "6", "7", "8", "9", "10", "15", "19", "20", "21", "22"}


@every_format
def test_every_type_is_described(plate_format: PlateFormat) -> None:
    assert "GOST R 50577" in plate_format.source
    assert plate_format.title
    assert plate_format.size_mm[0] > plate_format.size_mm[1] > 0
    assert plate_format.line_count == len(plate_format.lines)
    assert plate_format.ground != plate_format.ink
    assert (plate_format.line_count == 2) == (plate_format.size_mm[0] < 2 * plate_format.size_mm[1])


@every_layout
def test_characters_fit_on_the_plate(layout: PlateLayout) -> None:
    assert sum(map(max, layout.heights_mm)) < layout.plate_format.size_mm[1] - 10


@every_layout
def test_one_group_stands_in_the_separate_field(layout: PlateLayout) -> None:
    assert layout.boxed == 1
    assert layout.country_mark


def test_a_layout_is_of_plain_characters_until_it_says_more() -> None:
    plain = PlateLayout(PlateFormat("x", "l d"), ((58.0, 76.0),))
    assert (plain.boxed, plain.country_mark, plain.flag, plain.strip, plain.separators) == (0, False, False, None, ())
    strip = CountryStrip("KZ")
    assert (strip.filled, strip.divider, strip.hologram, strip.flag, strip.ground) == (False, False, "", None, None)


def test_heights_line_up_with_the_groups() -> None:
    with pytest.raises(InvalidArgumentError, match=r"heights_mm.*\[3\] a line"):
        PlateLayout(PlateFormat("x", "l d l"), ((58.0, 76.0),))


def test_a_layout_is_that_of_a_format_and_not_of_a_name() -> None:
    name: Any = "standard"
    with pytest.raises(InvalidArgumentError, match="plate_format is 'standard', expected is a PlateFormat"):
        PlateLayout(name, ((58.0,),))


@pytest.mark.parametrize(
    ("kind", "values", "named"),
    [
        (Flag, {"stripes": ()}, "stripes"),
        (Flag, {"stripes": ((255, 0, 0),)}, "stripes"),
        (CountryStrip, {"code": "KZ", "at": "top"}, "at is 'top'"),
        (CountryStrip, {"code": "KZ", "lines": "both"}, "lines is 'both'"),
        (CountryStrip, {"code": "KZ", "hologram": "yes"}, "hologram is 'yes'"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "face": "arial"}, "face is 'arial'"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "boxed_at": "top"}, "boxed_at is 'top'"),
        (PlateLayout, {"heights_mm": (58.0, 76.0)}, "heights_mm"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "separators": ("--",)}, "separators"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "separators": ("x",)}, "separators"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "separators": "-"}, "separators is '-', expected is a tuple"),
        (PlateLayout, {"heights_mm": ((58.0, 0.0),)}, "heights_mm .*above 0"),
        (PlateLayout, {"heights_mm": ((58.0, math.nan),)}, "heights_mm .*above 0"),
        (PlateLayout, {"heights_mm": (("58", 76.0),)}, "heights_mm .*above 0"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "boxed": 3}, "boxed is 3 .*allowed are 0 to 2"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "boxed_ground": "white"}, "boxed_ground is 'white'"),
        (PlateLayout, {"heights_mm": ((58.0, 76.0),), "strip": "EST"}, "strip is 'EST', expected is a CountryStrip"),
        (Flag, {"stripes": (Colour("red", (188, 24, 36)),), "disc": "red"}, "disc is 'red', expected is a Colour"),
        (CountryStrip, {"code": 5}, "code is 5, expected is a text"),
        (CountryStrip, {"code": "KZ", "flag": "blue"}, "flag is 'blue', expected is a Flag"),
        (CountryStrip, {"code": "KZ", "ink": None}, "ink is None, expected is a Colour"),
        (CountryStrip, {"code": "KZ", "width_mm": 0}, "width_mm is 0, expected is a number above 0"),
        (Colour, {"name": "blue", "rgb": (0.1, 0.2, 0.9)}, "rgb is .*whole numbers"),
        (Colour, {"name": "blue", "rgb": (0, 0, 256)}, "rgb is .*whole numbers"),
        (Colour, {"name": "blue", "rgb": "#0000ff"}, "rgb is '#0000ff'"),
        (PlateFormat, {"name": "", "pattern": "l d"}, "name is empty"),
        (PlateFormat, {"name": "x", "pattern": "l d", "size_mm": 520}, "size_mm is 520"),
        (PlateFormat, {"name": "x", "pattern": "l d", "size_mm": (520.0, -112.0)}, "size_mm .*above 0"),
        (PlateFormat, {"name": "x", "pattern": "l d", "ground": "white"}, "ground is 'white', expected is a Colour"),
        (PlateFormat, {"name": "x", "pattern": "l d", "ink": (0, 0, 0)}, "ink is a tuple, expected is a Colour"),
        (PlateFormat, {"name": "x", "pattern": "l d", "script": "greek"}, "script is 'greek'"),
        (PlateFormat, {"name": "x", "pattern": "l d", "title": None}, "title is None, expected is a text"),
    ],
)
def test_what_could_not_be_drawn_is_refused(kind: Any, values: dict[str, Any], named: str) -> None:
    plate_format = {"plate_format": PlateFormat("x", "l d")} if kind is PlateLayout else {}
    with pytest.raises(InvalidArgumentError, match=named):
        kind(**plate_format, **values)


@every_format
def test_sampled_texts_match_split_and_encode(plate_format: PlateFormat) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        text = RUSSIA.sample_text(plate_format, rng=rng)
        parts = plate_format.split(text)
        assert plate_format.matches(text)
        assert "".join(part.text for part in parts) == text
        assert [part.line for part in parts] == [i for i, line in enumerate(plate_format.lines) for _ in line]
        assert tuple(part.group for part in parts) == plate_format.groups
        assert plate_format.name in _names(text)
        assert DEFAULT_SCHEMES.fit(text).format in _names(text)
        assert RUSSIAN.decode(RUSSIAN.encode(text)) == text


@every_format
def test_region_is_drawn_from_those_in_use_or_taken_as_given(plate_format: PlateFormat) -> None:
    rng = np.random.default_rng(2)
    codes = {code for _ in range(40) for code in plate_format.region_codes(RUSSIA.sample_text(plate_format, rng=rng))}
    if not plate_format.has_region:
        assert not codes
        with pytest.raises(InvalidArgumentError, match="region"):
            RUSSIA.sample_text(plate_format, rng=rng, region="77")
        return
    assert len(codes) > 10
    assert codes <= set(RUSSIA.regions)
    assert RUSSIA.sample_text(plate_format, rng=rng, region="646").endswith("646")


@pytest.mark.parametrize("region", ["", "7", "00", "077", "7777", "AA"])
def test_sample_text_refuses_what_is_no_region(region: str) -> None:
    with pytest.raises(InvalidArgumentError, match="region"):
        RUSSIA.sample_text(RUSSIA.format("standard"), rng=np.random.default_rng(0), region=region)


def test_sampling_is_reproducible_and_covers_letters_and_numbers() -> None:
    texts = [
        [RUSSIA.sample_text(RUSSIA.format("trailer"), rng=rng) for _ in range(400)]
        for rng in map(np.random.default_rng, (7, 7))
    ]
    assert texts[0] == texts[1]
    assert {text[0] for text in texts[0]} == set("ABEKMHOPCTYX")
    assert {text[5] for text in texts[0]} == set("0123456789")


@pytest.mark.parametrize(
    ("text", "lines", "name", "region"),
    [
        ("A123BC77", None, "standard", "77"),
        ("A123BC777", None, "standard", "777"),
        ("A123BC77", 2, "standard_two_line", "77"),
        ("A123BC646", None, "standard", None),  # of no region that is in use
        ("AA12377", None, "taxi", "77"),
        ("AA123177", None, "taxi", "177"),
        ("AA123477", None, "trailer", "77"),
        ("AA1234777", None, "trailer", "777"),
        ("1234AA77", None, "motorcycle", "77"),
        ("1234AA102", None, "motorcycle", "102"),
        ("1234AA21", 1, "military", None),
        ("AA123421", 1, "trailer", "21"),
        ("001CD177", None, "diplomatic_head", "77"),
        ("001D12377", None, "diplomatic", "77"),
        ("036T11577", None, "diplomatic_technical", "77"),
        ("036T115177", None, "diplomatic_technical", "177"),
        ("AA123A47", None, "transit", "47"),
        ("TAA12377", None, "transit_leaving", "77"),
        ("A123477", None, "police", "77"),
        ("A1234777", None, "police", "777"),
        ("123A77", None, "police_trailer", "77"),
        ("1234A77", None, "police_motorcycle", "77"),
    ],
)
def test_format_and_region_of(text: str, lines: Literal[1, 2] | None, name: str, region: str | None) -> None:
    fit = DEFAULT_SCHEMES.fit(text, lines=lines)
    assert (fit.format, fit.region) == (name, None if region is None else RUSSIA.regions[region])
    assert fit.region_known == (region is not None or name == "military")


@pytest.mark.parametrize(
    "text",
    [*NO_LENGTH_OF_A_PLATE, *ZEROS, "D123BC77", "Z123BC77", "a123bc77", "А123ВС77", "A 123 BC 77", "A123BC77\n"],
)
def test_texts_that_are_no_plate(text: str) -> None:
    assert _names(text) == []
    assert not DEFAULT_SCHEMES.fit(text).legal


def test_shared_patterns_are_all_named() -> None:
    assert _names("1234AA77", 2) == [
        "motorcycle",
        "motorcycle_small",
        "tractor",
        "off_road",
        "military_tractor",
        "military_motorcycle",
    ]
    assert _names("AA123177") == ["taxi", "trailer", "military_trailer"]


def test_an_unknown_region_still_has_a_format() -> None:
    assert RUSSIA.format("standard").region_codes("A123BC646") == ("646",)


def test_split_refuses_another_type() -> None:
    with pytest.raises(InvalidArgumentError, match="no taxi plate"):
        RUSSIA.format("taxi").split("A123BC77")


@pytest.mark.parametrize(
    "order",
    [(0, 1), (0, 2, 2), (1, 2, 3), ("0", "2", "1"), (0.0, 2.0, 1.0), (False, 2, True), ("a", 1, 2), [0, 2, 1], 5, None],
)
def test_an_order_that_loses_or_doubles_a_group_is_refused(order: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"number_order is .*, expected is a tuple: an order of \[0, 1, 2\]"):
        PlateFormat("x", "ll ll / dddd", number_order=order)


def test_a_number_needs_a_text_of_its_type() -> None:
    assert PlateFormat("x", "l{1,2} / dd l", number_order=(1, 0, 2)).to_number("AB12C") == "12ABC"
    with pytest.raises(InvalidArgumentError, match="no standard plate"):
        RUSSIA.format("standard").to_number("AB12C")


def test_pattern_reads_like_the_plate() -> None:
    assert RUSSIA.format("standard").pattern == "l ddd ll [dd|ndd]"
    assert RUSSIA.format("standard_two_line").pattern == "l ddd / ll [dd|ndd]"
    assert RUSSIA.format("diplomatic_head").pattern == "ddd CD d [dd|ndd]"
