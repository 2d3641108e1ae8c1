"""ONNX files on ONNX Runtime and OpenVINO: the numbers of torch, from any thread, and clear refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from platereader.errors import (
    EngineError,
    InvalidArgumentError,
    MissingDependencyError,
    WeightsCorruptError,
    WeightsNotFoundError,
)
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._recognizer import CtcRecognizer
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import exported_runtime
from platereader.runtimes._processor import usable_cores
from small_networks import SMALL, plates

ENGINES = ("onnx", "openvino")
PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino"}


def runtime_of(path: Path, *, engine: str, precision: str = "fp32", threads: int | None = None) -> Runtime:
    return exported_runtime(path.read_bytes(), name=path.name, engine=engine, precision=precision, threads=threads)


def pictures(seed: int, count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((count, 3, 16, 64)).astype(np.float32)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("int8", 0.1)])
def test_the_probabilities_are_torchs(
    engine: str, precision: str, tolerance: float, small_files: dict[str, tuple[Path, Path]]
) -> None:
    trained, exported = small_files[precision]
    ours = CtcRecognizer.from_file(exported, engine=engine, precision=precision, settings=SMALL)
    theirs = CtcRecognizer.from_file(trained, precision=precision, settings=SMALL)
    found, wanted = ours.recognize(plates(9)), theirs.recognize(plates(9))
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found), np.exp(wanted), atol=tolerance)
    assert np.exp(wanted).max() > 0.5  # they are about something


@pytest.mark.parametrize("engine", ENGINES)
def test_outputs_outlive_the_next_call(engine: str, small_files: dict[str, tuple[Path, Path]]) -> None:
    runtime = runtime_of(small_files["fp32"][1], engine=engine)
    (first,) = runtime.run(pictures(0, 2))
    kept = first.copy()
    runtime.run(pictures(1, 2))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("engine", ENGINES)
def test_it_describes_itself(engine: str, small_files: dict[str, tuple[Path, Path]]) -> None:
    def said(threads: int | None) -> tuple[str, str, int]:
        runtime: Runtime = runtime_of(small_files["fp32"][1], engine=engine, threads=threads)
        return runtime.engine, runtime.precision, runtime.threads

    assert said(None) == (engine, "fp32", usable_cores())
    assert said(3) == (engine, "fp32", 3)


@pytest.mark.parametrize("engine", ENGINES)
def test_damaged_files_are_refused(engine: str) -> None:
    with pytest.raises(WeightsCorruptError, match=r"broken.onnx cannot be run by"):
        exported_runtime(b"no network", name="broken.onnx", engine=engine)


def test_what_does_not_go_together_is_refused(small_files: dict[str, tuple[Path, Path]]) -> None:
    fp32, int8 = (small_files[precision][1] for precision in ("fp32", "int8"))
    with pytest.raises(EngineError, match="holds fp32 weights and precision is 'int8'"):
        CtcRecognizer.from_file(fp32, precision="int8", settings=SMALL)
    with pytest.raises(EngineError, match="holds int8 weights and precision is 'bf16'"):
        CtcRecognizer.from_file(int8, engine="openvino", precision="bf16", settings=SMALL)
    with pytest.raises(EngineError, match="'onnx' does not offer precision 'bf16'"):
        CtcRecognizer.from_file(fp32, engine="onnx", precision="bf16", settings=SMALL)
    with pytest.raises(EngineError, match=r"'torch' does not run small.onnx"):
        runtime_of(fp32, engine="torch")
    with pytest.raises(InvalidArgumentError, match="threads is 0"):
        RuntimeOptions("onnx", threads=0)
    with pytest.raises(WeightsNotFoundError, match=r"absent.onnx"):
        CtcRecognizer.from_file(fp32.with_name("absent.onnx"), settings=SMALL)


def test_torch_takes_its_own_files_and_no_threads(small_files: dict[str, tuple[Path, Path]]) -> None:
    trained, exported = small_files["fp32"]
    with pytest.raises(EngineError, match="use 'onnx' or 'openvino'"):
        CtcRecognizer.from_file(exported, engine="torch", settings=SMALL)
    with pytest.raises(EngineError, match="'torch' for a safetensors file"):
        CtcRecognizer.from_file(trained, engine="onnx", settings=SMALL)
    with pytest.raises(EngineError, match=r"call torch.set_num_threads"):
        CtcRecognizer.from_file(trained, threads=2, settings=SMALL)
    with pytest.raises(EngineError, match="device is 'cuda', which runs safetensors files in 'fp32' or 'bf16'"):
        CtcRecognizer.from_file(small_files["int8"][0], device="cuda", settings=SMALL)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_engine_is_named(
    engine: str, small_files: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[engine], None)
    with pytest.raises(MissingDependencyError, match=f"needs the package {PACKAGES[engine]}.* pip install"):
        runtime_of(small_files["fp32"][1], engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_alphabet_or_size_is_refused(engine: str, small_files: dict[str, tuple[Path, Path]]) -> None:
    path = small_files["fp32"][1]
    CtcRecognizer.from_file(path, engine=engine, settings=SMALL)
    with pytest.raises(WeightsCorruptError, match="give the alphabet that it was made with"):
        CtcRecognizer.from_file(path, engine=engine, settings=SMALL, alphabet=Alphabet(RUSSIAN.characters[:-1]))
    with pytest.raises(WeightsCorruptError, match="does not take pictures of plates of 176x40 px"):
        CtcRecognizer.from_file(path, engine=engine)
