"""What the source imports is what the package declares."""

import ast
import re
import sys
from pathlib import Path
from typing import Any, cast

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pillow_heif": "pillow-heif",
    "typing_extensions": "typing-extensions",
    "ultralytics": "ultralytics-opencv-headless",
}


def project() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11 to read pyproject.toml")
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return cast("dict[str, Any]", tomllib.load(file)["project"])


def names_of(requirements: list[str]) -> set[str]:
    """The distributions in a list of requirements."""
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements}


def imported(*, training: bool) -> set[str]:
    """Distributions that the files behind the extra ``train`` (or all others) import: anywhere, or named in a text."""
    modules: set[str] = set()
    for path in (REPOSITORY / "src").rglob("*.py"):
        if ("training" in path.parts) is not training:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Call) and "import_" in ast.unparse(node.func):
                names = (argument.value for argument in node.args if isinstance(argument, ast.Constant))
                modules |= {name.partition(".")[0] for name in names if isinstance(name, str)}
    modules -= set(sys.stdlib_module_names) | {"platereader"}
    return {DISTRIBUTIONS.get(name, name) for name in modules}


def test_every_import_is_declared() -> None:
    declared = names_of(project()["dependencies"])
    extras = {name: names_of(packages) for name, packages in project()["optional-dependencies"].items()}
    readers = set().union(
        *(extras[name] for name in ("torch", "openvino", "ultralytics", "supervision", "heic", "completion"))
    )
    assert imported(training=False) - declared - readers == extras["evaluate"]
    assert imported(training=True) - declared - readers - extras["evaluate"] - extras["train"] == set()


def test_nothing_is_declared_in_vain() -> None:
    assert names_of(project()["dependencies"]) - imported(training=False) == set()
