"""Train the reader: plates made up on the fly, labelled ones among them, CTC."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from platereader._dependencies import check_installed
from platereader.errors import DatasetError, InvalidArgumentError
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.datasets.plates import RealPlate, with_corners
from platereader.lab.metrics.rates import Rate, character_error_rate
from platereader.lab.synthesis.neighbours import NEIGHBOURS
from platereader.lab.tables import show_rate
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop, last_validation, record_of
from platereader.lab.training.optimizer_step import fast_arithmetic
from platereader.lab.training.recognizer.comparison import read_greedily
from platereader.lab.training.recognizer.data import (
    Batch,
    Kinds,
    PlateBatches,
    Sample,
    background_photographs,
    exact_crops,
    held_out_plates,
    jittered_crops,
    training_plates,
)
from platereader.lab.training.report import Figures, confusion_counts, describe_weights, draw_confusion
from platereader.lab.training.settings import TrainingSettings, check_ranges
from platereader.plates import LATIN_36, Alphabet
from platereader.protocols import Detector
from platereader.recognition._network import ConvCtc, network_from_state
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import ConvCtcConfig, shape_of
from platereader.registry import WeightFile
from platereader.runtimes._tensors import tensors_of, write_tensors
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

WEIGHTS_NAME = "recognizer.safetensors"
"""The average of the weights as float32."""

SYNTHETIC_PLATES = 512
"""Made-up plates that a validation reads."""

ALPHABET: Final = Alphabet(LATIN_36.characters, ("RU", *(scheme.country for scheme in NEIGHBOURS)))
"""What the reader tells apart: digits, Latin letters, and the marks of Russia and its neighbours."""

_PANELS = (
    ("loss",),
    ("real_exact", "jittered_exact", "synthetic_exact"),
    ("real_cer", "jittered_cer", "synthetic_cer"),
)
_RANGES = {"batch_size": (1, math.inf), "real_share": (0.0, 1.0)}
_SETS = {"real": "labelled plates", "jittered": "labelled plates, disturbed", "synthetic": "made-up plates"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerTraining(TrainingSettings):
    """How long and how to train a reader; ``real_share`` is that of labelled plates in a batch, 0 to 1."""

    learning_rate: float = 2e-3
    final_rate_share: float = 0.01
    warmup_steps: int = 300
    max_gradient: float = 5.0
    validate_every_s: float = 240.0
    batch_size: int = 64
    real_share: float = 0.28

    def __post_init__(self) -> None:
        TrainingSettings.__post_init__(self)
        check_ranges(self, _RANGES)


def train_recognizer(
    labelled: Sequence[Path],
    *,
    output: Path,
    training: RecognizerTraining,
    negatives: Path | None = None,
    detector: Detector | None = None,
    start: WeightFile | None = None,
    alphabet: Alphabet = ALPHABET,
) -> Path:
    """Train a reader, or go on with a run that was stopped.

    Args:
        labelled: labelled sets to mix in, of which the calibration fifth validates; without any all plates are made up.
        output: folder for weights, checkpoint, log and pictures; made if missing.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        negatives: labelled set whose pictures without plates are backgrounds; None makes backgrounds up.
        detector: finds the corners of labelled plates that have none; None leaves those plates out.
        start: float weights to begin with, whose shape and alphabet stay; None for random ones.
        alphabet: characters and marks that a network with random weights tells apart.

    Returns:
        The weights, a float32 safetensors file beside its sidecar and card: ``Registry.resolve`` takes its path.

    Raises:
        DatasetError: a labelled set cannot be used at all, or all of them together have no plate to train on.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
        WeightsCorruptError: a checkpoint or ``start`` is damaged.
    """
    check_installed("matplotlib")
    torch.manual_seed(training.seed)
    if start is None:
        network = ConvCtc(ConvCtcConfig(len(alphabet.characters), marks=alphabet.marks, ends=2))
    else:
        alphabet, network = network_of(start)
    origin = {} if start is None else {"start": start.sha256}
    run = RecognizerRun(network, output=output, training=training, alphabet=alphabet, origin=origin)
    images = with_corners(run.usable(labelled), detector)
    real = training_plates(images, alphabet=alphabet)
    if labelled and not real:
        names = ", ".join(map(str, labelled))
        raise DatasetError(f"{names} has no plate with a text and a place to train on: expected are some, or no DATA.")
    batches = run.batches(real, kinds=Kinds(real=training.real_share), negatives=negatives)
    run.fit(batches, validation=validation_sets(batches, images=images, made_up=SYNTHETIC_PLATES))
    return write_recognizer_weights(output, start=start, data=labelled)


def network_of(weights: WeightFile) -> tuple[Alphabet, ConvCtc]:
    """The network of float weights, to train further, and its alphabet.

    Raises:
        InvalidArgumentError: they are int8 weights.
        WeightsCorruptError: they are of another network.
    """
    if weights.entry.precision == "int8":
        raise InvalidArgumentError(
            f"start is {weights.path}, which are int8 weights: give the fp32 file that they were made from."
        )
    alphabet, config = shape_of(weights.settings, alphabet=weights.entry.alphabet)
    name = str(weights.path)
    return alphabet, network_from_state(tensors_of(weights.data, name=name), config=config, name=name)


class RecognizerRun:
    """One training of a reader, or the one whose checkpoint is in ``output`` resumed; ``loop`` has steps and log.

    Raises:
        InvalidArgumentError: the run was begun with other settings or another ``origin``.
        WeightsCorruptError: the checkpoint is damaged.
    """

    def __init__(
        self,
        network: ConvCtc,
        *,
        output: Path,
        training: RecognizerTraining,
        alphabet: Alphabet,
        origin: Mapping[str, str],
    ) -> None:
        self.alphabet = alphabet
        self.training = training
        self.network: ConvCtc = network.train().to(memory_format=torch.channels_last)
        self.loop: TrainingLoop = TrainingLoop(
            network,
            output=output,
            settings=training,
            optimizer=torch.optim.AdamW(
                network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
            ),
            origin={"alphabet": alphabet.characters, "shape": network.config.to_settings(), **origin},
            panels=_PANELS,
        )
        self._averaged: ConvCtc = ConvCtc(network.config).eval()

    def fit(self, batches: Dataset[Batch], *, validation: Mapping[str, Sequence[Sample]]) -> None:
        """Train to the end; nothing is done if that was reached before. Then draw the confusion matrix.

        The plates of ``validation`` are read at every validation. Raises as ``TrainingLoop.fit``.
        """

        def loss_of(batch: Batch) -> dict[str, Tensor]:
            pictures = batch.pictures.contiguous(memory_format=torch.channels_last)  # (N, 3, H, W)
            with fast_arithmetic():
                log_probs = cast(Tensor, self.network(pictures)).transpose(0, 1)  # (T, N, C + 1)
            steps = torch.full((log_probs.shape[1],), log_probs.shape[0])  # (N,)
            # A mean over plates of the loss per character.
            return {"loss": functional.ctc_loss(log_probs, batch.targets, steps, batch.lengths, zero_infinity=True)}

        def validate(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
            figures: dict[str, Any] = {}
            for name, samples in validation.items():
                pairs = self._read(samples, tensors)
                exact = sum(true == read for true, read in pairs) / len(pairs)
                figures |= {f"{name}_exact": exact, f"{name}_cer": character_error_rate(pairs), f"{name}_n": len(pairs)}
            return figures

        self.loop.fit(batches, loss_of=loss_of, validate=validate)
        samples = list(chain.from_iterable(validation.values()))
        counts = confusion_counts(self._read(samples, self.loop.ema.tensors), alphabet=self.alphabet)
        title = f"characters of {len(samples)} validation plates ({', '.join(validation)})"
        draw_confusion(counts, self.loop.output / "confusion.png", names=["-", *self.alphabet.characters], title=title)

    def usable(self, folders: Sequence[Path]) -> list[LabelledImage]:
        """The pictures of all labelled sets; what cannot be used is counted in the log."""
        sets = [load_photographs(folder) for folder in folders]
        self.loop.report_skipped(sum(len(one.skipped) for one in sets))
        return list(chain.from_iterable(one.images for one in sets))

    def batches(self, real: Sequence[RealPlate], *, kinds: Kinds, negatives: Path | None) -> PlateBatches:
        """Labelled plates among made-up ones; of ``negatives``, a labelled set, pictures without plates show behind."""
        rng = np.random.default_rng(self.training.seed)
        return PlateBatches(
            self.alphabet,
            config=self.network.config,
            batch_size=self.training.batch_size,
            real=real,
            kinds=kinds,
            backgrounds=background_photographs(negatives, count=400, rng=rng),
            seed=self.training.seed,
        )

    def recognizer(self) -> CtcRecognizer:
        """The averaged network as a part of a pipeline; training may go on."""
        self._averaged.load_state_dict(self.loop.ema.tensors)
        runtime = TorchRuntime(fuse_normalisation(copy.deepcopy(self._averaged)))
        config = self.network.config
        return CtcRecognizer(runtime, self.alphabet, config.size_px, config.ends > 0)

    def _read(self, samples: Sequence[Sample], tensors: Mapping[str, Tensor]) -> list[tuple[str, str]]:
        """Pairs (true text, text read), read greedily by a network with these weights."""
        self._averaged.load_state_dict(tensors)
        runtime, config = TorchRuntime(self._averaged), self.network.config
        texts = read_greedily(runtime, samples, alphabet=self.alphabet, config=config)
        return list(zip([sample.text for sample in samples], texts, strict=True))


def write_recognizer_weights(
    output: Path,
    *,
    calibration: Mapping[str, Any] | None = None,
    start: WeightFile | None = None,
    data: Sequence[Path] = (),
    figures: Figures | None = None,
) -> Path:
    """Write the averaged weights of the checkpoint in ``output`` beside it, with sidecar and card.

    That may be done while a training still runs. ``calibration`` is that of its confidence. For the card are the
    folders of ``data`` and the ``figures``; None takes those of the last validation.
    """
    weights = output / WEIGHTS_NAME
    write_tensors(weights, load_checkpoint(output / CHECKPOINT_NAME).group("ema"))
    record = record_of(output, start=start, data=data, figures=figures or _exact_matches(last_validation(output)))
    describe_weights(
        weights,
        record,
        kind="recognizer",
        settings=record.settings["shape"],
        alphabet=record.settings["alphabet"],
        calibration=calibration,
    )
    return weights


def _exact_matches(row: Mapping[str, Any]) -> Figures:
    """Exact match of each set of a validation, for the card."""
    rows: list[tuple[str, str]] = []
    for name, title in _SETS.items():
        if f"{name}_exact" in row:
            n = row[f"{name}_n"]
            rows.append((f"{title}, whole text right, greedy", show_rate(Rate(round(row[f"{name}_exact"] * n), n))))
    return rows


def validation_sets(
    batches: PlateBatches, *, images: Sequence[LabelledImage], made_up: int, detector: Detector | None = None
) -> dict[str, list[Sample]]:
    """Fixed plates to score: ``made_up`` ones of all kinds, and ``held_out_plates`` as they are and disturbed.

    No plate that is trained on in ``batches`` is among them.
    """
    rng = np.random.default_rng((batches.seed, 2**40))
    maker = replace(batches, real=(), kinds=Kinds())
    sets = {"synthetic": [maker.sample(rng) for _ in range(made_up)]}
    held_out = held_out_plates(images, alphabet=batches.alphabet, detector=detector)
    if held_out:
        sets |= {"real": exact_crops(held_out), "jittered": jittered_crops(held_out * 3, rng=rng)}
    return sets
