"""Engines: how a network runs. One small contract, one file per engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from platereader.runtimes._options import Engine, Precision, RuntimeOptions

__all__ = ["Engine", "Precision", "Runtime", "RuntimeOptions"]


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

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for a float32 batch ``(N, C, H, W)``, each with N rows."""
        ...
