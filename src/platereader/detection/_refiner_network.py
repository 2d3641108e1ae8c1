"""The refiner's network: what a place shows, seen at one plate size: four corners, and what kind of thing it is.

Corners are means of heat maps (soft-argmax, as in Nibali et al. 2018), so that they lie between cells. ReLU is the only
activation: engines fuse it with the convolution before it, also in int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from platereader.detection._finder_network import add_levels, convolution, upsample
from platereader.detection._refiner import CROP_SIZE
from platereader.runtimes._int8_tensors import Flow
from platereader.runtimes._torch import with_state
from platereader.runtimes._torch_int8 import TorchInt8Runtime, int8_runtime

CORNERS: Final = 4
"""Corners per plate: top left, top right, bottom right, bottom left."""

KINDS: Final = 3
"""Logits of a crop: that it shows a plate, that the plate has two lines of text, that a part of it is cut off."""

_HALF, _FINE, _MIDDLE, _COARSE = 16, 48, 96, 128
_COARSE_STRIDE = 16

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
"""What reads what in ``RefinerNetwork``."""


class RefinerNetwork(nn.Module):
    """From crops to heat maps of the corners and logits of what the crop shows. Built with random weights."""

    def __init__(self) -> None:
        super().__init__()
        self.stem: nn.Sequential = nn.Sequential(
            convolution(3, _HALF, stride=2), convolution(_HALF, _FINE, stride=2), convolution(_FINE, _FINE)
        )
        self.middle: nn.Sequential = _stage(_FINE, _MIDDLE)
        self.coarse: nn.Sequential = _stage(_MIDDLE, _COARSE)
        self.reduce: nn.ModuleList = nn.ModuleList(
            (convolution(_COARSE, _MIDDLE, side=1), convolution(_MIDDLE, _FINE, side=1))
        )
        self.top_down: nn.Sequential = convolution(_MIDDLE, _MIDDLE)
        self.heat: nn.Sequential = nn.Sequential(convolution(_FINE, _FINE), nn.Conv2d(_FINE, CORNERS, 1))
        whole = CROP_SIZE[0] // _COARSE_STRIDE, CROP_SIZE[1] // _COARSE_STRIDE
        self.kinds: nn.Sequential = nn.Sequential(nn.Conv2d(_COARSE, KINDS, whole), nn.Flatten())

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network.

        Args:
            crops: float32 ``(N, 3, 64, 128)``, BGR, 0 to 1.

        Returns:
            Heat-map logits ``(N, 4, 16, 32)``, one map a corner, and kind logits ``(N, 3)``: a plate, two lines, cut.
        """
        fine = self.stem(crops)  # (N, 48, 16, 32)
        middle = self.middle(fine)  # (N, 96, 8, 16)
        coarse = self.coarse(middle)  # (N, 128, 4, 8)
        middle = self.top_down(add_levels(middle, upsample(self.reduce[0](coarse))))
        return self.heat(add_levels(fine, upsample(self.reduce[1](middle)))), self.kinds(coarse)


def refiner_from_state(tensors: Mapping[str, Tensor], *, name: str) -> RefinerNetwork:
    """In inference mode, the network with given weights, as of ``with_state``."""
    return with_state(RefinerNetwork, tensors, name=name, kind="refiner").eval()


def int8_refiner(tensors: Mapping[str, Tensor], *, name: str = "the file") -> TorchInt8Runtime:
    """A runtime of a refiner with the tensors that ``quantized`` made; errors as of ``int8_runtime``."""
    with torch.device("meta"):
        network = RefinerNetwork().eval()
    return int8_runtime(network, tensors, flow=REFINER_FLOW, shape=(1, 3, *CROP_SIZE), name=name)


def _stage(channels: int, wanted: int) -> nn.Sequential:
    """Three convolutions, the first of which halves height and width."""
    return nn.Sequential(
        convolution(channels, wanted, stride=2), convolution(wanted, wanted), convolution(wanted, wanted)
    )
