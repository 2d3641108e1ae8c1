"""The table of attacks names tests that exist, and says of each attack what it did before."""

import ast
import re
from pathlib import Path


def test_every_attack_has_its_test(repository: Path) -> None:
    page = (repository / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "::" in line]
    assert all(len(cells := row.strip("|").split(" | ")) == 4 and all(map(str.strip, cells)) for row in rows), rows
    named = re.findall(r"`([\w/.]+\.py)::(\w+)`", page)
    assert len(named) > 20
    for file, test in named:
        path = repository / file if file.startswith("tests/") else repository / "tests" / "unit" / file
        tests = {
            node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
        }
        assert test in tests, f"{file}::{test}"
