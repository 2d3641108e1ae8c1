"""The training loop of all networks: batches in, weights out; it can be stopped and resumed at any time.

A network brings its batches, its loss and its validation. The loop takes the steps, averages the weights, and leaves
three files in its output folder: a checkpoint, a log and learning curves.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from platereader.lab.training.checkpoint import (
    Checkpoint,
    ModelEma,
    load_checkpoint,
    optimizer_tensors,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from platereader.lab.training.optimizer_step import OptimizerStep
from platereader.lab.training.report import Figures, TrainingRecord, append_log, draw_curves, progress_bar, read_log
from platereader.lab.training.settings import TrainingSettings, check_unchanged
from platereader.registry import WeightFile

CHECKPOINT_NAME: Final = "checkpoint.safetensors"
"""Everything that is needed to resume."""

LOG_NAME: Final = "log.jsonl"
"""One JSON object a line, of a ``kind``: ``train``, ``validation`` or ``skipped``."""

CURVES_NAME: Final = "curves.png"
"""The log as curves, drawn anew with every validation."""

BatchT = TypeVar("BatchT")

Validate: TypeAlias = Callable[[Mapping[str, Tensor]], Mapping[str, Any]]
"""Gives the figures of a state dict, JSON-safe."""


class TrainingLoop:
    """One training: a network with its optimizer and the average of its weights, and how far they have come.

    The network is in the mode to train it in; what needs no gradient stays as it is. A checkpoint that is in the folder
    ``output`` is resumed; ``origin`` is what else must be the same for that, by name, JSON-safe. ``panels`` are names
    of logged values that share a panel of the curves.

    Attributes:
        ema: the average of the weights.
        step: optimizer steps that are done.
        elapsed_s: seconds they took.
        shared_progress: float32 ``(1,)`` in shared memory, so that worker processes see it: share that is done, 0 to 1.

    Raises:
        InvalidArgumentError: the run was begun with other settings, or with another network.
        WeightsCorruptError: the checkpoint is damaged.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        output: Path,
        settings: TrainingSettings,
        optimizer: torch.optim.Optimizer,
        origin: Mapping[str, Any],
        panels: Sequence[Sequence[str]],
    ) -> None:
        self.network: nn.Module = network
        self.output: Path = output
        self.settings: TrainingSettings = settings
        self.ema: ModelEma = ModelEma(network)
        self.step: int = 0
        self.elapsed_s: float = 0.0
        self.shared_progress: Tensor = cast("Any", torch.zeros(1)).share_memory_()
        self._optimizer = optimizer
        self._take_step = OptimizerStep(network, optimizer=optimizer, ema=self.ema, max_gradient=settings.max_gradient)
        self._fixed = settings.fixed() | dict(origin)
        self._panels = panels
        self._recent: list[dict[str, float]] = []
        self._validated_step = -1
        if (output / CHECKPOINT_NAME).exists():
            self._resume(load_checkpoint(output / CHECKPOINT_NAME))
        self._clock_s = time.perf_counter()
        self._done_s: dict[str, float] = dict.fromkeys(("save", "validate"), self.elapsed_s)

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0 to 1."""
        return self.settings.progress(step=self.step, elapsed_s=self.elapsed_s)

    def fit(
        self, batches: Dataset[BatchT], *, loss_of: Callable[[BatchT], Mapping[str, Tensor]], validate: Validate
    ) -> None:
        """Train to the end; nothing is done if it was reached before, but for a validation that is missing.

        Number ``i`` of the ``batches`` is for step ``i``, however often a run is interrupted. ``loss_of`` gives the
        parts of the loss of a batch, scalars by name, whose sum is minimised, ``validate`` the figures of the averaged
        weights for the log.

        Raises:
            InvalidArgumentError: loss or gradient are not finite for many steps in a row.
        """
        if self.progress >= 1.0:
            if last_validation(self.output).get("step") != self.step:  # the run was killed before it
                self._validate(validate)
            return
        settings = self.settings
        self._clock_s = time.perf_counter()
        with progress_bar(initial=round(100 * self.progress)) as bar:
            for batch in self._numbered(batches):
                torch.manual_seed(settings.seed + self.step)  # dropout is the same after an interruption
                losses = loss_of(batch)  # scalars
                total = torch.stack(list(losses.values())).sum()  # scalar
                gradient = self._take_step(total, rate=settings.rate(step=self.step, progress=self.progress))
                self._count({**losses, "gradient": gradient})

                if self._is_due("save", every_s=settings.save_every_s):
                    self._save()
                if self._is_due("validate", every_s=settings.validate_every_s):
                    self._validate(validate)
                bar.update(round(100 * self.progress) - bar.n)
                if self.progress >= 1.0:
                    break
        self._save()
        if self._validated_step != self.step:
            self._validate(validate)

    def log(self, kind: str, values: Mapping[str, Any]) -> None:
        """Add a line to the log."""
        append_log(self.output / LOG_NAME, self._row(kind, values))

    def _row(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        start = {"kind": kind, "step": self.step, "elapsed_s": self.elapsed_s, "progress": self.progress}
        return start | dict(values)

    def report_skipped(self, count: int) -> None:
        """Say on standard error and log how many labels and pictures cannot be used, if any."""
        if count:
            sys.stderr.write(f"{count} labels or pictures cannot be used and are left out of the training.\n")
            self.log("skipped", {"count": count})

    def _numbered(self, batches: Dataset[BatchT]) -> DataLoader[BatchT]:
        """The batches from the next step on, in order: made here, or in processes of low priority beside the loop."""
        workers = self.settings.workers
        return DataLoader(
            batches,
            batch_size=None,
            sampler=range(self.step, self.settings.steps or 2**40),
            num_workers=workers,
            multiprocessing_context="spawn" if workers else None,
            prefetch_factor=8 if workers else None,
            worker_init_fn=_lower_priority,
        )

    def _count(self, values: Mapping[str, Tensor]) -> None:
        """Note that a step is done; its losses are logged as means over ``log_every_steps``."""
        self.step += 1
        self._read_clock()
        self.shared_progress[0] = self.progress
        self._recent.append({name: value.item() for name, value in values.items()})
        if self.step % self.settings.log_every_steps == 0:
            columns = {name: [row[name] for row in self._recent if math.isfinite(row[name])] for name in values}
            means = {name: float(np.mean(column)) if column else None for name, column in columns.items()}
            self.log("train", {**means, "skipped_steps": self._take_step.skipped})
            self._recent.clear()

    def _read_clock(self) -> None:
        """Add the time since the last call."""
        now_s = time.perf_counter()
        self.elapsed_s, self._clock_s = self.elapsed_s + now_s - self._clock_s, now_s

    def _is_due(self, task: str, *, every_s: float) -> bool:
        return self.elapsed_s - self._done_s[task] >= every_s

    def _validate(self, validate: Validate) -> None:
        """Draw the curves anew with the figures of the averaged weights, and then log those: both were done."""
        row = self._row("validation", validate(self.ema.tensors))
        draw_curves([*read_log(self.output / LOG_NAME), row], self.output / CURVES_NAME, panels=self._panels)
        append_log(self.output / LOG_NAME, row)
        self._validated_step = self.step
        self._read_clock()
        self._done_s["validate"] = self.elapsed_s

    def _save(self) -> None:
        """Write everything that is needed to resume."""
        groups = {
            "network": self.network.state_dict(),
            "ema": self.ema.tensors,
            "optimizer": optimizer_tensors(self._optimizer),
        }
        tensors = {f"{prefix}.{name}": tensor for prefix, group in groups.items() for name, tensor in group.items()}
        scalars = {
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "ema_updates": self.ema.updates,
            "settings": self._fixed,
        }
        save_checkpoint(self.output / CHECKPOINT_NAME, Checkpoint(tensors, scalars))
        self._done_s["save"] = self.elapsed_s

    def _resume(self, checkpoint: Checkpoint) -> None:
        check_unchanged(checkpoint.scalar("settings"), self._fixed)
        restore_network(self.network, checkpoint.group("network"))
        restore_optimizer(self._optimizer, checkpoint.group("optimizer"))
        self.ema.restore(checkpoint.group("ema"), updates=checkpoint.scalar("ema_updates"))
        self.step = checkpoint.scalar("step")
        self.elapsed_s = float(checkpoint.scalar("elapsed_s"))
        self.shared_progress[0] = self.progress


def _lower_priority(worker: int) -> None:
    """Let the network go first, and keep OpenCV from starting a thread for every core in every worker."""
    del worker
    cv2.setNumThreads(0)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(5)


def last_validation(output: Path) -> dict[str, Any]:
    """The last line of that kind in the log of a training; empty without any."""
    rows = [row for row in read_log(output / LOG_NAME) if row["kind"] == "validation"]
    return rows[-1] if rows else {}


def record_of(output: Path, *, start: WeightFile | None, data: Iterable[Path], figures: Figures) -> TrainingRecord:
    """How the weights of a checkpoint were made, for their card; ``start`` are those that it began with."""
    checkpoint = load_checkpoint(output / CHECKPOINT_NAME)
    return TrainingRecord(
        start=None if start is None else start.sha256,
        data=[folder.resolve().name for folder in data],
        settings=checkpoint.scalar("settings"),
        steps=checkpoint.scalar("step"),
        minutes=checkpoint.scalar("elapsed_s") / 60,
        figures=figures,
        licence="unknown" if start is None else start.entry.licence,
    )
