"""Turn a detector into int8: measure what its layers see on real scenes, round, and compare on others."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader._contracts import checked_detect
from platereader._files import write_bytes
from platereader._loading import DetectorFiles
from platereader.detection._finder import Finder
from platereader.detection._finder_network import FINDER_FLOW, int8_finder
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._refiner import Refiner
from platereader.detection._refiner_network import REFINER_FLOW, int8_refiner
from platereader.errors import AccuracyError, DatasetError
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.labels import is_calibration
from platereader.lab.datasets.photographs import held_out_negatives, trainable
from platereader.lab.training.detector.comparison import (
    DetectorComparison,
    DetectorScores,
    PictureSet,
    compare_scores,
    score_detector,
)
from platereader.lab.training.detector.export import export_finder, export_refiner
from platereader.lab.training.detector.material import LabelledSets
from platereader.lab.training.detector.train import networks_of
from platereader.media._images import read_image
from platereader.runtimes import Batch, Runtime
from platereader.runtimes._int8_tensors import (
    Flow,
    Scale,
    adding_layers,
    convolutions,
    quantized,
    shared_scales,
    write_int8,
)
from platereader.runtimes._loaded import exported_runtime
from platereader.runtimes._torch import fuse_normalisation, planes

Pixels: TypeAlias = Sequence[NDArray[np.uint8]]
"""What a network sees, uint8 ``(N, H, W, 3)`` BGR each."""


class Exported(NamedTuple):
    """Files of a finder and a refiner in one format and precision."""

    finder: Path
    refiner: Path

    def in_int8(self, suffix: str) -> Exported:
        """The files of the int8 weights beside them: ``-int8`` and the suffix in the place of ``.onnx``."""
        return Exported(*(path.with_name(f"{path.stem}-int8{suffix}") for path in self))


def calibration_scenes(sets: LabelledSets, *, count: int = 200, seed: int = 0) -> list[LabelledImage]:
    """Scenes to calibrate on, ``count`` at most, of those that are trained on; raises DatasetError without any."""
    apart = {image.path for image in held_out_negatives(sets.of("negatives"))}
    usable = [image for image in trainable(sets.all) if image.path not in apart]
    if not usable:
        raise DatasetError("the labelled sets have no scene outside of the calibration fifth: give more pictures.")
    order = np.random.default_rng(seed).permutation(len(usable))
    return [usable[index] for index in order[:count]]


def export_detector(files: DetectorFiles, folder: Path) -> Exported:
    """Write both networks of float weights as ONNX files into a folder, which is made if missing.

    Raises:
        WeightsError: the weights are of other networks.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    finder, refiner = networks_of(files)
    exported = Exported(*(folder / f"{file.path.stem}.onnx" for file in files))
    export_finder(fuse_normalisation(finder), {}, exported.finder)
    export_refiner(fuse_normalisation(refiner), {}, exported.refiner)
    return exported


