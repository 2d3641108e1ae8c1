"""PyTorch on the CPU in int8: convolutions on plain uint8 and int8 tensors, by torch's oneDNN operators.

Numbers are held as ``_int8_tensors`` says. Sums are exact 32-bit integers, so what comes out for a picture does not
depend on its batch-mates. What a convolution leaves is already what the next one reads: bias, residual sum, ReLU and
rounding are part of the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typing_extensions import final

from platereader.errors import EngineError
from platereader.runtimes import Batch
from platereader.runtimes._int8_tensors import Flow, Scale, adding_layers, blocks, check_int8, convolutions
from platereader.runtimes._torch import check_process

# A stream has one size of frames; pictures of all sizes must not fill the memory.
_SIZES_KEPT = 8


def int8_runtime(
    network: nn.Module, tensors: Mapping[str, Tensor], *, flow: Flow, shape: tuple[int, int, int, int], name: str
) -> TorchInt8Runtime:
    """A network with int8 layers in the place of its convolutions.

    Args:
        network: for its structure only, and changed; may be on the device ``meta``.
        tensors: of its int8 file.
        flow: what reads what in it.
        shape: of pictures to try it on: N, C, H, W.
        name: of the file, for messages.

    Raises:
        WeightsCorruptError: the tensors are of another network; names the first one that differs.
        EngineError: torch cannot compute in int8 here.
    """
    check_int8(tensors, network, name=name)
    convolved, readers = convolutions(network), flow.readers()
    pairs, adding = blocks(network), adding_layers(network)
    reads = {
        layer: Scale(float(tensors[f"{layer}.input_scale"]), int(tensors[f"{layer}.input_zero_point"]))
        for layer in convolved
    }
    adds = {last: reads[first] for first, last in pairs.values() if last in adding}
    made: dict[str, nn.Module] = {}
    for layer, convolution in convolved.items():
        weights = [tensors[f"{layer}.{part}"] for part in ("weight", "weight_scale", "bias")]
        gives = reads.get(readers.get(layer, ""))
        made[layer] = Int8Layer(convolution, *weights, reads=reads[layer], adds=adds.get(layer), gives=gives)
        # It stands for a sequence: normalisation is folded, ReLU a part of it; the last ones have neither.
        _put(network, layer if gives is None else layer.rpartition(".")[0], made[layer])
    for block, (first, last) in pairs.items():
        _put(network, block, _Int8Block(made[first], made[last]))
    return TorchInt8Runtime(network, reads=next(iter(reads.values())), shape=shape)


def _put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Give a part of a network another module; torch has a method for this from 2.5 on."""
    above, _, place = name.rpartition(".")
    setattr(network.get_submodule(above), place, module)


@final
class TorchInt8Runtime:
    """Runs an int8 network; safe to call from several threads at once.

    Args:
        network: from uint8 pictures ``(N, C, H, W)``, channels last, to the float outputs.
        reads: how the pictures are held.
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
        reads: Scale,
        shape: tuple[int, int, int, int],
    ) -> None:
        self._scale, self._zero_point = np.float32(reads.scale), np.float32(reads.zero_point)
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
        """The network's outputs for N pictures, as float32 arrays with N rows each."""
        check_process()
        with torch.inference_mode():
            outputs = self._network(self._held(batch))
            several = (outputs,) if isinstance(outputs, Tensor) else outputs
            return tuple(output.float().numpy() for output in several)

    def _held(self, batch: Batch) -> Tensor:
        """A batch as the first convolution reads it; pixels are held so already."""
        if batch.dtype == np.uint8:
            return torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)
        rounded = np.floor(batch / self._scale + (self._zero_point + np.float32(0.5)))
        pictures = torch.from_numpy(np.ascontiguousarray(np.clip(rounded, 0, 255), np.uint8))
        return pictures.contiguous(memory_format=torch.channels_last)

    @property
    def threads(self) -> int:
        """Threads that torch computes with; set by the process, never by this library."""
        return torch.get_num_threads()


@final
class Int8Layer(nn.Module):
    """One convolution with its ReLU, in the place of a float one, whose strides, padding, dilation and groups it has.

    Args:
        convolution: the float one.
        weight: int8 ``(O, I / groups, h, w)``, -64 to 64.
        weight_scale: float32 ``(O,)``.
        bias: float32 ``(O,)``.
        reads: how its input is held.
        adds: how what is added to the result, before the ReLU, is held; None if nothing is.
        gives: how its output is held; None for a float output without a ReLU.
    """

    def __init__(
        self,
        convolution: nn.Conv2d,
        weight: Tensor,
        weight_scale: Tensor,
        bias: Tensor,
        *,
        reads: Scale,
        adds: Scale | None = None,
        gives: Scale | None = None,
    ) -> None:
        super().__init__()
        padding = cast("tuple[int, int]", convolution.padding)
        layout = (*map(list, (convolution.stride, padding, convolution.dilation)), convolution.groups)
        output = (1.0, 0, torch.float32) if gives is None else (*gives, torch.uint8)
        summed = () if adds is None else (*adds, "sum", 1.0)
        activation = ("none" if gives is None else "relu", list[float](), "")
        self._adds = adds is not None
        self._weight, self._layout, self._reads = weight, layout, reads
        self._scales = (weight_scale, torch.zeros(len(bias), dtype=torch.int32))
        self._gives = (bias, *layout, *output, *summed, *activation)
        self._prepared: dict[tuple[int, ...], tuple[Any, tuple[Any, ...]]] = {}

    def forward(self, features: Tensor, block: Tensor | None = None) -> Tensor:
        """Convolve uint8 ``(N, C, H, W)``; ``block`` is what is added, and may be overwritten."""
        pictures, _, height, width = features.shape
        key = (torch.get_num_threads(), pictures > 1, height, width)
        convolve, arguments = self._prepared.get(key) or self._prepare(features, key)
        added = (block,) if self._adds else ()
        return cast(Tensor, convolve(features, *arguments, *added, *self._gives))

    __call__ = forward  # torch's own looks for hooks, of which there are none, and takes longer than forward

    def _prepare(self, features: Tensor, key: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
        """The operator, and its arguments with the weight as it wants it laid out.

        It wants it otherwise for another size, for one picture than for several, and for another number of threads, and
        would lay it out anew in every call. Two threads may both do this once, to the same effect.
        """
        if len(self._prepared) >= _SIZES_KEPT:
            self._prepared.clear()
        onednn, shape = _operators(), [min(len(features), 2), *features.shape[1:]]
        weight = onednn.qconv_prepack(self._weight, self._scales[0], *self._reads, *self._layout, shape)
        convolve = onednn.qconv2d_pointwise.binary if self._adds else onednn.qconv2d_pointwise.default
        prepared = convolve, (*self._reads, weight, *self._scales)
        self._prepared[key] = prepared
        return prepared


class _Int8Block(nn.Module):
    """A block's two layers; what it reads may be overwritten: no other layer may read it later."""

    def __init__(self, first: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self._pair = first, last

    def forward(self, features: Tensor) -> Tensor:
        """Convolve uint8 ``(N, C, H, W)``."""
        first, last = self._pair
        return cast(Tensor, last(first(features), features))

    __call__ = forward


def _operators() -> Any:
    """Torch's oneDNN operators, which it has no types for."""
    return cast("Any", torch.ops).onednn
