"""Turn a detector into int8: measure what its layers see on real scenes, round, and compare on others.

The last convolution of every head stays in fp32: what it gives are boxes, scores and corners themselves.
"""

from __future__ import annotations

import importlib
import logging
import re
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from platereader.detection._network import PlateNetwork, network_from_file
from platereader.detection._plate_detector import PlateDetector
from platereader.detection._preprocess import apply_letterbox, plan_letterbox
from platereader.detection._quantized import int8_runtime, shared_scales
from platereader.errors import AccuracyError, DatasetError
from platereader.lab.datasets import LabelledImage
from platereader.lab.datasets.labels import is_calibration
from platereader.lab.datasets.photographs import held_out_negatives, trainable
from platereader.lab.training.detector.comparison import DetectorComparison, PictureSet, compare_scores, score_detector
from platereader.lab.training.detector.material import LabelledSets
from platereader.lab.training.export import import_onnx, write_model
from platereader.media._images import read_image
from platereader.runtimes._int8_tensors import InputScale, convolutions, quantized, write_int8
from platereader.runtimes._torch import fuse_normalisation

__all__ = ["calibration_scenes", "quantize_detector", "quantize_torch_detector"]

_OPERATORS = ("Conv", "Add", "Resize")
_LAST = re.compile(r"heads\.\d\.1\.weight")


def calibration_scenes(sets: LabelledSets, *, count: int = 200, seed: int = 0) -> list[LabelledImage]:
    """Scenes to calibrate on, of those that are trained on.

    Args:
        sets: labelled sets; their calibration fifth and held-out empty scenes are left alone.
        count: scenes, or all if there are fewer.
        seed: of the choice.

    Raises:
        DatasetError: there is none.
    """
    apart = {image.path for image in held_out_negatives(sets.of("negatives"))}
    everything = (image for images in sets.images.values() for image in images)
    usable = [image for image in trainable(everything) if image.path not in apart]
    if not usable:
        raise DatasetError("the labelled sets have no scene outside of the calibration fifth: give more pictures.")
    order = np.random.default_rng(seed).permutation(len(usable))
    return [usable[index] for index in order[:count]]


