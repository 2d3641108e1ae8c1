"""Train the plate detector: one loop, from random weights to a float16 file, that can stop and go on at any time."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from platereader.detection.network import PlateNetwork
from platereader.errors import InvalidArgumentError
from platereader.training.checkpoint import (
    Checkpoint,
    ModelEma,
    half_precision,
    load_checkpoint,
    optimizer_tensors,
    prefixed,
    restore_optimizer,
    save_checkpoint,
)
from platereader.runtimes.tensors import write_tensors
from platereader.training.detector_data import Batch, TileStream
from platereader.training.detector_loss import DetectorLoss, Losses
from platereader.training.detector_validation import validation_slice, validate

CHECKPOINT_NAME = "checkpoint.safetensors"
"""Everything to go on with; removed by nobody."""

LOG_NAME = "log.jsonl"
"""One JSON object a line: ``train`` every ``log_every_steps``, ``validation`` every ``validate_every_s``."""

WEIGHTS_NAME = "plate_detector.safetensors"
"""The running average of the weights as float16."""


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

    def progress(self, *, step: int, elapsed_s: float) -> float:
        """How much of the training is done, 0 to 1."""
        done = step / self.steps if self.steps is not None else elapsed_s / (60.0 * (self.minutes or 1.0))
        return min(1.0, done)

    def rate(self, *, step: int, progress: float) -> float:
        """The learning rate of a step."""
        rise = min(1.0, (step + 1) / self.warmup_steps)
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * progress))


def train_detector(data: Path, out: Path, *, training: DetectorTraining) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoint in ``out``.

    Args:
        data: a folder with ``russian``, ``more``, ``other`` and ``negatives``, each with ``labels.jsonl``.
        out: folder for checkpoint, log and weights; made if missing.
        training: how long and how.

    Returns:
        The weights as a float16 safetensors file, for ``YoloDetector.from_file``.

    Raises:
        DatasetError: the photographs cannot be used.
        WeightsCorruptError: the checkpoint is damaged.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(training.seed)
    network = PlateNetwork().train().to(memory_format=torch.channels_last)
    ema = ModelEma(network)
    optimizer = _optimizer(network, training)
    step, elapsed_s = _resume(out / CHECKPOINT_NAME, network, ema, optimizer)
    progress = _shared(training.progress(step=step, elapsed_s=elapsed_s))
    loss_of, slice_ = DetectorLoss(), validation_slice(data)
    saved_s = validated_s = elapsed_s
    clock_s = time.perf_counter()

    for batch in _batches(data, progress=progress, seed=training.seed + step, workers=training.workers):
        done = training.progress(step=step, elapsed_s=elapsed_s)
        progress[0] = done
        if done >= 1.0:
            break
        for group in optimizer.param_groups:
            group["lr"] = training.rate(step=step, progress=done)

        pictures = batch.pictures.to(memory_format=torch.channels_last).float() / 255  # (N, 3, H, W)
        with _fast_arithmetic():
            outputs = network(pictures)  # (N, 64, A), (N, 2, A), (N, 8, A)
        losses = loss_of(outputs, batch.targets, size=(pictures.shape[2], pictures.shape[3]))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses.total)
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), training.max_gradient)
        optimizer.step()
        ema.update(network)

        step += 1
        elapsed_s, clock_s = elapsed_s + time.perf_counter() - clock_s, time.perf_counter()
        if step % training.log_every_steps == 0:
            _log(
                out,
                kind="train",
                step=step,
                elapsed_s=round(elapsed_s, 1),
                progress=round(done, 4),
                **_figures(losses, norm),
            )
        if elapsed_s - saved_s > training.save_every_s:
            saved_s = elapsed_s
            _save(out / CHECKPOINT_NAME, network, ema, optimizer, step=step, elapsed_s=elapsed_s)
        if elapsed_s - validated_s > training.validate_every_s:
            validated_s = elapsed_s
            _log(out, kind="validation", step=step, progress=done, **asdict(validate(ema.tensors, slice_)))

    _save(out / CHECKPOINT_NAME, network, ema, optimizer, step=step, elapsed_s=elapsed_s)
    _log(out, kind="validation", step=step, progress=1.0, **asdict(validate(ema.tensors, slice_)))
    return export_detector(out)


def export_detector(out: Path) -> Path:
    """Write the weights of the checkpoint in ``out`` as float16 beside it, also while a training still runs."""
    tensors = load_checkpoint(out / CHECKPOINT_NAME).group("ema")
    write_tensors(out / WEIGHTS_NAME, half_precision(tensors))
    return out / WEIGHTS_NAME


def _batches(data: Path, *, progress: Tensor, seed: int, workers: int) -> Iterator[Batch]:
    """Batches from worker processes, or made in this one when there are none."""
    stream = TileStream(data, progress=progress, seed=seed)
    if workers == 0:
        yield from stream
        return
    loader: DataLoader[Batch] = DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context="spawn", prefetch_factor=4
    )
    yield from loader


def _optimizer(network: PlateNetwork, training: DetectorTraining) -> torch.optim.AdamW:
    """AdamW that decays weights but neither biases nor normalisation."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": training.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=training.learning_rate)


@contextlib.contextmanager
def _fast_arithmetic() -> Generator[None]:
    """bf16 where the CPU multiplies bf16 matrices (AMX): 3 to 6 times faster there, twice as slow elsewhere."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_has_amx()):
        yield


def _has_amx() -> bool:
    """Whether the CPU has AMX, which torch offers no public question for."""
    return bool(cast("Any", torch.cpu)._is_amx_tile_supported())  # noqa: SLF001


def _shared(value: float) -> Tensor:
    """A number ``(1,)`` that worker processes see change."""
    tensor = torch.tensor([value])
    cast("Any", tensor).share_memory_()
    return tensor


def _resume(path: Path, network: PlateNetwork, ema: ModelEma, optimizer: torch.optim.AdamW) -> tuple[int, float]:
    """Take up a checkpoint if there is one; the step and the seconds of training so far."""
    if not path.exists():
        return 0, 0.0
    checkpoint = load_checkpoint(path)
    network.load_state_dict(checkpoint.group("network"))
    ema.tensors.update(checkpoint.group("ema"))
    ema.updates = int(checkpoint.scalars["ema_updates"])
    restore_optimizer(optimizer, checkpoint.group("optimizer"))
    return int(checkpoint.scalars["step"]), float(checkpoint.scalars["elapsed_s"])


def _save(
    path: Path, network: PlateNetwork, ema: ModelEma, optimizer: torch.optim.AdamW, *, step: int, elapsed_s: float
) -> None:
    """Write everything to go on with."""
    tensors = prefixed("network", network.state_dict())
    tensors |= prefixed("ema", ema.tensors) | prefixed("optimizer", optimizer_tensors(optimizer))
    save_checkpoint(path, Checkpoint(tensors, {"step": step, "elapsed_s": elapsed_s, "ema_updates": ema.updates}))


def _figures(losses: Losses, norm: Tensor) -> dict[str, float]:
    """The parts of the loss and the norm of the gradient before it was cut."""
    parts = {"classes": losses.classes, "boxes": losses.boxes, "sides": losses.sides, "corners": losses.corners}
    return {name: round(part.item(), 4) for name, part in (parts | {"gradient": norm}).items()}


def _log(out: Path, **values: object) -> None:
    """Add a line to the log."""
    with (out / LOG_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
