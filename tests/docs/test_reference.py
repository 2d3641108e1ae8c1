"""Each public module has its place in the reference, once."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = re.compile(r"^::: (platereader[\w.]*)$", re.MULTILINE)


def public_modules() -> set[str]:
    """Dotted names of all modules without an underscore."""
    root = REPOSITORY / "src"
    names: set[str] = set()
    for path in (root / "platereader").rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not any(part.startswith("_") for part in parts):
            names.add(".".join(parts))
    return names - {"platereader"}


def test_every_public_module_is_in_the_reference_once() -> None:
    pages = (REPOSITORY / "docs" / "reference").glob("*.md")
    named = [name for page in pages for name in MODULE.findall(page.read_text(encoding="utf-8"))]
    assert len(named) == len(set(named))
    assert set(named) == public_modules()
