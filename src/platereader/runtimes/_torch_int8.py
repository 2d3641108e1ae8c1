"""PyTorch on the CPU in int8: convolutions on plain uint8 and int8 tensors, by torch's oneDNN operators.

A number ``x`` of the network is held as ``round(x / scale) + zero_point``: activations in uint8 with one scale a
tensor, weights in int8 with one scale an output channel and zero point 0. Sums are exact 32-bit integers, so what comes
out for a picture does not depend on its batch-mates. What a convolution leaves is already what the next one reads:
bias, residual sum, ReLU and rounding are part of the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import final

from platereader.errors import EngineError
from platereader.runtimes import Batch
from platereader.runtimes._torch import check_process

__all__ = ["Int8Chain", "Int8Convolution", "Int8Layer", "TorchInt8Runtime"]

# A stream has one size of frames; pictures of all sizes must not fill the memory.
_SIZES_KEPT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Int8Convolution:
    """One convolution; all but the last ones of a network are followed by a ReLU.

    Attributes:
        weight: int8 ``(O, I / groups, h, w)``, -64 to 64.
        weight_scale: float32 ``(O,)``.
        bias: float32 ``(O,)``.
        input_scale: of the uint8 tensor that it reads.
        input_zero_point: of the same, 0 to 255; the padding is zero, which is this number.
        stride: rows, columns.
        padding: rows, columns.
        dilation: rows, columns.
        groups: parts that its channels are split into.
        adds: whether the result is added, before the ReLU, to what the convolution before it read, as the second one
            of a residual block does.
    """

    weight: Tensor
    weight_scale: Tensor
    bias: Tensor
    input_scale: float
    input_zero_point: int
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int = 1
    adds: bool = False


@final
class TorchInt8Runtime:
    """Runs an int8 network; safe to call from several threads at once.

    Args:
        network: from uint8 pictures ``(N, C, H, W)``, channels last, to the float outputs.
        first: the convolution that reads the pictures, for how they are held in uint8.
        shape: of pictures to try it on: N, C, H, W.

    Raises:
        EngineError: this build of torch, or this processor, has no such operators.
    """

    engine: str = "torch"
    precision: str = "int8"

    def __init__(
        self,
        network: Callable[[Tensor], Tensor | tuple[Tensor, ...]],
        *,
        first: Int8Convolution,
        shape: tuple[int, int, int, int],
    ) -> None:
        self._input_scale = np.float32(first.input_scale)
        self._input_zero_point = np.float32(first.input_zero_point)
        self._network = network
        check_process()  # what it raises is no fault of the processor
        try:
            self.run(np.zeros(shape, np.float32))
        except (AttributeError, RuntimeError) as error:
            raise EngineError(
                f"torch {torch.__version__} cannot compute in int8 on this processor "
                f"({str(error).splitlines()[0]}): use precision 'fp32', or a newer torch."
            ) from error

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, as float32 arrays with N rows each.

        Raises:
            EngineError: as for ``check_process``.
        """
        check_process()
        with torch.inference_mode():
            outputs = self._network(self._held(batch))
            several = (outputs,) if isinstance(outputs, Tensor) else outputs
            return tuple(output.float().numpy() for output in several)

    def _held(self, batch: Batch) -> Tensor:
        """A batch as the first convolution reads it; pixels are held so already."""
        if batch.dtype == np.uint8:
            return torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)
        rounded = np.floor(batch / self._input_scale + (self._input_zero_point + np.float32(0.5)))
        pictures = torch.from_numpy(np.ascontiguousarray(np.clip(rounded, 0, 255), np.uint8))
        return pictures.contiguous(memory_format=torch.channels_last)

    @property
    def threads(self) -> int:
        """Threads that torch computes with; set by the process, never by this library."""
        return torch.get_num_threads()


@final
class Int8Chain:
    """A network that is a chain of convolutions.

    Args:
        convolutions: in their order, one or more; the first adds nothing.
        input_shape: channels, height and width of the pictures.
        finish: from the float output of the last convolution, ``(N, O, H, W)``, to the network's output.
    """

    def __init__(
        self,
        convolutions: Sequence[Int8Convolution],
        *,
        input_shape: tuple[int, int, int],
        finish: Callable[[Tensor], Tensor],
    ) -> None:
        self._finish = finish
        self._convolutions = tuple(convolutions)
        self._input_shape = input_shape
        self._packed: dict[tuple[int, int], list[_Step]] = {}

    def __call__(self, pictures: Tensor) -> Tensor:
        """Float output for uint8 ``(N, C, H, W)``."""
        return self._finish(_run(self._steps(len(pictures)), pictures))

    def _steps(self, pictures: int) -> list[_Step]:
        """The steps with weights laid out as oneDNN wants them.

        It wants them otherwise for one picture than for several, and for another number of threads, and would lay them
        out anew in every call. Two threads may both do this once, to the same effect.
        """
        key = (min(pictures, 2), torch.get_num_threads())
        if key not in self._packed:
            self._packed[key] = _packed(self._convolutions, (key[0], *self._input_shape))
        return self._packed[key]


