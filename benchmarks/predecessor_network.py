"""The reader of Runoi/ANPR-System, untrained, built from the shapes it publishes: 8.7 million parameters."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

SIZE_PX = (32, 128)
CLASSES = 23

Reader = TypeVar("Reader", bound=nn.Module)


class Crnn(nn.Module):
    """Six convolutions down to two rows, then two bidirectional LSTM layers along the text."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_layer(1, 64),
            nn.MaxPool2d(2),
            *_layer(64, 128),
            nn.MaxPool2d(2),
            *_layer(128, 256, normalised=True),
            *_layer(256, 256),
            nn.MaxPool2d((2, 1)),
            *_layer(256, 512, normalised=True),
            *_layer(512, 512),
            nn.MaxPool2d((2, 1)),
        )
        self.recurrent = nn.LSTM(1024, 256, num_layers=2, bidirectional=True, batch_first=True)
        self.classify = nn.Linear(512, CLASSES)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 1, 32, 128) to (32, N, 23) log probabilities."""
        columns = self.convolutions(pictures).flatten(1, 2).transpose(1, 2)  # (N, 32, 1024)
        return torch.log_softmax(self.classify(self.recurrent(columns)[0]), dim=2).transpose(0, 1)


def in_int8(network: Reader) -> Reader:
    """A network with int8 ``convolutions``, calibrated on noise, and int8 LSTM and linear layers."""
    from torch.ao import quantization
    from torch.ao.quantization import quantize_fx

    tools, fx = cast("Any", quantization), cast("Any", quantize_fx)
    noise = torch.randn(8, 1, *SIZE_PX)
    prepared = fx.prepare_fx(cast("Any", network).convolutions, tools.get_default_qconfig_mapping("x86"), (noise,))
    prepared(noise)
    cast("Any", network).convolutions = fx.convert_fx(prepared)
    dynamic = tools.quantize_dynamic(network, {nn.LSTM, nn.Linear}, dtype=torch.qint8)
    return cast("Reader", dynamic)


def _layer(inputs: int, outputs: int, *, normalised: bool = False) -> list[nn.Module]:
    normalise = [nn.BatchNorm2d(outputs)] if normalised else []
    return [nn.Conv2d(inputs, outputs, 3, padding=1), *normalise, nn.ReLU(inplace=True)]
