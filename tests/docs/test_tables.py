"""The tables that the pages print are those of the program."""

import re

import pytest
from docs.test_snippets import REPOSITORY

from platereader.cli import main

ROW = re.compile(r"^examples/pictures/\S+  .*$", re.MULTILINE)
TOTALS = re.compile(r"^(?:pictures read|снимков прочитано): .*$", re.MULTILINE)
WITH_TOTALS = {"tutorial.md": "en", "ru/tutorial.md": "ru", "ru/cli.md": "ru"}


def rows(text: str) -> list[str]:
    """The rows, without the percentages, which differ a little between engines and processors."""
    return [re.sub(r"\d+ % ", "", row) for row in ROW.findall(text)]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_tables(language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    words = ["--lang", language, "read", "examples/pictures", "--engine", "onnx", "--precision", "int8"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    printed, (totals,) = rows(out), TOTALS.findall(err)
    for page, its_language in WITH_TOTALS.items():
        text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
        if its_language == language:
            assert rows(text) == printed, page
            assert totals in text, page
    reference = rows((REPOSITORY / "docs" / "reference" / "cli.md").read_text(encoding="utf-8"))
    shown = [row for row in reference if row in printed]
    assert len(shown) == {"en": 5, "ru": 3}[language]
    assert shown == printed[-len(shown) :]
