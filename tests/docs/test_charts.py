"""The charts of the home page show what the tables say."""

import pytest

from benchmarks.home_page import CHARTS, IMAGES, LANGUAGES, THEMES, chart


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_the_drawn_chart_is_up_to_date(name: str, language: str, theme: str) -> None:
    """When a table has changed, ``python -m benchmarks.home_page charts`` draws them again."""
    drawn = (IMAGES / f"{name}-{language}-{theme}.svg").read_text(encoding="utf-8")
    assert drawn == chart(name, language, theme)
