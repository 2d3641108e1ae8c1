"""A training that takes a moment, with a checkpoint, a line of the log and curves in every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from platereader._files import write_bytes
from platereader.lab.training import loop
from platereader.lab.training.settings import TrainingSettings


def draw_nothing(rows: Any, path: Path, *, panels: Any) -> None:
    """In the place of the curves, which take long to draw; written as they are."""
    write_bytes(path, b"\x89PNG")


def train(output: Path, *, steps: int) -> None:
    """A line through the origin."""
    network = torch.nn.Linear(1, 1, bias=False)
    training = loop.TrainingLoop(
        network,
        output=output,
        settings=TrainingSettings(steps=steps, workers=0, log_every_steps=1, save_every_s=0.0, validate_every_s=1e6),
        optimizer=torch.optim.AdamW(network.parameters()),
        origin={},
        panels=[],
    )

    batches: Any = [torch.ones(4, 1)] * steps
    training.fit(
        batches,
        loss_of=lambda batch: {"squared": (network(batch) - 3).square().mean()},
        validate=lambda tensors: {"weight": float(tensors["weight"])},
    )
