"""Roboflow's supervision: its ``Detections`` are what its trackers, zones and annotators take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from platereader._dependencies import missing_dependency
from platereader._geometry import Box
from platereader.errors import InvalidArgumentError
from platereader.results import Detection, PlateReading, TrackedPlate, to_rows
from platereader.results._checks import described

if TYPE_CHECKING:
    from supervision import Detections
else:
    Detections = Any

_NAME = "plate"


def to_supervision(plates: Sequence[PlateReading] | Sequence[TrackedPlate]) -> Detections:
    """Plates as ``supervision.Detections``.

    ``xyxy`` are the boxes, ``confidence`` is the detector's score, ``class_id`` 0, and ``tracker_id`` of plates of a
    stream their ``passage_id``. ``data`` has the columns of ``to_row()``, ``confidence`` of the text among them, so
    ``labels=[str(text) for text in detections.data["text"]]`` labels them; ``class_name`` is ``plate``.

    Args:
        plates: readings of a frame, or plates of a stream; in this order.

    Raises:
        MissingDependencyError: supervision is not installed.
        InvalidArgumentError: something else than plates, or a reading of a cropped plate, which has no place.
    """
    try:
        import supervision
    except ImportError as error:
        raise missing_dependency("supervision", extra="supervision") from error
    made: Any = supervision.Detections
    given: list[PlateReading | TrackedPlate] = list(plates)
    rows = to_rows(given)
    boxes = [_box(plate, index).to_tuple() for index, plate in enumerate(given)]
    scores = [_score(plate) for plate in given]
    tracked = [plate.passage_id for plate in given if isinstance(plate, TrackedPlate)]
    columns = {name: np.array([row[name] for row in rows], dtype=object) for name in (rows[0] if rows else ())}
    return made(
        xyxy=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.array(scores, dtype=np.float32),
        class_id=np.zeros(len(rows), dtype=np.int64),
        tracker_id=np.array(tracked, dtype=np.int64) if tracked else None,
        data={"class_name": np.full(len(rows), _NAME), **columns},
    )


def from_supervision(detections: Detections) -> list[Detection]:
    """``supervision.Detections`` of any model, tracker or zone as what ``Pipeline.read_detections`` takes.

    There is one ``Detection`` a row, in order, with its box and score; corners are looked for when it is read.

    Args:
        detections: of plates only: ``detections[detections.class_id == 3]`` leaves other classes out. Those without
            ``confidence`` score 1.

    Raises:
        InvalidArgumentError: no such object, or a score that is none.
        InvalidGeometryError: a box that is none.
    """
    known = cast(Any, detections)
    boxes: NDArray[Any] = np.asarray(getattr(known, "xyxy", None))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(f"detections is {described(detections)}, expected are supervision.Detections.")
    scores = np.ones(len(boxes)) if known.confidence is None else np.asarray(known.confidence, dtype=np.float64)
    return [Detection(Box(*map(float, box)), float(score)) for box, score in zip(boxes, scores, strict=True)]


def _box(plate: PlateReading | TrackedPlate, index: int) -> Box:
    if isinstance(plate, TrackedPlate):
        return plate.box
    if plate.detection is None:
        raise InvalidArgumentError(f"plates[{index}] is the reading of a cropped plate, which has no place in a frame.")
    return plate.detection.box


def _score(plate: PlateReading | TrackedPlate) -> float:
    detection = (plate.best if isinstance(plate, TrackedPlate) else plate).detection
    return 1.0 if detection is None else detection.score
