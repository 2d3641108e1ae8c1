"""Optimizer steps in the fastest arithmetic, which a loss or a gradient that is not finite cannot spoil."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from platereader.errors import InvalidArgumentError
from platereader.lab.training.checkpoint import ModelEma
from platereader.lab.training.settings import TrainingSettings


def adamw(network: nn.Module, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW for all that a network learns; only weights with two or more dimensions are decayed."""
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [one for one in learning if one.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [one for one in learning if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


@dataclass(eq=False)
class OptimizerStep:
    """Takes the optimizer steps of one network, averages its weights and counts the steps that it left out."""

    network: nn.Module
    _: KW_ONLY
    optimizer: torch.optim.Optimizer
    ema: ModelEma
    max_gradient: float
    skipped: int = 0
    in_a_row: int = 0

    def __call__(self, loss: Tensor, *, rate: float) -> Tensor:
        """Take one step of gradient descent, unless loss or gradient are not finite; gives the norm before clipping.

        Raises:
            InvalidArgumentError: 20 steps in a row were left out.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.max_gradient)
        if not bool(torch.isfinite(loss.detach()) & torch.isfinite(norm)):
            self._leave_out(rate)
            return norm
        self.in_a_row = 0
        self.optimizer.step()
        self.ema.update(self.network)
        return norm

    @torch.no_grad()
    def _leave_out(self, rate: float) -> None:
        """Count the step, and take back what its forward pass left in the normalisation statistics."""
        self.skipped += 1
        self.in_a_row += 1
        for name, buffer in self.network.named_buffers():
            buffer.copy_(self.ema.tensors[name])
        if self.in_a_row >= 20:
            raise InvalidArgumentError(
                f"learning_rate is too high at {rate:.3g}, or the data is broken: loss or gradient were not finite for "
                f"{self.in_a_row} steps in a row. The last checkpoint is sound; go on with a lower rate in a new run."
            )


def fast_arithmetic() -> torch.autocast:
    """bf16 autocast on a CPU that multiplies bf16: 2 (AVX-512) to 6 (AMX) times faster there, slower elsewhere.

    There is no public question for these instructions, so a torch without the private one counts as without them.
    """
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    ask = (cast("Callable[[], bool] | None", getattr(torch.cpu, name, None)) for name in names)
    supported = any(one is not None and bool(one()) for one in ask)
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=supported)
