"""The charts of the home page show what the tables say."""

import pytest

from benchmarks.home_page import CHARTS, FONT, IMAGES, LANGUAGES, THEMES, TITLES, WIDTH, chart

_CHARACTER_PX = 0.52 * FONT  # of DejaVu Sans, a wide font
_BOLD_PX = 0.63 * FONT
_PHONE_PX = 360  # what a page has on a phone of 390 px


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_the_drawn_chart_is_up_to_date(name: str, language: str, theme: str) -> None:
    """When a table has changed, ``python -m benchmarks.home_page charts`` draws them again."""
    drawn = (IMAGES / f"{name}-{language}-{theme}.svg").read_text(encoding="utf-8")
    assert drawn == chart(name, language, theme)


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_or_drawn_over(name: str, language: str) -> None:
    number = LANGUAGES.index(language)
    assert len(TITLES[name][number]) * _BOLD_PX <= WIDTH
    for bar in CHARTS[name](number):
        assert (len(bar.label) + 2 + len(bar.note)) * _CHARACTER_PX <= WIDTH


def test_a_phone_shows_letters_that_can_be_read() -> None:
    assert FONT * min(1.0, _PHONE_PX / WIDTH) >= 12
