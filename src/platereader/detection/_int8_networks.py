"""Finder and refiner in int8 with torch alone, from the tensors of ``runtimes._int8_tensors``.

They are the float networks with int8 convolutions in the place of the float ones. What two levels add up has one scale
with both of them, so that their sum is one of whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from platereader.detection._finder_network import STAGES, WIDTHS_SEEN, FinderNetwork, Separable
from platereader.detection._refiner_network import CROP_SIZE, RefinerNetwork
from platereader.runtimes._int8_tensors import Scale
from platereader.runtimes._torch_int8 import TorchInt8Runtime, int8_runtime


@dataclass(frozen=True, slots=True)
class Flow:
    """What reads what in a network.

    Attributes:
        chains: names of convolutions of which each one's output, alone or in a sum, is the input of the next.
        same_input: groups of convolutions that read the same tensor, or one a level and the other a sum with it.
    """

    chains: tuple[tuple[str, ...], ...]
    same_input: tuple[tuple[str, ...], ...]

    def readers(self) -> dict[str, str]:
        """For each convolution but the last ones, one that reads its output."""
        return {name: reader for chain in self.chains for name, reader in pairwise(chain)}


def _separable(block: str) -> tuple[str, str]:
    """The two convolutions of a block of that name."""
    first, last = Separable.pair
    return f"{block}.{first}", f"{block}.{last}"


_BLOCKS = (f"stages.{stage}.{place}" for stage, (depth, _) in enumerate(STAGES) for place in range(depth))

FINDER_FLOW: Final = Flow(
    chains=(
        (
            *("stem.0.0", "stem.1.0"),
            *(layer for block in _BLOCKS for layer in _separable(block)),
            *("reduce.0.0", *_separable("top_down.0"), "reduce.1.0", *_separable("top_down.1")),
            *(*_separable("heads.0.0"), "heads.0.1"),
        ),
        (*_separable("heads.1.0"), "heads.1.1"),
        (*_separable("heads.2.0"), "heads.2.1"),
    ),
    same_input=(
        ("stages.1.0.each.0", "top_down.1.each.0"),
        ("stages.2.0.each.0", "top_down.0.each.0"),
        ("reduce.0.0", "heads.2.0.each.0"),
        ("reduce.1.0", "heads.1.0.each.0"),
    ),
)
"""Of ``FinderNetwork``."""

REFINER_FLOW: Final = Flow(
    chains=(
        (
            *("stem.0.0", "stem.1.0", "stem.2.0"),
            *("middle.0.0", "middle.1.0", "middle.2.0"),
            *("coarse.0.0", "coarse.1.0", "coarse.2.0"),
            *("reduce.0.0", "top_down.0", "reduce.1.0", "heat.0.0", "heat.1"),
        ),
        ("kinds.0",),
    ),
    same_input=(
        ("middle.0.0", "heat.0.0"),
        ("coarse.0.0", "top_down.0"),
        ("reduce.0.0", "kinds.0"),
    ),
)
"""Of ``RefinerNetwork``."""


def shared_scales(inputs: Mapping[str, Scale], flow: Flow) -> dict[str, Scale]:
    """The scales of the inputs of all convolutions, those that have to be the same made so: the widest.

    Args:
        inputs: for each name of ``convolutions``, how its input is best held; the zero point is 0.
        flow: of the network.
    """
    shared = dict(inputs)
    for names in flow.same_input:
        shared |= dict.fromkeys(names, max(shared[name] for name in names))
    return shared


def int8_finder(tensors: Mapping[str, Tensor], *, name: str = "the file") -> TorchInt8Runtime:
    """A runtime of a finder with the tensors that ``quantized`` made; errors as of ``int8_runtime``."""
    weights = [tensors.get(f"{layer}.weight") for layer in WIDTHS_SEEN]
    # Of what is missing or has no rows the width does not matter: it is refused below.
    widths = [1 if one is None or not one.numel() or not one.dim() else len(one) for one in weights]
    with torch.device("meta"):  # for its structure only
        network = FinderNetwork(widths).eval()
    return int8_runtime(network, tensors, readers=FINDER_FLOW.readers(), shape=(1, 3, 64, 64), name=name)


def int8_refiner(tensors: Mapping[str, Tensor], *, name: str = "the file") -> TorchInt8Runtime:
    """A runtime of a refiner with the tensors that ``quantized`` made; errors as of ``int8_runtime``."""
    with torch.device("meta"):
        network = RefinerNetwork().eval()
    return int8_runtime(network, tensors, readers=REFINER_FLOW.readers(), shape=(1, 3, *CROP_SIZE), name=name)
