"""The two READMEs say the same, and nothing in them points nowhere."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+?)\)")


def read(name: str) -> str:
    """The text of a file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def skeleton(text: str) -> dict[str, object]:
    """What must be equal in both languages."""
    prose = FENCED.sub("", text)
    return {
        "blocks": FENCED.findall(text),
        "headings": [len(mark) for mark in re.findall(r"^(#+) ", prose, re.MULTILINE)],
        "markers": re.findall(r"<!--.*?-->", text),
        "bullets": len(re.findall(r"^- ", prose, re.MULTILINE)),
        "figures": [re.findall(r"\d+(?:\.\d+)?", row) for row in re.findall(r"^\|.*\|$", prose, re.MULTILINE)],
        "links": sorted(target for target in LINK.findall(prose) if not target.startswith("README")),
    }


def test_the_two_languages_agree() -> None:
    assert skeleton(read("README.md")) == skeleton(read("README.ru.md"))


@pytest.mark.parametrize("name", ["README.md", "README.ru.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    targets = [target for target in LINK.findall(read(name)) if not target.startswith("http")]
    assert [target for target in targets if not (REPOSITORY / target).exists()] == []


def test_the_map_shows_what_is_there() -> None:
    source = REPOSITORY / "src" / "platereader"
    drawn = next(block for block in FENCED.findall(read("README.md")) if "src/platereader/" in block)
    named = set(re.findall(r"(?<=\s)(\w+\.py|\w+/)(?=\s)", drawn))
    there = {f"{path.name}/" if path.is_dir() else path.name for path in source.iterdir()}
    there -= {"__pycache__/", "py.typed"}
    outside = {"models/", "examples/", "docs/", "benchmarks/", "tests/"}
    assert named - outside == there
