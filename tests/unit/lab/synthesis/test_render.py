"""Rendered fronts: sizes, boxes, colours, determinism, errors."""

import itertools

import numpy as np
import pytest

from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.foreign.plates import render_foreign
from platereader.lab.synthesis.layout import lay_out
from platereader.lab.synthesis.render import Front, render_plate
from platereader.plates import RUSSIA, PlateFormat, PlateLayout


def _render(text: str, name: str = "standard", *, height_px: int = 64, seed: int = 0) -> Front:
    return render_plate(text, RUSSIA.layout(name), height_px=height_px, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("layout", RUSSIA.layouts, ids=lambda layout: layout.name)
@pytest.mark.parametrize("height_px", [16, 64])
def test_every_format(layout: PlateLayout, height_px: int) -> None:
    rng = np.random.default_rng(7)
    for region in ("77", "777") if layout.plate_format.has_region else (None, None):
        text = RUSSIA.sample_text(layout.plate_format, rng=rng, region=region)
        plate = render_plate(text, layout, height_px=height_px, rng=rng)
        width_px = round(height_px * layout.plate_format.size_mm[0] / layout.plate_format.size_mm[1])
        assert plate.pixels.shape == (height_px, width_px, 3)
        assert plate.pixels.dtype == np.uint8
        assert plate.lines == layout.line_count


@pytest.mark.parametrize("layout", RUSSIA.layouts, ids=lambda layout: layout.name)
def test_characters_of_a_line_stand_side_by_side(layout: PlateLayout) -> None:
    rng = np.random.default_rng(3)
    characters, _ = lay_out(RUSSIA.sample_text(layout.plate_format, rng=rng), layout=layout)
    parts = layout.plate_format.split("".join(character.char for character in characters))
    start = sum(len(part.text) for part in parts if part.line == 0)
    for row in (characters[:start], characters[start:]):
        for left, right in itertools.pairwise(row):
            assert left.rect[2] <= right.rect[0] + 1e-6


def test_main_digits_stand_above_the_letters_on_one_baseline() -> None:
    characters, _ = lay_out("A123BC77", layout=RUSSIA.layout("standard"))
    bottoms = {round(spot.top_mm + spot.height_mm, 6) for spot in characters[:6]}
    assert len(bottoms) == 1
    assert characters[1].height_mm > characters[0].height_mm
    assert max(character.top_mm + character.height_mm for character in characters[6:]) < bottoms.pop()


def test_the_field_of_a_three_digit_region_is_wider() -> None:
    _, two = lay_out("A123BC77", layout=RUSSIA.layout("standard"))
    _, three = lay_out("A123BC777", layout=RUSSIA.layout("standard"))
    assert two.field is not None
    assert three.field is not None
    assert three.field[0] < two.field[0]


def test_same_seed_same_picture_and_another_seed_another() -> None:
    assert np.array_equal(_render("A123BC77", seed=5).pixels, _render("A123BC77", seed=5).pixels)
    assert not np.array_equal(_render("A123BC77", seed=5).pixels, _render("A123BC77", seed=6).pixels)


def test_a_plate_does_not_share_its_pixels() -> None:
    first = _render("A123BC77", seed=1)
    first.pixels[:] = 0
    assert _render("A123BC77", seed=1).pixels.max() > 100


@pytest.mark.parametrize(("text", "name", "channel"), [("A123477", "police", 0), ("001D00177", "diplomatic", 2)])
def test_coloured_grounds(text: str, name: str, channel: int) -> None:
    means = np.median(_render(text, name).pixels.reshape(-1, 3), axis=0)
    assert int(np.argmax(means)) == channel


def test_ink_is_darker_than_a_white_ground_and_brighter_than_a_black_one() -> None:
    for text, name, sign in (("O000OO77", "standard", -1), ("0001OO77", "military", 1)):
        plate = _render(text.replace("000O", "001O"), name, height_px=112, seed=2)
        levels = plate.pixels[24:-24, 40:-160].mean(axis=2)  # the characters without rim and region
        assert sign * (float(np.percentile(levels, 10 if sign < 0 else 90)) - float(np.median(levels))) > 40


@pytest.mark.parametrize(("text", "name"), [("A123BC7", "standard"), ("A123BC77", "taxi"), ("", "standard")])
def test_a_text_that_does_not_fit(text: str, name: str) -> None:
    with pytest.raises(InvalidArgumentError, match="text"):
        _render(text, name)


def test_too_small() -> None:
    with pytest.raises(InvalidArgumentError, match="height_px"):
        _render("A123BC77", height_px=15)
    with pytest.raises(InvalidArgumentError, match="height_px"):
        render_foreign(np.random.default_rng(0), height_px=15)


@pytest.mark.parametrize("text", ["KX1", "ABEKM1234"])
def test_a_layout_of_another_country(text: str) -> None:
    layout = PlateLayout(
        PlateFormat("standard", "[l{1,3}] l{1,2} nd{0,3}", size_mm=(520.0, 110.0)), ((75.0, 75.0, 75.0),)
    )
    characters, fixtures = lay_out(text, layout=layout)
    assert "".join(character.char for character in characters) == text
    assert {character.height_mm for character in characters} == {75.0}
    assert (fixtures.field, fixtures.flag) == (None, None)
    assert render_plate(text, layout, height_px=110, rng=np.random.default_rng(0)).pixels.shape == (110, 520, 3)


@pytest.mark.parametrize("layout", RUSSIA.layouts, ids=lambda layout: layout.name)
def test_russian_plates_have_nothing_of_other_countries(layout: PlateLayout) -> None:
    text = RUSSIA.sample_text(layout.plate_format, rng=np.random.default_rng(0))
    _, fixtures = lay_out(text, layout=layout)
    assert (fixtures.marks, fixtures.rules) == (None, ())
