"""Which specs suit a machine and the options."""

from __future__ import annotations

from typing import Any

import pytest

from platereader.errors import EngineError, InvalidArgumentError
from platereader.runtimes import RuntimeOptions
from platereader.runtimes import _selection as selection
from platereader.runtimes._selection import RuntimeSpec, suitable_specs

FAST_INT8 = RuntimeSpec("openvino", "int8", ("avx512_vnni", "amx_int8"))
ONNX, TORCH, BF16 = (
    RuntimeSpec("onnx", "fp32"),
    RuntimeSpec("torch", "fp32"),
    RuntimeSpec("torch", "bf16", explicit_only=True),
)
SPECS = (FAST_INT8, ONNX, TORCH, BF16)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with everything; tests take some of it away."""
    monkeypatch.setattr(selection, "installed_engines", lambda: ("openvino", "onnx", "torch"))
    monkeypatch.setattr(selection, "cpu_features", lambda: ("avx2", "amx_int8"))


def test_auto_goes_by_the_order() -> None:
    assert suitable_specs(SPECS, RuntimeOptions()) == [FAST_INT8, ONNX, TORCH]


def test_auto_leaves_out_what_the_processor_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "cpu_features", lambda: ("avx2",))
    assert suitable_specs(SPECS, RuntimeOptions()) == [ONNX, TORCH]


def test_auto_leaves_out_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "installed_engines", lambda: ("torch",))
    assert suitable_specs(SPECS, RuntimeOptions()) == [TORCH]
    assert suitable_specs(SPECS, RuntimeOptions("onnx")) == [ONNX]  # loading it says that it is missing


def test_a_precision_that_is_named_needs_no_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "cpu_features", tuple)
    assert suitable_specs(SPECS, RuntimeOptions(precision="int8")) == [FAST_INT8]
    assert suitable_specs(SPECS, RuntimeOptions(precision="bf16")) == [BF16]
    assert suitable_specs(SPECS, RuntimeOptions("torch", "fp32")) == [TORCH]


def test_other_devices_are_torchs() -> None:
    assert suitable_specs(SPECS, RuntimeOptions(device="cuda")) == [TORCH]
    assert suitable_specs(SPECS, RuntimeOptions(precision="bf16", device="cuda")) == [BF16]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "tensorrt"}, r"engine is 'tensorrt', allowed are 'auto' and \['onnx', 'openvino', 'torch'\]"),
        ({"precision": "fp16"}, "'auto' does not offer precision 'fp16'"),
        (
            {"engine": "onnx", "precision": "bf16"},
            r"'onnx' does not offer precision 'bf16', allowed are \['auto', 'fp32', 'int8'\]",
        ),
        ({"engine": "onnx", "device": "cuda"}, "device is 'cuda' with engine 'onnx'"),
        ({"precision": "int8", "device": "cuda"}, "with engine 'torch' and precision 'fp32' or 'bf16'"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        RuntimeOptions(**options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_engines_are_known_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in {"torch", "openvino"} else name)
    assert selection.installed_engines() == ("onnx",)


@pytest.mark.parametrize("threads", [0, 1.5, float("nan"), "2", True])
def test_threads_are_a_whole_number(threads: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"threads is .*allowed is 1 or more"):
        RuntimeOptions(threads=threads)
