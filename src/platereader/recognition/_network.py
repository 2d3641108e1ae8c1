"""The reader's network: a small residual CNN that halves the picture early, then residual blocks along the text, CTC.

There is nothing recurrent in it. At equal accuracy and arithmetic it runs as fast as the two LSTM layers it replaced,
trains in bfloat16, and every layer of it can be int8 (see ``platereader.runtimes._torch_int8``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from platereader.recognition._shape import ROWS_JOINED, ConvCtcConfig
from platereader.runtimes._int8_tensors import Block, Flow, convolutions
from platereader.runtimes._torch import with_state
from platereader.runtimes._torch_int8 import TorchInt8Runtime, int8_runtime


class ConvCtc(nn.Module):
    """Pictures in, log probabilities over characters out.

    About 180 million multiplications a plate at 40 x 176: at full resolution there is only the first, strided
    convolution, because those layers would cost the most and see the least.
    """

    def __init__(self, config: ConvCtcConfig | None = None) -> None:
        super().__init__()
        config = config or ConvCtcConfig()
        self.config: ConvCtcConfig = config
        first, second, third = config.channels
        rows = config.height_px // ROWS_JOINED
        self.layers: nn.Sequential = nn.Sequential(
            convolution(3, first, kernel=(5, 5), stride=(2, 2)),  # (N, 32, H/2, W/2)
            convolution(first, second, stride=(2, 2)),  # (N, 64, H/4, W/4)
            Residual(second),
            convolution(second, third, stride=(2, 1)),  # (N, 128, H/8, W/4)
            Residual(third),
            convolution(third, config.features, kernel=(rows, 1), padding=(0, 0)),  # (N, F, 1, T)
            *(Residual(config.features, kernel=(1, 5), dilation=dilation) for dilation in config.dilations),
        )
        self.dropout: nn.Dropout = nn.Dropout(0.1)
        self.classify: nn.Conv2d = nn.Conv2d(config.features, config.classes, 1)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        """Read a batch.

        Args:
            pictures: float ``(N, 3, H, W)`` as ``preprocess.prepare`` makes them.

        Returns:
            ``(N, T, C + 1)`` log probabilities, T = W / 4: the blank, the characters, illegible.
        """
        columns = cast(Tensor, self.layers(pictures))  # (N, F, 1, T)
        columns = self.dropout(columns) if self.training else columns
        scores = cast(Tensor, self.classify(columns))  # (N, C + 1, 1, T)
        # bfloat16 could not tell 0.996 from 1.
        return torch.log_softmax(scores.squeeze(2).transpose(1, 2).float(), dim=-1)


def network_from_state(tensors: Mapping[str, Tensor], *, config: ConvCtcConfig, name: str) -> ConvCtc:
    """The network with given weights, as of ``with_state``, ready to train on."""
    return with_state(lambda: ConvCtc(config), tensors, name=name, kind="recognizer")


def int8_recognizer(
    tensors: Mapping[str, Tensor], *, config: ConvCtcConfig, name: str = "the file"
) -> TorchInt8Runtime:
    """A runtime of the network with the tensors that ``quantized`` made; errors as of ``int8_runtime``."""
    with torch.device("meta"):  # for its structure only
        network = ConvCtc(config).eval()
    flow = Flow(chains=(tuple(convolutions(network)),))
    return int8_runtime(network, tensors, flow=flow, shape=(1, 3, *config.size_px), name=name)


class Residual(Block):
    """Two convolutions whose result is added to what they saw (He et al., CVPR 2016, figure 2)."""

    pair = ("first.0", "second.0")
    adds: bool = True

    def __init__(self, channels: int, *, kernel: tuple[int, int] = (3, 3), dilation: int = 1) -> None:
        super().__init__()
        self.first: nn.Sequential = convolution(channels, channels, kernel=kernel)
        self.second: nn.Sequential = convolution(channels, channels, kernel=kernel, dilation=dilation)
        self.second[2] = nn.Identity()  # the sum is what is rectified

    @override
    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return torch.relu(features + cast(Tensor, self.second(self.first(features))))


def convolution(
    inputs: int,
    outputs: int,
    *,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
    dilation: int = 1,
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; padded to keep the size unless told otherwise, dilated along the text."""
    around = (kernel[0] // 2, dilation * (kernel[1] // 2)) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, around, dilation=(1, dilation), bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
