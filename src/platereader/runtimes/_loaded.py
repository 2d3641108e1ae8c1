"""The network in a weight file on the engine that runs it, in this process and in others that it is sent to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self, final

from platereader._dependencies import check_installed
from platereader.errors import EngineError
from platereader.results import PartDescription
from platereader.runtimes import Batch, Runtime, RuntimeOptions

if TYPE_CHECKING:
    from torch import Tensor

OnTorch: TypeAlias = "Callable[[Mapping[str, Tensor], RuntimeOptions, str], Runtime]"
"""Makes a runtime of the tensors of a file; the text is its name, for messages."""


class _Entry(Protocol):
    """What ``registry.WeightEntry`` is, as far as it is needed here."""

    @property
    def model(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def precision(self) -> str: ...


class _Weights(Protocol):
    """What ``registry.WeightFile`` is, as far as it is needed here."""

    @property
    def entry(self) -> _Entry: ...

    @property
    def path(self) -> Path: ...

    @property
    def data(self) -> bytes: ...

    def contents(self) -> object: ...

    def without_data(self) -> Self: ...


@final
class LoadedRuntime:
    """A ``Runtime`` that is pickled as its file, its sha256 and its options, and loaded again where it arrives.

    Args:
        weights: checked bytes of an ONNX file, or of a safetensors file, which runs on torch. Unpickled, they are read
            and checked again.
        options: how it runs; what is ``auto`` follows from the file.
        on_torch: a function that can be pickled; None for a network that only ONNX files have.

    Raises:
        WeightsCorruptError: the weights of another network.
        EngineError: the options and the file do not go together.
        MissingDependencyError: the engine is not installed.
    """

    def __init__(
        self, weights: _Weights, options: RuntimeOptions | None = None, on_torch: OnTorch | None = None
    ) -> None:
        self._made_from = (weights.without_data(), options, on_torch)
        name, entry = str(weights.path), weights.entry
        weights.contents()  # refuses a file that is not what its entry says
        chosen = _resolved(options or RuntimeOptions(), entry, name=name)
        self._inner: Runtime
        if entry.format == "onnx" or on_torch is None:
            self._inner = exported_runtime(
                weights.data, name=name, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
            )
        else:
            from platereader.runtimes._tensors import tensors_of

            self._inner = on_torch(tensors_of(weights.data, name=name), chosen, name)
        self.engine: str = self._inner.engine
        self.precision: str = self._inner.precision

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._made_from

    @property
    def threads(self) -> int:
        """Threads that it computes with."""
        return self._inner.threads

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, each with N rows."""
        return self._inner.run(batch)


def _resolved(options: RuntimeOptions, entry: _Entry, *, name: str) -> RuntimeOptions:
    """The options without ``auto``: the engine of the file's format, and its precision; refused if it cannot run so."""
    default = "torch" if entry.format == "safetensors" else "onnx"
    engine = default if options.engine == "auto" else options.engine
    precision = entry.precision if options.precision == "auto" else options.precision
    if (engine == "torch") != (entry.format == "safetensors"):
        raise EngineError(
            f"engine is {engine!r} and the file {name}: use 'onnx' or 'openvino' for an ONNX file, 'torch' for a "
            "safetensors file; `platereader train export` makes the one from the other."
        )
    if (precision == "int8") != (entry.precision == "int8"):
        raise EngineError(
            f"{name} holds {entry.precision} weights and precision is {precision!r}: use precision='int8' with the "
            "file of a quantised network, and 'fp32' or 'bf16' with the file it is made from."
        )
    if options.device != "cpu" and (engine != "torch" or precision == "int8"):
        raise EngineError(
            f"device is {options.device!r}, which runs safetensors files in 'fp32' or 'bf16', and {name} holds "
            f"{entry.precision} weights in {entry.format}: use device 'cpu'."
        )
    if engine == "torch" and options.threads is not None:
        raise EngineError(
            f"threads is {options.threads}, and engine 'torch' has one number for the whole process: leave it out and "
            "call torch.set_num_threads, or use another engine."
        )
    if engine == "torch":
        check_installed("torch", "safetensors")
    return replace(options, engine=engine, precision=precision)


def exported_runtime(
    data: bytes, *, name: str, engine: str, precision: str = "fp32", threads: int | None = None
) -> Runtime:
    """Load an ONNX file with ``onnx`` or ``openvino``.

    Args:
        data: the bytes of the file, with one input and all tensors inside.
        name: of the file, for messages.
        engine: what runs it.
        precision: one that ``RuntimeOptions`` allows for the engine; ``int8`` for a file that was quantised.
        threads: of this network alone; None for the cores that the process may use.

    Raises:
        EngineError: another engine.
        MissingDependencyError: the engine is not installed.
        WeightsCorruptError: not an ONNX file, or one that this version of the engine cannot run.
    """
    if engine == "onnx":
        from platereader.runtimes._onnx import OnnxRuntime

        return OnnxRuntime(data, name=name, precision=precision, threads=threads)
    if engine == "openvino":
        from platereader.runtimes._openvino import OpenVinoRuntime

        return OpenVinoRuntime(data, name=name, precision=precision, threads=threads)
    raise EngineError(f"engine {engine!r} does not run {name}: use 'onnx' or 'openvino', or a safetensors file.")


def network_description(
    network: object, runtime: Runtime, *, part: str, weights: _Entry | None, note: str | None
) -> PartDescription:
    """What a part that runs a network says of itself: class, weights and how they run."""
    return PartDescription(
        part,
        type(network).__name__,
        weights=None if weights is None else weights.model,
        sha256=None if weights is None else weights.sha256,
        engine=runtime.engine,
        precision=runtime.precision,
        threads=runtime.threads,
        note=note,
    )
