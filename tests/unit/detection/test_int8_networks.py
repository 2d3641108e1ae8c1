"""Finder and refiner in int8 on torch: nearly what they are in fp32."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from platereader.detection._finder_network import FINDER_FLOW, FinderNetwork, int8_finder
from platereader.detection._refiner_network import REFINER_FLOW, RefinerNetwork, int8_refiner
from platereader.errors import WeightsCorruptError
from platereader.runtimes._int8_tensors import Flow, Scale, adding_layers, convolutions, quantized, shared_scales
from platereader.runtimes._torch import fuse_normalisation
from platereader.runtimes._torch_int8 import TorchInt8Runtime

CASES = [
    (lambda: FinderNetwork((8, 8, 16, 16, 16)), FINDER_FLOW, int8_finder, (2, 3, 64, 96)),
    (RefinerNetwork, REFINER_FLOW, int8_refiner, (2, 3, 64, 128)),
]


def trained(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> nn.Module:
    """A network with statistics of its own, folded."""
    torch.manual_seed(0)
    network = make()
    for _ in range(5):
        network(torch.rand(4, *shape[1:]))
    return fuse_normalisation(network.eval())


@torch.inference_mode()
def int8_tensors(network: nn.Module, flow: Flow, pictures: Tensor) -> dict[str, Tensor]:
    seen: dict[str, float] = {}
    sums: dict[str, Scale] = {}

    def watch(name: str, module: nn.Conv2d) -> RemovableHandle:
        def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = float(inputs[0].max())
            if name in adding_layers(network):
                sums[name] = Scale(float(output.abs().max()) / 127, 128)

        return module.register_forward_hook(note)

    hooks = [watch(name, module) for name, module in convolutions(network).items()]
    network(pictures)
    for hook in hooks:
        hook.remove()
    seen[next(iter(seen))] = 1.0
    scales = {name: Scale(value / 255) for name, value in seen.items()}
    return quantized(network, shared_scales(scales, flow), sums)


@pytest.mark.parametrize(("make", "flow", "load", "shape"), CASES)
def test_every_convolution_has_its_place_in_the_flow(
    make: Callable[[], nn.Module], flow: Flow, load: object, shape: object
) -> None:
    del load, shape
    names = [name for chain in flow.chains for name in chain]
    assert sorted(names) == sorted(convolutions(make()))


@pytest.mark.parametrize(("make", "flow", "load", "shape"), CASES)
def test_int8_says_nearly_the_same(
    make: Callable[[], nn.Module],
    flow: Flow,
    load: Callable[[dict[str, Tensor]], TorchInt8Runtime],
    shape: tuple[int, ...],
) -> None:
    network = trained(make, shape)
    pictures = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    runtime = load(int8_tensors(network, flow, pictures))
    with torch.inference_mode():
        wanted = [output.numpy() for output in network(pictures)]
    for found, exact in zip(runtime.run(pictures.numpy()), wanted, strict=True):
        assert found.shape == exact.shape
        assert np.abs(found - exact).max() < 0.1 * np.ptp(exact)
        assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.99


@pytest.mark.parametrize(("make", "flow", "load", "shape"), CASES)
def test_pixels_are_read_as_numbers_are(
    make: Callable[[], nn.Module],
    flow: Flow,
    load: Callable[[dict[str, Tensor]], TorchInt8Runtime],
    shape: tuple[int, ...],
) -> None:
    runtime = load(int8_tensors(trained(make, shape), flow, torch.rand(shape)))
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape[2:], 3), dtype=np.uint8)
    numbers = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    for found, same in zip(runtime.run(pixels), runtime.run(numbers), strict=True):
        np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize(("make", "flow", "load", "shape"), CASES)
def test_tensors_of_another_network_are_refused(
    make: Callable[[], nn.Module],
    flow: Flow,
    load: Callable[[dict[str, Tensor]], TorchInt8Runtime],
    shape: tuple[int, ...],
) -> None:
    tensors = int8_tensors(trained(make, shape), flow, torch.rand(shape))
    del tensors["stem.1.0.bias"]
    with pytest.raises(WeightsCorruptError, match=r"stem\.1\.0\.bias"):
        load(tensors)
