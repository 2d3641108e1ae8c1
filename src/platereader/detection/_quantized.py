"""The detector's network in int8 with torch alone, from the tensors of ``runtimes._int8_tensors``.

It is ``PlateNetwork`` with int8 convolutions in the place of the float ones. What two levels add up has one scale with
both of them, so that their sum is one of whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from platereader.detection._decode import STRIDES
from platereader.detection._network import PlateNetwork
from platereader.runtimes._int8_tensors import InputScale, int8_convolutions
from platereader.runtimes._torch_int8 import Int8Layer, TorchInt8Runtime

__all__ = ["int8_runtime", "shared_scales"]

# Convolutions that read the same tensor, or one a level and the other the sum that it goes into.
_SAME_SCALE = (
    ("stages.1.0.0", "neck.top_down.1.0"),
    ("stages.2.0.0", "neck.top_down.0.0"),
    ("neck.reduce.0.0", "neck.bottom_up.1.0"),
    ("neck.reduce.1.0", "neck.bottom_up.0.0"),
    ("neck.downsample.0.0", "heads.0.0.0"),
    ("neck.downsample.1.0", "heads.1.0.0"),
)
# Each one's output, alone or in a sum, is the input of the next.
_NECK = (
    *("neck.reduce.0.0", "neck.top_down.0.0", "neck.reduce.1.0", "neck.top_down.1.0"),
    *("neck.downsample.0.0", "neck.bottom_up.0.0", "neck.downsample.1.0", "neck.bottom_up.1.0"),
)


def shared_scales(inputs: Mapping[str, InputScale]) -> dict[str, InputScale]:
    """The scales of the inputs of all convolutions, those that have to be the same made so: the widest.

    Args:
        inputs: for each name of ``convolutions``, how its input is best held; the zero point is 0.
    """
    shared = dict(inputs)
    for names in _SAME_SCALE:
        widest = max(shared[name] for name in names)
        shared |= dict.fromkeys(names, widest)
    return shared


def int8_runtime(tensors: Mapping[str, Tensor], *, name: str = "the file") -> TorchInt8Runtime:
    """A runtime with the tensors that ``quantized`` made.

    Raises:
        WeightsCorruptError: they are of another network; names the first tensor that differs.
        EngineError: torch cannot compute in int8 here.
    """
    with torch.device("meta"):  # for its structure only
        network = PlateNetwork().eval()
    known = int8_convolutions(tensors, network, name=name)
    readers = _readers(list(known))
    for name, convolution in known.items():
        block, _, place = name.rpartition(".")
        reader = readers.get(name)
        layers = cast("nn.Sequential", network.get_submodule(block))
        layers[int(place)] = Int8Layer(convolution, after=None if reader is None else known[reader])
        if reader is not None:
            layers[1], layers[2] = nn.Identity(), nn.Identity()  # normalisation is folded, ReLU a part of the layer
    return TorchInt8Runtime(network, first=next(iter(known.values())), shape=(1, 3, 64, 64))


def _readers(names: Sequence[str]) -> dict[str, str]:
    """For each convolution but the last ones of the heads that one whose input scale its output has."""
    column = [*(name for name in names if name.startswith(("stem.", "stages."))), *_NECK, "heads.2.0.0"]
    heads = {f"heads.{level}.0.0": f"heads.{level}.1" for level in range(len(STRIDES))}
    return dict(pairwise(column)) | heads