def quantize_detector(
    exported: PlateDetector,
    path: Path,
    output: Path,
    *,
    scenes: Sequence[LabelledImage],
    sets: LabelledSets,
    max_loss_points: float = 1.0,
) -> DetectorComparison:
    """Write the int8 form of an exported detector, if it finds as well.

    Args:
        exported: the float detector, on ONNX Runtime.
        path: its ONNX file.
        output: file to write.
        scenes: to calibrate on; see ``calibration_scenes``.
        sets: their calibration fifth is what both are compared on.
        max_loss_points: most percentage points of AP50, and of AP50-95, that may be lost.

    Returns:
        What both find.

    Raises:
        AccuracyError: int8 loses more; nothing is written.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="platereader-") as folder:
        rounded = Path(folder) / "int8.onnx"
        _quantize(path, rounded, scenes=scenes, input_size=exported.input_size)
        settings = {"input_size": exported.input_size, "min_score": exported.min_score, "max_iou": exported.max_iou}
        int8 = PlateDetector.from_file(rounded, engine="onnx", settings=settings)
        compared = _compared(exported, int8, sets, max_loss_points=max_loss_points)
        write_model(output, import_onnx().load(str(rounded)))
    return compared


def quantize_torch_detector(
    detector: PlateDetector,
    weights: Path,
    output: Path,
    *,
    scenes: Sequence[LabelledImage],
    sets: LabelledSets,
    max_loss_points: float = 1.0,
) -> DetectorComparison:
    """Write the int8 form of a detector for torch, if it finds as well.

    Args:
        detector: the float detector.
        weights: its safetensors file.
        output: file to write.
        scenes: to calibrate on; see ``calibration_scenes``.
        sets: their calibration fifth is what both are compared on.
        max_loss_points: most percentage points of AP50, and of AP50-95, that may be lost.

    Returns:
        What both find.

    Raises:
        AccuracyError: int8 loses more; nothing is written.
        EngineError: torch cannot compute in int8 here.
        WeightsError: the weights are missing, damaged or of another network.
    """
    network = fuse_normalisation(network_from_file(weights))
    inputs = _widest_inputs(network, scenes, input_size=detector.input_size)
    tensors = quantized(network, shared_scales(inputs))
    int8 = replace(detector, runtime=int8_runtime(tensors))
    compared = _compared(detector, int8, sets, max_loss_points=max_loss_points)
    write_int8(output, tensors)
    return compared


@torch.inference_mode()
def _widest_inputs(network: PlateNetwork, scenes: Sequence[LabelledImage], *, input_size: int) -> dict[str, InputScale]:
    """How the input of every convolution is held in uint8 so that the greatest value of all scenes is the last."""
    greatest = dict.fromkeys(convolutions(network), 0.0)

    def measured(name: str) -> Any:
        def measure(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            del module
            greatest[name] = max(greatest[name], float(inputs[0].max()))

        return measure

    hooks = [module.register_forward_pre_hook(measured(name)) for name, module in convolutions(network).items()]
    for image in scenes:
        network(torch.from_numpy(_picture(image, input_size)))
    for hook in hooks:
        hook.remove()
    first = next(iter(greatest))
    return {name: InputScale(max(value, 1e-6) / 255) for name, value in (greatest | {first: 1.0}).items()}


def _compared(
    before: PlateDetector, after: PlateDetector, sets: LabelledSets, *, max_loss_points: float
) -> DetectorComparison:
    """What both find on the calibration fifth.

    Raises:
        AccuracyError: more of either average precision is lost than the margin.
    """
    pictures = PictureSet.of_files(
        "calibration fifth",
        [image for images in sets.images.values() for image in images if image.plates and is_calibration(image.path)],
    )
    compared = compare_scores(
        pictures.name, score_detector(before, pictures), score_detector(after, pictures), margin_points=max_loss_points
    )
    was, now = compared.before, compared.after
    for name, old, new in (("AP50", was.ap50, now.ap50), ("AP50-95", was.ap50_95, now.ap50_95)):
        if old is None or new is None:
            raise DatasetError("the labelled sets have no plate in their calibration fifth to compare on: give more.")
        lost = 100 * (old.value - new.value)
        if lost > compared.margin_points:
            raise AccuracyError(
                f"in int8 the detector loses {lost:.2f} points of {name} on {old.n} plates, allowed are "
                f"{compared.margin_points:g}; nothing was written. Calibrate on more or other scenes, or allow more."
            )
    return compared


def _quantize(path: Path, output: Path, *, scenes: Sequence[LabelledImage], input_size: int) -> None:
    """Write an int8 model beside the float one: scales from the least and greatest values that the scenes show."""
    onnx, quantization = import_onnx("onnxruntime.quantization"), importlib.import_module("onnxruntime.quantization")
    graph = onnx.load(str(path)).graph
    last = [node.name for node in graph.node if node.op_type == "Conv" and _LAST.fullmatch(node.input[1])]
    with _quiet():
        quantization.quantize_static(
            str(path),
            str(output),
            _Pictures(_picture(image, input_size) for image in scenes),
            quant_format=quantization.QuantFormat.QDQ,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            op_types_to_quantize=list(_OPERATORS),
            nodes_to_exclude=last,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )


class _Pictures:
    """Pictures as onnxruntime's quantisation asks for them."""

    def __init__(self, pictures: Iterator[NDArray[np.float32]]) -> None:
        self._pictures = pictures

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input of the network; None at the end."""
        picture = next(self._pictures, None)
        return None if picture is None else {"pictures": picture}


def _picture(image: LabelledImage, input_size: int) -> NDArray[np.float32]:
    """One scene as the detector sees it, float32 ``(1, 3, H, W)``."""
    frame = read_image(image.path)
    plan = plan_letterbox(frame.shape[1], frame.shape[0], input_size=input_size)
    return apply_letterbox(frame, plan)[None]


@contextmanager
def _quiet() -> Generator[None]:
    """Without the advice that quantising writes to the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
