"""Train the finder, from random weights to a float16 file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from platereader._dependencies import check_installed
from platereader.detection._finder_network import DEFAULT_WIDTHS, FinderNetwork
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.batches import batches
from platereader.lab.training.checkpoint import half_precision, load_checkpoint
from platereader.lab.training.detector.material import detector_material, load_sets
from platereader.lab.training.finder.data import Batch, FinderBatches
from platereader.lab.training.finder.loss import finder_loss
from platereader.lab.training.finder.validation import held_out, validate
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop
from platereader.lab.training.optimizer_step import adamw
from platereader.lab.training.settings import TrainingSettings
from platereader.runtimes._tensors import write_tensors

__all__ = ["WEIGHTS_NAME", "FinderTraining", "export_finder", "train_finder"]

WEIGHTS_NAME: Final = "plate_finder.safetensors"
"""The average of the weights as float16."""

_PANELS = (("scores", "boxes", "sides"), ("recall", "sure_recall", "close_recall"), ("proposals", "false_alarms"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderTraining(TrainingSettings):
    """How long and how to train a finder."""

    learning_rate: float = 2e-3
    weight_decay: float = 0.02


def train_finder(data: Path, *, output: Path, training: FinderTraining, widths: Sequence[int] = DEFAULT_WIDTHS) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoint in ``output``.

    Args:
        data: a folder of labelled sets; see ``load_sets``.
        output: folder for weights, checkpoint, log and curves; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        widths: channels of the network, as of ``FinderNetwork``.

    Returns:
        The weights, a float16 safetensors file.

    Raises:
        DatasetError: the photographs cannot be used.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: the checkpoint is damaged.
        MissingDependencyError: matplotlib is not installed.
    """
    check_installed("matplotlib")
    torch.manual_seed(training.seed)
    network = FinderNetwork(widths).train().to(memory_format=torch.channels_last)
    loop = TrainingLoop(
        network,
        output=output,
        settings=training,
        optimizer=adamw(network, learning_rate=training.learning_rate, weight_decay=training.weight_decay),
        origin={"widths": list(widths)},
        panels=_PANELS,
    )
    sets = load_sets(data)
    loop.report_skipped(sets.skipped)
    photographs = held_out(sets)

    def loss_of(batch: Batch) -> dict[str, Tensor]:
        pictures = batch.pictures.to(memory_format=torch.channels_last).float() / 255  # (N, 3, H, W)
        with fast_arithmetic():
            outputs = network(pictures)  # (N, 1, A), (N, 4, A)
        return finder_loss(outputs, batch.targets, size=(pictures.shape[2], pictures.shape[3]))

    loop.fit(
        batches(
            FinderBatches(detector_material(sets)),
            progress=loop.shared_progress,
            seed=training.seed + loop.step,
            workers=training.workers,
        ),
        loss_of=loss_of,
        validate=lambda tensors: asdict(validate(tensors, photographs)),
    )
    return export_finder(output)


def export_finder(output: Path) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` as float16 beside it, also while a training runs."""
    write_tensors(output / WEIGHTS_NAME, half_precision(load_checkpoint(output / CHECKPOINT_NAME).group("ema")))
    return output / WEIGHTS_NAME
