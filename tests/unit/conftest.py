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
    """Make folders that may not be read or entered, by whomever the tests run."""
    locked: set[Path] = set()

    def refusing(function: Callable[..., Any], *, inside: bool) -> Callable[..., Any]:
        def call(path: Any = ".", *args: Any, **options: Any) -> Any:
            known = locked and isinstance(path, (str, os.PathLike))
            if known and not locked.isdisjoint(Path(path).parents if inside else {Path(path)}):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
            return function(path, *args, **options)

        return call

    for name in ("scandir", "listdir", "stat", "open"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), inside=name in {"stat", "open"}))
    return locked.add
