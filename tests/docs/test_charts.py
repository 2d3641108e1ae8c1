"""The charts of the home page show what the tables say."""

import pytest

from benchmarks.home_page import ACCURACY, CHARTS, IMAGES, LABELS, LANGUAGES, THEMES, chart

_CHARACTER_PX = 7.7  # of DejaVu Sans, a wide font, at the size of the labels


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_the_drawn_chart_is_up_to_date(name: str, language: str, theme: str) -> None:
    """When a table has changed, ``python -m benchmarks.home_page charts`` draws them again."""
    drawn = (IMAGES / f"{name}-{language}-{theme}.svg").read_text(encoding="utf-8")
    assert drawn == chart(name, language, theme)


@pytest.mark.parametrize("label", [label for labels in ACCURACY.values() for label in labels])
def test_labels_are_not_cut_off(label: str) -> None:
    assert len(label) * _CHARACTER_PX <= LABELS - 10
