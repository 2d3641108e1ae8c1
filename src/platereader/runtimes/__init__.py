"""Engines: how a network runs. One small contract, one file per engine."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from platereader.runtimes._options import Engine, Precision, RuntimeOptions

__all__ = ["Batch", "Engine", "Precision", "Runtime", "RuntimeOptions"]

Batch: TypeAlias = NDArray[np.float32] | NDArray[np.uint8]
"""What a network takes: numbers, float32 ``(N, C, H, W)``, or pixels, uint8 ``(N, H, W, C)``."""


class Runtime(Protocol):
    """A network ready to run; may be called from several threads at once."""

    @property
    def engine(self) -> str:
        """Name of the engine, ``torch``, ``onnx`` or ``openvino``."""
        ...

    @property
    def precision(self) -> str:
        """Number format of the arithmetic: ``fp32``, ``bf16`` or ``int8``."""
        ...

    @property
    def threads(self) -> int:
        """Threads that it computes with."""
        ...

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, each with N rows."""
        ...
