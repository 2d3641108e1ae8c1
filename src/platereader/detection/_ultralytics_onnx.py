"""A model that ultralytics exported to ONNX as a detector: boxes only, without ultralytics and without its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.detection._nms import suppress
from platereader.detection._preprocess import Letterbox, apply_letterboxes
from platereader.errors import EngineError, InvalidArgumentError, WeightsCorruptError
from platereader.registry import WeightEntry, WeightFile
from platereader.registry._exported import ULTRALYTICS
from platereader.results import Detection, PartDescription
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._description import network_description
from platereader.runtimes._exported import exported_runtime, resolve_options

__all__ = ["UltralyticsOnnxDetector"]

_SIDES = 4
_MAX_CANDIDATES = 1000


@final
@dataclass(frozen=True, slots=True)
class UltralyticsOnnxDetector:
    """Finds plates with a detection model of ultralytics (YOLOv5u, v8, v9, v11 and their like) in an ONNX file.

    ``Pipeline.build(detector="model.onnx")`` makes one. Every class of the model is a plate; it gives no corners.
    Frames are scaled to the one input size of the model and run one by one.

    Attributes:
        runtime: runs float32 ``(1, 3, H, W)``, RGB, 0 to 1, to ``(1, 4 + classes, N)``: middle, width and height of N
            boxes in pixels of the input, and a score for each class.
        input_size_px: H and W.
        classes: how many the model has, 1 or more.
        min_score: lowest score of a plate that is reported, 0 to 1.
        max_iou: greatest IoU of two plates that are both reported, 0 to 1.
        weights: what the network was loaded from; None where it is not known.
        note: why it runs with this engine.

    Raises:
        InvalidArgumentError: a number is out of range.
    """

    runtime: Runtime
    input_size_px: tuple[int, int] = (640, 640)
    classes: int = 1
    min_score: float = 0.25
    max_iou: float = 0.5
    weights: WeightEntry | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if min(self.input_size_px) < 1 or self.classes < 1:
            raise InvalidArgumentError(
                f"input_size_px is {self.input_size_px} and classes {self.classes}, allowed is 1 or more: take them "
                "from the model."
            )
        for name, value in (("min_score", self.min_score), ("max_iou", self.max_iou)):
            if not 0 <= value <= 1:
                raise InvalidArgumentError(f"{name} is {value}, allowed is 0 to 1.")

    @classmethod
    def from_weights(cls, weights: WeightFile, *, options: RuntimeOptions | None = None) -> UltralyticsOnnxDetector:
        """Load a file that ``Registry.resolve`` found to be such a model.

        Args:
            weights: the file.
            options: how it runs; what is ``auto`` follows from the file.

        Raises:
            WeightsCorruptError: the network has another input or output than such a model.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: it is no such model.
        """
        entry, name, contents = weights.entry, str(weights.path), weights.contents()
        if entry.settings.get("exported_by") != ULTRALYTICS:
            raise InvalidArgumentError(f"{name} is no model that ultralytics exported: use PlateDetector.from_weights.")
        chosen = resolve_options(
            options or RuntimeOptions(), name=name, file_format=contents.format, file_precision=contents.precision
        )
        runtime = exported_runtime(
            weights.data, name=name, engine=chosen.engine, precision=chosen.precision, threads=chosen.threads
        )
        height, width = entry.settings["input_size_px"]
        classes = len(entry.settings["classes"])
        _check_output(runtime, (height, width), classes=classes, name=name)
        return cls(runtime, (height, width), classes, weights=entry)

    @property
    def description(self) -> PartDescription:
        """What it is and how it runs."""
        name, sha256 = (None, None) if self.weights is None else (self.weights.model, self.weights.sha256)
        return network_description(self, self.runtime, part="detector", weights=name, sha256=sha256, note=self.note)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first."""
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: BgrImage) -> list[Detection]:
        plan = _plan(frame.shape[1], frame.shape[0], self.input_size_px)
        output = self.runtime.run(apply_letterboxes([frame], [plan]))[0][0]  # (4 + classes, N)
        scores: NDArray[np.float32] = output[_SIDES:].max(axis=0)
        usable = np.isfinite(output).all(axis=0) & (scores >= self.min_score)
        ranked = sorted(usable.nonzero()[0].tolist(), key=lambda index: -float(scores[index]))[:_MAX_CANDIDATES]
        x, y, width, height = (output[side, ranked] for side in range(_SIDES))
        bounds = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1).tolist()
        found: list[Detection] = []
        for kept in suppress([(x1, y1, x2, y2) for x1, y1, x2, y2 in bounds], max_iou=self.max_iou):
            (x1, y1), (x2, y2) = plan.to_frame([tuple(bounds[kept][:2]), tuple(bounds[kept][2:])])
            box = Box(x1, y1, max(x1, x2), max(y1, y2)).clipped(frame.shape[1], frame.shape[0])
            if box is not None:
                found.append(Detection(box, min(1.0, float(scores[ranked[kept]]))))
        return found


def _plan(width: int, height: int, input_size_px: tuple[int, int]) -> Letterbox:
    """A frame as large as it fits into the input, enlarged if it is smaller, in the middle of it."""
    rows, columns = input_size_px
    scale = min(columns / width, rows / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox(columns, rows, *inner, width, height)


def _check_output(runtime: Runtime, size_px: tuple[int, int], *, classes: int, name: str) -> None:
    """Run an empty picture, and refuse a network with another input or output."""
    expected = f"(1, {_SIDES + classes}, N) for float32 (1, 3, {size_px[0]}, {size_px[1]})"
    advice = "export it again as it comes, without half=True or nms=True."
    try:
        shape = runtime.run(np.zeros((1, 3, *size_px), np.float32))[0].shape
    except EngineError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsCorruptError(f"{name} does not give {expected} ({reason}): {advice}") from error
    if len(shape) != 3 or shape[:2] != (1, _SIDES + classes):
        raise WeightsCorruptError(f"{name} gives an output of shape {tuple(shape)}, expected is {expected}: {advice}")
