"""The reader's network in int8 with torch alone, from the tensors of ``runtimes._int8_tensors``."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from platereader.recognition._network import ConvCtc, Residual, log_probs_of
from platereader.recognition._shape import ConvCtcConfig
from platereader.runtimes._int8_tensors import convolutions, int8_convolutions
from platereader.runtimes._torch_int8 import Int8Chain, TorchInt8Runtime


def int8_runtime(tensors: Mapping[str, Tensor], *, config: ConvCtcConfig, name: str = "the file") -> TorchInt8Runtime:
    """A runtime with the tensors that ``quantized`` made.

    Raises:
        WeightsCorruptError: they are of another network; names the first tensor that differs.
        EngineError: torch cannot compute in int8 here.
    """
    with torch.device("meta"):  # for its structure only
        network = ConvCtc(config)
    chain = list(int8_convolutions(tensors, network, name=name, adding=adding_layers(network)).values())
    shape = (1, *config.size_px)
    run = Int8Chain(chain, input_shape=shape, finish=log_probs_of)
    return TorchInt8Runtime(run, first=chain[0], shape=(1, *shape))


def adding_layers(network: ConvCtc) -> frozenset[str]:
    """Names of the convolutions whose result is added to what their block read."""
    second = {id(block.second[0]) for block in network.modules() if isinstance(block, Residual)}
    return frozenset(name for name, module in convolutions(network).items() if id(module) in second)
