"""From the weights of one of the detector's networks to what runs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from platereader._geometry import is_finite
from platereader.registry import WeightFile
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import LoadedRuntime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

__all__ = ["is_number", "network_runtime"]


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and is_finite(value)


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
        network: makes the network of a state dict; the text is its name in errors. A function of a module, as is
            ``int8``, so that it can be pickled.
        int8: makes a runtime of the tensors of a quantised network.

    Raises:
        WeightsCorruptError: the weights of another network.
        EngineError: the options and the file do not go together.
        MissingDependencyError: the engine is not installed.
    """
    return LoadedRuntime(weights, options, partial(_on_torch, network=network, int8=int8))


def _on_torch(
    weights: WeightFile,
    options: RuntimeOptions,
    *,
    network: Callable[[Mapping[str, Tensor], str], nn.Module],
    int8: Callable[[Mapping[str, Tensor], str], Runtime],
) -> Runtime:
    from platereader.runtimes._tensors import tensors_of
    from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

    name = str(weights.path)
    tensors = tensors_of(weights.data, name=name)
    if options.precision == "int8":
        return int8(tensors, name)
    return TorchRuntime(fuse_normalisation(network(tensors, name)), precision=options.precision, device=options.device)
