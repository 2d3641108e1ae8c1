"""Which engine runs which file in which precision; and ONNX files on either of the engines that run them."""

from __future__ import annotations

from dataclasses import replace

from platereader._dependencies import check_installed
from platereader.errors import EngineError
from platereader.runtimes import Runtime
from platereader.runtimes._options import RuntimeOptions


def resolve_options(options: RuntimeOptions, *, name: str, file_format: str, file_precision: str) -> RuntimeOptions:
    """The options without ``auto``, if a file can run so.

    Args:
        options: ``auto`` is the engine of the format (``torch`` or ``onnx``) and the precision of the file.
        name: of the file, for messages.
        file_format: ``safetensors`` or ``onnx``.
        file_precision: of the weights in the file, ``int8`` or ``fp32``.

    Raises:
        EngineError: engine, precision, threads, device and file do not go together.
        MissingDependencyError: torch is what runs it and is not installed.
    """
    default = "torch" if file_format == "safetensors" else "onnx"
    engine = default if options.engine == "auto" else options.engine
    precision = file_precision if options.precision == "auto" else options.precision
    if (engine == "torch") != (file_format == "safetensors"):
        raise EngineError(
            f"engine is {engine!r} and the file {name}: use 'onnx' or 'openvino' for an ONNX file, 'torch' for a "
            "safetensors file; `platereader train export` makes the one from the other."
        )
    if (precision == "int8") != (file_precision == "int8"):
        raise EngineError(
            f"{name} holds {file_precision} weights and precision is {precision!r}: use precision='int8' with the file "
            "of a quantised network, and 'fp32' or 'bf16' with the file it is made from."
        )
    if options.device != "cpu" and (engine != "torch" or precision == "int8"):
        raise EngineError(
            f"device is {options.device!r}, which runs safetensors files in 'fp32' or 'bf16', and {name} holds "
            f"{file_precision} weights in {file_format}: use device 'cpu'."
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
    """Load an ONNX file, with all tensors inside, with ``onnx`` or ``openvino``."""
    if engine == "onnx":
        from platereader.runtimes._onnx import OnnxRuntime

        return OnnxRuntime(data, name=name, precision=precision, threads=threads)
    if engine == "openvino":
        from platereader.runtimes._openvino import OpenVinoRuntime

        return OpenVinoRuntime(data, name=name, precision=precision, threads=threads)
    raise EngineError(f"engine {engine!r} does not run {name}: use 'onnx' or 'openvino', or a safetensors file.")
