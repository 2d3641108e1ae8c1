"""What the theme makes of the pages."""

from pathlib import Path

import pytest
from docs.test_snippets import REPOSITORY


def test_a_page_is_declared_in_its_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    pages = tmp_path / "docs"
    (pages / "ru").mkdir(parents=True)
    for name in ("index.md", "ru/index.md"):
        (pages / name).write_text("# Text\n", encoding="utf-8")
    settings = str(REPOSITORY / "mkdocs.yml")
    config = load_config(settings, docs_dir=str(pages), site_dir=str(tmp_path / "site"), plugins=[])
    config.nav = None
    build(config)

    built = {name: (tmp_path / "site" / name).read_text(encoding="utf-8") for name in ("index.html", "ru/index.html")}
    assert '<html lang="en"' in built["index.html"]
    assert "Skip to content" in built["index.html"]
    assert '<html lang="ru"' in built["ru/index.html"]
    assert "Перейти к содержанию" in built["ru/index.html"]
    assert '<html lang="en"' in (tmp_path / "site" / "404.html").read_text(encoding="utf-8")
