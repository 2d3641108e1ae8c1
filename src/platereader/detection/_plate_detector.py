"""The default detector: a single-stage network with four corners a plate, on any runtime."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Point, Quad
from platereader.detection._decode import Plate, decode_plates
from platereader.detection._preprocess import STRIDE_PX, Letterbox, apply_letterboxes, plan_letterbox
from platereader.errors import InvalidArgumentError
from platereader.registry import WeightEntry, WeightFile
from platereader.results import Detection, PartDescription
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._description import network_description
from platereader.runtimes._exported import exported_runtime, resolve_options

_MIN_SIDE_PX = 1.0
# More frames at once take more memory and no less time.
_MAX_BATCH = 8
# Corners of a plate that is partly outside may lie outside of its box, but not by more than this times its size.
_CORNER_REACH = 1.0


@final
@dataclass(frozen=True, slots=True)
class PlateDetector:
    """Finds plates with their corners.

    Frames are shrunk to ``input_size`` px on their longer side, never cut. Frames of one shape run as one batch; the
    result for a frame does not depend on the others.

    Attributes:
        runtime: the network, with the outputs of ``detection._network.PlateNetwork``.
        input_size: longest side of the network input in pixels, a multiple of 32.
        min_score: lowest score of a plate that is reported, 0 to 1.
        max_iou: greatest IoU of two plates that are both reported, 0 to 1.
        weights: what the network was loaded from; None where it is not known.
        note: why it runs with this engine and in this precision.

    Raises:
        InvalidArgumentError: a setting is out of range.
    """

    runtime: Runtime
    input_size: int = 640
    min_score: float = 0.3
    max_iou: float = 0.5
    weights: WeightEntry | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if self.input_size < STRIDE_PX or self.input_size % STRIDE_PX:
            raise InvalidArgumentError(
                f"input_size is {self.input_size}, allowed are multiples of {STRIDE_PX} px from {STRIDE_PX}: try 640."
            )
        for name, value in (("min_score", self.min_score), ("max_iou", self.max_iou)):
            if not 0 <= value <= 1:
                raise InvalidArgumentError(f"{name} is {value}, allowed is 0 to 1.")

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        engine: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        device: str = "cpu",
        settings: Mapping[str, Any] | None = None,
    ) -> PlateDetector:
        """Load a file as it is, without looking it up; ``Pipeline.build(detector=path)`` is what most programs need.

        Args:
            path: a safetensors file or an ONNX file.
            engine: ``torch`` runs the one, ``onnx`` and ``openvino`` the other; ``auto`` is ``torch`` or ``onnx``.
            precision: ``int8`` for a file that was quantised; for others ``fp32``, or ``bf16`` with torch and OpenVINO.
            threads: of this network alone, None for all cores; torch has one number for the whole process instead.
            device: ``cpu``, or with torch another one, such as ``cuda``.
            settings: ``input_size``, ``min_score`` and ``max_iou`` where they differ from the defaults.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: another format, or the weights of another network.
            EngineError: engine, precision, device and file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: a setting is unknown or out of range.
        """
        weights = WeightFile.read(path, kind="detector", settings=settings)
        return cls.from_weights(weights, options=RuntimeOptions(engine, precision, threads, device))

    @classmethod
    def from_weights(cls, weights: WeightFile, *, options: RuntimeOptions | None = None) -> PlateDetector:
        """Load checked weights.

        Args:
            weights: such as ``Registry.resolve`` gives.
            options: how they run; what is ``auto`` follows from the file.

        Raises:
            WeightsCorruptError: the weights of another network.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: a setting is unknown or out of range.
        """
        entry, name, contents = weights.entry, str(weights.path), weights.contents()
        chosen = resolve_options(
            options or RuntimeOptions(), name=name, file_format=contents.format, file_precision=contents.precision
        )
        if contents.format == "onnx":
            runtime = exported_runtime(
                weights.data, name=name, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
            )
        else:
            runtime = _torch_runtime(weights, chosen)
        try:
            return cls(runtime, **entry.settings, weights=entry)
        except TypeError as error:
            raise InvalidArgumentError(
                f"settings is {dict(entry.settings)!r}, allowed are numbers for input_size, min_score and max_iou."
            ) from error

    @property
    def description(self) -> PartDescription:
        """What it is and how it runs."""
        name, sha256 = (None, None) if self.weights is None else (self.weights.model, self.weights.sha256)
        return network_description(self, self.runtime, part="detector", weights=name, sha256=sha256, note=self.note)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first."""
        plans = [plan_letterbox(f.shape[1], f.shape[0], input_size=self.input_size) for f in frames]
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, plan in enumerate(plans):
            alike[plan.height, plan.width].append(index)
        found: list[list[Detection]] = [[] for _ in frames]
        for size, indices in alike.items():
            for first in range(0, len(indices), _MAX_BATCH):
                chunk = indices[first : first + _MAX_BATCH]
                batch = apply_letterboxes([frames[index] for index in chunk], [plans[index] for index in chunk])
                for index, plates in zip(chunk, self._decoded(batch, size), strict=True):
                    found[index] = _detections(plates, plans[index])
        return found

    def _decoded(self, batch: NDArray[np.float32], size: tuple[int, int]) -> Iterator[list[Plate]]:
        """The plates of each row of a batch, in pixels of the network input."""
        sides, classes, offsets = self.runtime.run(batch)
        for row in range(len(batch)):
            outputs = sides[row], classes[row], offsets[row]
            yield decode_plates(outputs, size=size, min_score=self.min_score, max_iou=self.max_iou)


def _torch_runtime(weights: WeightFile, options: RuntimeOptions) -> Runtime:
    """The network in a safetensors file on torch."""
    from platereader.detection._network import network_from_state
    from platereader.detection._quantized import int8_runtime
    from platereader.runtimes._tensors import tensors_of
    from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

    name = str(weights.path)
    tensors = tensors_of(weights.data, name=name)
    if options.precision == "int8":
        return int8_runtime(tensors, name=name)
    network = fuse_normalisation(network_from_state(tensors, name=name))
    return TorchRuntime(network, precision=options.precision, device=options.device)


def _detections(plates: Sequence[Plate], plan: Letterbox) -> list[Detection]:
    """Plates of a network input as detections in the frame; what lies outside of the frame is dropped."""
    detections: list[Detection] = []
    for plate in plates:
        (x1, y1), (x2, y2), *corners = plan.to_frame([plate.box[:2], plate.box[2:], *plate.corners])
        box = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)).clipped(plan.frame_width, plan.frame_height)
        if box is not None and box.width >= _MIN_SIDE_PX and box.height >= _MIN_SIDE_PX:
            detections.append(Detection(box, plate.score, _held(corners, box), plate.lines))
    return detections


def _held(corners: Sequence[Point], box: Box) -> Quad:
    """Corners kept within reach of their box."""
    reach = box.padded(_CORNER_REACH * box.width, _CORNER_REACH * box.height)
    return Quad(*((min(max(x, reach.x1), reach.x2), min(max(y, reach.y1), reach.y2)) for x, y in corners))
