"""Which ways suit a machine and what was asked for."""

from __future__ import annotations

import pytest

from platereader.errors import EngineError
from platereader.runtimes import _selection as ways
from platereader.runtimes._selection import Asked, Way, check_asked, suitable_ways

FAST_INT8 = Way("openvino", "int8", ("avx512_vnni", "amx_int8"))
ONNX, TORCH, BF16 = Way("onnx", "fp32"), Way("torch", "fp32"), Way("torch", "bf16", only_asked=True)
WAYS = (FAST_INT8, ONNX, TORCH, BF16)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with everything; tests take some of it away."""
    monkeypatch.setattr(ways, "installed_engines", lambda: ("openvino", "onnx", "torch"))
    monkeypatch.setattr(ways, "cpu_features", lambda: ("avx2", "amx_int8"))


def test_auto_goes_by_the_order() -> None:
    assert suitable_ways(WAYS, Asked()) == [FAST_INT8, ONNX, TORCH]


def test_auto_leaves_out_what_the_processor_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "cpu_features", lambda: ("avx2",))
    assert suitable_ways(WAYS, Asked()) == [ONNX, TORCH]


def test_auto_leaves_out_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "installed_engines", lambda: ("torch",))
    assert suitable_ways(WAYS, Asked()) == [TORCH]
    assert suitable_ways(WAYS, Asked("onnx")) == [ONNX]  # loading it says that it is missing


def test_a_precision_that_is_asked_for_needs_no_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "cpu_features", tuple)
    assert suitable_ways(WAYS, Asked(precision="int8")) == [FAST_INT8]
    assert suitable_ways(WAYS, Asked(precision="bf16")) == [BF16]
    assert suitable_ways(WAYS, Asked("torch", "fp32")) == [TORCH]


def test_other_devices_are_torchs() -> None:
    assert suitable_ways(WAYS, Asked(device="cuda")) == [TORCH]
    assert suitable_ways(WAYS, Asked(precision="bf16", device="cuda")) == [BF16]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asked("tensorrt"), r"engine is 'tensorrt', allowed are 'auto' and \['onnx', 'openvino', 'torch'\]"),
        (Asked(precision="fp16"), "'auto' does not offer precision 'fp16'"),
        (Asked("onnx", "bf16"), r"'onnx' does not offer precision 'bf16', allowed are \['auto', 'fp32', 'int8'\]"),
        (Asked("onnx", device="cuda"), "device is 'cuda' with engine 'onnx'"),
        (Asked(precision="int8", device="cuda"), "with engine 'torch' and precision 'fp32' or 'bf16'"),
    ],
)
def test_what_cannot_be_is_refused(asked: Asked, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        check_asked(asked)


def test_engines_are_known_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in {"torch", "openvino"} else name)
    assert ways.installed_engines() == ("onnx",)
