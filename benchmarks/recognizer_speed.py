"""Our int8 reader beside the network of the system it succeeds, in int8 as that one is.

The other network is re-enacted from its description: the CRNN of Shi et al. (arXiv 1507.05717), 8.7 million parameters,
on 1 x 32 x 128 pictures, its convolutions in static int8 (FX) and its LSTM in dynamic int8. All weights are random.

``python -m benchmarks.recognizer_speed`` prints both.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.predecessor_network import SIZE_PX, in_int8
from platereader._files import write_json
from platereader.lab.speed.networks import (
    Candidates,
    SpeedReport,
    benchmark,
    format_speed,
    random_recognizers,
    recognizer_candidates,
)
from platereader.recognition._shape import ConvCtcConfig


class Crnn(nn.Module):
    """Seven convolutions, then two bidirectional LSTM layers along the text."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *layer(1, 64),
            nn.MaxPool2d(2),
            *layer(64, 128),
            nn.MaxPool2d(2),
            *layer(128, 256),
            *layer(256, 256),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            *layer(256, 512),
            *layer(512, 512),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)),
            *layer(512, 512, kernel=2, padding=0),
        )
        self.recurrent = nn.LSTM(512, 256, num_layers=2, bidirectional=True)
        self.classify = nn.Linear(512, 23)

    def forward(self, pictures: Tensor) -> Tensor:
        """(N, 1, 32, 128) to (T, N, 23) log probabilities."""
        columns = self.convolutions(pictures).squeeze(2).permute(2, 0, 1)  # (T, N, 512)
        return torch.log_softmax(self.classify(self.recurrent(columns)[0]), dim=2)


def layer(inputs: int, outputs: int, *, kernel: int = 3, padding: int = 1) -> tuple[nn.Module, ...]:
    """Convolution, normalisation, ReLU."""
    return nn.Conv2d(inputs, outputs, kernel, 1, padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def candidate(network: Crnn) -> Callable[[int], Callable[[], object]]:
    """From a batch size to a call of the network."""

    def prepared(batch: int) -> Callable[[], object]:
        pictures = torch.randn(batch, 1, *SIZE_PX)

        def call() -> object:
            with torch.inference_mode():
                return network(pictures)

        return call

    return prepared


def candidates() -> Candidates:
    """Our int8 network, the other one in int8, and that one in fp32."""
    ours, config = random_recognizers(), ConvCtcConfig()
    size_px = (config.height_px, config.width_px)
    return {
        **recognizer_candidates({"int8": ours["int8"]}, size_px=size_px, rng=np.random.default_rng(0)),
        "CRNN int8": candidate(in_int8(Crnn().eval())),
        "CRNN fp32": candidate(Crnn().eval()),
    }


def main() -> None:
    """Time them and print the table."""
    parser = argparse.ArgumentParser(description="Our int8 reader beside the CRNN of the system it succeeds.")
    parser.add_argument("--threads", type=int, nargs="+", default=(1, 2), metavar="N")
    parser.add_argument("--rounds", type=int, default=50, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    print(f"CRNN: {sum(parameter.numel() for parameter in Crnn().parameters()) / 1e6:.1f} million parameters")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao and quantised tensors are deprecated: they are what is compared with
        report = SpeedReport(benchmark(candidates(), threads=arguments.threads, rounds=arguments.rounds))
    print(format_speed(report))
    if arguments.json is not None:
        write_json(arguments.json, report.to_dict())


if __name__ == "__main__":
    main()
