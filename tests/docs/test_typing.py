"""Every page's python blocks, as one program a page, pass mypy --strict and pyright's strict mode as they stand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docs.test_snippets import PAGES, REPOSITORY, blocks_of, need_what_it_imports

PROGRAMS = {page: "_".join(page.relative_to(REPOSITORY).with_suffix("").parts).replace("-", "_") for page in PAGES}
WITH_CODE = [page for page in PAGES if blocks_of(page)]

pytestmark = pytest.mark.slow


def program_of(page: Path) -> str:
    """The blocks of a page with empty lines between them, so that errors are on the lines of the page."""
    lines = [""] * page.read_text(encoding="utf-8").count("\n")
    for first, code in blocks_of(page):
        lines[first : first + code.count("\n")] = code.splitlines()
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program of each page."""
    folder = tmp_path_factory.mktemp("programs")
    for page in WITH_CODE:
        (folder / f"{PROGRAMS[page]}.py").write_text(program_of(page), encoding="utf-8")
    return folder


def printed(module: str, *arguments: str) -> str:
    """What a type checker prints, run from the repository; 0 and 1 are its verdicts, anything else is no run."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def mypy_errors(programs: Path) -> list[str]:
    """One line each."""
    pytest.importorskip("mypy")
    return [
        line for line in printed("mypy", "--strict", *map(str, programs.glob("*.py"))).splitlines() if "error" in line
    ]


@pytest.fixture(scope="module")
def pyright_errors(programs: Path) -> list[str]:
    """One line each."""
    pytest.importorskip("pyright")
    settings = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(REPOSITORY / "src")],
        "pythonVersion": "3.11",
        "reportMissingTypeStubs": False,
        "reportUnknownMemberType": False,
    }
    (programs / "pyrightconfig.json").write_text(json.dumps(settings))
    found = json.loads(printed("pyright", "-p", str(programs), "--pythonpath", sys.executable, "--outputjson"))
    return [
        f"{Path(item['file']).name}:{item['range']['start']['line'] + 1}: {item['message']}"
        for item in found["generalDiagnostics"]
    ]


def of_page(errors: list[str], page: Path) -> list[str]:
    """The errors in the program of one page."""
    return [line for line in errors if re.search(rf"\b{PROGRAMS[page]}\.py:", line)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_mypy(page: Path, mypy_errors: list[str]) -> None:
    need_what_it_imports(page)
    assert of_page(mypy_errors, page) == []


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_pyright(page: Path, pyright_errors: list[str]) -> None:
    need_what_it_imports(page)
    assert of_page(pyright_errors, page) == []
