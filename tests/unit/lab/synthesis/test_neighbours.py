"""Rendered plates of other countries: every layout, places of the text, strips and fields, shares of the countries."""

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest

from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.crops import plate_sample, random_layout, random_text
from platereader.lab.synthesis.fixtures import Marks, Rect
from platereader.lab.synthesis.layout import lay_out
from platereader.lab.synthesis.legibility import character_boxes
from platereader.lab.synthesis.neighbours import NEIGHBOURS, SCHEME_WEIGHTS, any_region, random_scheme
from platereader.lab.synthesis.render import render_plate
from platereader.plates import GEORGIA, KAZAKHSTAN, LATIN, RUSSIA, UKRAINE, UZBEKISTAN, PlateLayout, PlateScheme
from platereader.plates._alphabet import ILLEGIBLE

ALL = [(scheme, index) for scheme in NEIGHBOURS for index in range(len(scheme.layouts))]
every_layout = pytest.mark.parametrize(
    ("scheme", "index"), ALL, ids=[f"{scheme.country}-{scheme.layouts[index].name}-{index}" for scheme, index in ALL]
)


def _texts(scheme: PlateScheme, layout: PlateLayout, *, count: int = 6) -> list[str]:
    rng = np.random.default_rng(8)
    return [scheme.sample_text(layout.plate_format, rng=rng) for _ in range(count)]


def _overlap(first: Rect, second: Rect) -> bool:
    across = min(first[2], second[2]) - max(first[0], second[0])
    return across > 1e-6 and min(first[3], second[3]) - max(first[1], second[1]) > 1e-6


def _marks(layout: PlateLayout, text: str) -> Marks:
    return lay_out(text, layout=layout)[1].marks or Marks()


@pytest.mark.parametrize("scheme", NEIGHBOURS, ids=lambda scheme: scheme.country)
def test_every_type_has_a_layout(scheme: PlateScheme) -> None:
    assert {layout.name for layout in scheme.layouts} == {one.name for one in scheme.formats}
    assert all(layout.plate_format is scheme.format(layout.name) for layout in scheme.layouts)


@every_layout
@pytest.mark.parametrize("height_px", [32, 96])
def test_every_layout_can_be_rendered(scheme: PlateScheme, index: int, height_px: int) -> None:
    layout = scheme.layouts[index]
    width, height = layout.plate_format.size_mm
    for text in _texts(scheme, layout, count=3):
        plate = render_plate(text, layout, height_px=height_px, rng=np.random.default_rng(1))
        again = render_plate(text, layout, height_px=height_px, rng=np.random.default_rng(1))
        assert plate.pixels.shape == (height_px, round(height_px * width / height), 3)
        assert np.array_equal(plate.pixels, again.pixels)


@every_layout
def test_the_text_touches_nothing_else(scheme: PlateScheme, index: int) -> None:
    layout = scheme.layouts[index]
    width, height = layout.plate_format.size_mm
    for text in _texts(scheme, layout):
        characters, fixtures = lay_out(text, layout=layout)
        rects, marks = [character.rect for character in characters], fixtures.marks or Marks()
        assert "".join(character.char for character in characters) == text
        assert all(x1 > 4 and y1 > 4 and x2 < width - 4 and y2 < height - 4 for x1, y1, x2, y2 in rects)
        assert not any(_overlap(first, second) for first, second in itertools.combinations(rects, 2))
        places = [marks.strip, marks.flag, marks.code, marks.hologram, *marks.seals, *fixtures.rules]
        assert not any(_overlap(rect, place) for rect in rects for place in places if place is not None)


@every_layout
def test_a_line_is_read_from_the_left(scheme: PlateScheme, index: int) -> None:
    layout = scheme.layouts[index]
    for text in _texts(scheme, layout, count=2):
        characters, _ = lay_out(text, layout=layout)
        upper = sum(len(part.text) for part in layout.plate_format.split(text) if part.line == 0)
        for row in (characters[:upper], characters[upper:]):
            assert all(left.center_mm < right.center_mm for left, right in itertools.pairwise(row))
        if layout.line_count == 2:
            assert max(one.top_mm for one in characters[:upper]) < min(one.top_mm for one in characters[upper:])


