"""How many small faults in the source the tests notice: ``python -m benchmarks.mutation --count 60``.

Places are drawn at random from the modules that hold state, write files, read, or decide what is trusted. In a copy of
the source one operator, number, condition or statement is changed at a time, and the tests of that module alone are
run, those named after the changed file first. A fault is noticed where a test fails or takes far longer. What is not
noticed is printed, to be looked at: a test is missing, or the change makes no difference.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = {
    "video": ("tests/unit/video",),
    "trust": ("tests/unit/trust",),
    "registry": ("tests/unit/registry", "tests/unit/test_weight_bytes.py", "tests/unit/detection/test_yolo.py"),
    "media": ("tests/unit/media",),
    "rectification": ("tests/unit/rectification",),
    "_files.py": ("tests/unit/test_files.py", "tests/unit/test_reading_files.py"),
    "_ctc": (
        "tests/unit/test_ctc.py",
        "tests/unit/decoding/test_certain.py",
        "tests/property/test_ctc.py",
        "tests/property/test_certain.py",
    ),
    "decoding": (
        "tests/unit/decoding",
        "tests/property/test_beam.py",
        "tests/property/test_certain.py",
        "tests/property/test_prefixes.py",
    ),
    "recognition": ("tests/unit/recognition", "tests/unit/runtimes/test_exported.py"),
    "results": (
        "tests/unit/test_results.py",
        "tests/unit/test_rows.py",
        "tests/unit/test_schema.py",
        "tests/unit/test_notebook.py",
    ),
    "plates": ("tests/unit/plates",),
}
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SLOWER = 3.0  # than without a fault, and half a minute more, counts as noticed
SPARE_S = 30.0
LARGE = 100  # of a number: one more hardly changes it


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: what stands at a place of a file, and what is put there."""

    area: str
    path: Path
    start: int
    end: int
    new: str

    def apply(self, source: str) -> str:
        return source[: self.start] + self.new + source[self.end :]

    def __str__(self) -> str:
        before = (ROOT / "src" / self.path).read_text(encoding="utf-8")
        lines = difflib.unified_diff(before.splitlines(), self.apply(before).splitlines(), lineterm="", n=0)
        line = before[: self.start].count("\n") + 1
        changes = [one for one in lines if one[0] in "-+" and one[:3] not in {"---", "+++"}]
        return "\n".join([f"{self.path}:{line}", *(f"    {one}" for one in changes)])


def mutants_of(area: str) -> Iterator[Mutant]:
    """All changes to the files of a module that are known here."""
    top = ROOT / "src" / "platereader" / area
    for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        starts = list(accumulate(map(len, lines), initial=0))
        for node in _code(ast.parse(source)):
            start, end = (
                starts[line - 1] + len(lines[line - 1].encode()[:column].decode())
                for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
            )
            for new in _changes(node):
                yield Mutant(area, path.relative_to(ROOT / "src"), start, end, new)


