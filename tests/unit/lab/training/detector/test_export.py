"""Finder and refiner in ONNX files say what they say on torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from platereader.detection._finder_network import FINDER_FLOW, FinderNetwork, int8_finder
from platereader.detection._refiner_network import REFINER_FLOW, RefinerNetwork, int8_refiner
from platereader.lab.training.detector.export import export_finder, export_refiner
from platereader.lab.training.detector.quantize import int8_tensors
from platereader.runtimes._onnx import OnnxRuntime
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation, planes


def learnt(network: nn.Module, pixels: NDArray[np.uint8]) -> nn.Module:
    """A network whose normalisation has seen pictures, folded."""
    for _ in range(5):
        network(planes(torch.from_numpy(pixels)))
    return fuse_normalisation(network.eval())


def random_pixels(*size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)


@pytest.mark.parametrize("widths", [(4, 8, 8, 16, 16), (8, 16, 24, 32, 40), (16, 16, 16, 16, 16)])
@pytest.mark.parametrize("size", [(32, 96), (128, 64)])
def test_a_finder_says_the_same(widths: Sequence[int], size: tuple[int, int], tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FinderNetwork(widths)
    learnt(network, random_pixels(*size))
    export_finder(network, {}, tmp_path / "network.onnx")
    check_same(tmp_path / "network.onnx", network, random_pixels(*size))


def test_a_refiner_says_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = RefinerNetwork()
    learnt(network, random_pixels(64, 128))
    export_refiner(network, {}, tmp_path / "network.onnx")
    check_same(tmp_path / "network.onnx", network, random_pixels(64, 128))


def check_same(path: Path, network: nn.Module, pixels: NDArray[np.uint8]) -> None:
    """Compare a file on ONNX Runtime with the network on torch."""
    found = OnnxRuntime(path.read_bytes(), name=path.name).run(pixels)
    for one, other in zip(found, TorchRuntime(network).run(pixels), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_int8_files_for_both_engines_hold_the_same_numbers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    finder, refiner = FinderNetwork((8, 8, 16, 16, 16)), RefinerNetwork()
    tiles, crops = random_pixels(64, 96), random_pixels(64, 128)
    learnt(finder, tiles)
    learnt(refiner, crops)
    finding = int8_tensors(finder, FINDER_FLOW, pixels=[tiles])
    refining = int8_tensors(refiner, REFINER_FLOW, pixels=[crops])
    export_finder(finder, finding, tmp_path / "finder.onnx")
    export_refiner(refiner, refining, tmp_path / "refiner.onnx")
    for name, pixels, on_torch in (("finder", tiles, int8_finder(finding)), ("refiner", crops, int8_refiner(refining))):
        data = (tmp_path / f"{name}.onnx").read_bytes()
        found = OnnxRuntime(data, name=name, precision="int8").run(pixels)
        for one, other in zip(found, on_torch.run(pixels), strict=True):
            spread = np.ptp(other)
            assert np.abs(one - other).max() < 0.06 * spread  # a sum is rounded once more
            assert np.abs(one - other).mean() < 0.01 * spread
