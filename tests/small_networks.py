"""A reader small enough for a test, in fp32 and in int8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from platereader.lab.training.recognizer.quantize import measured_scales
from platereader.recognition._network import ConvCtc
from platereader.recognition._preprocess import prepare
from platereader.recognition._shape import ConvCtcConfig
from platereader.results import PlateImage
from platereader.runtimes._int8_tensors import quantized, write_int8
from platereader.runtimes._tensors import write_tensors
from platereader.runtimes._torch import fuse_normalisation

SMALL: dict[str, object] = {"height_px": 16, "width_px": 64, "channels": [8, 8, 8], "features": 16}


def small_network() -> ConvCtc:
    """A network as after some training: its normalisation has statistics of its own, and it is sure of its classes."""
    torch.manual_seed(3)
    network = ConvCtc(ConvCtcConfig.from_settings(SMALL))
    for _ in range(3):
        network(torch.randn(8, 3, 16, 64) * 2 + 1)
    with torch.no_grad():
        network.classify.weight.mul_(40)
    return network


def plates(count: int) -> list[PlateImage]:
    """Noise of several sizes."""
    rng = np.random.default_rng(1)
    return [PlateImage(rng.integers(0, 256, (40 + i, 170 + i, 3), np.uint8)) for i in range(count)]


def write_small(folder: Path) -> tuple[Path, Path]:
    """The files of the small network: fp32 and int8."""
    fp32, int8 = folder / "small.safetensors", folder / "small-int8.safetensors"
    write_tensors(fp32, small_network().state_dict())
    network = fuse_normalisation(small_network().eval())
    pictures = torch.from_numpy(prepare(plates(16), size_px=(16, 64)))
    write_int8(int8, quantized(network, *measured_scales(network, pictures)))
    return fp32, int8
