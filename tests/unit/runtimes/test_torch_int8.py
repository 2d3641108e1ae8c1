from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader.errors import EngineError
from platereader.runtimes import _torch_int8 as torch_int8
from platereader.runtimes._torch_int8 import Int8Chain, Int8Convolution, Int8Layer, TorchInt8Runtime

SHAPE = (1, 10, 14)


def convolution(outputs: int, inputs: int, kernel: tuple[int, int], **changes: Any) -> Int8Convolution:
    """Random weights of a size that neither drowns nor floods the next layer."""
    plain = Int8Convolution(
        torch.randint(-64, 65, (outputs, inputs, *kernel), dtype=torch.int8),
        torch.rand(outputs) * 1e-2 / (inputs * kernel[0] * kernel[1]) ** 0.5 + 1e-4,
        torch.randn(outputs) * 0.3,
        input_scale=0.02,
        input_zero_point=0,
        stride=(1, 1),
        padding=(kernel[0] // 2, kernel[1] // 2),
        dilation=(1, 1),
    )
    return replace(plain, **changes)


def chain() -> list[Int8Convolution]:
    """Everything that the reader has: a signed input, strides, a residual block with dilation, a last layer."""
    torch.manual_seed(2)
    return [
        convolution(8, 1, (5, 5), input_scale=0.031, input_zero_point=117, stride=(2, 2)),
        convolution(8, 8, (3, 3), input_scale=0.011),
        convolution(8, 8, (3, 3), input_scale=0.007, padding=(1, 2), dilation=(1, 2), adds=True),
        convolution(5, 8, (5, 1), input_scale=0.013, padding=(0, 0)),
    ]


def batch(rows: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((rows, *SHAPE)).astype(np.float32)


def runtime() -> TorchInt8Runtime:
    convolutions = chain()
    network = Int8Chain(convolutions, input_shape=SHAPE, finish=lambda scores: scores)
    return TorchInt8Runtime(network, first=convolutions[0], shape=(1, *SHAPE))


def unfused(convolutions: list[Int8Convolution], pictures: NDArray[np.float32]) -> Tensor:
    """The same arithmetic one operation after the other, in float64."""
    first = convolutions[0]
    levels = (torch.from_numpy(pictures).double() / first.input_scale + first.input_zero_point).round().clamp(0, 255)
    values = block = (levels - first.input_zero_point) * first.input_scale
    for one, after in zip(convolutions, [*convolutions[1:], None], strict=True):
        weight = one.weight.double() * one.weight_scale.double()[:, None, None, None]
        sums = torch.conv2d(values, weight, one.bias.double(), one.stride, one.padding, one.dilation)
        sums = sums + block if one.adds else sums
        if after is None:
            return sums
        held = (sums.relu() / after.input_scale).round().clamp(0, 255) * after.input_scale
        values, block = held, values
    raise AssertionError


def test_fused_arithmetic_is_the_unfused_one() -> None:
    expected = unfused(chain(), batch(4)).numpy()
    (found,) = runtime().run(batch(4))
    assert found.dtype == np.float32
    assert expected.std() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_rows_do_not_depend_on_their_batch() -> None:
    whole = runtime().run(batch(9))[0]
    for rows in (slice(0, 1), slice(3, 5), slice(1, 9)):
        assert np.array_equal(runtime().run(batch(9)[rows])[0], whole[rows])


def test_input_is_not_written_to() -> None:
    pictures = batch(2)
    pictures.flags.writeable = False
    assert np.array_equal(runtime().run(pictures)[0], runtime().run(batch(2)[:, :, :, ::-1][:, :, :, ::-1])[0])


def test_it_describes_itself() -> None:
    made = runtime()
    assert (made.engine, made.precision, made.threads) == ("torch", "int8", torch.get_num_threads())


def test_a_torch_without_the_operators_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_int8, "_operators", object)
    with pytest.raises(EngineError, match="precision 'fp32'"):
        runtime()


def test_layers_of_a_network_compute_what_a_chain_does() -> None:
    first, second = chain()[0], replace(chain()[3], stride=(1, 1))
    layers = nn.Sequential(Int8Layer(first, after=second), Int8Layer(second, after=None))
    made = TorchInt8Runtime(layers, first=first, shape=(1, *SHAPE))
    for size in (SHAPE, (1, 22, 18), SHAPE):  # weights are laid out anew for another size
        pictures = np.random.default_rng(4).standard_normal((3, *size)).astype(np.float32)
        np.testing.assert_allclose(made.run(pictures)[0], unfused([first, second], pictures).numpy(), atol=1e-5)


def test_pictures_of_all_sizes_do_not_fill_the_memory() -> None:
    only = chain()[0]
    layer = Int8Layer(only, after=None)
    made = TorchInt8Runtime(layer, first=only, shape=(1, *SHAPE))
    for width in range(8, 40):
        made.run(np.zeros((1, 1, 8, width), np.float32))
    assert len(vars(layer)["_packed"]) <= 8
