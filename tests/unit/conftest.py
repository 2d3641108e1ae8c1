"""What several tests of parts share."""

from __future__ import annotations

from pathlib import Path

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
