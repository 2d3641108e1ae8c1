"""How wide the finder should be, what a teacher brings, and whether two looks are worth their time.

``python -m benchmarks.finder_widths DATA --out RUN --minutes 75`` trains finders of three widths from random weights in
one loop, on the same tiles in the same order, and one of the default width that is also held to what the shipped
finder says of each cell (distillation, Hinton et al. 2015). DATA is a folder with ``train`` and ``dev``. Then each of
them, and the shipped one, looks at pictures that it never saw, at several input sizes: alone, with its own boxes, and
with the shipped refiner, whose score is combined with it anew. Pictures are the half of the held-out ones that no
combination is fitted on, and ``dev/other``. A run that was interrupted goes on from RUN.

Needs the extra ``train``. Times are those of the network in fp32 on ONNX Runtime, in turns, for a frame of 16 to 9.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from platereader._files import write_json
from platereader._loading import resolve_detector
from platereader.cli.tables import format_table
from platereader.detection._finder import Finder
from platereader.detection._finder_network import DEFAULT_WIDTHS, FinderNetwork
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import load_dataset
from platereader.lab.datasets.labels import name_hash
from platereader.lab.speed.machine import this_machine
from platereader.lab.speed.turns import interleaved
from platereader.lab.suites.labelled.run import LOW_SCORE
from platereader.lab.tables import show_estimate, show_rate
from platereader.lab.training.detector.combination import fit_pair
from platereader.lab.training.detector.comparison import DetectorScores, PictureSet, score_detections, score_detector
from platereader.lab.training.detector.data import TileMaker
from platereader.lab.training.detector.export import export_finder
from platereader.lab.training.detector.material import Photographs, detector_material, held_out, load_sets
from platereader.lab.training.detector.train import DetectorTraining, networks_of
from platereader.lab.training.finder import (
    FinderBatch,
    FinderBatches,
    averaged_finder,
    finder_loss,
    validate_finder,
)
from platereader.lab.training.loop import TrainingLoop
from platereader.lab.training.optimizer_step import adamw, fast_arithmetic
from platereader.registry import Registry
from platereader.results import Detection
from platereader.runtimes._onnx import OnnxRuntime
from platereader.runtimes._torch import fuse_normalisation, planes

WIDTHS: Final = {
    "narrow": (8, 16, 32, 64, 112),
    "default": DEFAULT_WIDTHS,
    "wide": (16, 24, 72, 144, 240),
    "distilled": DEFAULT_WIDTHS,
}
"""Channels of the finders that are trained; the last one is held to the teacher, too."""

SIZES: Final = (320, 480, 640, 832, 960)
ALONE_SCORE: Final = 0.3
ROUNDS: Final = 20


class Finders(nn.Module):
    """Finders that learn side by side, each from its own loss."""

    def __init__(self) -> None:
        super().__init__()
        self.students: nn.ModuleDict = nn.ModuleDict({name: FinderNetwork(widths) for name, widths in WIDTHS.items()})

    def losses(self, batch: FinderBatch, teacher: FinderNetwork) -> dict[str, Tensor]:
        """The parts of the loss of all finders, scalars by name."""
        parts: dict[str, Tensor] = {}
        with fast_arithmetic():
            pictures = planes(batch.pictures)
            said = {name: cast("tuple[Tensor, Tensor]", one(pictures)) for name, one in self.students.items()}
            with torch.no_grad():
                taught = cast("tuple[Tensor, Tensor]", teacher(pictures))
        for name, outputs in said.items():
            parts |= {f"{name} {part}": value for part, value in finder_loss(outputs, batch).items()}
        return parts | {"distilled teacher": distillation_loss(said["distilled"], taught)}


def distillation_loss(outputs: tuple[Tensor, Tensor], taught: tuple[Tensor, Tensor]) -> Tensor:
    """How far scores ``(N, 1, A)`` and sides ``(N, 4, A)`` are from the teacher's, by the weight of its scores."""
    chance = taught[0].float().sigmoid()
    total = chance.sum().clamp(min=1.0)
    entropy = functional.binary_cross_entropy_with_logits(outputs[0].float(), chance, reduction="none")
    error = functional.smooth_l1_loss(outputs[1].float(), taught[1].float(), beta=0.1, reduction="none")
    return 0.5 * entropy.sum() / total + 2.0 * (error.mean(1, keepdim=True) * chance).sum() / total


