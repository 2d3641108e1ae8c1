"""The layers that the design page shows are those that the import contracts hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_layers_are_those_of_the_contracts() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11 to read pyproject.toml")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    page = (REPOSITORY / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```\n(.*?)^```", page.partition("## Layers")[2], re.MULTILINE | re.DOTALL)
    assert [list(reversed(block.splitlines())) for block in shown] == [
        contract["layers"] for contract in project["tool"]["importlinter"]["contracts"]
    ]
