"""Train the plate detector, from random weights or given ones to a float16 file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from platereader._dependencies import check_installed
from platereader.detection._network import PlateNetwork, network_from_state
from platereader.lab.metrics.rates import Rate
from platereader.lab.tables import show_rate
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.batches import BatchMaker, batches
from platereader.lab.training.card import Figures, describe_weights
from platereader.lab.training.checkpoint import half_precision, load_checkpoint
from platereader.lab.training.detector.background import FILE_NAME
from platereader.lab.training.detector.data import Batch, TileMaker
from platereader.lab.training.detector.distillation import Teacher
from platereader.lab.training.detector.loss import DetectorLoss
from platereader.lab.training.detector.material import completed, detector_material, load_sets
from platereader.lab.training.detector.validation import validate, validation_slice
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop, Validate, last_validation, record_of
from platereader.lab.training.optimizer_step import adamw
from platereader.lab.training.settings import TrainingSettings
from platereader.registry import WeightFile
from platereader.runtimes._tensors import tensors_of, write_tensors

__all__ = ["WEIGHTS_NAME", "DetectorRun", "DetectorTraining", "train_detector", "write_detector_weights"]

WEIGHTS_NAME = "plate_detector.safetensors"
"""The average of the weights as float16."""

_PANELS = (("classes", "boxes", "sides", "corners"), ("ap50", "ap50_95", "recall"), ("corner_error", "false_alarms"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraining(TrainingSettings):
    """How long and how to train a detector; a resumed run sees other data than one that was never stopped.

    Attributes:
        weight_decay: of weights with two or more dimensions.
    """

    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02


def train_detector(
    data: Path,
    *,
    output: Path,
    training: DetectorTraining,
    start: WeightFile | None = None,
    teacher: Teacher | None = None,
) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoint in ``output``.

    Photographs with labelled plates are first searched for further ones, which takes about 0.2 s each; see
    ``lab.training.detector.background``.

    Args:
        data: a folder with one or more of ``russian``, ``more``, ``other`` and ``negatives``, or one labelled set.
        output: folder for weights, checkpoint, log and curves; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        start: weights to begin with, whose settings are handed on; None for random ones. A run that goes on has its
            own.
        teacher: a detector to learn from besides the labels.

    Returns:
        The weights, a float16 safetensors file beside its sidecar and card: ``Registry.resolve`` takes its path.

    Raises:
        DatasetError: the photographs cannot be used, or too little is known of their plates.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: the checkpoint or the file of ``start`` is damaged.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    torch.manual_seed(training.seed)
    network = PlateNetwork()
    if start is not None:
        network = network_from_state(tensors_of(start.data, name=str(start.path)), name=str(start.path))
    origin = {} if teacher is None else {"teacher": teacher.sha256}
    run = DetectorRun(network.train(), output=output, training=training, origin=origin)
    sets = load_sets(data)
    run.loop.report_skipped(sets.skipped)
    photographs = validation_slice(sets)
    material = detector_material(completed(sets, cache=output / FILE_NAME))
    run.fit(TileMaker(material), validate=lambda tensors: asdict(validate(tensors, photographs)), teacher=teacher)
    return write_detector_weights(output, start=start, data=[data])


class DetectorRun:
    """One training of a detector.

    Args:
        network: to train, in the mode to train it in; what needs no gradient stays as it is.
        output: folder for checkpoint, log and curves; a checkpoint that is there is resumed.
        training: how long and how.
        origin: what else must be the same for a run to be resumed, by name.

    Attributes:
        loop: steps, checkpoint and log.

    Raises:
        InvalidArgumentError: the run was begun with other settings.
        WeightsCorruptError: the checkpoint is damaged.
    """

    def __init__(
        self, network: PlateNetwork, *, output: Path, training: DetectorTraining, origin: Mapping[str, str]
    ) -> None:
        self._network: PlateNetwork = network.to(memory_format=torch.channels_last)
        optimizer = adamw(network, learning_rate=training.learning_rate, weight_decay=training.weight_decay)
        self.loop: TrainingLoop = TrainingLoop(
            self._network, output=output, settings=training, optimizer=optimizer, origin=origin, panels=_PANELS
        )

    def fit(self, maker: BatchMaker[Batch], *, validate: Validate, teacher: Teacher | None = None) -> None:
        """Train to the end; nothing is done if that was reached before.

        Args:
            maker: of the batches.
            validate: figures for the log, of a state dict.
            teacher: a detector to learn from besides the labels.

        Raises:
            InvalidArgumentError: the loss stays infinite.
        """
        loss = DetectorLoss()

        def loss_of(batch: Batch) -> dict[str, Tensor]:
            pictures = batch.pictures.to(memory_format=torch.channels_last).float() / 255  # (N, 3, H, W)
            with fast_arithmetic():
                outputs = self._network(pictures)  # (N, 64, A), (N, 2, A), (N, 8, A)
            parts = loss(outputs, batch.targets, size=(pictures.shape[2], pictures.shape[3])).parts()
            return parts if teacher is None else parts | {"teacher": teacher.loss(outputs, pictures, batch.targets)}

        stream = batches(
            maker,
            progress=self.loop.shared_progress,
            seed=self.loop.settings.seed + self.loop.step,
            workers=self.loop.settings.workers,
        )
        self.loop.fit(stream, loss_of=loss_of, validate=validate)


def write_detector_weights(
    output: Path, *, start: WeightFile | None = None, data: Sequence[Path] = (), figures: Figures | None = None
) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` beside it, also while a training still runs.

    Args:
        output: folder of a training.
        start: weights that it began with, whose settings and licence are handed on.
        data: folders that it is trained on, for the card.
        figures: for the card; None takes the recall of the last validation.

    Returns:
        A float16 safetensors file, beside its sidecar and card.
    """
    write_tensors(output / WEIGHTS_NAME, half_precision(load_checkpoint(output / CHECKPOINT_NAME).group("ema")))
    settings: Mapping[str, Any] = {} if start is None else start.settings
    licence = "unknown" if start is None else start.entry.licence
    record = record_of(output, start=start, data=data, figures=figures or _recall(last_validation(output)))
    describe_weights(output / WEIGHTS_NAME, record, kind="detector", settings=settings, licence=licence)
    return output / WEIGHTS_NAME


def _recall(row: Mapping[str, Any]) -> Figures:
    """The recall of a validation, for the card."""
    if not row.get("plates"):
        return []
    found = Rate(round(row["recall"] * row["plates"]), row["plates"])
    return [("plates found at score 0.3 (IoU >= 0.5)", show_rate(found))]
