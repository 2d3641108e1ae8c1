"""Networks in ONNX files, on either of the engines that run them; torch is not needed."""

from __future__ import annotations

from pathlib import Path

from platereader._dependencies import check_installed
from platereader.errors import EngineError, InvalidArgumentError, WeightsNotFoundError
from platereader.runtimes import Runtime

__all__ = ["SUFFIX", "check_torch", "exported_runtime"]

SUFFIX = ".onnx"
"""How the name of such a file ends."""


def exported_runtime(
    path: Path, *, engine: str, precision: str, held: str = "fp32", threads: int | None = None
) -> Runtime:
    """Load an ONNX file.

    Args:
        path: the file.
        engine: ``onnx`` or ``openvino``.
        precision: to run it in.
        held: ``int8`` for the file of a quantised network, ``fp32`` for any other.
        threads: of this network alone; None for the cores that the process may use.

    Raises:
        EngineError: the engine does not run such files, or file and precision do not go together.
        MissingDependencyError: the engine is not installed.
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: the engine cannot run it.
        InvalidArgumentError: fewer threads than one.
    """
    if threads is not None and threads < 1:
        raise InvalidArgumentError(f"threads is {threads}, allowed is 1 or more, or None for all cores.")
    if not path.is_file():
        raise WeightsNotFoundError(f"{path} does not exist: pass the path of an ONNX file.")
    if (held == "int8") != (precision == "int8"):
        raise EngineError(
            f"path {str(path)!r} holds {held} weights and precision is {precision!r}: use precision='int8' with an "
            "int8 file and only there."
        )
    if engine == "onnx":
        from platereader.runtimes._onnx import OnnxRuntime

        return OnnxRuntime(path, precision=precision, threads=threads)
    if engine == "openvino":
        from platereader.runtimes._openvino import OpenVinoRuntime

        return OpenVinoRuntime(path, precision=precision, threads=threads)
    raise EngineError(f"engine {engine!r} does not run {path.name}: use 'onnx' or 'openvino', or a safetensors file.")


def check_torch(path: str | Path, *, engine: str, threads: int | None) -> None:
    """Raise unless torch can be what runs the file, with a number of threads that it takes.

    Raises:
        EngineError: an ONNX file, another engine, or threads for one network alone.
        MissingDependencyError: torch is not installed.
    """
    if Path(path).suffix == SUFFIX or engine != "torch":
        raise EngineError(
            f"engine is {engine!r} and the file {Path(path).name}: use 'onnx' or 'openvino' (CPU) for an ONNX file, "
            "'torch' for a safetensors file; `platereader train export` makes the one from the other."
        )
    if threads is not None:
        raise EngineError(
            f"threads is {threads}, and engine 'torch' has one number for the whole process: leave it out and call "
            "torch.set_num_threads, or use another engine."
        )
    check_installed("torch", "safetensors")
