"""Train the refiner, from random weights to a float16 file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from platereader._dependencies import check_installed
from platereader.detection._finder import Finder
from platereader.detection._refiner_network import RefinerNetwork
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.batches import batches
from platereader.lab.training.checkpoint import half_precision, load_checkpoint
from platereader.lab.training.detector.material import detector_material, load_sets
from platereader.lab.training.finder.validation import held_out
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop
from platereader.lab.training.optimizer_step import adamw
from platereader.lab.training.refiner.data import Batch, RefinerBatches
from platereader.lab.training.refiner.loss import refiner_loss
from platereader.lab.training.refiner.validation import validate
from platereader.lab.training.settings import TrainingSettings
from platereader.runtimes._tensors import write_tensors

__all__ = ["WEIGHTS_NAME", "RefinerTraining", "export_refiner", "train_refiner"]

WEIGHTS_NAME: Final = "plate_refiner.safetensors"
"""The average of the weights as float16."""

_PANELS = (("kinds", "corners", "heat", "hulls"), ("accepted", "false", "hull"), ("corner_error",))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinerTraining(TrainingSettings):
    """How long and how to train a refiner."""

    learning_rate: float = 2e-3
    weight_decay: float = 0.02


def train_refiner(data: Path, *, output: Path, training: RefinerTraining, finder: Finder) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoint in ``output``.

    Args:
        data: a folder of labelled sets; see ``load_sets``.
        output: folder for weights, checkpoint, log and curves; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        finder: proposes the places that are learnt from; carried into worker processes.

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
    network = RefinerNetwork().train().to(memory_format=torch.channels_last)
    loop = TrainingLoop(
        network,
        output=output,
        settings=training,
        optimizer=adamw(network, learning_rate=training.learning_rate, weight_decay=training.weight_decay),
        origin={},
        panels=_PANELS,
    )
    sets = load_sets(data)
    loop.report_skipped(sets.skipped)
    photographs = held_out(sets)

    def loss_of(batch: Batch) -> dict[str, Tensor]:
        crops = batch.crops.flip(-1).permute(0, 3, 1, 2).float() / 255  # (N, 3, 64, 128) RGB
        with fast_arithmetic():
            outputs = network(crops.contiguous(memory_format=torch.channels_last))  # (N, 4, 16, 32), (N, 3)
        return refiner_loss(outputs, batch.targets)

    loop.fit(
        batches(
            RefinerBatches(detector_material(sets), finder=finder),
            progress=loop.shared_progress,
            seed=training.seed + loop.step,
            workers=training.workers,
        ),
        loss_of=loss_of,
        validate=lambda tensors: asdict(validate(tensors, photographs, finder=finder)),
    )
    return export_refiner(output)


def export_refiner(output: Path) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` as float16 beside it, also while a training runs."""
    write_tensors(output / WEIGHTS_NAME, half_precision(load_checkpoint(output / CHECKPOINT_NAME).group("ema")))
    return output / WEIGHTS_NAME