def _code(node: ast.AST) -> Iterator[Any]:
    """Statements and expressions that run, without annotations, messages and texts."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "exc", "msg", "bases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr) or _is_declaration(child):
                continue
            if isinstance(child, (ast.expr, ast.stmt)):
                yield child
            yield from _code(child)


def _is_declaration(node: ast.AST) -> bool:
    """Whether a part of the source only says something: to readers, to type checkers, or of lengths that are equal."""
    if isinstance(node, ast.keyword):
        return node.arg == "strict"
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    return isinstance(node, (ast.Import, ast.ImportFrom)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _changes(node: ast.AST) -> Iterator[str]:
    """What could stand in the place of a node; brackets keep the order of the sums around it."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        swapped: Any = [SWAPS[type(node.ops[0])](), *node.ops[1:]]
        yield f"({ast.unparse(ast.Compare(node.left, swapped, node.comparators))})"
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        other: Any = copy.copy(node)
        other.op = SWAPS[type(node.op)]()
        yield f"({ast.unparse(other)})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.IfExp):
        yield f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield repr(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield repr(node.value + 1 if abs(node.value) < LARGE else node.value * 2)
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return None"
    elif isinstance(node, (ast.Raise, ast.Break, ast.Continue)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "pass"


def tests_of(mutant: Mutant) -> list[str]:
    """The tests of a module; first the files named as the changed one or its folder, where most faults are noticed."""
    names = {part.removesuffix(".py").strip("_") for part in mutant.path.parts[2:]} - {""}
    files = [
        path
        for test in TESTS[mutant.area]
        for path in (sorted((ROOT / test).rglob("test_*.py")) if (ROOT / test).is_dir() else [ROOT / test])
    ]
    near = [path for path in files if path.stem.removeprefix("test_") in names]
    near += [path for path in files if path.parent.name in names and path not in near]
    return [*(path.relative_to(ROOT).as_posix() for path in near), *TESTS[mutant.area]]


class Copy:
    """The source in a folder of its own, in which one file at a time is changed."""

    def __init__(self, folder: Path) -> None:
        self._source = folder / "src"
        shutil.copytree(ROOT / "src", self._source, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "models").symlink_to(ROOT / "models")

    def notices(self, mutant: Mutant, *, limit_s: float) -> bool:
        """Whether a test fails, or takes longer than allowed."""
        path = self._source / mutant.path
        before = path.read_text(encoding="utf-8")
        path.write_text(mutant.apply(before), encoding="utf-8")
        try:
            return not self.passes(tests_of(mutant), limit_s=limit_s)
        finally:
            path.write_text(before, encoding="utf-8")

    def passes(self, tests: Sequence[str], *, limit_s: float | None = None) -> bool:
        """Whether tests pass in time."""
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
        environment = {**os.environ, "PYTHONPATH": str(self._source), "OMP_NUM_THREADS": "1", "CI": "true"}
        try:
            done = subprocess.run(
                [*command, *tests], cwd=ROOT, env=environment, capture_output=True, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def run(mutants: Sequence[Mutant], *, jobs: int) -> list[Mutant]:
    """Try each, and give those that no test notices."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Copy(Path(folder, str(number))) for number in range(jobs)]
        limit_s: dict[str, float] = {}
        for area in dict.fromkeys(mutant.area for mutant in mutants):
            begun_s = time.monotonic()
            if not copies[0].passes(TESTS[area]):
                sys.exit(f"the tests of {area} fail without a fault: mend them first.")
            limit_s[area] = SLOWER * jobs * (time.monotonic() - begun_s) + SPARE_S
        survivors: list[Mutant] = []

        def work(number: int) -> None:
            for mutant in mutants[number::jobs]:
                noticed = copies[number].notices(mutant, limit_s=limit_s[mutant.area])
                if not noticed:
                    survivors.append(mutant)
                print(f"{'noticed' if noticed else 'NOT NOTICED'}  {mutant}", flush=True)

        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(work, range(jobs)))
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="faults that are tried")
    parser.add_argument("--seed", type=int, default=0, help="of the choice")
    parser.add_argument("--jobs", type=int, default=1, help="tests that run at once")
    parser.add_argument("--areas", nargs="+", choices=sorted(TESTS), default=list(TESTS))
    options = parser.parse_args()
    known = [mutant for area in options.areas for mutant in mutants_of(area)]
    chosen = random.Random(options.seed).sample(known, min(options.count, len(known)))
    survivors = run(chosen, jobs=options.jobs)
    killed = len(chosen) - len(survivors)
    missed = Counter(mutant.area for mutant in survivors)
    print()
    for area, tried in Counter(mutant.area for mutant in chosen).most_common():
        print(f"{area:<14} {tried - missed[area]:>4} of {tried}")
    print(f"{killed} of {len(chosen)} faults were noticed ({killed / len(chosen):.1%}), drawn from {len(known)}")
    return int(killed < 0.9 * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
