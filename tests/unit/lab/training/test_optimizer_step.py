from __future__ import annotations

import pytest
import torch
from torch import nn

from platereader.errors import InvalidArgumentError
from platereader.lab.training.checkpoint import ModelEma
from platereader.lab.training.optimizer_step import OptimizerStep


def _network_and_step() -> tuple[nn.Module, OptimizerStep]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1)
    return network, OptimizerStep(network, optimizer=optimizer, ema=ModelEma(network), max_gradient=1.0)


def _loss(network: nn.Module, *, scale: float = 1.0) -> torch.Tensor:
    outputs: torch.Tensor = network(torch.arange(6.0).reshape(2, 3) * scale)
    return (outputs**2).sum() * scale


def test_a_sound_step_changes_the_weights() -> None:
    network, step = _network_and_step()
    before = [parameter.clone() for parameter in network.parameters()]
    norm = step(_loss(network), rate=0.1)
    assert torch.isfinite(norm)
    assert any(not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
    assert step.skipped == 0


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_step_that_is_not_finite_changes_nothing(broken: float) -> None:
    network, step = _network_and_step()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    step(_loss(network, scale=broken), rate=0.1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert step.skipped == 1


def test_twenty_in_a_row_end_the_training_but_not_in_all() -> None:
    network, step = _network_and_step()
    for _ in range(3):
        for _ in range(19):
            step(_loss(network, scale=float("nan")), rate=0.1)
        step(_loss(network), rate=0.1)
    for _ in range(19):
        step(_loss(network, scale=float("nan")), rate=0.1)
    with pytest.raises(InvalidArgumentError, match="20 steps in a row"):
        step(_loss(network, scale=float("nan")), rate=0.1)
