"""Turn a detector into int8: measure what its layers see on real scenes, round, and compare on others.

The heads of the finder and the last convolutions of the refiner stay in fp32 in an ONNX file: what they give are boxes,
scores and corners themselves.
"""

from __future__ import annotations

import importlib
import logging
import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader._contracts import checked_detect
from platereader._loading import DetectorFiles
from platereader.detection._finder import Finder
from platereader.detection._int8_networks import (
    FINDER_FLOW,
    REFINER_FLOW,
    Flow,
    int8_finder,
    int8_refiner,
    shared_scales,
)
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._refiner import Refiner
from platereader.errors import AccuracyError, DatasetError
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.labels import is_calibration
from platereader.lab.datasets.photographs import held_out_negatives, trainable
from platereader.lab.training.detector.comparison import DetectorComparison, PictureSet, compare_scores, score_detector
from platereader.lab.training.detector.material import LabelledSets
from platereader.lab.training.detector.train import networks_of
from platereader.lab.training.export import export_finder, export_refiner, import_onnx, write_model
from platereader.media._images import read_image
from platereader.runtimes import Runtime
from platereader.runtimes._exported import exported_runtime
from platereader.runtimes._int8_tensors import InputScale, convolutions, quantized, write_int8
from platereader.runtimes._torch import fuse_normalisation

Inputs: TypeAlias = Sequence[NDArray[np.float32]]
"""What a network sees, float32 ``(N, 3, H, W)`` each."""

# Without Relu among them the values before it would be rounded, too, and half of the steps lie below zero.
_OPERATORS = ("Conv", "Relu", "Add", "Resize")
_LAST = re.compile(r"(heads\.\d\..+|heat\.1|kinds\.0)\.weight")


class Exported(NamedTuple):
    """Files of a finder and a refiner in one format and precision."""

    finder: Path
    refiner: Path

    def named(self, suffix: str) -> Exported:
        """The files of other weights beside them: ``-int8.onnx`` in the place of ``.onnx``."""
        return Exported(*(path.with_name(f"{path.stem}{suffix}") for path in self))


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
    export_finder(fuse_normalisation(finder), exported.finder)
    export_refiner(fuse_normalisation(refiner), exported.refiner)
    return exported


def quantize_onnx(
    exported: Exported,
    *,
    files: DetectorFiles,
    scenes: Sequence[LabelledImage],
    sets: LabelledSets,
    max_loss_points: float = 1.0,
) -> tuple[Exported, DetectorComparison]:
    """Write the int8 form of an exported detector, made of ``files``, beside it, if it finds as well.

    It is calibrated on ``scenes``, see ``calibration_scenes``, and both are compared on the calibration fifth of
    ``sets``: at most ``max_loss_points`` percentage points of AP50, and of AP50-95, may be lost.

    Raises:
        AccuracyError: int8 loses more; nothing is written.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    before = _with_runtimes(files, *map(_on_onnx, exported))
    with tempfile.TemporaryDirectory(prefix="platereader-") as folder:
        rounded = Exported(*(Path(folder) / path.name for path in exported))
        for path, target, inputs in zip(exported, rounded, _inputs(before, scenes), strict=True):
            _quantize(path, target, inputs=inputs)
        after = _with_runtimes(files, *(_on_onnx(path, precision="int8") for path in rounded))
        compared = _compared(before, after, sets, max_loss_points=max_loss_points)
        written = exported.named("-int8.onnx")
        for path, target in zip(rounded, written, strict=True):
            write_model(target, import_onnx().load(str(path)))
    return written, compared


def quantize_torch(
    exported: Exported,
    *,
    files: DetectorFiles,
    scenes: Sequence[LabelledImage],
    sets: LabelledSets,
    max_loss_points: float = 1.0,
) -> tuple[Exported, DetectorComparison]:
    """Write the int8 form of a detector for torch beside an exported one, if it finds as well; see ``quantize_onnx``.

    Raises:
        AccuracyError: int8 loses more; nothing is written.
        EngineError: torch cannot compute in int8 here.
    """
    before = _with_runtimes(files, *map(_on_onnx, exported))
    networks = [fuse_normalisation(network) for network in networks_of(files)]
    rounded = [
        _int8_tensors(network, flow, inputs=inputs)
        for network, flow, inputs in zip(networks, (FINDER_FLOW, REFINER_FLOW), _inputs(before, scenes), strict=True)
    ]
    after = _with_runtimes(files, int8_finder(rounded[0]), int8_refiner(rounded[1]))
    compared = _compared(before, after, sets, max_loss_points=max_loss_points)
    written = exported.named("-int8.safetensors")
    for target, tensors in zip(written, rounded, strict=True):
        write_int8(target, tensors)
    return written, compared


def _with_runtimes(files: DetectorFiles, finder: Runtime, refiner: Runtime) -> PlateDetector:
    """The detector of some files with its networks run otherwise."""
    settings = files.finder.settings.get("finder", {})
    return PlateDetector.of(Finder(finder, **settings, weights=files.finder.entry), Refiner(refiner))


def _on_onnx(path: Path, *, precision: str = "fp32") -> Runtime:
    return exported_runtime(path.read_bytes(), name=str(path), engine="onnx", precision=precision)


def _inputs(detector: PlateDetector, scenes: Sequence[LabelledImage]) -> tuple[Inputs, Inputs]:
    """What the two networks of a float detector see on the scenes."""
    finder, refiner = _Watched(detector.finder.runtime), _Watched(detector.refiner.runtime)
    finding, refining = replace(detector.finder, runtime=finder), replace(detector.refiner, runtime=refiner)
    watched = replace(detector, finder=finding, refiner=refining)
    for scene in scenes:
        checked_detect(watched, [read_image(scene.path)])
    return finder.seen, refiner.seen


@torch.inference_mode()
def _int8_tensors(network: nn.Module, flow: Flow, *, inputs: Inputs) -> dict[str, Tensor]:
    """The tensors of an int8 file for torch: every input's greatest value is the last number of its scale."""
    greatest = dict.fromkeys(convolutions(network), 0.0)

    def measured(name: str) -> Any:
        def measure(module: nn.Module, seen: tuple[Tensor, ...]) -> None:
            del module
            greatest[name] = max(greatest[name], float(seen[0].max()))

        return measure

    hooks = [module.register_forward_pre_hook(measured(name)) for name, module in convolutions(network).items()]
    for one in inputs:
        network(torch.from_numpy(one))
    for hook in hooks:
        hook.remove()
    first = next(iter(greatest))
    scales = {name: InputScale(max(value, 1e-6) / 255) for name, value in (greatest | {first: 1.0}).items()}
    return quantized(network, shared_scales(scales, flow))


