"""Train the finder, from given weights to an average of better ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from platereader.detection._finder_network import FinderNetwork
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.batches import batches
from platereader.lab.training.detector.tiles import SceneSource
from platereader.lab.training.finder.data import Batch, FinderBatches
from platereader.lab.training.finder.loss import finder_loss
from platereader.lab.training.finder.validation import Photographs, validate
from platereader.lab.training.loop import TrainingLoop
from platereader.lab.training.optimizer_step import adamw
from platereader.lab.training.settings import TrainingSettings

__all__ = ["train_finder"]

_PANELS = (("scores", "boxes", "sides"), ("recall", "sure_recall", "close_recall"), ("proposals", "false_alarms"))


def train_finder(
    network: FinderNetwork,
    draw: SceneSource,
    *,
    photographs: Photographs,
    output: Path,
    training: TrainingSettings,
    origin: Mapping[str, Any],
) -> TrainingLoop:
    """Train to the end, or go on from the checkpoint in ``output``.

    Args:
        network: to train, in the mode to train it in; what needs no gradient stays as it is.
        draw: gives scenes; carried into worker processes.
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
        pictures = batch.pictures.to(memory_format=torch.channels_last).float() / 255  # (N, 3, H, W)
        with fast_arithmetic():
            outputs = network(pictures)  # (N, 1, A), (N, 4, A)
        return finder_loss(outputs, batch.targets, size=(pictures.shape[2], pictures.shape[3]))

    stream = batches(
        FinderBatches(draw), progress=loop.shared_progress, seed=training.seed + loop.step, workers=training.workers
    )
    loop.fit(stream, loss_of=loss_of, validate=lambda tensors: asdict(validate(tensors, photographs)))
    return loop
