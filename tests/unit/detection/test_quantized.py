from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from platereader.detection._network import PlateNetwork
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._quantized import int8_runtime, shared_scales
from platereader.errors import WeightsCorruptError
from platereader.runtimes._int8_tensors import InputScale, convolutions, quantized, write_int8
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

PICTURES = np.random.default_rng(0).random((2, 3, 64, 96), dtype=np.float32)


@pytest.fixture(scope="module")
def network() -> PlateNetwork:
    """Random weights whose normalisation has seen something."""
    torch.manual_seed(0)
    made = PlateNetwork().train()
    with torch.no_grad():
        for _ in range(20):
            made(torch.from_numpy(PICTURES))
    return fuse_normalisation(made.eval())


@pytest.fixture(scope="module")
def tensors(network: PlateNetwork) -> dict[str, Tensor]:
    greatest: dict[str, float] = {}

    def measure(name: str, module: nn.Module) -> None:
        module.register_forward_pre_hook(lambda _, inputs: greatest.update({name: float(inputs[0].max())}))

    for name, module in convolutions(network).items():
        measure(name, module)
    with torch.no_grad():
        network(torch.from_numpy(PICTURES))
    return quantized(network, shared_scales({name: InputScale(value / 255) for name, value in greatest.items()}))


def test_int8_says_nearly_what_floats_say(network: PlateNetwork, tensors: dict[str, Tensor]) -> None:
    for one, other in zip(int8_runtime(tensors).run(PICTURES), TorchRuntime(network).run(PICTURES), strict=True):
        assert one.shape == other.shape
        assert one.dtype == np.float32
        assert np.abs(one - other).mean() < 0.1 * other.std()


def test_pictures_of_a_batch_and_of_two_sizes_do_not_disturb_each_other(tensors: dict[str, Tensor]) -> None:
    runtime = int8_runtime(tensors)
    together = runtime.run(PICTURES)
    runtime.run(PICTURES[:, :, :32, :32])
    for row in range(2):
        for one, other in zip(runtime.run(PICTURES[row : row + 1]), together, strict=True):
            np.testing.assert_array_equal(one[0], other[row])


def test_sums_too_great_for_uint8_stop_there(network: PlateNetwork, tensors: dict[str, Tensor]) -> None:
    """At half of the scale that is right, whole numbers that begin again at 0 would turn bright into dark."""
    neck = ("top_down.1.0", "top_down.0.0", "reduce.0.0", "reduce.1.0", "bottom_up.0.0", "bottom_up.1.0")
    summed = ("stages.1.0.0", "stages.2.0.0", *(f"neck.{name}" for name in neck))
    halved = {f"{name}.input_scale" for name in summed}
    coarse = {name: tensor * 0.5 if name in halved else tensor for name, tensor in tensors.items()}
    for one, other in zip(int8_runtime(coarse).run(PICTURES), TorchRuntime(network).run(PICTURES), strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95


def test_a_level_and_the_sum_that_it_goes_into_have_one_scale(network: PlateNetwork) -> None:
    inputs = {name: InputScale(0.01 * (number + 1)) for number, name in enumerate(convolutions(network))}
    shared = shared_scales(inputs)
    level, summed = "stages.1.0.0", "neck.top_down.1.0"
    assert shared[level] == shared[summed] == max(inputs[level], inputs[summed])
    assert shared["stem.1.0"] == inputs["stem.1.0"]


def test_a_file_of_another_network_is_named(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    write_int8(tmp_path / "a.safetensors", {name: tensor for name, tensor in tensors.items() if "heads" not in name})
    with pytest.raises(WeightsCorruptError, match=r"a\.safetensors.*heads\.0\.0\.0"):
        PlateDetector.from_file(tmp_path / "a.safetensors")
