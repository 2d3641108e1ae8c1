"""Any ultralytics model as a detector: the user's own file, at the user's own risk."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.detection._yolo import corners_of
from platereader.errors import UntrustedPickleError, WeightsCorruptError, WeightsNotFoundError
from platereader.results import Detection
from platereader.runtimes._quiet_import import import_ultralytics, untouched_process

_CORNERS = 4


@final
class UltralyticsDetector:
    """Finds plates with a ``.pt`` or exported model of ultralytics, through ultralytics' own predictor.

    Every class of the model counts as a plate. A pose model with four keypoints gives corners, in any order.
    Ultralytics' usage reports are switched off for the process. Calls from several threads wait for each other, because
    the predictor keeps state. The code of ultralytics is under AGPL-3.0.

    Args:
        path: the model.
        trust_pickle: that the file may run code: loading a ``.pt`` unpickles it.
        input_size: longest side of the network input in pixels.
        min_score: lowest score of a plate that is reported, 0 to 1.
        max_iou: greatest IoU of two plates that are both reported, 0 to 1.

    Raises:
        UntrustedPickleError: ``trust_pickle`` is not True.
        WeightsCorruptError: ultralytics cannot load the file.
        WeightsNotFoundError: there is no such file or folder.
        MissingDependencyError: ultralytics is not installed.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        trust_pickle: bool = False,
        input_size: int = 640,
        min_score: float = 0.25,
        max_iou: float = 0.5,
    ) -> None:
        if not Path(path).exists():
            raise WeightsNotFoundError(f"{path} does not exist: pass the path of a .pt file or an exported model.")
        if not trust_pickle:
            raise UntrustedPickleError(
                f"{path} may run any code when ultralytics loads it: if you trust whoever made it, pass "
                "trust_pickle=True; weights in ONNX or safetensors load without running code."
            )
        self.min_score: float = min_score
        self._settings = {"imgsz": input_size, "iou": max_iou, "verbose": False, "device": "cpu"}
        self._lock = threading.Lock()
        model = import_ultralytics("ultralytics.models").YOLO
        import_ultralytics("ultralytics.utils.events").events.enabled = False
        with untouched_process():
            try:
                self._model: Any = model(str(path), verbose=False)
                # The first call builds the predictor, which sets thread counts and environment variables.
                first = self._model.predict(np.zeros((32, 32, 3), np.uint8), conf=min_score, **self._settings)[0]
                if first.boxes is None:
                    raise ValueError("it finds no upright boxes")
            except Exception as error:
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise WeightsCorruptError(
                    f"{path} cannot be loaded by ultralytics ({reason}): check that the file is whole, and a model of "
                    "detection or pose."
                ) from error

    def with_min_score(self, min_score: float) -> UltralyticsDetector:
        """The same model, in the same memory, with another ``min_score``."""
        other = copy.copy(self)
        other.min_score = min_score
        return other

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """Plates of each frame, best first."""
        return [self._detect_one(np.ascontiguousarray(frame)) for frame in frames]

    def _detect_one(self, frame: BgrImage) -> list[Detection]:
        """Plates of one frame; one at a time, since ultralytics may drop the later pictures of a slow batch."""
        with self._lock:
            result = self._model.predict(frame, conf=self.min_score, **self._settings)[0]
        boxes: NDArray[np.float32] = result.boxes.xyxy.cpu().numpy()
        scores: NDArray[np.float32] = result.boxes.conf.cpu().numpy()
        points: NDArray[np.float32] | None = None
        if result.keypoints is not None and result.keypoints.xy.shape[1] == _CORNERS:
            points = cast("NDArray[np.float32]", result.keypoints.xy.cpu().numpy())
        found: list[Detection] = []
        for row in range(len(boxes)):
            x1, y1, x2, y2 = (float(value) for value in boxes[row])
            box = Box(x1, y1, max(x1, x2), max(y1, y2)).clipped(frame.shape[1], frame.shape[0])
            corners = None if points is None else corners_of(points[row])
            if box is not None:
                found.append(Detection(box, float(scores[row]), corners))
        return sorted(found, key=lambda item: -item.score)
