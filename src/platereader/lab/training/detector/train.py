"""Train the plate detector: one loop, from random weights to a float16 file, that can stop and go on at any time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from platereader._dependencies import check_installed
from platereader.detection._network import PlateNetwork, network_from_file
from platereader.errors import InvalidArgumentError
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.checkpoint import (
    Checkpoint,
    ModelEma,
    half_precision,
    load_checkpoint,
    optimizer_tensors,
    prefixed,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from platereader.lab.training.detector.background import FILE_NAME
from platereader.lab.training.detector.data import Batch, BatchMaker, TileMaker, TileStream
from platereader.lab.training.detector.distillation import Teacher
from platereader.lab.training.detector.loss import DetectorLoss, Losses
from platereader.lab.training.detector.material import completed, detector_material, load_sets
from platereader.lab.training.detector.validation import validate, validation_slice
from platereader.lab.training.optimizer_step import Descent
from platereader.lab.training.report import append_log, draw_curves, progress_bar, read_log, report_skipped
from platereader.lab.training.settings import check_ranges, check_unchanged
from platereader.runtimes._tensors import write_tensors

CHECKPOINT_NAME = "checkpoint.safetensors"
"""Everything to go on with; removed by nobody."""

LOG_NAME = "log.jsonl"
"""One JSON object a line: ``train`` every ``log_every_steps``, ``validation`` every ``validate_every_s``."""

CURVES_NAME = "curves.png"
"""The log as curves, drawn anew with every validation."""

WEIGHTS_NAME = "plate_detector.safetensors"
"""The running average of the weights as float16."""


_PANELS = (("classes", "boxes", "sides", "corners"), ("ap50", "ap50_95", "recall"), ("corner_error", "false_alarms"))
_RANGES = {
    "minutes": (1e-3, 1e6),
    "steps": (1, math.inf),
    "learning_rate": (1e-9, 1.0),
    "weight_decay": (0.0, 1.0),
    "warmup_steps": (1, math.inf),
    "max_gradient": (1e-6, math.inf),
    "seed": (0, math.inf),
    "workers": (0, 256),
    "log_every_steps": (1, math.inf),
    "save_every_s": (0.0, math.inf),
    "validate_every_s": (0.0, math.inf),
}
_FIXED = ("learning_rate", "weight_decay", "warmup_steps", "max_gradient", "seed")


@dataclass(frozen=True, slots=True)
class DetectorTraining:
    """How long and how to train.

    Attributes:
        minutes: length of the whole training in minutes of loop time, earlier runs included; or
        steps: its length in optimizer steps. Exactly one of the two is given.
        learning_rate: highest learning rate of AdamW; rises over ``warmup_steps``, then falls to zero as a cosine.
        weight_decay: of weights with two or more dimensions.
        warmup_steps: length of the rise.
        max_gradient: norm that gradients are cut to.
        seed: of weights and data; a resumed run goes on with other data than one that was never stopped.
        workers: processes that make tiles.
        log_every_steps: between two lines in the log.
        save_every_s: seconds between two checkpoints.
        validate_every_s: seconds between two validations.

    Raises:
        InvalidArgumentError: a value is out of range, or the length is given twice or not at all.
    """

    minutes: float | None = None
    steps: int | None = None
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.02
    warmup_steps: int = 100
    max_gradient: float = 10.0
    seed: int = 0
    workers: int = 1
    log_every_steps: int = 10
    save_every_s: float = 120.0
    validate_every_s: float = 600.0

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise InvalidArgumentError("give either minutes or steps as the length of the training, not both or none.")
        check_ranges(self, _RANGES)

    def progress(self, *, step: int, elapsed_s: float) -> float:
        """How much of the training is done, 0 to 1."""
        done = step / self.steps if self.steps is not None else elapsed_s / (60.0 * (self.minutes or 1.0))
        return min(1.0, done)

    def rate(self, *, step: int, progress: float) -> float:
        """The learning rate of a step."""
        rise = min(1.0, (step + 1) / self.warmup_steps)
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * progress))


def train_detector(
    data: Path, out: Path, *, training: DetectorTraining, start: Path | None = None, teacher: Teacher | None = None
) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoint in ``out``.

    Photographs with labelled plates are first searched for further ones, which takes about 0.2 s each; see
    ``lab.training.detector.background``.

    Args:
        data: a folder with one or more of ``russian``, ``more``, ``other`` and ``negatives``, or one labelled set.
        out: folder for checkpoint, log and weights; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        start: weights to begin with, as a safetensors file; None for random ones. A run that goes on has its own.
        teacher: a detector to learn from besides the labels.

    Returns:
        The weights as a float16 safetensors file, for ``PlateDetector.from_file``.

    Raises:
        DatasetError: the photographs cannot be used, or too little is known of their plates.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: the checkpoint or the file of ``start`` is damaged.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    torch.manual_seed(training.seed)
    network = PlateNetwork() if start is None else network_from_file(start)
    origin = {} if teacher is None else {"teacher": teacher.sha256}
    run = DetectorRun(out, training, network=network.train(), origin=origin)
    sets = load_sets(data)
    run.journal.note_skipped(sets.skipped)
    slice_ = validation_slice(sets)
    material = detector_material(completed(sets, keep=out / FILE_NAME))
    run.fit(TileMaker(material), measure=lambda tensors: asdict(validate(tensors, slice_)), teacher=teacher)
    return export_detector(out)


def export_detector(out: Path) -> Path:
    """Write the weights of the checkpoint in ``out`` as float16 beside it, also while a training still runs."""
    tensors = load_checkpoint(out / CHECKPOINT_NAME).group("ema")
    write_tensors(out / WEIGHTS_NAME, half_precision(tensors))
    return out / WEIGHTS_NAME


def _batches(maker: BatchMaker, *, progress: Tensor, seed: int, workers: int) -> Iterator[Batch]:
    """Batches from worker processes, or made in this one when there are none."""
    stream = TileStream(maker, progress=progress, seed=seed)
    if workers == 0:
        yield from stream
        return
    loader: DataLoader[Batch] = DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context="spawn", prefetch_factor=4
    )
    yield from loader


def _shared(value: float) -> Tensor:
    """A number ``(1,)`` that worker processes see change."""
    tensor = torch.tensor([value])
    cast("Any", tensor).share_memory_()
    return tensor


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far a training has come."""

    step: int = 0
    elapsed_s: float = 0.0


