"""Plates of other countries: the table is sound, and what is drawn is what is said."""

import numpy as np
import pytest

from platereader.lab.synthesis.foreign.backgrounds import plate_background
from platereader.lab.synthesis.foreign.lettering import LETTERS, Lettering, line_mask, random_lettering, small_line
from platereader.lab.synthesis.foreign.ornaments import FreeArea, stamp
from platereader.lab.synthesis.foreign.plates import render_foreign
from platereader.lab.synthesis.foreign.styles import COLOURS, STYLES, ForeignStyle, random_style
from platereader.plates._alphabet import ILLEGIBLE


def _share(*names: str) -> float:
    """How much of the table falls to kinds whose names begin so."""
    return sum(style.weight for style in STYLES if style.name.startswith(names)) / sum(one.weight for one in STYLES)


def test_plates_vary_in_shape_and_colour() -> None:
    rng = np.random.default_rng(0)
    plates = [render_foreign(rng, height_px=40).pixels for _ in range(60)]
    assert all(plate.shape[0] == 40 and plate.dtype == np.uint8 for plate in plates)
    aspects = [plate.shape[1] / 40 for plate in plates]
    assert min(aspects) < 1.7
    assert max(aspects) > 4
    assert np.std([plate.mean() for plate in plates]) > 20


@pytest.mark.parametrize("height_px", [16, 24, 96])
def test_every_height_is_drawn(height_px: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(150):
        plate = render_foreign(rng, height_px=height_px)
        assert plate.pixels.shape[0] == height_px
        assert 1.0 <= plate.pixels.shape[1] / height_px <= 5.1
        assert plate.pixels.std() > 1.5
        assert set(plate.text) <= {*LETTERS, *"0123456789", ILLEGIBLE}
        assert 3 <= len(plate.text) <= 12


def test_plates_repeat_with_the_seed() -> None:
    for seed in range(20):
        first, second = (render_foreign(np.random.default_rng(seed), height_px=48) for _ in range(2))
        assert np.array_equal(first.pixels, second.pixels)
        assert first.text == second.text


def test_the_continents_have_their_shares() -> None:
    assert 0.3 < _share("us ", "canada", "mexico") < 0.37
    assert 0.17 < _share("brazil", "mercosur", "andes", "argentina") < 0.23
    europe = ("eu ", "britain", "netherlands", "two bands", "switzerland", "turkey", "ukraine", "central", "caucasus")
    assert 0.22 < _share(*europe) < 0.28


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_row_names_only_what_can_be_drawn(style: ForeignStyle) -> None:
    rng = np.random.default_rng(2)
    for pair in style.paints:
        assert len([COLOURS[name] for name in pair.split(":")]) == 2
    for kind in style.backgrounds:
        plate_background(kind, size_px=(90, 44), colour=np.full(3, 200, np.float32), rng=rng)
    for kind in {*style.upper, *style.lower} - {"none"}:
        assert small_line(kind, rng=rng).any()
    assert all(0.9 < aspect < 5 for aspect in style.aspects)
    assert all(set(pattern) <= set("LDA -.=*~^/") for pattern in style.patterns)
    known = {"band", "band_right", "flag_band", "strip", "divider", "emblem", "emblem_right", "code", "seal"}
    known |= {"rim", "stickers", "bolts", "frame"}
    assert all(0 < style.chance(extra) <= 1 for extra in style.extras)
    assert set(style.extras) <= known


def test_a_fifth_are_of_no_country() -> None:
    rng = np.random.default_rng(3)
    names = [random_style(rng).name for _ in range(1000)]
    assert 0.16 < names.count("mixed") / 1000 < 0.24
    assert len(set(names)) > 35


def test_every_character_of_every_face_is_drawn_full_height() -> None:
    rng = np.random.default_rng(4)
    for face in range(5):
        lettering = Lettering(face, width=0.68, stroke=8, gap_px=8, slant=0.0)
        shapes = []
        for char in LETTERS + "0123456789":
            mask, _ = line_mask(char, lettering=lettering, rng=rng)
            rows = np.flatnonzero(mask.max(axis=1) > 128)
            assert mask.shape[0] == 64
            assert rows[0] < 6  # the tip of a round A
            assert rows[-1] > 57
            shapes.append(mask.tobytes())
        assert len(set(shapes)) >= 35  # a 0 may look like an O


def test_an_emblem_is_where_the_text_leaves_room() -> None:
    rng = np.random.default_rng(5)
    mask, middles = line_mask("AB*12", lettering=random_lettering(rng), rng=rng)
    column = round(middles[0] * mask.shape[1])
    assert not mask[:, column - 8 : column + 8].any()
    assert mask[:, : column - 20].any()
    assert mask[:, column + 20 :].any()


def test_a_stamp_stays_in_its_room() -> None:
    pixels = np.full((60, 120, 3), 200, np.uint8)
    area = FreeArea(20, 10, 100, 50)
    mask = np.full((64, 400), 255, np.uint8)
    printed = stamp(pixels, mask, area=area, ink=np.zeros(3, np.float32))
    dark = np.argwhere(pixels[..., 0] < 100)
    assert dark.min(axis=0).tolist() == [printed.top, printed.left]
    assert dark.min(axis=0)[1] >= 20
    assert dark.max(axis=0)[1] < 100
    assert dark.min(axis=0)[0] >= 10
    assert dark.max(axis=0)[0] < 50
