"""Train the reader: plates made up on the fly, some labelled ones among them, CTC, one loop from top to bottom."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from platereader._ctc import collapse
from platereader._dependencies import check_installed
from platereader.errors import InvalidArgumentError
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.metrics.rates import character_error_rate
from platereader.lab.training.arithmetic import fast_arithmetic
from platereader.lab.training.checkpoint import (
    Checkpoint,
    ModelEma,
    load_checkpoint,
    optimizer_tensors,
    prefixed,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from platereader.lab.training.optimizer_step import Descent
from platereader.lab.training.recognizer.confusion import confusion_counts
from platereader.lab.training.recognizer.data import (
    Batch,
    Kinds,
    PlateBatches,
    Sample,
    background_photographs,
    decode_label,
    exact_crops,
    is_russian,
    jittered_crops,
    load_real_plates,
    to_batch,
)
from platereader.lab.training.report import (
    append_log,
    draw_confusion,
    draw_curves,
    progress_bar,
    read_log,
    report_skipped,
)
from platereader.lab.training.settings import check_ranges, check_unchanged
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._network import ConvCtc, folded
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig
from platereader.runtimes._tensors import write_tensors
from platereader.runtimes._torch import TorchRuntime

__all__ = ["RecognizerRun", "RecognizerTraining", "export_recognizer", "train_recognizer", "validation_sets"]

CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "recognizer.safetensors"
LOG = "log.jsonl"
MADE_UP_TRIALS = 512
_PANELS = (
    ("loss",),
    ("real_exact", "jittered_exact", "synthetic_exact"),
    ("real_cer", "jittered_cer", "synthetic_cer"),
)
_RANGES = {
    "steps": (1, math.inf),
    "minutes": (1e-3, 1e6),
    "batch_size": (1, math.inf),
    "learning_rate": (1e-9, 1.0),
    "warmup_steps": (0, math.inf),
    "real_share": (0.0, 1.0),
    "workers": (0, 256),
    "pause_s": (0.0, math.inf),
    "seed": (0, math.inf),
}
_FIXED = ("batch_size", "learning_rate", "warmup_steps", "real_share", "seed")
_MAX_GRADIENT = 5.0
_ENDLESS = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerTraining:
    """Settings of one run.

    Attributes:
        output: folder of the checkpoint, the log, the weights and the pictures.
        labelled: labelled sets to mix in; their calibration fifth validates.
        negatives: labelled set whose pictures without plates are backgrounds; None makes backgrounds up.
        minutes: length of the whole training in minutes of loop time, earlier runs included, and
        steps: in optimizer steps; with both, what comes first ends it.
        batch_size: plates a step.
        learning_rate: highest one, after the warm-up.
        warmup_steps: steps until then.
        real_share: share of labelled plates in a batch, 0 to 1.
        workers: processes that make batches; 0 makes them in the loop.
        pause_s: seconds between two validations, at which the checkpoint is written too.
        seed: of the weights and of every batch.

    Raises:
        InvalidArgumentError: a value is out of range, or neither ``minutes`` nor ``steps`` is given.
    """

    output: Path
    labelled: tuple[Path, ...] = ()
    negatives: Path | None = None
    minutes: float | None = None
    steps: int | None = None
    batch_size: int = 64
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    real_share: float = 0.28
    workers: int = 1
    pause_s: float = 240.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        if self.minutes is None and self.steps is None:
            raise InvalidArgumentError("give minutes, steps or both as the length of the training.")

    def progress(self, *, step: int, elapsed_s: float) -> float:
        """Share of the training that is done, 0 to 1."""
        by_clock = 0.0 if self.minutes is None else elapsed_s / (60.0 * self.minutes)
        return min(1.0, max(by_clock, 0.0 if self.steps is None else step / self.steps))


def train_recognizer(settings: RecognizerTraining, *, alphabet: Alphabet = RUSSIAN) -> Path:
    """Train a reader, or go on with a run that was stopped.

    Args:
        settings: of the run; to go on, the same as before, but for the number of steps and workers and the pause.
        alphabet: characters of the network.

    Returns:
        The weights: averaged ones, float32 safetensors.

    Raises:
        DatasetError: a labelled set cannot be used at all.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    rng = np.random.default_rng(settings.seed)
    torch.manual_seed(settings.seed)
    run = RecognizerRun(settings, alphabet, network=ConvCtc(ConvCtcConfig(characters=len(alphabet.characters))))
    backgrounds = [] if settings.negatives is None else background_photographs(settings.negatives, count=400, rng=rng)
    images = run.usable(settings.labelled)
    batches = PlateBatches(
        alphabet,
        batch_size=settings.batch_size,
        real=load_real_plates(images, alphabet=alphabet, calibration=False),
        kinds=Kinds(real=settings.real_share),
        backgrounds=backgrounds,
        seed=settings.seed,
    )
    run.fit(batches, trials=validation_sets(batches, images=images, made_up=MADE_UP_TRIALS))
    return export_recognizer(settings.output)


