"""YOLO models that others trained, in ONNX files: decoded by their shapes, without any code that comes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.detection._nms import suppress
from platereader.detection._preprocess import Letterbox, apply_letterboxes
from platereader.errors import EngineError, InvalidArgumentError, WeightsCorruptError
from platereader.registry import WeightEntry, WeightFile
from platereader.registry._exported import YOLO
from platereader.results import Detection, PartDescription
from platereader.results import _checks as check
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import LoadedRuntime, network_description

FloatArray = NDArray[np.float32]

_SIDES, _CORNERS = 4, 4
_MAX_CANDIDATES = 1000
_VISIBLE = 0.5
_PLATE = re.compile(r"plate|licen[cs]e|number|\blp\b|номер", re.IGNORECASE)


@final
@dataclass(frozen=True, slots=True)
class YoloDetector:
    """Finds plates with a YOLO model in an ONNX file: of detection, or of pose with the four corners as keypoints.

    ``Pipeline.build(detector="model.onnx")`` makes one, and gives corners to what it finds (``RefinedDetector``) where
    the model has none. Frames are scaled to the one input size of the model and run one by one.

    Attributes:
        runtime: from float32 ``(1, 3, H, W)``, RGB, 0 to 1, to boxes in pixels of the input, in one of three layouts:
            ``(1, 4 + classes + keypoints, N)``: middle, width, height, a score for each class, keypoints (YOLOv5u, 8,
            9, 11, 12); ``(1, N, 6 + keypoints)``: two corners, score, class, keypoints (YOLOv10, 26, and others that
            ultralytics exported with NMS inside); ``(N, 7)``: picture, two corners, class, score (open-image-models).
        input_size_px: H and W.
        classes: how many the model has, 1 or more.
        plates: which of them are plates, from 0.
        keypoints: how many a plate has, and of how many numbers each; ``(0, 0)`` for a model of detection. Four are
            the corners, in any order.
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
    plates: tuple[int, ...] = (0,)
    keypoints: tuple[int, int] = (0, 0)
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
        if not self.plates or not set(self.plates) <= set(range(self.classes)):
            raise InvalidArgumentError(f"plates is {self.plates}, allowed are numbers from 0 to {self.classes - 1}.")
        if self.keypoints != (0, 0) and (self.keypoints[0] < 1 or self.keypoints[1] not in {2, 3}):
            raise InvalidArgumentError(f"keypoints is {self.keypoints}, allowed are a number and then 2 or 3.")
        check.fields(self, min_score=check.probability, max_iou=check.probability)

    @classmethod
    def from_weights(
        cls, weights: WeightFile, *, options: RuntimeOptions | None = None, plates: Sequence[str] | None = None
    ) -> YoloDetector:
        """Load a file that ``Registry.resolve`` found to be such a model; it settles what is ``auto`` in the options.

        Its classes named in ``plates`` are plates; by default those whose name says so, or the only one.

        Raises:
            WeightsCorruptError: the network has another input or output than such a model, or none of its classes is a
                plate.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
            InvalidArgumentError: it is no such model, or has no class of a name in ``plates``.
        """
        entry, name = weights.entry, str(weights.path)
        if entry.settings.get("network") != YOLO:
            raise InvalidArgumentError(f"{name} is no YOLO model: use PlateDetector.from_weights.")
        classes: list[str] = entry.settings["classes"]
        numbers = _plate_classes(classes, plates, name=name)
        runtime = LoadedRuntime(weights, options)
        (height, width), (count, values) = entry.settings["input_size_px"], entry.settings["keypoints"]
        loaded = cls(runtime, (height, width), len(classes), numbers, (count, values), weights=entry)
        loaded._try(name)
        return loaded

    @property
    def has_corners(self) -> bool:
        """Whether its keypoints are the corners of a plate."""
        return self.keypoints[0] == _CORNERS

    @property
    def description(self) -> PartDescription:
        """What it is and how it runs."""
        return network_description(self, self.runtime, part="detector", weights=self.weights, note=self.note)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first."""
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: BgrImage) -> list[Detection]:
        plan = _plan(frame.shape[1], frame.shape[0], self.input_size_px)
        pictures = apply_letterboxes([frame], [plan])
        blob: Any = cv2.dnn.blobFromImages(list(pictures), 1 / 255, swapRB=True)  # (1, 3, H, W)
        rows = self._rows(self.runtime.run(blob)[0])
        if rows is None:
            return []
        bounds = rows.bounds.tolist()
        found: list[Detection] = []
        for kept in suppress(bounds, max_iou=self.max_iou):
            x1, y1, x2, y2 = bounds[kept]
            (x1, y1), (x2, y2) = plan.to_frame([(x1, y1), (x2, y2)])
            box = Box(x1, y1, max(x1, x2), max(y1, y2)).clipped(frame.shape[1], frame.shape[0])
            if box is not None:
                corners = self._corners(rows.keypoints[kept], plan)
                found.append(Detection(box, min(1.0, float(rows.scores[kept])), corners))
        return found

    def _corners(self, keypoints: FloatArray, plan: Letterbox) -> Quad | None:
        """The corners in the frame, if the model has them and is sure to see all of them."""
        if not self.has_corners:
            return None
        points = keypoints.reshape(self.keypoints)
        if self.keypoints[1] == 3 and float(points[:, 2].min()) < _VISIBLE:
            return None
        return corners_of(np.asarray(plan.to_frame([(x, y) for x, y in points[:, :2].tolist()])))

    def _rows(self, output: FloatArray) -> _Rows | None:
        """What the network says in any of its layouts, best first; None for an output of another shape."""
        extra = self.keypoints[0] * self.keypoints[1]
        shape: tuple[int, ...] = output.shape
        if len(shape) == 3 and shape[:2] == (1, _SIDES + self.classes + extra):
            boxes, scores, keypoints = np.split(output[0].T, [_SIDES, _SIDES + self.classes], axis=1)
            half = boxes[:, 2:] * np.float32(0.5)
            bounds = np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1)
            return self._best(bounds, scores[:, self.plates].max(axis=1), keypoints)
        if len(shape) == 3 and shape[::2] == (1, 6 + extra):
            rows = output[0]
            return self._best(rows[:, :4], self._of_plates(rows[:, 4], rows[:, 5]), rows[:, 6:])
        if len(shape) == 2 and shape[1] == 7 and not extra:
            return self._best(output[:, 1:5], self._of_plates(output[:, 6], output[:, 5]), output[:, 7:])
        return None

    def _of_plates(self, scores: FloatArray, classes: FloatArray) -> FloatArray:
        """The scores, 0 where the class is no plate."""
        return np.where(np.isin(classes, self.plates), scores, np.float32(0))

    def _best(self, bounds: FloatArray, scores: FloatArray, keypoints: FloatArray) -> _Rows:
        """The rows that are reported: finite ones of a score that is high enough and above 0."""
        whole = np.isfinite(np.concatenate((bounds, scores[:, None], keypoints), axis=1)).all(axis=1)
        usable = (whole & (scores >= self.min_score) & (scores > 0)).nonzero()[0]
        ranked = usable[np.argsort(-scores[usable], kind="stable")][:_MAX_CANDIDATES]
        return _Rows(bounds[ranked], scores[ranked], keypoints[ranked])

    def _try(self, name: str) -> None:
        """Run an empty picture, and refuse a network with another input or output."""
        height, width = self.input_size_px
        extra = self.keypoints[0] * self.keypoints[1]
        expected = f"(1, {_SIDES + self.classes + extra}, N), (1, N, {6 + extra})" + ("" if extra else " or (N, 7)")
        expected += f" for float32 (1, 3, {height}, {width})"
        advice = "export it again as a model of detection or pose, for pictures one by one and without half=True."
        try:
            output = self.runtime.run(np.zeros((1, 3, height, width), np.float32))[0]
        except EngineError:
            raise
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise WeightsCorruptError(f"{name} does not give {expected} ({reason}): {advice}") from error
        if self._rows(output) is None:
            raise WeightsCorruptError(
                f"{name} gives an output of shape {tuple(output.shape)}, expected is {expected}: {advice}"
            )


class _Rows(NamedTuple):
    """N plates: bounds ``(N, 4)`` in pixels of the input, scores ``(N,)`` and the numbers of their keypoints."""

    bounds: FloatArray
    scores: FloatArray
    keypoints: FloatArray


def corners_of(points: NDArray[Any]) -> Quad | None:
    """Four points ``(4, 2)`` in any order as corners in reading order; None where they enclose no convex quad.

    The first is the one nearest to the top left, which is right for plates that are turned by less than 45 degrees:
    models differ in where they begin, and in which way round they go.
    """
    x, y = (points - points.mean(axis=0)).T
    around = points[np.argsort(np.arctan2(y, x))]
    corners = Quad.from_points(np.roll(around, -int(around.sum(axis=1).argmin()), axis=0))
    return corners if corners.is_convex else None


def _plate_classes(classes: Sequence[str], chosen: Sequence[str] | None, *, name: str) -> tuple[int, ...]:
    """The numbers of the classes that are plates."""
    if chosen is not None:
        unknown = sorted(set(chosen) - set(classes))
        if unknown or not chosen:
            raise InvalidArgumentError(f"plates is {list(chosen)}, the classes of {name} are {', '.join(classes)}.")
        return tuple(number for number, one in enumerate(classes) if one in chosen)
    numbers = tuple(number for number, one in enumerate(classes) if _PLATE.search(one) or len(classes) == 1)
    if not numbers:
        some = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise WeightsCorruptError(
            f"{name} finds {some}, expected is one class, or one whose name says that it is a plate: choose a model of "
            "plates, or say which classes are plates with YoloDetector.from_weights(weights, plates=[...])."
        )
    return numbers


def _plan(width: int, height: int, input_size_px: tuple[int, int]) -> Letterbox:
    """A frame as large as it fits into the input, enlarged if it is smaller, in the middle of it."""
    rows, columns = input_size_px
    scale = min(columns / width, rows / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox(columns, rows, *inner, width, height)
