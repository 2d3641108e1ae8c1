"""OpenVINO on the CPU: an exported network in fp32 or bf16, or an int8 one as its file holds it."""

from __future__ import annotations

import functools
import threading
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader.errors import WeightsCorruptError
from platereader.runtimes import Batch
from platereader.runtimes._processor import usable_cores
from platereader.runtimes._quiet_import import import_openvino

_LOCK = threading.Lock()
# What an int8 network leaves in floats is computed in fp32.
_FORMATS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}

# Of layers prepared for one input shape, oldest first; by default 5000 are, 2.4 MB for each shape of the detector.
_LAYERS_KEPT = "200"


@final
class OpenVinoRuntime:
    """Runs an ONNX file, as ``exported_runtime`` says.

    Safe to call from several threads at once, each of which gets a request of its own.
    """

    engine: str = "openvino"

    def __init__(self, data: bytes, *, name: str, precision: str = "fp32", threads: int | None = None) -> None:
        openvino = import_openvino()
        self.precision: str = precision
        self.threads: int = usable_cores() if threads is None else threads
        settings: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _FORMATS[precision],
            "INFERENCE_NUM_THREADS": self.threads,
            "CPU_RUNTIME_CACHE_CAPACITY": _LAYERS_KEPT,
            "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same cores
        }
        try:
            with _LOCK:
                self._compiled: Any = _core().compile_model(_core().read_model(data), "CPU", settings)
        except RuntimeError as error:
            raise WeightsCorruptError(
                f"{name} cannot be run by openvino {openvino.__version__} ({str(error).strip().splitlines()[-1]}): "
                "make or fetch it again, or install a newer openvino."
            ) from error
        self._idle: deque[Any] = deque()

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, as float32 arrays with N rows each."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        outputs = request.infer({0: np.ascontiguousarray(batch)}, share_inputs=True)
        results: tuple[NDArray[np.float32], ...] = tuple(outputs.to_tuple())
        self._idle.append(request)
        return results


@functools.cache
def _core() -> Any:
    """The one core of this process.

    A core gives the thread that it first compiles in another stack for signals, and frees that when it is dropped. Of
    two cores that are dropped in the order they were made in, the second puts the first one's freed stack back, and the
    next signal ends the process (openvino 2026.4).
    """
    return import_openvino().Core()