@final
class Int8Layer(nn.Module):
    """One convolution with its ReLU as a module, to stand in a network in the place of the float ones.

    Args:
        convolution: to run.
        before: the one that read what it adds; None if it adds nothing.
        after: the one that reads what comes out, as uint8; None for a float output without a ReLU.
    """

    def __init__(
        self,
        convolution: Int8Convolution,
        *,
        before: Int8Convolution | None = None,
        after: Int8Convolution | None = None,
    ) -> None:
        super().__init__()
        self._convolution = convolution
        self._before = before or convolution
        self._after = after
        self._packed: dict[tuple[int, ...], _Step] = {}

    def forward(self, features: Tensor, block: Tensor | None = None) -> Tensor:
        """Convolve uint8 ``(N, C, H, W)``, with the weights laid out for this size and number of threads.

        ``block`` is what it adds, and may be overwritten.
        """
        pictures, *size = features.shape
        shape = (min(pictures, 2), *size)
        key = (torch.get_num_threads(), *shape)
        step = self._packed.get(key)
        if step is None:
            if len(self._packed) >= _SIZES_KEPT:
                self._packed.clear()
            step = _Step(self._convolution, before=self._before, after=self._after, shape=list(shape))
            self._packed[key] = step
        return step(features, features if block is None else block)


class _Step:
    """A convolution with everything that can be done before a picture comes."""

    def __init__(
        self, convolution: Int8Convolution, *, before: Int8Convolution, after: Int8Convolution | None, shape: list[int]
    ) -> None:
        scale, zero_point = convolution.input_scale, convolution.input_zero_point
        around = [list(sides) for sides in (convolution.stride, convolution.padding, convolution.dilation)]
        packed = _operators().qconv_prepack(
            convolution.weight, convolution.weight_scale, scale, zero_point, *around, convolution.groups, shape
        )
        weight_zero_point = torch.zeros(len(convolution.bias), dtype=torch.int32)
        output = (1.0, 0, torch.float32) if after is None else (after.input_scale, after.input_zero_point, torch.uint8)
        self._input = (scale, zero_point, packed, convolution.weight_scale, weight_zero_point)
        self._output = (convolution.bias, *around, convolution.groups, *output)
        self._adds = convolution.adds
        self._sum = (before.input_scale, before.input_zero_point, "sum", 1.0, "relu", list[float](), "")
        self._plain = ("none" if after is None else "relu", list[float](), "")
        self._convolve = _operators().qconv2d_pointwise.default
        self._accumulate = _operators().qconv2d_pointwise.binary

    def __call__(self, features: Tensor, block: Tensor) -> Tensor:
        """Convolve ``features``; ``block``, which the convolution before this one read, may be overwritten."""
        if self._adds:
            return cast(Tensor, self._accumulate(features, *self._input, block, *self._output, *self._sum))
        return cast(Tensor, self._convolve(features, *self._input, *self._output, *self._plain))


def _packed(convolutions: Sequence[Int8Convolution], shape: tuple[int, int, int, int]) -> list[_Step]:
    """The steps, their weights laid out for the shapes that empty pictures take on their way through them."""
    features = block = torch.zeros(shape, dtype=torch.uint8)
    neighbours = zip(convolutions, [convolutions[0], *convolutions], [*convolutions[1:], None], strict=False)
    steps: list[_Step] = []
    for convolution, before, after in neighbours:
        step = _Step(convolution, before=before, after=after, shape=list(features.shape))
        features, block = step(features, block), features
        steps.append(step)
    return steps


def _run(steps: Sequence[_Step], pictures: Tensor) -> Tensor:
    """Float output of the last step for uint8 ``(N, C, H, W)``, which may be overwritten."""
    features = block = pictures
    for step in steps:
        features, block = step(features, block), features
    return features


def _operators() -> Any:
    """Torch's oneDNN operators, which it has no types for."""
    return cast("Any", torch.ops).onednn
