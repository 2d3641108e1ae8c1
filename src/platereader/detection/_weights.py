"""From the weights of one of the detector's networks to what runs it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from platereader.registry import WeightFile
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._exported import exported_runtime, resolve_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

__all__ = ["is_number", "network_runtime"]


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def network_runtime(
    weights: WeightFile,
    options: RuntimeOptions | None,
    *,
    network: Callable[[Mapping[str, Tensor], str], nn.Module],
    int8: Callable[[Mapping[str, Tensor], str], Runtime],
) -> Runtime:
    """A runtime of the network in a file.

    Args:
        weights: an ONNX file, or a safetensors file, which runs on torch.
        options: how it runs; what is ``auto`` follows from the file.
        network: makes the network of a state dict; the text is its name in errors.
        int8: makes a runtime of the tensors of a quantised network.

    Raises:
        WeightsCorruptError: the weights of another network.
        EngineError: the options and the file do not go together.
        MissingDependencyError: the engine is not installed.
    """
    name, contents = str(weights.path), weights.contents()
    chosen = resolve_options(
        options or RuntimeOptions(), name=name, file_format=contents.format, file_precision=contents.precision
    )
    if contents.format == "onnx":
        return exported_runtime(
            weights.data, name=name, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
        )
    from platereader.runtimes._tensors import tensors_of
    from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

    tensors = tensors_of(weights.data, name=name)
    if chosen.precision == "int8":
        return int8(tensors, name)
    return TorchRuntime(fuse_normalisation(network(tensors, name)), precision=chosen.precision, device=chosen.device)
