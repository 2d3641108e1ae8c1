"""The plate detector's network: plain convolutions that every engine runs fast, also in int8.

One stage without anchors (as YOLOv8, Jocher et al. 2023): every cell of three levels gives the distances to a box's
sides as distributions (Li et al. 2020), classes, and four corners. Levels meet from coarse to fine (Lin et al. 2017)
and back (Liu et al. 2018), by addition. ReLU is the only activation: engines fuse it with the convolution before it,
which they do not do with SiLU in int8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from platereader.detection._decode import BINS
from platereader.errors import WeightsCorruptError
from platereader.runtimes._tensors import read_tensors

CLASSES: Final = 2
"""Class 0 is a plate with one line of text, class 1 one with two."""

CORNERS: Final = 4
"""Corners per plate: top left, top right, bottom right, bottom left."""

_SIDES: Final = 4 * BINS
_STEM, _FINE, _MIDDLE, _COARSE = (16, 32), 48, 96, 160
_HEAD = 64
# Of a training's first pictures about one cell in a thousand sees a plate.
_FIRST_SCORE = 1e-3


class PlateNetwork(nn.Module):
    """From pictures to the raw outputs that ``detection._decode`` reads.

    Built with random weights; ``load_state_dict`` or ``network_from_file`` fill them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem: nn.Sequential = nn.Sequential(_convolution(3, _STEM[0], stride=2), _convolution(*_STEM, stride=2))
        self.stages: nn.ModuleList = nn.ModuleList(
            (_stage(_STEM[1], _FINE, depth=3), _stage(_FINE, _MIDDLE, depth=4), _stage(_MIDDLE, _COARSE, depth=3))
        )
        self.neck: Neck = Neck()
        self.heads: nn.ModuleList = nn.ModuleList(_head(channels) for channels in (_FINE, _MIDDLE, _COARSE))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network.

        Args:
            pictures: float32 ``(N, 3, H, W)``, RGB, 0 to 1; H and W multiples of 32.

        Returns:
            Raw outputs over the A cells of all levels, finest first: box side logits ``(N, 4 * BINS, A)``, class logits
            ``(N, CLASSES, A)``, corner offsets ``(N, 2 * CORNERS, A)``.
        """
        fine = self.stages[0](self.stem(pictures))  # (N, 48, H / 8, W / 8)
        middle = self.stages[1](fine)  # (N, 96, H / 16, W / 16)
        coarse = self.stages[2](middle)  # (N, 160, H / 32, W / 32)
        levels = self.neck(fine, middle, coarse)
        outputs = torch.cat([head(level).flatten(2) for head, level in zip(self.heads, levels, strict=True)], 2)
        sides, classes, corners = cast("Sequence[Tensor]", outputs.split((_SIDES, CLASSES, 2 * CORNERS), 1))
        return sides, classes, corners


class Neck(nn.Module):
    """Passes what each level sees to the next finer one, and then back to the next coarser one."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce: nn.ModuleList = nn.ModuleList(
            (_convolution(_COARSE, _MIDDLE, kernel=1), _convolution(_MIDDLE, _FINE, kernel=1))
        )
        self.top_down: nn.ModuleList = nn.ModuleList((_convolution(_MIDDLE, _MIDDLE), _convolution(_FINE, _FINE)))
        self.downsample: nn.ModuleList = nn.ModuleList(
            (_convolution(_FINE, _MIDDLE, stride=2), _convolution(_MIDDLE, _COARSE, stride=2))
        )
        self.bottom_up: nn.ModuleList = nn.ModuleList((_convolution(_MIDDLE, _MIDDLE), _convolution(_COARSE, _COARSE)))

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three levels at their own sizes, from strides 8, 16 and 32."""
        middle = self.top_down[0](_sum(middle, _upsample(self.reduce[0](coarse))))
        fine = self.top_down[1](_sum(fine, _upsample(self.reduce[1](middle))))
        middle = self.bottom_up[0](_sum(middle, self.downsample[0](fine)))
        coarse = self.bottom_up[1](_sum(coarse, self.downsample[1](middle)))
        return fine, middle, coarse


def network_from_file(path: Path) -> PlateNetwork:
    """The network in inference mode, with the weights of a safetensors file.

    Raises:
        WeightsCorruptError: the file is not safetensors or holds another network.
    """
    return network_from_state(read_tensors(path), name=str(path))


def network_from_state(tensors: Mapping[str, Tensor], *, name: str) -> PlateNetwork:
    """The network in inference mode, with given weights of any float type.

    Args:
        tensors: the state dict.
        name: how an error calls it.

    Raises:
        WeightsCorruptError: names or shapes are those of another network.
    """
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
        network = PlateNetwork()
    state = {key: value.float() if value.is_floating_point() else value for key, value in tensors.items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WeightsCorruptError(f"{name} does not hold a plate detector's weights ({reason}).") from error
    return network.eval()


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution with normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


def _stage(inputs: int, outputs: int, *, depth: int) -> nn.Sequential:
    """``depth`` convolutions, the first of which halves height and width."""
    rest = (_convolution(outputs, outputs) for _ in range(depth - 1))
    return nn.Sequential(_convolution(inputs, outputs, stride=2), *rest)


def _head(channels: int) -> nn.Sequential:
    """What one level's cells say: sides, classes and corners, at first that there is no plate."""
    last = nn.Conv2d(_HEAD, _SIDES + CLASSES + 2 * CORNERS, 1)
    bias = cast("Tensor", last.bias).data
    bias[:_SIDES] = 1.0
    bias[_SIDES : _SIDES + CLASSES] = math.log(_FIRST_SCORE / (1 - _FIRST_SCORE))
    bias[_SIDES + CLASSES :] = 0.0
    return nn.Sequential(_convolution(channels, _HEAD), last)


def _upsample(level: Tensor) -> Tensor:
    """A level ``(N, C, H, W)`` at twice its height and width."""
    return functional.interpolate(level, scale_factor=2.0, mode="nearest")


def _sum(level: Tensor, other: Tensor) -> Tensor:
    """Of two levels of one size; in uint8, as ``detection._quantized`` holds them, the sum stops at 255."""
    return torch.minimum(level, ~other) + other if level.dtype == torch.uint8 else level + other
