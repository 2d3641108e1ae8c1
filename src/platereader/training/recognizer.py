"""Train the reader: plates made up on the fly, some labelled ones among them, CTC, one loop from top to bottom."""

from __future__ import annotations

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
from torch.utils.data import DataLoader

from platereader.arrays import BgrImage
from platereader.ctc import collapse
from platereader.datasets import LabelledImage
from platereader.evaluation.metrics import character_error_rate
from platereader.plates.alphabet import RUSSIAN, Alphabet
from platereader.recognition.crnn import Crnn, CrnnConfig
from platereader.runtimes.tensors import write_tensors
from platereader.training.arithmetic import fast_arithmetic
from platereader.training.checkpoint import (
    Checkpoint,
    ModelEma,
    load_checkpoint,
    optimizer_tensors,
    prefixed,
    restore_network,
    restore_optimizer,
    save_checkpoint,
)
from platereader.training.confusion import confusion_counts
from platereader.training.descent import Descent
from platereader.training.photographs import load_photographs, report_skipped
from platereader.training.recognizer_data import (
    Batch,
    PlateBatches,
    Sample,
    background_photographs,
    exact_crops,
    jittered_crops,
    load_real_plates,
    to_batch,
)
from platereader.training.report import append_log, check_plotting, draw_confusion, draw_curves, progress_bar, read_log
from platereader.training.settings import check_ranges, check_unchanged

__all__ = ["RecognizerTraining", "export_recognizer", "train_recognizer"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerTraining:
    """Settings of one run.

    Attributes:
        output: folder of the checkpoint, the log, the weights and the pictures.
        labelled: labelled sets to mix in; their calibration fifth validates.
        negatives: labelled set whose pictures without plates are backgrounds; None makes backgrounds up.
        steps: optimizer steps.
        batch_size: plates a step.
        learning_rate: highest one, after the warm-up.
        warmup_steps: steps until then.
        real_share: share of labelled plates in a batch, 0 to 1.
        workers: processes that make batches; 0 makes them in the loop.
        pause_s: seconds between two validations, at which the checkpoint is written too.
        seed: of the weights and of every batch.

    Raises:
        InvalidArgumentError: a value is out of range.
    """

    output: Path
    labelled: tuple[Path, ...] = ()
    negatives: Path | None = None
    steps: int = 8000
    batch_size: int = 64
    learning_rate: float = 2e-3
    warmup_steps: int = 300
    real_share: float = 0.28
    workers: int = 1
    pause_s: float = 240.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)


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
        MissingDependencyError: matplotlib, of the extra ``train``, is not installed.
    """
    check_plotting()
    rng = np.random.default_rng(settings.seed)
    run = _Run(settings, alphabet)
    backgrounds = [] if settings.negatives is None else background_photographs(settings.negatives, count=200, rng=rng)
    images = run.usable(settings.labelled)
    real = load_real_plates(images, alphabet=alphabet, calibration=False)
    batches = PlateBatches(
        alphabet,
        batch_size=settings.batch_size,
        real=real,
        real_share=settings.real_share,
        backgrounds=backgrounds,
        seed=settings.seed,
    )
    trials = _validation_sets(settings, alphabet=alphabet, images=images, backgrounds=backgrounds)
    bar = progress_bar(settings.steps, initial=run.step, description="reader")
    next_pause_s = time.monotonic() + settings.pause_s
    for batch in _loader(batches, settings=settings, first=run.step):
        loss = run.train_step(batch)
        bar.update()
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        if time.monotonic() >= next_pause_s or run.step == settings.steps:
            run.pause(trials)
            next_pause_s = time.monotonic() + settings.pause_s
    bar.close()
    return run.finish(trials)


class _Run:
    """The network, its optimizer and its average: all that changes from step to step."""

    def __init__(self, settings: RecognizerTraining, alphabet: Alphabet) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.alphabet = alphabet
        self.network = Crnn(CrnnConfig(classes=alphabet.size)).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=settings.learning_rate, weight_decay=1e-2)
        self.ema = ModelEma(self.network)
        self.descent = Descent(self.network, optimizer=self.optimizer, ema=self.ema, max_gradient=_MAX_GRADIENT)
        self.averaged = Crnn(self.network.config).eval()
        self.step = 0
        self.recent_losses: list[float] = []
        if (settings.output / CHECKPOINT).exists():
            self._resume(load_checkpoint(settings.output / CHECKPOINT))

    def usable(self, folders: Sequence[Path]) -> list[LabelledImage]:
        """The pictures of all labelled sets; what cannot be used is counted in the log."""
        sets = [load_photographs(folder) for folder in folders]
        skipped = sum(one.skipped for one in sets)
        if skipped:
            report_skipped(skipped)
            append_log(self.settings.output / LOG, {"kind": "skipped", "count": skipped})
        return list(chain.from_iterable(one.images for one in sets))

    def train_step(self, batch: Batch) -> float:
        """Learn from one batch; returns its loss per character."""
        torch.manual_seed(self.settings.seed + self.step)  # so that dropout, too, is the same after an interruption
        pictures = batch.pictures.contiguous(memory_format=torch.channels_last)  # (N, 1, H, W)
        with fast_arithmetic():
            log_probs = cast(Tensor, self.network(pictures)).transpose(0, 1)  # (T, N, C)
        steps = torch.full((log_probs.shape[1],), log_probs.shape[0])
        loss = functional.ctc_loss(log_probs, batch.targets, steps, batch.lengths, zero_infinity=True)
        self.descent.step(loss, rate=_learning_rate(self.step, self.settings))
        self.step += 1
        self.recent_losses.append(float(loss.detach()))
        return self.recent_losses[-1]

    def pause(self, trials: Mapping[str, Sequence[Sample]]) -> None:
        """Validate the averaged network, write the log, the curves and the checkpoint."""
        row: dict[str, Any] = {"step": self.step, "plates": self.step * self.settings.batch_size}
        losses = [loss for loss in self.recent_losses if math.isfinite(loss)]
        row |= {"loss": float(np.mean(losses)) if losses else None}
        row |= {"learning_rate": _learning_rate(self.step, self.settings)}
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
            batch = to_batch(samples[start : start + 64], alphabet=self.alphabet)
            with torch.inference_mode():
                log_probs = cast(Tensor, self.averaged(batch.pictures))  # (N, T, C)
            paths = cast("list[list[int]]", log_probs.argmax(dim=-1).tolist())  # (N, T)
            texts += [self.alphabet.decode(collapse(path)) for path in paths]
        return list(zip([sample.text for sample in samples], texts, strict=True))

    def finish(self, trials: Mapping[str, Sequence[Sample]]) -> Path:
        """Draw the confusion matrix and write the averaged weights."""
        samples = list(chain.from_iterable(trials.values()))
        counts = confusion_counts(self.read(samples), alphabet=self.alphabet)
        title = f"characters of {len(samples)} validation plates ({', '.join(trials)})"
        path = self.settings.output / "confusion.png"
        draw_confusion(counts, path, names=["-", *self.alphabet.characters], title=title)
        return export_recognizer(self.settings.output)

    def _save(self) -> None:
        tensors = {
            **prefixed("network", self.network.state_dict()),
            **prefixed("ema", self.ema.tensors),
            **prefixed("optimizer", optimizer_tensors(self.optimizer)),
        }
        scalars = {"step": self.step, "settings": self._fixed()}
        save_checkpoint(self.settings.output / CHECKPOINT, Checkpoint(tensors, scalars))

    def _fixed(self) -> dict[str, Any]:
        """What has to stay the same when the run goes on."""
        return {"alphabet": self.alphabet.characters, **{name: getattr(self.settings, name) for name in _FIXED}}

    def _resume(self, checkpoint: Checkpoint) -> None:
        check_unchanged(checkpoint.scalars.get("settings", {}), self._fixed())
        restore_network(self.network, checkpoint.group("network"))
        self.ema.tensors = checkpoint.group("ema")
        restore_optimizer(self.optimizer, checkpoint.group("optimizer"))
        self.step = self.ema.updates = int(checkpoint.scalars["step"])


def export_recognizer(output: Path) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` as float32 beside it, also while a run goes on."""
    write_tensors(output / WEIGHTS, load_checkpoint(output / CHECKPOINT).group("ema"))
    return output / WEIGHTS


