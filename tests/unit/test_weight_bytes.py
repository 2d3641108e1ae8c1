"""What was hashed is what is parsed and run, whatever happens to the file at any time, on every engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_models import write_external

from fakes import PatchDetector
from platereader import Pipeline, Registry, WeightsCorruptError
from platereader.recognition import CtcRecognizer
from platereader.registry import _registry as registry_module
from platereader.registry import write_sidecar
from platereader.runtimes import RuntimeOptions
from small_networks import SMALL, plates

SPECS = [(engine, precision) for engine in ("torch", "onnx", "openvino") for precision in ("fp32", "int8")]
CHANGES: dict[str, Callable[[Path], object]] = {
    "swapped": lambda path: path.write_bytes(path.read_bytes()[::-1]),
    "truncated": lambda path: path.write_bytes(b""),
    "removed": Path.unlink,
}


@pytest.fixture
def files(small_files: dict[str, tuple[Path, Path]], tmp_path: Path) -> dict[tuple[str, str], Path]:
    """For every engine and precision copies that a test may change, each with its sidecar."""
    found: dict[tuple[str, str], Path] = {}
    for precision, paths in small_files.items():
        trained, exported = (Path(shutil.copy(path, tmp_path)) for path in paths)
        for path in (trained, exported):
            write_sidecar(path, kind="recognizer", settings=SMALL)
        found |= {("torch", precision): trained, ("onnx", precision): exported, ("openvino", precision): exported}
    return found


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("engine", "precision"), SPECS)
def test_a_file_that_changes_after_the_check_reads_the_same(
    engine: str, precision: str, change: str, files: dict[tuple[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pictures = files[engine, precision], plates(4)
    options = RuntimeOptions(engine, precision)
    expected = CtcRecognizer.from_weights(Registry.default().resolve(path), options=options).recognize(pictures)
    compare = registry_module._compare  # pyright: ignore[reportPrivateUsage]

    def compare_and_change(found: Path, *arguments: Any, **options: Any) -> None:
        compare(found, *arguments, **options)
        CHANGES[change](found)

    monkeypatch.setattr(registry_module, "_compare", compare_and_change)
    pipeline = Pipeline.build(detector=PatchDetector(), recognizer=path, runtime=options)
    assert np.array_equal(pipeline.recognizer.recognize(pictures), expected)


@pytest.mark.parametrize(("engine", "precision"), SPECS)
def test_a_file_that_is_truncated_while_it_runs_goes_on_reading(
    engine: str, precision: str, files: dict[tuple[str, str], Path]
) -> None:
    path, pictures = files[engine, precision], plates(4)
    recognizer = CtcRecognizer.from_file(path, engine=engine, precision=precision, settings=SMALL)
    expected = recognizer.recognize(pictures)
    with path.open("r+b") as file:  # the very same file, as a map of it would see
        file.truncate(0)
    assert np.array_equal(recognizer.recognize(pictures), expected)
    assert len(recognizer.recognize(pictures[:1])) == 1  # another number of plates


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_tensors_in_other_files_never_reach_an_engine(
    engine: str, files: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    path = write_external(tmp_path / "parted.onnx", source=files["onnx", "fp32"])
    with pytest.raises(WeightsCorruptError, match="keeps tensors in other files"):
        CtcRecognizer.from_file(path, engine=engine, settings=SMALL)
