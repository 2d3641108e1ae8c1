"""The default detector: one network, looked at once, with four corners a plate, on any runtime."""

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
from platereader.errors import EngineError, InvalidArgumentError
from platereader.results import Detection
from platereader.runtimes import Engine, Precision, Runtime
from platereader.runtimes._exported import SUFFIX, check_torch, exported_runtime

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
        runtime: the network, with the outputs of ``detection.network.PlateNetwork``.
        input_size: longest side of the network input in pixels, a multiple of 32.
        min_score: lowest score of a plate that is reported, 0 to 1.
        max_iou: greatest IoU of two plates that are both reported, 0 to 1.

    Raises:
        InvalidArgumentError: a setting is out of range.
    """

    runtime: Runtime
    input_size: int = 640
    min_score: float = 0.3
    max_iou: float = 0.5

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
        engine: Engine = "torch",
        precision: Precision = "fp32",
        threads: int | None = None,
        device: str = "cpu",
        settings: Mapping[str, Any] | None = None,
    ) -> PlateDetector:
        """Load weights and run them with an engine.

        Args:
            path: a safetensors file for ``torch``, an ONNX file for ``onnx`` and ``openvino``.
            engine: what runs it.
            precision: ``int8`` for a file that was quantised; for others ``fp32``, or ``bf16`` with torch and OpenVINO.
            threads: of this network alone, None for all cores; torch has one number for the whole process instead.
            device: ``cpu``, or with torch another one, such as ``cuda``.
            settings: ``input_size``, ``min_score`` and ``max_iou`` where they differ from the defaults, and for an ONNX
                file ``precision``: ``int8`` if it was quantised.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: another format, or the weights of another network.
            EngineError: engine, precision, device and file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: a setting is unknown or out of range.
        """
        numbers = dict(settings or {})
        held = str(numbers.pop("precision", "fp32"))
        if Path(path).suffix == SUFFIX and device == "cpu":
            runtime = exported_runtime(Path(path), engine=engine, precision=precision, held=held, threads=threads)
        else:
            check_torch(path, engine=engine, threads=threads)
            runtime = _torch_runtime(Path(path), precision, device=device)
        try:
            return cls(runtime, **numbers)
        except TypeError as error:
            raise InvalidArgumentError(
                f"settings is {settings!r}, allowed are numbers for input_size, min_score and max_iou."
            ) from error

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


def _torch_runtime(path: Path, precision: Precision, *, device: str) -> Runtime:
    """The network in a safetensors file on torch."""
    from platereader.detection._network import network_from_file
    from platereader.detection._quantized import read_int8
    from platereader.runtimes._int8_tensors import precision_of
    from platereader.runtimes._torch import TorchRuntime, fuse_normalisation

    held = precision_of(path)
    if (held == "int8") != (precision == "int8"):
        raise EngineError(
            f"path {str(path)!r} holds {held} weights and precision is {precision!r}: use precision='int8' with an "
            "int8 file and only there."
        )
    if precision == "int8":
        return read_int8(path)
    return TorchRuntime(fuse_normalisation(network_from_file(path)), precision=precision, device=device)


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
