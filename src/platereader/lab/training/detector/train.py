"""Train a detector: its finder first, then the refiner on what the finder proposes, then how their scores combine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import torch
from torch import Tensor, nn

from platereader._dependencies import check_installed
from platereader._loading import DetectorFiles
from platereader.detection._finder import Finder
from platereader.detection._finder_network import DEFAULT_WIDTHS, FinderNetwork, finder_from_state
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._refiner import Refiner
from platereader.detection._refiner_network import RefinerNetwork, refiner_from_state
from platereader.lab.training.checkpoint import half_precision
from platereader.lab.training.detector.combination import fit_pair, pair_settings
from platereader.lab.training.detector.comparison import PictureSet, score_detector, score_rows
from platereader.lab.training.detector.data import TileMaker
from platereader.lab.training.detector.material import Photographs, detector_material, held_out, load_sets
from platereader.lab.training.detector.tiles import SceneSource
from platereader.lab.training.finder import FinderBatches, averaged_finder, finder_loss, validate_finder
from platereader.lab.training.loop import TrainingLoop, record_of
from platereader.lab.training.optimizer_step import adamw, fast_arithmetic
from platereader.lab.training.refiner import RefinerBatches, averaged_refiner, refiner_loss, validate_refiner
from platereader.lab.training.report import Figures, describe_weights
from platereader.lab.training.settings import TrainingSettings
from platereader.registry import Kind
from platereader.runtimes._tensors import tensors_of, write_tensors
from platereader.runtimes._torch import TorchRuntime, planes

FINDER_NAME: Final = "plate_finder.safetensors"
"""The weights that a detector is loaded by; their settings name the refiner's."""

REFINER_NAME: Final = "plate_refiner.safetensors"
"""The weights of the refiner, beside those of the finder."""

_PANELS = {
    "finder": (
        ("scores", "boxes", "sides"),
        ("recall", "sure_recall", "close_recall"),
        ("proposals", "false_alarms"),
    ),
    "refiner": (("kinds", "corners", "heat", "hulls"), ("accepted", "false", "hull"), ("corner_error",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorTraining(TrainingSettings):
    """How long and how to train the networks of a detector; lengths are those of both together."""

    learning_rate: float = 2e-3
    weight_decay: float = 0.02

    def split(self) -> tuple[DetectorTraining, DetectorTraining]:
        """The training of the finder, with two thirds of the time and the steps, and that of the refiner."""
        first, second = (
            replace(
                self,
                minutes=None if self.minutes is None else share * self.minutes,
                steps=None if self.steps is None else max(1, round(share * self.steps)),
            )
            for share in (2 / 3, 1 / 3)
        )
        return first, second


def networks_of(files: DetectorFiles) -> tuple[FinderNetwork, RefinerNetwork]:
    """Finder and refiner of safetensors files, to train further; raises WeightsCorruptError for other networks."""
    first, second = str(files.finder.path), str(files.refiner.path)
    return (
        finder_from_state(tensors_of(files.finder.data, name=first), name=first),
        refiner_from_state(tensors_of(files.refiner.data, name=second), name=second),
    )


class Trained(NamedTuple):
    """Both networks with the average of their weights, and how they came about."""

    finder: Finder
    refiner: Refiner
    loops: tuple[TrainingLoop, TrainingLoop]


def train_networks(
    networks: tuple[FinderNetwork, RefinerNetwork],
    *,
    draw: SceneSource,
    photographs: Photographs,
    output: Path,
    training: DetectorTraining,
    origin: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Trained:
    """Train the finder to the end, then the refiner on what it proposes, or go on from the checkpoints in ``output``.

    The networks are in the mode to train them in; what needs no gradient stays as it is. ``draw`` gives the scenes that
    they learn from, and is carried into worker processes; they are validated with ``photographs``. To go on ``origin``
    and ``training`` must be the same as before, but for lengths, intervals and workers. ``settings`` are the finder's.

    Raises:
        InvalidArgumentError: the run was begun with other settings, or its loss stays infinite.
        WeightsCorruptError: a checkpoint is damaged.
    """
    for network in networks:
        network.to(memory_format=torch.channels_last)
    finding, refining = (
        TrainingLoop(
            network,
            output=output / name,
            settings=part,
            optimizer=adamw(network, part),
            origin=origin,
            panels=panels,
        )
        for network, part, (name, panels) in zip(networks, training.split(), _PANELS.items(), strict=True)
    )
    first, second = networks
    finding.fit(
        FinderBatches(draw, seed=training.seed, progress=finding.shared_progress),
        loss_of=lambda batch: finder_loss(_outputs(first, batch.pictures), batch),
        validate=lambda tensors: validate_finder(tensors, photographs),
    )
    finder = Finder(TorchRuntime(averaged_finder(finding.ema.tensors)), **settings)
    refining.fit(
        RefinerBatches(draw, seed=training.seed, finder=finder),
        loss_of=lambda batch: refiner_loss(_outputs(second, batch.crops), batch),
        validate=lambda tensors: validate_refiner(tensors, photographs, finder=finder),
    )
    return Trained(finder, Refiner(TorchRuntime(averaged_refiner(refining.ema.tensors))), (finding, refining))


def _outputs(network: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """The outputs of finder or refiner for uint8 ``(N, H, W, 3)``."""
    with fast_arithmetic():
        return cast("tuple[Tensor, Tensor]", network(planes(pixels)))


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
    photographs = held_out(sets)
    finder, refiner, loops = train_networks(
        (first.train(), second.train()),
        draw=TileMaker(detector_material(sets)).scene,
        photographs=photographs,
        output=output,
        training=training,
        origin={"widths": list(first.widths), "start": None if start is None else [file.sha256 for file in start]},
        settings={} if start is None else start.finder.settings.get("finder", {}),
    )
    loops[0].report_skipped(sets.skipped)
    kept = {name: getattr(finder, name) for name in ("input_size", "largest_shrink", "min_score", "max_iou", "most")}
    began = PlateDetector(finder, refiner) if start is None else PlateDetector.from_weights(*start)
    detector = fit_pair(replace(began, finder=finder, refiner=refiner), photographs)
    pictures = PictureSet.of_files("held out", photographs.images + photographs.empty)
    figures = score_rows(score_detector(detector, pictures))
    settings = {"finder": kept, "pair": pair_settings(detector)}
    return write_detector(output, loops, settings=settings, start=start, data=[data], figures=figures)


def write_detector(
    output: Path,
    loops: tuple[TrainingLoop, TrainingLoop],
    *,
    settings: Mapping[str, Any],
    start: DetectorFiles | None = None,
    data: Sequence[Path] = (),
    figures: Figures = (),
) -> Path:
    """Write the averaged weights of finder and refiner, with their sidecars and cards; returns the finder's file.

    ``settings`` are those of the finder and of the pair. The cards name the folders of ``data`` and the ``figures`` of
    the pair.
    """
    finder, refiner = output / FINDER_NAME, output / REFINER_NAME
    for file, loop in zip((finder, refiner), loops, strict=True):
        write_tensors(file, half_precision(loop.ema.tensors))
    digest = hashlib.sha256(refiner.read_bytes()).hexdigest()
    described: tuple[tuple[Path, Kind, Mapping[str, Any]], ...] = (
        (finder, "detector", {"refiner": REFINER_NAME, "refiner_sha256": digest, **settings}),
        (refiner, "refiner", {}),
    )
    for (file, kind, values), loop, began in zip(described, loops, start or (None, None), strict=True):
        record = record_of(loop.output, start=began, data=data, figures=figures)
        describe_weights(file, record, kind=kind, settings=values)
    return finder
