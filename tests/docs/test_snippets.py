"""Every python block of the README and the documentation runs, page by page, from top to bottom."""

import ast
import importlib.util
import re
import shutil
from pathlib import Path

import pytest

from captures import write_video
from platereader.media._images import read_image

REPOSITORY = Path(__file__).resolve().parents[2]
# The Russian pages repeat programs of the English ones, which test_russian.py holds.
PAGES = [
    REPOSITORY / "README.md",
    *sorted(page for page in (REPOSITORY / "docs").rglob("*.md") if page.parent.name != "ru"),
]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a page says that a block prints: the next fence under its heading, where that names no language.
PRINTED = re.compile(r"(?:(?!^```|^#).)*^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks_of(page: Path) -> list[tuple[int, str]]:
    """Line number and code of each python block."""
    text = page.read_text(encoding="utf-8")
    return [(text[: match.start(1)].count("\n"), match.group(1)) for match in BLOCK.finditer(text)]


def printed_of(page: Path) -> list[str | None]:
    """For each python block what the page says that it prints, if it says so."""
    text = page.read_text(encoding="utf-8")
    matches = [PRINTED.match(text, block.end()) for block in BLOCK.finditer(text)]
    return [match.group(1) if match else None for match in matches]


def comparable(printed: str) -> list[str]:
    """The lines without what differs from engine to engine: their order, and which characters are a ``?``."""
    return sorted(re.sub(r"\S*\?\S*", "?", line) for line in printed.splitlines())


def need_what_it_imports(page: Path) -> None:
    """Skip a page that puts the library together with one that is not installed."""
    for _, code in blocks_of(page):
        for node in ast.walk(ast.parse(code)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in {name.partition(".")[0] for name in names}:
                if importlib.util.find_spec(name) is None:
                    pytest.skip(f"{page.name} needs {name}, which is not installed")


@pytest.fixture
def reader_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a reader of the pages has it: the example pictures, and a short video of one of them."""
    pictures = REPOSITORY / "examples" / "pictures"
    shutil.copytree(pictures, tmp_path / "examples" / "pictures")
    write_video(tmp_path / "gate.mp4", [read_image(min(pictures.glob("*.jpg")))] * 3)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.stem)
def test_snippets_run_and_print_what_the_page_says(
    page: Path, reader_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_what_it_imports(page)
    names: dict[str, object] = {"__name__": "__snippet__"}
    for (line, code), printed in zip(blocks_of(page), printed_of(page), strict=True):
        capsys.readouterr()
        # Blank lines in front make a traceback point at the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)  # noqa: S102
        if printed is not None:
            assert comparable(capsys.readouterr().out) == comparable(printed)


def test_the_pages_have_snippets() -> None:
    assert sum(len(blocks_of(page)) for page in PAGES) >= 10
    assert sum(printed is not None for page in PAGES for printed in printed_of(page)) >= 5
