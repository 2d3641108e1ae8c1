"""Train a detector: its finder first, then the refiner on what the finder proposes, then how their scores combine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from platereader._dependencies import check_installed
from platereader._loading import DetectorFiles
from platereader.detection._finder import Finder
from platereader.detection._finder_network import DEFAULT_WIDTHS, FinderNetwork, finder_from_state
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._refiner import Refiner
from platereader.detection._refiner_network import RefinerNetwork, refiner_from_state
from platereader.lab.training.card import Figures, describe_weights
from platereader.lab.training.checkpoint import half_precision
from platereader.lab.training.detector.combination import PairSettings, fit_pair
from platereader.lab.training.detector.comparison import PictureSet, score_detector, score_rows
from platereader.lab.training.detector.data import TileMaker
from platereader.lab.training.detector.material import detector_material, load_sets
from platereader.lab.training.finder.train import train_finder
from platereader.lab.training.finder.validation import held_out
from platereader.lab.training.loop import TrainingLoop, record_of
from platereader.lab.training.refiner.train import train_refiner
from platereader.lab.training.settings import TrainingSettings
from platereader.registry import Kind
from platereader.runtimes._tensors import tensors_of, write_tensors
from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

__all__ = [
    "FINDER_NAME",
    "REFINER_NAME",
    "DetectorTraining",
    "averaged_finder",
    "averaged_refiner",
    "networks_of",
    "train_detector",
    "write_detector",
]

FINDER_NAME: Final = "plate_finder.safetensors"
"""The weights that a detector is loaded by; their settings name the refiner's."""

REFINER_NAME: Final = "plate_refiner.safetensors"
"""The weights of the refiner, beside those of the finder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraining(TrainingSettings):
    """How long and how to train the networks of a detector; lengths are those of both together.

    Attributes:
        weight_decay: of weights with two or more dimensions.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 0.02

    def split(self) -> tuple[DetectorTraining, DetectorTraining]:
        """The training of the finder, with two thirds of the time and the steps, and that of the refiner."""
        shares = (2 / 3, 1 / 3)
        first, second = (
            replace(
                self,
                minutes=None if self.minutes is None else share * self.minutes,
                steps=None if self.steps is None else max(1, round(share * self.steps)),
            )
            for share in shares
        )
        return first, second


def networks_of(files: DetectorFiles) -> tuple[FinderNetwork, RefinerNetwork]:
    """Finder and refiner with the weights of safetensors files, to train further.

    Raises:
        WeightsCorruptError: the weights are of other networks.
    """
    first, second = str(files.finder.path), str(files.refiner.path)
    return (
        finder_from_state(tensors_of(files.finder.data, name=first), name=first),
        refiner_from_state(tensors_of(files.refiner.data, name=second), name=second),
    )


def train_detector(
    data: Path,
    *,
    output: Path,
    training: DetectorTraining,
    start: DetectorFiles | None = None,
    widths: Sequence[int] = DEFAULT_WIDTHS,
) -> Path:
    """Train on the photographs under ``data``, or go on from the checkpoints in ``output``.

    Args:
        data: a folder of labelled sets, or one labelled set; see ``load_sets``.
        output: folder for the weights; each network has a folder for checkpoint, log and curves in it.
        training: how long and how; to go on, the same as before, but for lengths, intervals and workers.
        start: weights to begin with, whose settings are handed on; None for random ones.
        widths: channels of a finder with random weights, as of ``FinderNetwork``.

    Returns:
        The finder's weights, a float16 safetensors file beside its sidecar, its card and the refiner's:
        ``Registry.resolve`` takes its path.

    Raises:
        DatasetError: the photographs cannot be used, or too little is known of their plates.
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: a checkpoint or a file of ``start`` is damaged.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    torch.manual_seed(training.seed)
    first, second = (FinderNetwork(widths), RefinerNetwork()) if start is None else networks_of(start)
    sets = load_sets(data)
    photographs, draw = held_out(sets), TileMaker(detector_material(sets)).scene
    finding, refining = training.split()
    began = None if start is None else [file.sha256 for file in start]
    origin = {"widths": list(first.widths), "start": began}
    finder_loop = train_finder(
        first.train(), draw, photographs=photographs, output=output / "finder", training=finding, origin=origin
    )
    finder_loop.report_skipped(sets.skipped)
    given = {} if start is None else dict(start.finder.settings.get("finder", {}))
    finder = Finder(TorchRuntime(averaged_finder(finder_loop.ema.tensors)), **given)
    kept = {name: getattr(finder, name) for name in ("input_size", "largest_shrink", "min_score", "max_iou", "most")}
    refiner_loop = train_refiner(
        second.train(),
        draw,
        finder=finder,
        photographs=photographs,
        output=output / "refiner",
        training=refining,
        origin={"start": began},
    )
    refiner = Refiner(TorchRuntime(averaged_refiner(refiner_loop.ema.tensors)))
    default = PairSettings() if start is None else PairSettings.of(PlateDetector.from_weights(*start))
    settings = replace(fit_pair(finder, refiner, photographs, default=default), finder=kept)
    pictures = PictureSet.of_files("held out", (*photographs.images, *photographs.empty))
    scores = score_detector(settings.detector(finder, refiner), pictures)
    return write_detector(
        output, (finder_loop, refiner_loop), settings=settings, start=start, data=[data], figures=score_rows(scores)
    )


def averaged_finder(tensors: Mapping[str, Tensor]) -> FinderNetwork:
    """The finder with the average of the weights, as it runs."""
    return fuse_normalisation(finder_from_state(tensors, name="the average of the weights"))


def averaged_refiner(tensors: Mapping[str, Tensor]) -> RefinerNetwork:
    """The refiner with the average of the weights, as it runs."""
    return fuse_normalisation(refiner_from_state(tensors, name="the average of the weights"))


def write_detector(
    output: Path,
    loops: tuple[TrainingLoop, TrainingLoop],
    *,
    settings: PairSettings,
    start: DetectorFiles | None = None,
    data: Sequence[Path] = (),
    figures: Figures = (),
) -> Path:
    """Write the averaged weights of finder and refiner, with their sidecars and cards.

    Args:
        output: folder of the weights.
        loops: the trainings of finder and refiner.
        settings: how the two go together.
        start: weights that they began with, whose licence is handed on.
        data: folders that they are trained on, for the cards.
        figures: of the pair, for the cards.

    Returns:
        The finder's file.
    """
    files = output / FINDER_NAME, output / REFINER_NAME
    starts = (None, None) if start is None else (start.finder, start.refiner)
    for file, loop in zip(files, loops, strict=True):
        write_tensors(file, half_precision(loop.ema.tensors))
    second = hashlib.sha256(files[1].read_bytes()).hexdigest()
    settings_of: dict[Kind, Mapping[str, Any]] = {
        "detector": {"refiner": REFINER_NAME, "refiner_sha256": second, **settings.to_dict()},
        "refiner": {},
    }
    for (kind, values), file, loop, began in zip(settings_of.items(), files, loops, starts, strict=True):
        record = record_of(loop.output, start=began, data=data, figures=figures)
        licence = "unknown" if began is None else began.entry.licence
        describe_weights(file, record, kind=kind, settings=values, licence=licence)
    return files[0]
