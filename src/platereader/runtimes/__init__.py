"""Engines: how a network runs. One small contract, one file per engine."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Engine", "Precision", "Runtime"]

Engine: TypeAlias = Literal["openvino", "onnx", "torch"]
"""What runs a network: OpenVINO, ONNX Runtime or PyTorch."""

Precision: TypeAlias = Literal["int8", "fp32", "bf16"]
"""Number format of the arithmetic. No engine has to offer all of them, nor has every network weights for them."""


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
