"""The network in a weight file, on the engine that runs it, in this process and in others that it is sent to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self, final

from platereader.runtimes import Batch, Runtime, RuntimeOptions
from platereader.runtimes._exported import exported_runtime, resolve_options


class _Contents(Protocol):
    @property
    def format(self) -> str: ...

    @property
    def precision(self) -> str: ...


class _Weights(Protocol):
    """What ``registry.WeightFile`` is, as far as it is needed here."""

    @property
    def path(self) -> Path: ...

    @property
    def data(self) -> bytes: ...

    def contents(self) -> _Contents: ...

    def without_data(self) -> Self: ...


WeightsT = TypeVar("WeightsT", bound=_Weights)
OnTorch: TypeAlias = Callable[[WeightsT, RuntimeOptions], Runtime]


@final
class LoadedRuntime(Generic[WeightsT]):
    """A ``Runtime`` that is pickled as its file, its sha256 and its options, and loaded again where it arrives.

    Args:
        weights: checked bytes of an ONNX file, or of a safetensors file, which runs on torch. Unpickled, they are read
            and checked again.
        options: how it runs; what is ``auto`` follows from the file.
        on_torch: makes a runtime of a safetensors file; a function that can be pickled. None for a network that only
            ONNX files have.

    Raises:
        WeightsCorruptError: the weights of another network.
        EngineError: the options and the file do not go together.
        MissingDependencyError: the engine is not installed.
    """

    def __init__(
        self, weights: WeightsT, options: RuntimeOptions | None = None, on_torch: OnTorch[WeightsT] | None = None
    ) -> None:
        self._made_from = (weights.without_data(), options, on_torch)
        name, contents = str(weights.path), weights.contents()
        chosen = resolve_options(
            options or RuntimeOptions(), name=name, file_format=contents.format, file_precision=contents.precision
        )
        self._inner: Runtime
        if contents.format == "onnx" or on_torch is None:
            self._inner = exported_runtime(
                weights.data, name=name, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
            )
        else:
            self._inner = on_torch(weights, chosen)
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