@every_layout
def test_exactly_the_boxed_groups_stand_in_the_field(scheme: PlateScheme, index: int) -> None:
    layout = scheme.layouts[index]
    for text in _texts(scheme, layout, count=2):
        characters, fixtures = lay_out(text, layout=layout)
        field = fixtures.marks.field if fixtures.marks else None
        assert (field is not None) == bool(layout.boxed)
        if field is not None:
            inside = "".join(one.char for one in characters if _overlap(one.rect, field))
            assert inside == layout.plate_format.region_codes(text)[0]
            assert all(
                field[0] < one.rect[0] and one.rect[2] < field[2]
                for one in characters
                if one.char in inside and _overlap(one.rect, field)
            )


@every_layout
def test_the_ink_is_where_the_boxes_are(scheme: PlateScheme, index: int) -> None:
    """Two texts from one rng give pictures that differ in the boxes of the characters that differ, and only there."""
    layout, height_px = scheme.layouts[index], 112
    texts = _texts(scheme, layout, count=12)
    first = texts[0]
    second = next(text for text in texts[1:] if len(text) == len(first) and text != first)
    rendered = [
        render_plate(text, layout, height_px=height_px, rng=np.random.default_rng(3)).pixels.astype(int)
        for text in (first, second)
    ]
    changed = np.abs(rendered[0] - rendered[1]).max(axis=2) > 25
    outside = changed.copy()
    scale, margin = height_px / layout.plate_format.size_mm[1], 6.0  # of which a press may be off by 5
    for one, other, *spots in zip(
        first, second, *(lay_out(text, layout=layout)[0] for text in (first, second)), strict=True
    ):
        left = min(spot.rect[0] for spot in spots)
        right = max(spot.rect[2] for spot in spots)
        _, top, _, bottom = spots[0].rect
        rows = slice(round((top - margin) * scale), round((bottom + margin) * scale))
        columns = slice(round((left - margin) * scale), round((right + margin) * scale))
        assert bool(changed[rows, columns].mean() > 0.02) >= (one != other)
        outside[rows, columns] = False
    assert not outside.any()


def test_flag_and_strip_have_their_colours() -> None:
    layout = UKRAINE.layout("standard")
    marks = _marks(layout, "AA1234BB")
    assert marks.strip is not None
    assert marks.flag is not None
    pictures = [
        render_plate("AA1234BB", layout, height_px=112, rng=np.random.default_rng(seed)).pixels for seed in range(9)
    ]
    middle = np.median(pictures, axis=0)
    scale = 112 / layout.plate_format.size_mm[1]
    x = round((marks.flag[0] + marks.flag[2]) / 2 * scale)
    upper, lower = (round((marks.flag[1] + share * (marks.flag[3] - marks.flag[1])) * scale) for share in (0.25, 0.75))
    assert middle[upper, x].argmax() == 0  # blue
    assert middle[lower, x].argmin() == 0  # yellow
    assert middle[round(0.95 * 112 - 4), round(0.8 * marks.strip[2] * scale)].argmax() == 0


def test_the_code_of_the_country_is_no_text() -> None:
    layout = KAZAKHSTAN.layout("standard")
    assert layout.strip is not None
    other = dataclasses.replace(layout, strip=dataclasses.replace(layout.strip, code="QQ"))
    first, second = (
        render_plate("123ABC02", one, height_px=96, rng=np.random.default_rng(0)) for one in (layout, other)
    )
    assert character_boxes("123ABC02", layout) == character_boxes("123ABC02", other)
    left, _, right, _ = _marks(layout, "123ABC02").code or (0.0, 0.0, 0.0, 0.0)
    changed = np.flatnonzero((first.pixels != second.pixels).any(axis=(0, 2))) * 112 / 96
    assert changed.size
    assert left - 3 < changed.min() < changed.max() < right + 3


