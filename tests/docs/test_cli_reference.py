"""The page of the command line says what the parsers say."""

import importlib.util
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("cli_reference", REPOSITORY / "docs" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = (REPOSITORY / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert page == generator.updated(page), "run: python docs/cli_reference.py"
