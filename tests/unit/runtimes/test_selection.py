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


ENGINES, FEATURES = ("openvino", "onnx", "torch"), ("avx2", "amx_int8")


@pytest.mark.parametrize(
    ("engines", "features", "options", "expected"),
    [
        (ENGINES, FEATURES, RuntimeOptions(), [FAST_INT8, ONNX, TORCH]),
        (ENGINES, ("avx2",), RuntimeOptions(), [ONNX, TORCH]),
        (("torch",), FEATURES, RuntimeOptions(), [TORCH]),
        (("torch",), FEATURES, RuntimeOptions("onnx"), [ONNX]),  # loading it says that it is missing
        # A precision that is named needs no instructions.
        (ENGINES, (), RuntimeOptions(precision="int8"), [FAST_INT8]),
        (ENGINES, (), RuntimeOptions(precision="bf16"), [BF16]),
        (ENGINES, (), RuntimeOptions("torch", "fp32"), [TORCH]),
        # Other devices are torch's.
        (ENGINES, FEATURES, RuntimeOptions(device="cuda"), [TORCH]),
        (ENGINES, FEATURES, RuntimeOptions(precision="bf16", device="cuda"), [BF16]),
    ],
)
def test_what_is_there_and_asked_for_in_the_order_of_speed(
    engines: tuple[str, ...],
    features: tuple[str, ...],
    options: RuntimeOptions,
    expected: list[RuntimeSpec],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selection, "installed_engines", lambda: engines)
    monkeypatch.setattr(selection, "cpu_features", lambda: features)
    assert suitable_specs(SPECS, options) == expected


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
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in {"torch", "openvino"} else name)
    assert selection.installed_engines() == ("onnx",)


@pytest.mark.parametrize("threads", [0, 1.5, float("nan"), "2", True])
def test_threads_are_a_whole_number(threads: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"threads is .*allowed is 1 or more"):
        RuntimeOptions(threads=threads)
