"""One name to install, and one version, wherever either is written."""

import re
import subprocess
from datetime import date
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

import platereader
from platereader._dependencies import DISTRIBUTION, EXTRAS, missing_dependency

REPOSITORY = Path(__file__).resolve().parents[1]
WRITTEN = {".md", ".py", ".toml", ".yml", ".cff", ".txt", ""}
# An extra of the plain name, or pip told to install the plain name: both are another project's package.
WRONG_NAME = re.compile(r"(?<![\w-])platereader\[[a-z]|pip install [^\n`]*?(?<![\w./@-])platereader(?![\w./-])")


def documents() -> list[Path]:
    """Every text file of the repository that a person reads or a program prints from."""
    folders = ("src", "tests", "docs", "examples", "benchmarks", ".ci")
    inside = [path for folder in folders for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
    beside = [path for path in REPOSITORY.iterdir() if path.is_file()]
    return [path for path in (*inside, *beside) if path.suffix in WRITTEN]


def text_of(name: str) -> str:
    """A file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_no_document_or_message_has_another_name_to_install() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {match.group()}"
        for path in documents()
        if path != Path(__file__).resolve()
        for match in WRONG_NAME.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('pip install "platereader[onnx]"', True),
        ("pip install -U platereader", True),
        ("the extra platereader[train]", True),
        ('pip install "platereader-anpr[train]"', False),
        ("pip install . && .venv/bin/platereader read", False),
        ("pip install -e /src/platereader", False),
    ],
)
def test_the_other_name_is_recognised(text: str, wrong: bool) -> None:
    assert bool(WRONG_NAME.search(text)) is wrong


def test_pyproject_has_the_name_and_every_extra() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11 to read pyproject.toml")
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["name"] == DISTRIBUTION
    assert {extra for extra in EXTRAS.values() if extra is not None} <= set(project["optional-dependencies"])


def test_the_classifiers_name_every_python_that_is_tested() -> None:
    wanted = re.findall(r"=\$\(first_python ([\d. ]+)\)", text_of(".ci/run"))
    tested = {version for versions in wanted for version in versions.split()}
    assert "3.10" in tested
    assert tested <= set(re.findall(r"Python :: (3\.\d+)", text_of("pyproject.toml")))


def test_the_source_distribution_has_all_that_its_tests_and_pages_use() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11 to read pyproject.toml")
    include = tomllib.loads(text_of("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    for_the_host = {".git", ".github", ".gitignore", ".pre-commit-config.yaml"}
    added_always = {"pyproject.toml", "LICENSE"}  # by hatchling
    there = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if there.returncode:
        pytest.skip("which files are kept is known in the repository only")
    tops = {line.partition("/")[0] for line in there.stdout.splitlines()} - for_the_host - added_always
    assert {top for top in tops if not any(fnmatch(f"/{top}", pattern) for pattern in include)} == set()


def test_a_missing_package_is_named_with_its_command() -> None:
    assert str(missing_dependency("torch")).endswith('pip install "platereader-anpr[torch]".')
    assert str(missing_dependency("torch", extra="train")).endswith('pip install "platereader-anpr[train]".')
    assert str(missing_dependency("onnxruntime")).endswith("pip install platereader-anpr.")


def test_the_version_is_the_same_everywhere() -> None:
    version = platereader.__version__
    assert 'dynamic = ["version"]' in text_of("pyproject.toml")
    assert f"\nversion: {version}\n" in text_of("CITATION.cff")
    assert f"\n## [{version}]" in text_of("CHANGELOG.md")


def test_the_day_of_the_release_is_the_same_everywhere() -> None:
    version = re.escape(platereader.__version__)
    (day,) = re.findall(rf"^## \[{version}\] - (\S+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    released = None if day == "unreleased" else date.fromisoformat(day)
    told = "unreleased" if released is None else f"{released.day} {released:%B %Y}"
    assert re.findall(r"^date-released: (\S+)$", text_of("CITATION.cff"), re.MULTILINE) == [day] * (
        released is not None
    )
    assert re.findall(rf"^## {version}, (.*)$", text_of("docs/release-notes.md"), re.MULTILINE) == [told]
    comparison = text_of("docs/explanation/comparison.md")
    assert f"| platereader {platereader.__version__} |" in comparison
    assert re.findall(r"^\| released \| ([^|]*) \|", comparison, re.MULTILINE) == [told]


def test_the_installed_version_is_that_of_the_source() -> None:
    try:
        installed = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{DISTRIBUTION} is not installed: the source is used as it lies there")
    assert installed == platereader.__version__