def _figures(name: str, pairs: Sequence[tuple[str, str]]) -> dict[str, float | None]:
    """Share of exact texts and character error rate of pairs (true, read), named for the log."""
    exact = sum(true == read for true, read in pairs) / len(pairs)
    return {f"{name}_exact": exact, f"{name}_cer": character_error_rate(pairs), f"{name}_n": len(pairs)}


def _learning_rate(step: int, settings: RecognizerTraining) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    done = (step - settings.warmup_steps) / max(settings.steps - settings.warmup_steps, 1)
    return settings.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1.0))) / 2)


def _loader(batches: PlateBatches, *, settings: RecognizerTraining, first: int) -> DataLoader[Batch]:
    """Batches ``first``, ``first + 1``, ... in order, made ahead by polite workers."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, settings.steps),
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


def _validation_sets(
    settings: RecognizerTraining,
    *,
    alphabet: Alphabet,
    images: Sequence[LabelledImage],
    backgrounds: Sequence[BgrImage],
) -> dict[str, list[Sample]]:
    """Fixed plates to score: labelled ones as they are and disturbed, and made-up ones."""
    rng = np.random.default_rng((settings.seed, 2**40))
    made_up = PlateBatches(alphabet, batch_size=1, real=(), real_share=0.0, backgrounds=backgrounds, seed=settings.seed)
    trials = {"synthetic": [made_up.sample(rng) for _ in range(MADE_UP_TRIALS)]}
    kept = load_real_plates(images, alphabet=alphabet, calibration=True)
    if kept:
        trials |= {"real": exact_crops(kept), "jittered": jittered_crops(kept * 3, rng=rng)}
    return trials
