"""Any test of this folder under atheris, which follows the branches that the code takes.

``python -m pip install atheris``, then ``python tests/fuzz/atheris_run.py test_parsers test_a_picture -runs=1000000``;
what follows the names goes to libFuzzer, such as ``-max_total_time=600`` or a folder for the cases that it keeps.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Run one test until libFuzzer has had enough."""
    module, test, *options = sys.argv[1:]
    tests = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(tests), str(tests.parent)]
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["platereader"]):
        found: Any = getattr(importlib.import_module(f"fuzz.{module}"), test)
    atheris.Setup([sys.argv[0], *options], found.hypothesis.fuzz_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
