"""Checkpoints without pickle, and the running average of a network's weights.

One safetensors file holds every tensor; the rest rides in its header as JSON. It is written beside its place and moved
there, so a crash never leaves half a checkpoint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from platereader._files import read_bytes
from platereader.errors import FileError, InvalidArgumentError, WeightsCorruptError, WeightsNotFoundError
from platereader.registry._contents import contents_of
from platereader.runtimes._tensors import tensors_of, write_tensors

_KEY = "platereader"
# The network, its average and the optimizer's state.
_MAX_BYTES = 1 << 32
# Of the values that a training goes on with; numbers are finite and not negative.
_KINDS = {"step": (int,), "ema_updates": (int,), "elapsed_s": (int, float), "settings": (dict,)}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a run needs to go on.

    ``tensors`` are prefixed by what they belong to, such as ``ema.``; ``scalars`` are JSON-safe.
    """

    tensors: Mapping[str, Tensor]
    scalars: Mapping[str, Any]

    def scalar(self, name: str) -> Any:
        """One of the values; raises WeightsCorruptError where there is none of that name."""
        if name not in self.scalars:
            raise WeightsCorruptError(f"the checkpoint has no {name!r}: delete it to start anew.")
        return self.scalars[name]

    def group(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose name starts with ``prefix`` and a dot, without both."""
        start = prefix + "."
        return {name[len(start) :]: tensor for name, tensor in self.tensors.items() if name.startswith(start)}


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, replacing an older one in one move."""
    write_tensors(path, checkpoint.tensors, metadata={_KEY: json.dumps(dict(checkpoint.scalars))})


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that ``save_checkpoint`` wrote.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: the file is not such a checkpoint.
    """
    try:
        data = read_bytes(path, limit_bytes=_MAX_BYTES, what="the checkpoint")
    except FileError as error:
        raise WeightsNotFoundError(str(error)) from error
    tensors = tensors_of(data, name=str(path))
    metadata = contents_of(data, name=str(path)).metadata
    if _KEY not in metadata:
        raise WeightsCorruptError(f"{path} holds weights but no state of a training: delete it to start anew.")
    return Checkpoint(tensors, _scalars(metadata[_KEY], path))


def _scalars(text: str, path: Path) -> dict[str, Any]:
    """The values in the header of a checkpoint; raises WeightsCorruptError where one is not of the right kind."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsCorruptError(
            f"{path} has a state of a training that is not JSON: delete it to start anew."
        ) from error
    scalars = cast("dict[str, Any]", found) if isinstance(found, dict) else None
    if scalars is None or not all(
        type(scalars[name]) in kinds and (kinds == (dict,) or 0 <= scalars[name] < math.inf)
        for name, kinds in _KINDS.items()
        if name in scalars
    ):
        raise WeightsCorruptError(f"{path} has a state of a training that is none: delete it to start anew.")
    return scalars


def restore_network(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put weights back; those of another network raise InvalidArgumentError, with the first tensor that differs."""
    _check_shapes(tensors, network.state_dict())
    network.load_state_dict(tensors)


def _check_shapes(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise unless both have the same names and shapes."""
    for name in [*wanted, *tensors]:
        sizes = [list(group[name].shape) if name in group else None for group in (tensors, wanted)]
        if sizes[0] != sizes[1]:
            raise InvalidArgumentError(
                f"network: its tensor {name} is {sizes[1]}, in the checkpoint it is {sizes[0]}: "
                "name a new folder for the output to train another network."
            )


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimizer whose state is all tensors (as AdamW's), named ``<parameter number>.<field>``."""
    state = cast("dict[int, dict[str, Tensor]]", optimizer.state_dict()["state"])
    return {f"{number}.{field}": tensor for number, fields in state.items() for field, tensor in fields.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` returned but for learning rates; other names raise WeightsCorruptError."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, field = name.partition(".")
        if not (number.isascii() and number.isdigit() and field):
            raise WeightsCorruptError(f"the checkpoint has {name!r} of an optimizer: delete it to start anew.")
        state.setdefault(int(number), {})[field] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def half_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with floats as float16, for a file of half the size; whole numbers stay."""
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


class ModelEma:
    """A running average of weights and normalisation statistics, which generalises better than the last step.

    The decay grows as ``min(max_decay, (1 + n) / (10 + n))`` so that the random start is soon forgotten.
    """

    def __init__(self, module: nn.Module, *, max_decay: float = 0.9985) -> None:
        self.max_decay = max_decay
        self.updates: int = 0
        state = cast("dict[str, Tensor]", module.state_dict())
        self.tensors: dict[str, Tensor] = {name: tensor.detach().clone() for name, tensor in state.items()}

    def restore(self, tensors: Mapping[str, Tensor], *, updates: int) -> None:
        """Go on from an average; raises as ``restore_network``."""
        _check_shapes(tensors, self.tensors)
        self.tensors.update(tensors)
        self.updates = updates

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights after one step."""
        self.updates += 1
        decay = min(self.max_decay, (1 + self.updates) / (10 + self.updates))
        for name, tensor in module.state_dict().items():
            average = self.tensors[name]
            if average.is_floating_point():
                average.lerp_(tensor, 1 - decay)
            else:
                average.copy_(tensor)
