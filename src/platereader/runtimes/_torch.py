"""PyTorch in fp32 or bf16, channels last, on the CPU or a GPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader.errors import EngineError, WeightsCorruptError
from platereader.runtimes import Batch, RuntimeOptions

ModuleT = TypeVar("ModuleT", bound=nn.Module)

_computed_in: list[int] = []  # id of the process in which torch first computed here with several threads


class TorchRuntime:
    """Runs a module whose ``forward`` takes one batch of numbers and returns a tensor or a tuple of tensors.

    The module is put into inference mode and the precision's format; it belongs to the runtime from then on.
    Calls from several threads are safe as long as the module keeps no state between calls.

    Raises:
        EngineError: another precision than ``fp32`` and ``bf16``, or torch has no such device here.
    """

    engine: str = "torch"

    def __init__(self, module: nn.Module, *, precision: str = "fp32", device: str = "cpu") -> None:
        formats: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
        if precision not in formats:
            raise EngineError(
                f"precision {precision!r} is not offered by engine 'torch': use one of {sorted(formats)}."
            )
        self.precision: str = precision
        self._format = formats[precision]
        ready = module.eval().requires_grad_(False)
        try:
            self._device = torch.device(device)
            self._module = ready.to(self._device, self._format, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (AssertionError, RuntimeError) as error:
            raise EngineError(
                f"device is {device!r}, which torch {torch.__version__} cannot use here "
                f"({str(error).splitlines()[0]}): use 'cpu', or a torch that was built for the device."
            ) from error

    @classmethod
    def folded(cls, network: nn.Module, options: RuntimeOptions) -> TorchRuntime:
        """A network with its normalisation folded in, run as the options say."""
        return cls(fuse_normalisation(network.eval()), precision=options.precision, device=options.device)

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The network's outputs for N pictures, as float32 arrays with N rows each."""
        check_process()
        with torch.inference_mode():
            tensor = torch.from_numpy(np.ascontiguousarray(batch))
            outputs = cast("Tensor | tuple[Tensor, ...]", self._module(self._formatted(tensor)))
            several = (outputs,) if isinstance(outputs, Tensor) else outputs
            return tuple(output.float().cpu().numpy() for output in several)

    @property
    def threads(self) -> int:
        """Threads that torch computes with; set by the process, never by this library."""
        return torch.get_num_threads()

    def _formatted(self, tensor: Tensor) -> Tensor:
        """A batch on the device, in the precision's format, channels last."""
        if tensor.dtype == torch.uint8:
            return planes(tensor.to(self._device), self._format)
        return tensor.to(self._device, self._format, memory_format=torch.channels_last)


def planes(pixels: Tensor, numbers: torch.dtype = torch.float32) -> Tensor:
    """Pixels uint8 ``(N, H, W, C)`` as a network takes them: ``(N, C, H, W)`` from 0 to 1, channels last."""
    return pixels.permute(0, 3, 1, 2).to(numbers).div_(255)


def check_process() -> None:
    """Refuse to compute in a fork of a process that has computed: it would wait for threads that are not there."""
    if torch.get_num_threads() == 1:
        return
    if not _computed_in:
        _computed_in.append(os.getpid())
    if _computed_in[0] != os.getpid():
        raise EngineError(
            "this process is a fork of one in which torch has computed, and would wait for ever for threads that it "
            "does not have: start processes with multiprocessing.get_context('spawn'), or call "
            "torch.set_num_threads(1) first in this one."
        )


def with_state(make: Callable[[], ModuleT], tensors: Mapping[str, Tensor], *, name: str, kind: str) -> ModuleT:
    """A network with given weights; those of half precision are widened.

    Raises:
        WeightsCorruptError: names or shapes are those of another network, or numbers are no floats or not finite.
    """
    try:
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
            network = make()
        for key, value in tensors.items():
            if not value.is_floating_point() and not key.endswith("num_batches_tracked"):
                raise ValueError(f"{key} is {value.dtype}, expected are floats")
            if value.is_floating_point() and not value.isfinite().all():
                raise ValueError(f"{key} is not finite")
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsCorruptError(
            f"{name} does not hold a plate {kind}'s weights ({reason}): check the file with `platereader weights "
            "verify`, and that the settings are the ones it was trained with."
        ) from error
    return network


def fuse_normalisation(network: ModuleT) -> ModuleT:
    """Fold every batch normalisation into its convolution, in place; same outputs, fewer passes over memory."""
    for layer in network.modules():
        norm = layer[1] if isinstance(layer, nn.Sequential) and len(layer) > 1 else None
        if isinstance(layer, nn.Sequential) and isinstance(norm, nn.BatchNorm2d):
            layer[0] = nn.utils.fusion.fuse_conv_bn_eval(cast("nn.Conv2d", layer[0]), norm)
            layer[1] = nn.Identity()
    return network
