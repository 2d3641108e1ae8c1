"""The tensors of an int8 file: made from a folded float network, and checked for the network that is to use them.

A number ``x`` of the network is held as ``round(x / scale) + zero_point``: activations in uint8 with one scale a
tensor, weights in int8 with one scale an output channel and zero point 0.

A file has, for every convolution, named as in the float one: ``weight`` int8; ``weight_scale`` and ``bias`` float32,
one value an output channel; ``input_scale`` float32 and ``input_zero_point`` uint8 of what it reads. One that ends a
residual block has ``sum_scale`` and ``sum_zero_point`` of what it adds, for engines that round it. The header says
``precision: int8``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn

from platereader.errors import WeightsCorruptError
from platereader.runtimes._tensors import write_tensors
from platereader.runtimes._torch import ModuleT

# Of a weight: two products of 255 and this fit 16 bits, in which processors before VNNI add them.
_LARGEST = 64
_LARGEST_BIAS = 2**30


class Scale(NamedTuple):
    """How a tensor is held in uint8: ``round(x / scale) + zero_point``."""

    scale: float
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """What reads what in a network.

    Attributes:
        chains: names of convolutions of which each one's output, alone or in a sum, is the input of the next.
        same_input: groups of convolutions that read the same tensor, or one a level and the other a sum with it.
    """

    chains: tuple[tuple[str, ...], ...]
    same_input: tuple[tuple[str, ...], ...] = ()

    def readers(self) -> dict[str, str]:
        """For each convolution but the last ones, one that reads its output."""
        return {name: reader for chain in self.chains for name, reader in pairwise(chain)}


class Block(nn.Module):
    """Two convolutions, to whose result what the block read may be added.

    Attributes:
        pair: names of the two in the block.
        adds: whether it is added.
    """

    pair: ClassVar[tuple[str, str]]
    adds: bool


def blocks(network: nn.Module) -> dict[str, tuple[str, str]]:
    """The names of the two convolutions of each ``Block``, by its own."""
    return {name: (f"{name}.{block.pair[0]}", f"{name}.{block.pair[1]}") for name, block in _named(network, Block)}


def adding_layers(network: nn.Module) -> frozenset[str]:
    """Names of the convolutions whose result is added to what their block read."""
    return frozenset(f"{name}.{block.pair[1]}" for name, block in _named(network, Block) if block.adds)


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions by name, in the order in which they stand in the network."""
    return dict(_named(network, nn.Conv2d))


def _named(network: nn.Module, kind: type[ModuleT]) -> list[tuple[str, ModuleT]]:
    """The modules of a kind, with their names."""
    modules = cast("Iterable[tuple[str, nn.Module]]", network.named_modules())
    return [(name, module) for name, module in modules if isinstance(module, kind)]


def shared_scales(inputs: Mapping[str, Scale], flow: Flow) -> dict[str, Scale]:
    """The scales of the inputs of all convolutions, those that have to be the same made so: the widest.

    Of each input the best scale is given; its zero point is 0.
    """
    shared = dict(inputs)
    for names in flow.same_input:
        shared |= dict.fromkeys(names, max(shared[name] for name in names))
    return shared


def quantized(network: nn.Module, inputs: Mapping[str, Scale], sums: Mapping[str, Scale]) -> dict[str, Tensor]:
    """The tensors of an int8 file.

    Args:
        network: with every normalisation folded into the convolution before it.
        inputs: for each name of ``convolutions``, how what it reads is held.
        sums: for each of them that ends a residual block, how what it adds is held.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in convolutions(network).items():
        weight = module.weight.detach()  # (O, I / groups, h, w)
        bias = torch.zeros(len(weight)) if module.bias is None else module.bias.detach().clone()
        # Biases are whole numbers of weight times input: those of a channel without weights have to fit, too.
        least = (bias.abs() / (_LARGEST_BIAS * inputs[name].scale)).clamp(min=1e-12)
        scale = torch.maximum(weight.abs().amax((1, 2, 3)) / _LARGEST, least)  # (O,)
        tensors |= {
            f"{name}.weight": (weight / scale[:, None, None, None]).round().to(torch.int8),
            f"{name}.weight_scale": scale,
            f"{name}.bias": bias,
        }
        for held, scales in (("input", inputs), ("sum", sums)):
            if name in scales:
                tensors[f"{name}.{held}_scale"] = torch.tensor(scales[name].scale)
                tensors[f"{name}.{held}_zero_point"] = torch.tensor(scales[name].zero_point, dtype=torch.uint8)
    return tensors


def write_int8(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write what ``quantized`` made."""
    write_tensors(path, tensors, metadata={"precision": "int8"})


def check_int8(tensors: Mapping[str, Tensor], network: nn.Module, *, name: str) -> None:
    """Compare names, formats and shapes with those that ``quantized`` gives a network.

    Raises:
        WeightsCorruptError: the tensors are of another network; names the first one that differs.
    """
    adding = adding_layers(network)
    expected: dict[str, tuple[torch.dtype, list[int]]] = {}
    for layer, module in convolutions(network).items():
        expected |= {
            f"{layer}.weight": (torch.int8, list(module.weight.shape)),
            f"{layer}.weight_scale": (torch.float32, [module.out_channels]),
            f"{layer}.bias": (torch.float32, [module.out_channels]),
        }
        for held in ("input", "sum") if layer in adding else ("input",):
            expected |= {
                f"{layer}.{held}_scale": (torch.float32, []),
                f"{layer}.{held}_zero_point": (torch.uint8, []),
            }
    found = {key: (tensor.dtype, list(tensor.shape)) for key, tensor in tensors.items()}
    for key in [*expected, *found]:
        if found.get(key) != expected.get(key):
            raise WeightsCorruptError(
                f"{name}: its tensor {key} is {found.get(key)}, in this network in int8 it is {expected.get(key)}: "
                "check that the settings are the ones it was trained with, or make it again from the fp32 weights."
            )
