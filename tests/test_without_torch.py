"""What an installation without the extras does: it reads, and says in one line what to install for the rest."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

import platereader

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURE = REPOSITORY / "examples" / "pictures" / "street-2.jpg"
HIDDEN = ("torch", "torchvision", "safetensors", "ultralytics", "openvino", "matplotlib", "motmetrics", "onnx", "ray")

# Every process, also one that a test's process starts, finds these packages no more.
SITE = f"""
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {HIDDEN} else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""

RUN = """
import contextlib, io, json, sys, warnings
from platereader.cli import main
done = {}
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(line)
        except BaseException as error:
            status = repr(error)
    done[" ".join(line)] = [status, out.getvalue(), err.getvalue()]
print(json.dumps([done, sorted(set(sys.modules) & set(%r))]))
"""

MISSING = {
    "read PICTURE --engine torch": "torch",
    "read PICTURE --engine openvino": "openvino",
    "read PICTURE --device cuda": "torch",
    "read PICTURE --detector SET/own.pt --trust-pickle": "ultralytics",
    "watch PICTURE --engine torch": "torch",
    "redact PICTURE --out OUT/redacted --engine torch": "torch",
    "info --engine torch": "torch",
    "train detector SET --out OUT": "train",
    "train detector --from plate-detector --data SET --out OUT": "train",
    "train recognizer SET --out OUT": "train",
    "train recognizer --from plate-recognizer --data SET --out OUT": "train",
    "train quantize plate-recognizer SET --out OUT": "train",
    "train calibrate plate-recognizer SET --out OUT": "train",
    "train export plate-recognizer --out OUT": "train",
    "train export plate-detector --out OUT": "train",
    "benchmark recognizer": "torch",
    "benchmark detector SET": "torch",
    "evaluate SET --engine torch": "torch",
    "evaluate SET --plots OUT": "evaluate",
    "evaluate SET --video": "evaluate",
}
WORKS = (
    "read PICTURE",
    "read PICTURE --detector plate-detector --recognizer plate-recognizer",
    "evaluate SET",
    "benchmark frame PICTURE --precisions auto --rounds 1 --starts 0",
    "weights verify",
    "info",
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a process that lacks these packages."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(REPOSITORY / "src")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def done(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Exit status, standard output and standard error of every command line, run one after the other in one process."""
    folder = tmp_path_factory.mktemp("set")
    (folder / "A123BC77.jpg").write_bytes(PICTURE.read_bytes())
    (folder / "own.pt").write_bytes(b"")
    places = {"PICTURE": str(PICTURE), "SET": str(folder), "OUT": str(tmp_path_factory.mktemp("out"))}
    lines = [[_filled(word, places) for word in command.split()] for command in (*MISSING, *WORKS)]
    process = subprocess.run(
        [sys.executable, "-c", RUN % (HIDDEN,)],
        input=json.dumps(lines),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    answers, loaded = cast("tuple[dict[str, list[Any]], list[str]]", json.loads(process.stdout.splitlines()[-1]))
    assert loaded == []
    return dict(zip((*MISSING, *WORKS), answers.values(), strict=True))


def _filled(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


@pytest.mark.parametrize(("command", "extra"), MISSING.items())
def test_one_line_says_what_to_install(command: str, extra: str, done: dict[str, list[Any]]) -> None:
    status, _, said = done[command]
    assert status == 3, said
    assert said.splitlines()[-1].endswith(f'pip install "platereader-anpr[{extra}]".')
    assert "Traceback" not in said


@pytest.mark.parametrize("command", WORKS)
def test_what_needs_no_extra_works(command: str, done: dict[str, list[Any]]) -> None:
    status, _, said = done[command]
    assert status == 0, said


def test_a_program_gets_the_error_that_says_so(environment: dict[str, str]) -> None:
    code = """
from platereader import MissingDependencyError, Pipeline
try:
    Pipeline.build(engine="torch")
except MissingDependencyError as error:
    print(error.name, "|", error)
try:
    import platereader.lab.training.detector.train
except MissingDependencyError as error:
    print(error.name, "|", error)
"""
    said = _run(["-c", code], environment).splitlines()
    assert said[0].startswith("torch | ")
    assert said[0].endswith('pip install "platereader-anpr[torch]".')
    assert said[1].endswith('pip install "platereader-anpr[train]".')


def test_the_package_runs_as_a_module(environment: dict[str, str]) -> None:
    assert _run(["-m", "platereader", "--version"], environment) == f"platereader {platereader.__version__}\n"


def test_processes_read_without_it(environment: dict[str, str]) -> None:
    rows = _run([str(REPOSITORY / "examples" / "processes.py"), str(PICTURE.parent)], environment).splitlines()
    assert len(rows) == len(list(PICTURE.parent.glob("*.jpg")))
    assert all(json.loads(row)["readings"] for row in rows)


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    process = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout
