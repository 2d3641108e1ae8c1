"""Our int8 reader beside the network of the system it succeeds, in int8 as that one is.

That is a CRNN (Shi et al., arXiv 1507.05717) on 1 x 32 x 128 pictures, see ``predecessor_network``. All weights are
random.

``python -m benchmarks.recognizer_speed`` prints both.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.predecessor_network import SIZE_PX, Crnn, in_int8
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


def prepared(network: Crnn, batch: int) -> Callable[[], object]:
    """A call of the network."""
    pictures = torch.randn(batch, 1, *SIZE_PX)

    def call() -> object:
        with torch.inference_mode():
            return network(pictures)

    return call


def candidates() -> Candidates:
    """Our int8 network, the other one in int8, and that one in fp32."""
    ours, config = random_recognizers(), ConvCtcConfig()
    size_px = (config.height_px, config.width_px)
    return {
        **recognizer_candidates({"int8": ours["int8"]}, size_px=size_px, rng=np.random.default_rng(0)),
        "CRNN int8": partial(prepared, in_int8(Crnn().eval())),
        "CRNN fp32": partial(prepared, Crnn().eval()),
    }


def main() -> None:
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
