"""Every ``platereader`` command line of the README and the documentation is one that the program understands."""

import re
import shlex
from pathlib import Path

import pytest

from platereader.cli import build_parser

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [*REPOSITORY.glob("README*.md"), *sorted((REPOSITORY / "docs").rglob("*.md"))]
COMMAND = re.compile(r"(?:^|&& )\s*(?:\.venv/bin/)?platereader (.+?)(?: [>|].*)?$", re.MULTILINE)
BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Page and arguments of each command line."""
    return [
        (page.name, arguments)
        for page in PAGES
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for arguments in COMMAND.findall(block)
    ]


@pytest.mark.parametrize(("page", "arguments"), commands())
def test_command_lines_parse(page: str, arguments: str) -> None:
    assert build_parser().parse_args(shlex.split(arguments)).command


def test_the_pages_have_command_lines() -> None:
    assert len(commands()) >= 10
