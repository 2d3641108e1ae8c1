"""The finder's network: where on a frame plates may be. Narrow, and coarse in what it says of each place.

One stage without anchors: every cell of three levels gives a score and the distances to the sides of a box. Levels meet
from coarse to fine (Lin et al. 2017) by addition. ReLU is the only activation: engines fuse it with the convolution
before it, also in int8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from platereader.runtimes._int8_tensors import Block, Flow
from platereader.runtimes._torch import with_state
from platereader.runtimes._torch_int8 import TorchInt8Runtime, int8_runtime

DEFAULT_WIDTHS: Final = (8, 16, 48, 96, 160)
"""Channels at strides 2, 4, 8, 16 and 32."""

STAGES: Final = ((4, 3), (6, 3), (6, 5))
"""Of the stages at strides 8, 16 and 32: how many blocks, and how many cells wide what each of them sees is."""

WIDTHS_SEEN = ("stem.0.0", "stem.1.0", *(f"stages.{index}.0.across.0" for index in range(len(STAGES))))
_HEAD = 48
_SIDES = 4
# Of a training's first pictures about one cell in a thousand sees a plate.
_FIRST_SCORE = 1e-3


class FinderNetwork(nn.Module):
    """From pictures to raw scores and boxes of all cells; built with random weights.

    Args:
        widths: channels at strides 2, 4, 8, 16 and 32; kept as a tuple.
    """

    def __init__(self, widths: Sequence[int] = DEFAULT_WIDTHS) -> None:
        super().__init__()
        self.widths: tuple[int, ...] = tuple(widths)
        half, quarter, fine, middle, coarse = widths
        self.stem: nn.Sequential = nn.Sequential(convolution(3, half, stride=2), convolution(half, quarter, stride=2))
        self.stages: nn.ModuleList = nn.ModuleList(
            _stage(before, after, depth=depth, side=side)
            for before, after, (depth, side) in zip(
                (quarter, fine, middle), (fine, middle, coarse), STAGES, strict=True
            )
        )
        self.reduce: nn.ModuleList = nn.ModuleList(
            (convolution(coarse, middle, side=1), convolution(middle, fine, side=1))
        )
        self.top_down: nn.ModuleList = nn.ModuleList((Separable(middle, middle), Separable(fine, fine)))
        self.heads: nn.ModuleList = nn.ModuleList(_head(channels) for channels in (fine, middle, coarse))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network.

        Args:
            pictures: float32 ``(N, 3, H, W)``, BGR, 0 to 1; H and W multiples of 32.

        Returns:
            Over the A cells of all levels, finest first and row by row: score logits ``(N, 1, A)``, and the natural
            logarithms of the distances in cells from a cell's centre to the left, top, right and bottom side of its
            box, ``(N, 4, A)``.
        """
        fine = self.stages[0](self.stem(pictures))  # (N, C, H / 8, W / 8)
        middle = self.stages[1](fine)  # (N, C, H / 16, W / 16)
        coarse = self.stages[2](middle)  # (N, C, H / 32, W / 32)
        middle = self.top_down[0](add_levels(middle, upsample(self.reduce[0](coarse))))
        fine = self.top_down[1](add_levels(fine, upsample(self.reduce[1](middle))))
        levels = (fine, middle, coarse)
        outputs = torch.cat([head(level).flatten(2) for head, level in zip(self.heads, levels, strict=True)], 2)
        scores, sides = cast("Sequence[Tensor]", outputs.split((1, _SIDES), 1))
        return scores, sides


def finder_from_state(tensors: Mapping[str, Tensor], *, name: str) -> FinderNetwork:
    """In inference mode, the network with given weights, as of ``with_state``, in the widths that they have."""

    def sized() -> FinderNetwork:
        widths = [len(tensors[f"{layer}.weight"]) for layer in WIDTHS_SEEN]
        if 0 in widths:
            raise ValueError(f"{WIDTHS_SEEN[widths.index(0)]}.weight is empty")
        return FinderNetwork(widths)

    return with_state(sized, tensors, name=name, kind="finder").eval()


def int8_finder(tensors: Mapping[str, Tensor], *, name: str = "the file") -> TorchInt8Runtime:
    """A runtime of a finder with the tensors that ``quantized`` made; errors as of ``int8_runtime``."""
    weights = [tensors.get(f"{layer}.weight") for layer in WIDTHS_SEEN]
    # Of what is missing or has no rows the width does not matter: it is refused below.
    widths = [1 if one is None or not one.numel() or not one.dim() else len(one) for one in weights]
    with torch.device("meta"):  # for its structure only
        network = FinderNetwork(widths).eval()
    return int8_runtime(network, tensors, flow=FINDER_FLOW, shape=(1, 3, 64, 64), name=name)


def convolution(channels: int, wanted: int, *, side: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution with normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, wanted, side, stride, side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(wanted, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Separable(Block):
    """A convolution of each channel by itself, then one across them; to what keeps its shape the input is added."""

    pair = ("each.0", "across.0")

    def __init__(self, channels: int, wanted: int, *, side: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.adds: bool = channels == wanted and stride == 1
        self.each: nn.Sequential = convolution(channels, channels, side=side, stride=stride, groups=channels)
        *across, self.relu = convolution(channels, wanted, side=1)
        self.across: nn.Sequential = nn.Sequential(*across)

    def forward(self, level: Tensor) -> Tensor:
        """A level ``(N, C, H, W)`` with the wanted channels."""
        changed: Tensor = self.across(self.each(level))
        return cast(Tensor, self.relu(level + changed if self.adds else changed))


def add_levels(level: Tensor, other: Tensor) -> Tensor:
    """The sum of two levels of one size; in uint8, as an int8 network holds them, it stops at 255."""
    return torch.minimum(level, ~other) + other if level.dtype == torch.uint8 else level + other


def _stage(channels: int, wanted: int, *, depth: int, side: int) -> nn.Sequential:
    """``depth`` blocks, the first of which halves height and width."""
    rest = (Separable(wanted, wanted, side=side) for _ in range(depth - 1))
    return nn.Sequential(Separable(channels, wanted, side=side, stride=2), *rest)


def _head(channels: int) -> nn.Sequential:
    """What one level's cells say: a score and four sides, at first that there is no plate."""
    last = nn.Conv2d(_HEAD, 1 + _SIDES, 1)
    bias = cast("Tensor", last.bias).data
    bias[0] = math.log(_FIRST_SCORE / (1 - _FIRST_SCORE))
    bias[1:] = 0.0
    return nn.Sequential(Separable(channels, _HEAD), last)


def upsample(level: Tensor) -> Tensor:
    """A level ``(N, C, H, W)`` at the next finer one's size."""
    return functional.interpolate(level, scale_factor=2.0, mode="nearest")


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
"""What reads what in ``FinderNetwork``."""
