from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader.errors import EngineError
from platereader.runtimes import _torch_int8 as torch_int8
from platereader.runtimes._int8_tensors import Scale, quantized
from platereader.runtimes._torch_int8 import Int8Layer, TorchInt8Runtime

SHAPE = (1, 10, 14)


@dataclass(frozen=True)
class Convolution:
    """A convolution with random weights of a size that neither drowns nor floods the next layer."""

    module: nn.Conv2d
    tensors: tuple[Tensor, Tensor, Tensor]
    reads: Scale
    adds: bool = False

    def layer(self, *, before: Convolution | None = None, after: Convolution | None) -> Int8Layer:
        adds = before.reads if before is not None and self.adds else None
        return Int8Layer(
            self.module, *self.tensors, reads=self.reads, adds=adds, gives=None if after is None else after.reads
        )


def convolution(module: nn.Conv2d, reads: Scale, *, adds: bool = False) -> Convolution:
    outputs, inputs, height, width = module.weight.shape
    tensors = (
        torch.randint(-64, 65, (outputs, inputs, height, width), dtype=torch.int8),
        torch.rand(outputs) * 1e-2 / (inputs * height * width) ** 0.5 + 1e-4,
        torch.randn(outputs) * 0.3,
    )
    return Convolution(module, tensors, reads, adds)


def chain() -> list[Convolution]:
    """Everything that the reader has: a signed input, strides, a residual block with dilation, a last layer."""
    torch.manual_seed(2)
    return [
        convolution(nn.Conv2d(1, 8, 5, 2, 2, device="meta"), Scale(0.031, 117)),
        convolution(nn.Conv2d(8, 8, 3, 1, 1, device="meta"), Scale(0.011)),
        convolution(nn.Conv2d(8, 8, 3, 1, (1, 2), dilation=(1, 2), device="meta"), Scale(0.007), adds=True),
        convolution(nn.Conv2d(8, 5, (5, 1), device="meta"), Scale(0.013)),
    ]


def batch(rows: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((rows, *SHAPE)).astype(np.float32)


def runtime() -> TorchInt8Runtime:
    convolutions = chain()
    first, before = convolutions[:2]
    start, inner, outer, end = (
        one.layer(before=before, after=after)
        for one, after in zip(convolutions, [*convolutions[1:], None], strict=True)
    )

    def network(pictures: Tensor) -> Tensor:
        block = start(pictures)
        scores: Tensor = end(outer(inner(block), block))
        return scores

    return TorchInt8Runtime(network, reads=first.reads, shape=(1, *SHAPE))


def unfused(convolutions: list[Convolution], pictures: NDArray[np.float32]) -> Tensor:
    """The same arithmetic one operation after the other, in float64."""
    first = convolutions[0].reads
    levels = (torch.from_numpy(pictures).double() / first.scale + first.zero_point).round().clamp(0, 255)
    values = block = (levels - first.zero_point) * first.scale
    for one, after in zip(convolutions, [*convolutions[1:], None], strict=True):
        made, (weights, scale, bias) = one.module, one.tensors
        weight = weights.double() * scale.double()[:, None, None, None]
        sums = torch.conv2d(values, weight, bias.double(), made.stride, made.padding, made.dilation)
        sums = sums + block if one.adds else sums
        if after is None:
            return sums
        held = (sums.relu() / after.reads.scale).round().clamp(0, 255) * after.reads.scale
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


def test_layers_take_pictures_of_any_size() -> None:
    first, second = chain()[0], chain()[3]
    layers = nn.Sequential(first.layer(after=second), second.layer(after=None))
    made = TorchInt8Runtime(layers, reads=first.reads, shape=(1, *SHAPE))
    for size in (SHAPE, (1, 22, 18), SHAPE):  # weights are laid out anew for another size
        pictures = np.random.default_rng(4).standard_normal((3, *size)).astype(np.float32)
        np.testing.assert_allclose(made.run(pictures)[0], unfused([first, second], pictures).numpy(), atol=1e-5)


def test_pictures_of_all_sizes_do_not_fill_the_memory() -> None:
    only = chain()[0]
    layer = only.layer(after=None)
    made = TorchInt8Runtime(layer, reads=only.reads, shape=(1, *SHAPE))
    for width in range(8, 40):
        made.run(np.zeros((1, 1, 8, width), np.float32))
    assert len(vars(layer)["_prepared"]) <= 8


def test_the_bias_of_a_channel_without_weights_fits_an_integer() -> None:
    layer = nn.Conv2d(2, 2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, 0.0], [0.5, -0.25]])[..., None, None])
        layer.bias.copy_(torch.tensor([0.75, 0.5]))  # type: ignore[union-attr]
    tensors = quantized(nn.Sequential(layer), {"0": Scale(1 / 255, 0)}, {})
    unit = tensors["0.weight_scale"] * tensors["0.input_scale"]
    integers = (tensors["0.bias"] / unit).round().to(torch.int32)  # as an ONNX file holds them
    assert torch.allclose(integers * unit, torch.tensor([0.75, 0.5]), atol=1e-3)
    assert tensors["0.weight"].flatten(1).tolist() == [[0, 0], [64, -32]]
