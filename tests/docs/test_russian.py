"""The Russian pages show the programs and charts of the English ones."""

import re

import pytest
from docs.test_snippets import BLOCK, REPOSITORY

DOCS = REPOSITORY / "docs"
SOURCES = {
    "index": "index.md",
    "tutorial": "tutorial.md",
    "video": "how-to/video.md",
    "redaction": "how-to/redaction.md",
    "parking": "how-to/parking.md",
    "own-country": "how-to/own-country.md",
}


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SOURCES)
def test_programs_are_those_of_the_english_page(name: str) -> None:
    """So the test that runs the English page holds for both."""
    programs = BLOCK.findall(text_of(f"ru/{name}.md"))
    assert programs
    assert [program for program in programs if program not in BLOCK.findall(text_of(SOURCES[name]))] == []


def test_every_russian_page_is_known() -> None:
    assert {page.stem for page in (DOCS / "ru").glob("*.md")} == {*SOURCES, "cli"}


def test_both_home_pages_show_the_same_charts() -> None:
    charts = [re.findall(r"images/(\w+)-\w\w-(\w+\.svg)", text_of(page)) for page in ("index.md", "ru/index.md")]
    assert charts[0] == charts[1]
    assert len(charts[0]) == 4
