"""Train the refiner, from given weights to an average of better ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from platereader.detection._finder import Finder
from platereader.detection._refiner_network import RefinerNetwork
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.batches import batches
from platereader.lab.training.detector.tiles import SceneSource
from platereader.lab.training.finder.validation import Photographs
from platereader.lab.training.loop import TrainingLoop
from platereader.lab.training.optimizer_step import adamw
from platereader.lab.training.refiner.data import Batch, RefinerBatches
from platereader.lab.training.refiner.loss import refiner_loss
from platereader.lab.training.refiner.validation import validate
from platereader.lab.training.settings import TrainingSettings

__all__ = ["train_refiner"]

_PANELS = (("kinds", "corners", "heat", "hulls"), ("accepted", "false", "hull"), ("corner_error",))


def train_refiner(
    network: RefinerNetwork,
    draw: SceneSource,
    *,
    finder: Finder,
    photographs: Photographs,
    output: Path,
    training: TrainingSettings,
    origin: Mapping[str, Any],
) -> TrainingLoop:
    """Train to the end, or go on from the checkpoint in ``output``.

    Args:
        network: to train, in the mode to train it in; what needs no gradient stays as it is.
        draw: gives scenes; carried into worker processes, as is
        finder: which proposes the places that are learnt from.
        photographs: what validations look at.
        output: folder for checkpoint, log and curves; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        origin: what else must be the same to go on.

    Returns:
        The finished loop, with the average of the weights.

    Raises:
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: the checkpoint is damaged.
    """
    network = network.to(memory_format=torch.channels_last)
    loop = TrainingLoop(
        network,
        output=output,
        settings=training,
        optimizer=adamw(network, learning_rate=training.learning_rate, weight_decay=training.weight_decay),
        origin=origin,
        panels=_PANELS,
    )

    def loss_of(batch: Batch) -> dict[str, Tensor]:
        crops = batch.crops.flip(-1).permute(0, 3, 1, 2).float() / 255  # (N, 3, 64, 128) RGB
        with fast_arithmetic():
            outputs = network(crops.contiguous(memory_format=torch.channels_last))  # (N, 4, 16, 32), (N, 3)
        return refiner_loss(outputs, batch.targets)

    stream = batches(
        RefinerBatches(draw, finder=finder),
        progress=loop.shared_progress,
        seed=training.seed + loop.step,
        workers=training.workers,
    )
    loop.fit(stream, loss_of=loss_of, validate=lambda tensors: asdict(validate(tensors, photographs, finder=finder)))
    return loop