class RecognizerRun:
    """The network, its optimizer and its average: all that changes from step to step.

    Args:
        settings: of the run; a checkpoint in their output folder is gone on with.
        alphabet: characters of the network.
        network: what is trained, with its first weights.
        origin: what the run was begun with besides its settings, by name; has to be the same to go on.

    Raises:
        InvalidArgumentError: the run was begun with other settings, or from elsewhere.
    """

    def __init__(
        self,
        settings: RecognizerTraining,
        alphabet: Alphabet,
        *,
        network: ConvCtc,
        origin: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.alphabet = alphabet
        self.origin: Mapping[str, str] = origin or {}
        self.network: ConvCtc = network.train().to(memory_format=torch.channels_last)
        self.optimizer: torch.optim.AdamW = torch.optim.AdamW(
            self.network.parameters(), lr=settings.learning_rate, weight_decay=1e-2
        )
        self.ema: ModelEma = ModelEma(self.network)
        self.descent: Descent = Descent(
            self.network, optimizer=self.optimizer, ema=self.ema, max_gradient=_MAX_GRADIENT
        )
        self.averaged: ConvCtc = ConvCtc(self.network.config).eval()
        self.step: int = 0
        self.elapsed_s: float = 0.0
        self._clock_s = time.monotonic()
        self.recent_losses: list[float] = []
        if (settings.output / CHECKPOINT).exists():
            self._resume(load_checkpoint(settings.output / CHECKPOINT))

    def fit(self, batches: Dataset[Batch], *, trials: Mapping[str, Sequence[Sample]]) -> None:
        """Train to the end, and leave the checkpoint, the log and the pictures.

        Args:
            batches: number ``i`` is for step ``i``.
            trials: plates to score at every pause, by name.
        """
        todo = _loader(batches, settings=self.settings, first=self.step) if self.progress < 1.0 else ()
        self._clock_s = time.monotonic()
        next_pause_s = self._clock_s + self.settings.pause_s
        with progress_bar(100, initial=round(100 * self.progress), description="reader, %") as bar:
            for batch in todo:
                loss = self.train_step(batch)
                bar.update(round(100 * self.progress) - bar.n)
                bar.set_postfix(step=self.step, loss=f"{loss:.3f}", refresh=False)
                if time.monotonic() >= next_pause_s or self.progress >= 1.0:
                    self.pause(trials)
                    next_pause_s = time.monotonic() + self.settings.pause_s
                if self.progress >= 1.0:
                    break
        self._draw_confusion(trials)

    def usable(self, folders: Sequence[Path]) -> list[LabelledImage]:
        """The pictures of all labelled sets; what cannot be used is counted in the log."""
        sets = [load_photographs(folder) for folder in folders]
        skipped = sum(one.skipped for one in sets)
        if skipped:
            report_skipped(skipped)
            append_log(self.settings.output / LOG, {"kind": "skipped", "count": skipped})
        return list(chain.from_iterable(one.images for one in sets))

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0 to 1."""
        return self.settings.progress(step=self.step, elapsed_s=self.elapsed_s)

    def train_step(self, batch: Batch) -> float:
        """Learn from one batch; returns its loss per character."""
        torch.manual_seed(self.settings.seed + self.step)  # so that dropout, too, is the same after an interruption
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)  # (N, 1, H, W)
        with fast_arithmetic():
            log_probs = cast(Tensor, self.network(pictures)).transpose(0, 1)  # (T, N, C + 1)
        steps = torch.full((log_probs.shape[1],), log_probs.shape[0])
        loss = functional.ctc_loss(log_probs, batch.targets, steps, batch.lengths, zero_infinity=True)
        self.descent.step(loss, rate=self._rate())
        self.step += 1
        now_s = time.monotonic()
        self.elapsed_s, self._clock_s = self.elapsed_s + now_s - self._clock_s, now_s
        self.recent_losses.append(float(loss.detach()))
        return self.recent_losses[-1]

    def pause(self, trials: Mapping[str, Sequence[Sample]]) -> None:
        """Validate the averaged network, write the log, the curves and the checkpoint."""
        row: dict[str, Any] = {"step": self.step, "plates": self.step * self.settings.batch_size}
        losses = [loss for loss in self.recent_losses if math.isfinite(loss)]
        row |= {"loss": float(np.mean(losses)) if losses else None}
        row |= {"elapsed_s": self.elapsed_s, "learning_rate": self._rate()}
        row["skipped_steps"] = self.descent.skipped
        for name, samples in trials.items():
            row |= _figures(name, self.read(samples))
        self.recent_losses.clear()
        log = self.settings.output / LOG
        append_log(log, row)
        draw_curves(read_log(log), self.settings.output / "curves.png", panels=_PANELS)
        self._save()

    def read(self, samples: Sequence[Sample]) -> list[tuple[str, str]]:
        """Pairs (true text, text read), read greedily by the averaged network."""
        self.averaged.load_state_dict(self.ema.tensors)
        texts: list[str] = []
        for start in range(0, len(samples), 64):
            batch = to_batch(samples[start : start + 64], alphabet=self.alphabet, size_px=self._size_px)
            with torch.inference_mode():
                log_probs = cast(Tensor, self.averaged(batch.pictures))  # (N, T, C + 1)
            paths = cast("list[list[int]]", log_probs.argmax(dim=-1).tolist())  # (N, T)
            texts += [decode_label(collapse(path), alphabet=self.alphabet) for path in paths]
        return list(zip([sample.text for sample in samples], texts, strict=True))

    def recognizer(self) -> CtcRecognizer:
        """The averaged network as a part of a pipeline; training may go on."""
        self.averaged.load_state_dict(self.ema.tensors)
        return CtcRecognizer(TorchRuntime(folded(copy.deepcopy(self.averaged))), self.alphabet, self._size_px)

    @property
    def _size_px(self) -> tuple[int, int]:
        return self.network.config.height_px, self.network.config.width_px

    def _draw_confusion(self, trials: Mapping[str, Sequence[Sample]]) -> None:
        samples = list(chain.from_iterable(trials.values()))
        counts = confusion_counts(self.read(samples), alphabet=self.alphabet)
        title = f"characters of {len(samples)} validation plates ({', '.join(trials)})"
        path = self.settings.output / "confusion.png"
        draw_confusion(counts, path, names=["-", *self.alphabet.characters], title=title)

    def _save(self) -> None:
        tensors = {
            **prefixed("network", self.network.state_dict()),
            **prefixed("ema", self.ema.tensors),
            **prefixed("optimizer", optimizer_tensors(self.optimizer)),
        }
        scalars = {"step": self.step, "elapsed_s": self.elapsed_s, "settings": self._fixed()}
        save_checkpoint(self.settings.output / CHECKPOINT, Checkpoint(tensors, scalars))

    def _fixed(self) -> dict[str, Any]:
        """What has to stay the same when the run goes on."""
        chosen = {name: getattr(self.settings, name) for name in _FIXED}
        return {"alphabet": self.alphabet.characters, **chosen, **self.origin}

    def _resume(self, checkpoint: Checkpoint) -> None:
        check_unchanged(checkpoint.scalars.get("settings", {}), self._fixed())
        restore_network(self.network, checkpoint.group("network"))
        self.ema.tensors = checkpoint.group("ema")
        restore_optimizer(self.optimizer, checkpoint.group("optimizer"))
        self.step = self.ema.updates = int(checkpoint.scalars["step"])
        self.elapsed_s = float(checkpoint.scalars["elapsed_s"])

    def _rate(self) -> float:
        """Linear warm-up, then half a cosine down to a hundredth."""
        rise = min(1.0, (self.step + 1) / max(self.settings.warmup_steps, 1))
        return self.settings.learning_rate * rise * (0.01 + 0.99 * (1 + math.cos(math.pi * self.progress)) / 2)


def export_recognizer(output: Path) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` as float32 beside it, also while a run goes on."""
    write_tensors(output / WEIGHTS, load_checkpoint(output / CHECKPOINT).group("ema"))
    return output / WEIGHTS


def _figures(name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, float | None]:
    """Share of exact texts and character error rate of pairs (true, read), named for the log."""
    exact = sum(true == read for true, read in pairs) / len(pairs)
    return {f"{name}_exact": exact, f"{name}_cer": character_error_rate(pairs), f"{name}_n": len(pairs)}


def _loader(batches: Dataset[Batch], *, settings: RecognizerTraining, first: int) -> DataLoader[Batch]:
    """Batches ``first``, ``first + 1``, ... in order, made ahead by polite workers."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, settings.steps or _ENDLESS),
        num_workers=settings.workers,
        multiprocessing_context="spawn" if settings.workers else None,
        prefetch_factor=8 if settings.workers else None,
        worker_init_fn=_be_polite,
    )


def _be_polite(worker: int) -> None:
    """Let the network go first, and keep OpenCV from starting a thread for every core in every worker."""
    del worker
    cv2.setNumThreads(0)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(5)


def validation_sets(batches: PlateBatches, *, images: Sequence[LabelledImage], made_up: int) -> dict[str, list[Sample]]:
    """Fixed plates to score: labelled ones as they are and disturbed, and made-up ones of all kinds.

    Args:
        batches: what is trained on; no plate of it is among them.
        images: of all labelled sets, of which the calibration fifth is taken.
        made_up: number of made-up plates.
    """
    rng = np.random.default_rng((batches.seed, 2**40))
    maker = PlateBatches(batches.alphabet, batch_size=1, backgrounds=batches.backgrounds, seed=batches.seed)
    trials = {"synthetic": [maker.sample(rng) for _ in range(made_up)]}
    kept = [one for one in load_real_plates(images, alphabet=batches.alphabet, calibration=True) if is_russian(one)]
    if kept:
        trials |= {"real": exact_crops(kept), "jittered": jittered_crops(kept * 3, rng=rng)}
    return trials