def test_hyphens_stand_in_the_gaps() -> None:
    layout = GEORGIA.layout("standard")
    characters, fixtures = lay_out("AB123CD", layout=layout)
    assert len(fixtures.rules) == 2
    for rule, place in zip(fixtures.rules, (2, 5), strict=True):
        assert characters[place - 1].rect[2] < rule[0] < rule[2] < characters[place].rect[0]
    assert lay_out("AB123CD", layout=dataclasses.replace(layout, separators=()))[1].rules == ()


def test_a_field_may_be_at_the_left() -> None:
    characters, fixtures = lay_out("01A123BC", layout=UZBEKISTAN.layout("standard"))
    assert fixtures.marks is not None
    assert fixtures.marks.field is not None
    assert fixtures.marks.strip is not None
    assert fixtures.marks.field[0] == 0.0
    assert fixtures.marks.strip[2] == fixtures.size[0]
    assert characters[1].rect[2] < fixtures.marks.field[2] < characters[2].rect[0]


def test_separators_must_fit_the_groups() -> None:
    layout = GEORGIA.layout("standard")
    for wrong in (("-",), ("--", ""), ("-x",)):
        with pytest.raises(InvalidArgumentError, match="separators"):
            dataclasses.replace(layout, separators=wrong)


def test_a_layout_without_a_strip_has_none() -> None:
    layout = dataclasses.replace(GEORGIA.layout("standard"), strip=None)
    marks = _marks(layout, "AB123CD")
    assert (marks.strip, marks.flag, marks.code, marks.seals) == (None, None, None, ())


def test_countries_come_as_often_as_their_weights_say() -> None:
    rng = np.random.default_rng(0)
    drawn = Counter(random_scheme(rng).country for _ in range(4000))
    assert set(drawn) == set(SCHEME_WEIGHTS)
    assert drawn["KZ"] / 4000 == pytest.approx(SCHEME_WEIGHTS["KZ"] / sum(SCHEME_WEIGHTS.values()), rel=0.2)
    assert {random_scheme(rng, weights={"MD": 1.0}).country for _ in range(20)} == {"MD"}


@pytest.mark.parametrize("scheme", NEIGHBOURS, ids=lambda scheme: scheme.country)
def test_samples_of_a_country(scheme: PlateScheme) -> None:
    rng = np.random.default_rng(2)
    for _ in range(6):
        sample = plate_sample(rng, scheme=scheme)
        assert sample.country == scheme.country
        assert sample.lines == scheme.format(sample.format_name).line_count
        assert ILLEGIBLE in sample.text or scheme.format(sample.format_name).matches(sample.text)


def test_all_layouts_of_a_country_are_drawn() -> None:
    rng = np.random.default_rng(0)
    assert {random_layout(rng, scheme=KAZAKHSTAN).name for _ in range(600)} == {one.name for one in KAZAKHSTAN.formats}
    with pytest.raises(InvalidArgumentError, match="XX"):
        random_layout(rng, scheme=LATIN)


def test_some_texts_have_a_region_that_is_not_in_use() -> None:
    rng, layout = np.random.default_rng(0), KAZAKHSTAN.layout("standard")
    codes = [layout.plate_format.region_codes(random_text(layout, rng=rng, scheme=KAZAKHSTAN))[0] for _ in range(500)]
    assert 0.02 < sum(code not in KAZAKHSTAN.regions for code in codes) / 500 < 0.12
    assert any_region(KAZAKHSTAN.format("standard_1993"), rng=rng) is None
    assert any_region(GEORGIA.format("standard"), rng=rng) is None


def test_russian_samples_say_so() -> None:
    assert plate_sample(np.random.default_rng(0)).country == RUSSIA.country