def quantize_detector(
    exported: Exported,
    *,
    files: DetectorFiles,
    scenes: Sequence[LabelledImage],
    sets: LabelledSets,
    max_loss_points: float = 1.0,
) -> Generator[tuple[str, Exported, DetectorComparison]]:
    """Write the int8 forms of an exported detector, made of ``files``, beside it, if they find as well.

    They hold the same numbers: an ONNX file, and a safetensors file for torch. They are calibrated on ``scenes``, see
    ``calibration_scenes``, and compared with the floats on the calibration fifth of ``sets``: at most
    ``max_loss_points`` percentage points of AP50, and of AP50-95, may be lost.

    Yields:
        Engine, ``onnx`` and then ``torch``, the files of this form and how it compares.

    Raises:
        AccuracyError: int8 loses more; this form is not written.
        EngineError: torch cannot compute in int8 here.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    before = _with_runtimes(files, *map(_on_onnx, exported))
    finder, refiner = networks_of(files)
    frames, crops = _inputs(before, scenes)
    finding = int8_tensors(fuse_normalisation(finder), FINDER_FLOW, pixels=frames)
    refining = int8_tensors(fuse_normalisation(refiner), REFINER_FLOW, pixels=crops)
    kept = [one for one in sets.all if one.plates and is_calibration(one.path)]
    pictures = PictureSet.of_files("calibration fifth", kept)
    was = score_detector(before, pictures)

    def compared(*runtimes: Runtime) -> DetectorComparison:
        now = score_detector(_with_runtimes(files, *runtimes), pictures)
        return _compared(pictures.name, was, now, max_loss_points=max_loss_points)

    with tempfile.TemporaryDirectory(prefix="platereader-") as folder:
        made = Exported(*(Path(folder, path.name) for path in exported))
        export_finder(finder, finding, made.finder)
        export_refiner(refiner, refining, made.refiner)
        comparison = compared(*(_on_onnx(path, "int8") for path in made))
        written = exported.in_int8(".onnx")
        for path, target in zip(made, written, strict=True):
            write_bytes(target, path.read_bytes())
    yield "onnx", written, comparison

    comparison = compared(int8_finder(finding), int8_refiner(refining))
    written = exported.in_int8(".safetensors")
    write_int8(written.finder, finding)
    write_int8(written.refiner, refining)
    yield "torch", written, comparison


def _with_runtimes(files: DetectorFiles, finder: Runtime, refiner: Runtime) -> PlateDetector:
    """The detector of some files with its networks run otherwise."""
    settings = files.finder.settings.get("finder", {})
    return PlateDetector.of(Finder(finder, **settings, weights=files.finder.entry), Refiner(refiner))


def _on_onnx(path: Path, precision: str = "fp32") -> Runtime:
    return exported_runtime(path.read_bytes(), name=str(path), engine="onnx", precision=precision)


def _inputs(detector: PlateDetector, scenes: Sequence[LabelledImage]) -> tuple[Pixels, Pixels]:
    """What the two networks of a float detector see on the scenes."""
    finder, refiner = _Watched(detector.finder.runtime), _Watched(detector.refiner.runtime)
    watched = replace(
        detector,
        finder=replace(detector.finder, runtime=finder),
        refiner=replace(detector.refiner, runtime=refiner),
    )
    for scene in scenes:
        checked_detect(watched, [read_image(scene.path)])
    return finder.seen, refiner.seen


@torch.inference_mode()
def int8_tensors(network: nn.Module, flow: Flow, *, pixels: Pixels) -> dict[str, Tensor]:
    """The tensors of an int8 file: every tensor's greatest value is the last number of its scale."""
    layers, adding = convolutions(network), adding_layers(network)
    highest, sums = dict.fromkeys(layers, 0.0), dict.fromkeys(adding, (0.0, 0.0))

    def measure(name: str, _: nn.Module, read: tuple[Tensor, ...], given: Tensor) -> None:
        highest[name] = max(highest[name], float(read[0].max()))
        if name in adding:
            low, high = sums[name]
            sums[name] = min(low, float(given.min())), max(high, float(given.max()))

    hooks = [module.register_forward_hook(partial(measure, name)) for name, module in layers.items()]
    for batch in pixels:
        network(planes(torch.from_numpy(batch)))
    for hook in hooks:
        hook.remove()
    scales = {name: Scale(max(value, 1e-6) / 255) for name, value in highest.items()}
    scales[next(iter(layers))] = Scale(1 / 255)
    return quantized(network, shared_scales(scales, flow), {name: _whole_range(*sums[name]) for name in adding})


def _whole_range(lowest: float, highest: float) -> Scale:
    """A scale for values on both sides of 0, which it holds exactly."""
    scale = max(highest - lowest, 1e-6) / 255
    return Scale(scale, round(-lowest / scale))


def _compared(name: str, was: DetectorScores, now: DetectorScores, *, max_loss_points: float) -> DetectorComparison:
    """The comparison, unless more points of AP50 or AP50-95 are lost, or there is no plate to compare on."""
    for figure, old, new in (("AP50", was.ap50, now.ap50), ("AP50-95", was.ap50_95, now.ap50_95)):
        if old is None or new is None:
            raise DatasetError("the labelled sets have no plate in their calibration fifth to compare on: give more.")
        lost = 100 * (old.value - new.value)
        if lost > max_loss_points:
            raise AccuracyError(
                f"in int8 the detector loses {lost:.2f} points of {figure} on {old.n} plates, allowed are "
                f"{max_loss_points:g}. Calibrate on more or other scenes, or allow more."
            )
    return compare_scores(name, was, now, margin_points=max_loss_points)


class _Watched:
    """A runtime that remembers what it was given."""

    def __init__(self, inner: Runtime) -> None:
        self._inner = inner
        self.engine, self.precision, self.threads = inner.engine, inner.precision, inner.threads
        self.seen: list[NDArray[np.uint8]] = []

    def run(self, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        """The inner runtime's outputs."""
        self.seen.append(np.asarray(batch, np.uint8))
        return self._inner.run(batch)