def state_of(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The state dict of one of the finders."""
    start = f"students.{name}."
    return {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}


def validate(tensors: Mapping[str, Tensor], photographs: Photographs) -> dict[str, float | None]:
    """The figures of every finder, by name."""
    return {
        f"{name} {figure}": value
        for name in WIDTHS
        for figure, value in validate_finder(state_of(tensors, name), photographs).items()
    }


def train(data: Path, output: Path, *, minutes: float, workers: int) -> dict[str, FinderNetwork]:
    """Train all finders, or go on with it; the folded averages."""
    training = DetectorTraining(minutes=minutes, workers=workers, validate_every_s=1800.0)
    torch.manual_seed(training.seed)
    files = resolve_detector("plate-detector", registry=Registry.default(), file_format="safetensors", precision="fp32")
    finders = Finders().to(memory_format=torch.channels_last)
    teacher = fuse_normalisation(networks_of(files)[0].eval()).to(memory_format=torch.channels_last)
    sets = load_sets(data / "train")
    photographs = held_out(sets)
    loop = TrainingLoop(
        finders,
        output=output,
        settings=training,
        optimizer=adamw(finders, training),
        origin={"widths": {name: list(widths) for name, widths in WIDTHS.items()}, "teacher": files.finder.sha256},
        panels=[
            [f"{name} {part}" for name in WIDTHS] for part in ("scores", "boxes", "sides", "recall", "close_recall")
        ],
    )
    batches = FinderBatches(TileMaker(detector_material(sets)).scene, seed=training.seed, progress=loop.shared_progress)
    loop.fit(
        batches,
        loss_of=lambda batch: finders.losses(batch, teacher),
        validate=lambda tensors: validate(tensors, photographs),
    )
    return {name: averaged_finder(state_of(loop.ema.tensors, name)) for name in WIDTHS}


def score_alone(finder: Finder, pictures: PictureSet) -> DetectorScores:
    """What a finder reports by its own boxes and scores."""
    low = replace(finder, min_score=LOW_SCORE)
    found = [
        [Detection(box, score) for box, score in low.propose([pictures.frame(index)])[0]]
        for index in range(len(pictures.images))
    ]
    return score_detections(pictures.images, found, min_score=ALONE_SCORE)


def unseen_pictures(data: Path) -> tuple[Photographs, PictureSet]:
    """The held-out photographs, and the pictures to score on: their other half and ``dev/other``."""
    photographs = held_out(load_sets(data / "train"))
    other = [one for one in photographs.images + photographs.empty if name_hash(one.path) % 2 == 0]
    return photographs, PictureSet.of_files("unseen", [*other, *load_dataset(data / "dev" / "other").images])


def measure(models: Mapping[str, Path], data: Path) -> list[dict[str, Any]]:
    """Figures of every finder at every input size, alone and with the refiner."""
    photographs, pictures = unseen_pictures(data)
    began = PlateDetector.from_weights(
        *resolve_detector("plate-detector", registry=Registry.default(), file_format="onnx", precision="fp32")
    )
    rows: list[dict[str, Any]] = []
    for name, path in models.items():
        finder = replace(began.finder, runtime=OnnxRuntime(path.read_bytes(), name=str(path)))
        pair = began if name == "shipped" else fit_pair(replace(began, finder=finder), photographs)
        for size in SIZES:
            sized = replace(finder, input_size=size)
            looks = {"alone": score_alone(sized, pictures)}
            looks["with the refiner"] = score_detector(replace(pair, finder=sized), pictures)
            rows += [{"finder": name, "input_px": size, "looks": look, **one.to_dict()} for look, one in looks.items()]
            print(*(line(name, size, look, one) for look, one in looks.items()), sep="\n", flush=True)
    return rows


def line(name: str, size: int, look: str, scores: DetectorScores) -> str:
    """One row of the table."""
    found, corners = show_rate(scores.recall), show_estimate(scores.corner_error_percent, digits=2)
    precision = f"AP50 {show_estimate(scores.ap50)}, AP50-95 {show_estimate(scores.ap50_95)}"
    return (
        f"{name} {size} {look}: found {found}, {precision}, corners {corners}, alarms {show_rate(scores.false_alarms)}"
    )


def times(models: Mapping[str, Path], *, threads: int) -> dict[str, dict[int, float]]:
    """Milliseconds of each network at each input size, medians of interleaved calls."""
    rng = np.random.default_rng(0)
    calls = {}
    for name, path in models.items():
        runtime = OnnxRuntime(path.read_bytes(), name=str(path), threads=threads)
        for size in SIZES:
            height = -(-size * 9 // 16 // 64) * 64
            pixels = rng.integers(0, 256, (1, height, size, 3), np.uint8)
            calls[f"{name} {size}"] = partial(runtime.run, pixels)
    seconds = interleaved(calls, rounds=ROUNDS)
    return {name: {size: 1e3 * median(seconds[f"{name} {size}"]) for size in SIZES} for name in models}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=75.0, help="of the training (default: 75)")
    parser.add_argument("--workers", type=int, default=2, help="processes that make tiles (default: 2)")
    parser.add_argument("--threads", type=int, default=1, help="of the networks that are timed (default: 1)")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    options = parser.parse_args(arguments)
    networks = train(options.data, options.out, minutes=options.minutes, workers=options.workers)
    models = {name: options.out / f"{name}.onnx" for name in networks}
    for name, network in networks.items():
        export_finder(network, {}, models[name])
    shipped = resolve_detector("plate-detector", registry=Registry.default(), file_format="onnx", precision="fp32")
    models["shipped"] = Path(str(shipped.finder.path))
    milliseconds = times(models, threads=options.threads)
    rows = measure(models, options.data)
    table = [[name, *(f"{milliseconds[name][size]:.1f}" for size in SIZES)] for name in models]
    print(format_table(["ms, network alone", *(f"{size} px" for size in SIZES)], table))
    if options.json:
        report = {"machine": this_machine().to_dict(), "milliseconds": milliseconds, "rows": rows}
        write_json(options.json, report)


if __name__ == "__main__":
    main()
