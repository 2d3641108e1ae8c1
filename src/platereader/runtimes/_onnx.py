"""ONNX Runtime on the CPU: an exported network in the number format that its file holds."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import final

from platereader.errors import WeightsCorruptError
from platereader.runtimes import Batch
from platereader.runtimes._processor import usable_cores
from platereader.runtimes._quiet_import import import_onnxruntime


@final
class OnnxRuntime:
    """Runs an ONNX file, as ``exported_runtime`` says; safe to call from several threads at once."""

    engine: str = "onnx"

    def __init__(self, data: bytes, *, name: str, precision: str = "fp32", threads: int | None = None) -> None:
        onnxruntime = import_onnxruntime()
        self.precision: str = precision
        self.threads: int = usable_cores() if threads is None else threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3  # errors, which are also raised
        # Waiting threads would otherwise spin, and take the cores from the parts that run between two networks.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsCorruptError(
                f"{name} cannot be run by onnxruntime {onnxruntime.__version__} ({str(error).splitlines()[0]}): make "
                "or fetch it again, or install a newer onnxruntime."
            ) from error
        self._input: str = self._session.get_inputs()[0].name

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, as float32 arrays with N rows each."""
        outputs = self._session.run(None, {self._input: np.ascontiguousarray(batch)})
        return tuple(cast("list[NDArray[np.float32]]", outputs))