class DetectorRun:
    """One training: a network with its running average and optimizer, and how far they have come.

    Args:
        out: folder for checkpoint and log; a checkpoint that is there is taken up.
        training: how long and how.
        network: to train, in the mode to train it in; what needs no gradient stays as it is.
        origin: what else must be the same as before for the run to go on, by name.

    Attributes:
        network: as given.
        ema: its running average.
        journal: steps and seconds.

    Raises:
        InvalidArgumentError: the run was begun with other settings.
        WeightsCorruptError: the checkpoint is damaged.
    """

    def __init__(
        self,
        out: Path,
        training: DetectorTraining,
        *,
        network: PlateNetwork,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self.network: PlateNetwork = network.to(memory_format=torch.channels_last)
        self.ema: ModelEma = ModelEma(self.network)
        self._training, self._checkpoint = training, out / CHECKPOINT_NAME
        # Biases and normalisation are not decayed.
        learning = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": [one for one in learning if one.ndim > 1], "weight_decay": training.weight_decay},
            {"params": [one for one in learning if one.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=training.learning_rate)
        self._descent = Descent(
            self.network, optimizer=self._optimizer, ema=self.ema, max_gradient=training.max_gradient
        )
        self._fixed = {name: getattr(training, name) for name in _FIXED} | dict(origin or {})
        self.journal: Journal = Journal(out, training, self._taken_up())

    def fit(
        self,
        maker: BatchMaker,
        *,
        measure: Callable[[Mapping[str, Tensor]], Mapping[str, Any]],
        teacher: Teacher | None = None,
    ) -> None:
        """Train to the end; nothing is done if that was reached before.

        Args:
            maker: of the batches.
            measure: figures for the log, of a state dict.
            teacher: a detector to learn from besides the labels.

        Raises:
            InvalidArgumentError: the loss stays infinite.
        """
        training, journal, loss_of = self._training, self.journal, DetectorLoss()
        if journal.progress >= 1.0:
            journal.close()
            return
        progress = _shared(journal.progress)
        for batch in _batches(maker, progress=progress, seed=training.seed + journal.step, workers=training.workers):
            progress[0] = journal.progress
            if journal.progress >= 1.0:
                break
            pictures = batch.pictures.to(memory_format=torch.channels_last).float() / 255  # (N, 3, H, W)
            with fast_arithmetic():
                outputs = self.network(pictures)  # (N, 64, A), (N, 2, A), (N, 8, A)
            losses = loss_of(outputs, batch.targets, size=(pictures.shape[2], pictures.shape[3]))
            if teacher is not None:
                losses = replace(losses, teacher=teacher.loss(outputs, pictures, batch.targets))
            rate = training.rate(step=journal.step, progress=journal.progress)
            norm = self._descent.step(losses.total, rate=rate)

            journal.count(losses, norm, skipped=self._descent.skipped)
            if journal.is_due("save", every_s=training.save_every_s):
                self._save()
            if journal.is_due("validate", every_s=training.validate_every_s):
                journal.write("validation", measure(self.ema.tensors))

        self._save()
        journal.write("validation", measure(self.ema.tensors))
        journal.close()

    def _taken_up(self) -> SoFar:
        """Take up a checkpoint if there is one."""
        if not self._checkpoint.exists():
            return SoFar()
        checkpoint = load_checkpoint(self._checkpoint)
        check_unchanged(checkpoint.scalars.get("settings", {}), self._fixed)
        restore_network(self.network, checkpoint.group("network"))
        self.ema.tensors.update(checkpoint.group("ema"))
        self.ema.updates = int(checkpoint.scalars["ema_updates"])
        restore_optimizer(self._optimizer, checkpoint.group("optimizer"))
        return SoFar(int(checkpoint.scalars["step"]), float(checkpoint.scalars["elapsed_s"]))

    def _save(self) -> None:
        """Write everything to go on with."""
        tensors = prefixed("network", self.network.state_dict()) | prefixed("ema", self.ema.tensors)
        tensors |= prefixed("optimizer", optimizer_tensors(self._optimizer))
        scalars = {**asdict(self.journal.so_far), "ema_updates": self.ema.updates, "settings": self._fixed}
        save_checkpoint(self._checkpoint, Checkpoint(tensors, scalars))


class Journal:
    """Counts steps and seconds, and leaves a log, learning curves and a progress bar."""

    def __init__(self, out: Path, training: DetectorTraining, so_far: SoFar) -> None:
        self.step: int = so_far.step
        self.elapsed_s: float = so_far.elapsed_s
        self._out = out
        self._training = training
        self._clock_s = time.perf_counter()
        self._last_s: dict[str, float] = {}
        self._start_s = so_far.elapsed_s
        total = training.steps or round(60 * (training.minutes or 0))
        unit = "steps" if training.steps else "seconds"
        self._bar = progress_bar(total, initial=self._position(), description=f"detector, {unit}")

    @property
    def progress(self) -> float:
        """How much of the training is done, 0 to 1."""
        return self._training.progress(step=self.step, elapsed_s=self.elapsed_s)

    @property
    def so_far(self) -> SoFar:
        """What a checkpoint has to remember."""
        return SoFar(self.step, self.elapsed_s)

    def note_skipped(self, count: int) -> None:
        """Say once and log how many labels and pictures cannot be used."""
        if count:
            report_skipped(count)
            self.write("skipped", {"count": count})

    def count(self, losses: Losses, norm: Tensor, *, skipped: int) -> None:
        """Note that a step is done."""
        now_s = time.perf_counter()
        self.step += 1
        self.elapsed_s += now_s - self._clock_s
        self._clock_s = now_s
        self._bar.update(self._position() - self._bar.n)
        if self.step % self._training.log_every_steps == 0:
            values = {name: part.item() for name, part in (losses.parts() | {"gradient": norm}).items()}
            self.write("train", values | {"skipped_steps": skipped})

    def is_due(self, what: str, *, every_s: float) -> bool:
        """Whether it is time for something again."""
        due = self.elapsed_s - self._last_s.get(what, self._start_s) > every_s
        if due:
            self._last_s[what] = self.elapsed_s
        return due

    def write(self, kind: str, values: Mapping[str, Any]) -> None:
        """Add a line to the log; with a validation, draw the curves anew."""
        head = {"kind": kind, "step": self.step, "elapsed_s": self.elapsed_s, "progress": self.progress}
        append_log(self._out / LOG_NAME, head | dict(values))
        if kind == "validation":
            draw_curves(read_log(self._out / LOG_NAME), self._out / CURVES_NAME, panels=_PANELS)

    def close(self) -> None:
        """End the progress bar."""
        self._bar.close()

    def _position(self) -> int:
        """Where the bar stands."""
        return self.step if self._training.steps else round(self.elapsed_s)
