"""What several tests of parts share."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """By precision the safetensors file of a small reader, and its ONNX file; not to be changed."""
    from platereader.lab.training.recognizer.export import export_recognizer
    from platereader.registry import WeightFile
    from small_networks import SMALL, write_small

    made: dict[str, tuple[Path, Path]] = {}
    for precision, path in zip(("fp32", "int8"), write_small(tmp_path_factory.mktemp("small")), strict=True):
        export_recognizer(WeightFile.read(path, kind="recognizer", settings=SMALL), path.with_suffix(".onnx"))
        made[precision] = path, path.with_suffix(".onnx")
    return made


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make folders that may not be read, by whomever the tests run."""
    locked: set[str] = set()

    def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".") -> Any:
            if os.fspath(path) in locked:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
            return function(path)

        return call

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    return lambda folder: locked.add(str(folder))