def _quantize(path: Path, output: Path, *, inputs: Inputs) -> None:
    """Write an int8 model: scales from the least and greatest values that the inputs show."""
    onnx, quantization = import_onnx("onnxruntime.quantization"), importlib.import_module("onnxruntime.quantization")
    graph = onnx.load(str(path)).graph
    last = [node.name for node in graph.node if node.op_type == "Conv" and _LAST.fullmatch(node.input[1])]
    with _quiet():
        quantization.quantize_static(
            str(path),
            str(output),
            _Reader(graph.input[0].name, inputs),
            quant_format=quantization.QuantFormat.QDQ,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            op_types_to_quantize=list(_OPERATORS),
            nodes_to_exclude=last,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            reduce_range=True,  # weights of 7 bits: see ``runtimes._int8_tensors``
        )


def _compared(
    before: PlateDetector, after: PlateDetector, sets: LabelledSets, *, max_loss_points: float
) -> DetectorComparison:
    """What a float detector and its int8 form find on the calibration fifth.

    Raises:
        AccuracyError: more points of AP50, or of AP50-95, are lost than ``max_loss_points``.
        DatasetError: there is no plate to compare on.
    """
    fifth = [image for image in sets.all if image.plates and is_calibration(image.path)]
    pictures = PictureSet.of_files("calibration fifth", fifth)
    was, now = score_detector(before, pictures), score_detector(after, pictures)
    for name, old, new in (("AP50", was.ap50, now.ap50), ("AP50-95", was.ap50_95, now.ap50_95)):
        if old is None or new is None:
            raise DatasetError("the labelled sets have no plate in their calibration fifth to compare on: give more.")
        lost = 100 * (old.value - new.value)
        if lost > max_loss_points:
            raise AccuracyError(
                f"in int8 the detector loses {lost:.2f} points of {name} on {old.n} plates, allowed are "
                f"{max_loss_points:g}. Calibrate on more or other scenes, or allow more."
            )
    return compare_scores(pictures.name, was, now, margin_points=max_loss_points)


class _Watched:
    """A runtime that remembers what it was given."""

    def __init__(self, inner: Runtime) -> None:
        self._inner = inner
        self.engine, self.precision, self.threads = inner.engine, inner.precision, inner.threads
        self.seen: list[NDArray[np.float32]] = []

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The inner runtime's outputs."""
        self.seen.append(batch)
        return self._inner.run(batch)


class _Reader:
    """Inputs as onnxruntime's quantisation asks for them."""

    def __init__(self, name: str, inputs: Inputs) -> None:
        self._name, self._inputs = name, iter(inputs)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input of the network; None at the end."""
        one = next(self._inputs, None)
        return None if one is None else {self._name: one}


@contextmanager
def _quiet() -> Generator[None]:
    """Without the advice that quantising writes to the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
