"""One optimizer step that a loss or a gradient which is not finite cannot spoil."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from platereader.errors import InvalidArgumentError
from platereader.lab.training.checkpoint import ModelEma

__all__ = ["OptimizerStep", "adamw"]

_MOST_SKIPPED_IN_A_ROW = 20


def adamw(network: nn.Module, *, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW for all that a network learns; biases and normalisation are not decayed.

    Args:
        network: what is trained; what needs no gradient is left out.
        learning_rate: before any schedule.
        weight_decay: of weights with two or more dimensions.
    """
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [one for one in learning if one.ndim > 1], "weight_decay": weight_decay},
        {"params": [one for one in learning if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate)


class OptimizerStep:
    """Takes the optimizer steps of one network, and averages its weights.

    Args:
        network: what is trained.
        optimizer: of its parameters.
        ema: the average of its weights.
        max_gradient: norm that gradients are clipped to.

    Attributes:
        skipped: steps left out since the start of this process.
    """

    def __init__(
        self, network: nn.Module, *, optimizer: torch.optim.Optimizer, ema: ModelEma, max_gradient: float
    ) -> None:
        self.skipped: int = 0
        self._in_a_row = 0
        self._network = network
        self._optimizer = optimizer
        self._ema = ema
        self._max_gradient = max_gradient

    def __call__(self, loss: Tensor, *, rate: float) -> Tensor:
        """Take one step of gradient descent; a step whose loss or gradient is not finite is left out.

        Returns:
            The norm of the gradient before it was clipped, a scalar.

        Raises:
            InvalidArgumentError: 20 steps in a row were left out.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._max_gradient)
        if not bool(torch.isfinite(loss.detach()) & torch.isfinite(norm)):
            self._leave_out(rate)
            return norm
        self._in_a_row = 0
        self._optimizer.step()
        self._ema.update(self._network)
        return norm

    @torch.no_grad()
    def _leave_out(self, rate: float) -> None:
        """Count the step, and take back what its forward pass left in the normalisation statistics."""
        self.skipped += 1
        self._in_a_row += 1
        for name, buffer in self._network.named_buffers():
            buffer.copy_(self._ema.tensors[name])
        if self._in_a_row >= _MOST_SKIPPED_IN_A_ROW:
            raise InvalidArgumentError(
                f"learning_rate is too high at {rate:.3g}, or the data is broken: loss or gradient were not finite for "
                f"{self._in_a_row} steps in a row. The last checkpoint is sound; go on with a lower rate in a new run."
            )
