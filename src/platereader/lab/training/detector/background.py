"""Plates of background cars that nobody labelled: found by a trained detector, sorted by reading them.

Trained on as if it were complete, a picture teaches the detector to overlook the plates its labels leave out; trusted
nowhere, it teaches nothing about what is no plate. So what a detector finds beside the labels is read. A text in the
form of a plate is a plate, what is too small or half legible is left out of the learning, and the rest is no plate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from platereader._contracts import checked_detect
from platereader._files import append_text, write_text
from platereader._geometry import Box, Quad, shared_area
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.media._images import read_image
from platereader.pipeline import Pipeline
from platereader.protocols import Detector
from platereader.results import Detection, PlateReading

FILE_NAME = "background.jsonl"
"""What was found beside the labels, one picture a line."""

_INPUT_SIZES = (640, 960)
_MIN_SCORE, _DOUBT_SCORE = 0.08, 0.25
_LEGIBLE_PX, _SOME_CHARACTERS = 64.0, 3
_MIN_CONFIDENCE = 0.5
_SHARED = 0.3


@dataclass(frozen=True, slots=True)
class BackgroundFinder:
    """A detector that is run at a low threshold, and a pipeline that reads what it finds.

    Attributes:
        detectors: the same network at several input sizes, down to low scores.
        pipeline: reads what they find.
    """

    detectors: tuple[Detector, ...]
    pipeline: Pipeline

    @classmethod
    def build(cls) -> BackgroundFinder:
        """The shipped parts.

        Raises:
            WeightsError: the shipped weights are missing or altered.
        """
        pipeline = Pipeline.build()
        detector = cast(PlateDetector, pipeline.detector)
        sizes = (replace(detector, input_size=size, min_score=_MIN_SCORE) for size in _INPUT_SIZES)
        return cls(tuple(sizes), pipeline)

    def plates(self, image: LabelledImage) -> tuple[LabelledPlate, ...]:
        """The plates beside the labelled ones: sure ones as ``fitted``, doubtful places as ``loose``."""
        frame = read_image(image.path)
        found = [one for detector in self.detectors for one in checked_detect(detector, [frame])[0]]
        known = [plate.box for plate in image.plates if plate.box is not None]
        beside = [one for one in _distinct(found) if not any(_shared(one.box, box) > _SHARED for box in known)]
        readings = self.pipeline.read_detections(frame, beside) if beside else []
        size = float(frame.shape[1]), float(frame.shape[0])
        return tuple(
            plate
            for one, reading in zip(beside, readings, strict=True)
            if (plate := _as_label(one, reading, size=size)) is not None
        )


def with_background(
    images: Sequence[LabelledImage],
    *,
    cache: Path,
    finder: Callable[[], BackgroundFinder] = BackgroundFinder.build,
    on_picture: Callable[[], None] | None = None,
) -> list[LabelledImage]:
    """The pictures with the plates that their labels leave out.

    Args:
        images: labelled pictures.
        cache: file of earlier results; pictures that it has are not searched again.
        finder: makes what searches for plates, if there is a picture to search.
        on_picture: called after each picture that was searched.

    Raises:
        MediaFileError: a picture cannot be decoded.
        WeightsError: the shipped weights are missing or altered.
    """
    cached = _cached(cache)
    unseen = [image for image in images if _name(image) not in cached]
    if unseen:
        search = finder()
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_text(cache, "".join(_whole_lines(cache)))
        for image in unseen:
            plates = cached[_name(image)] = search.plates(image)
            row = {"file": _name(image), "plates": [_to_dict(plate) for plate in plates]}
            append_text(cache, json.dumps(row) + "\n")
            if on_picture is not None:
                on_picture()
    return [replace(image, plates=(*image.plates, *cached[_name(image)])) for image in images]


def _as_label(detection: Detection, reading: PlateReading, *, size: tuple[float, float]) -> LabelledPlate | None:
    """A detection as a label; None where it is no plate."""
    text = reading.text or ""
    formed = reading.format is not None and reading.confidence >= _MIN_CONFIDENCE
    if reading.status == "read" or formed:
        return LabelledPlate(detection.box, corners=detection.corners, text=text, box_quality="fitted")
    box = detection.box
    cut = box.x1 <= 1 or box.y1 <= 1 or box.x2 >= size[0] - 1 or box.y2 >= size[1] - 1
    illegible = box.width < _LEGIBLE_PX or cut or len(text) >= _SOME_CHARACTERS
    return LabelledPlate(box, box_quality="loose") if illegible and detection.score >= _DOUBT_SCORE else None


def _distinct(found: Sequence[Detection]) -> list[Detection]:
    """The best of the detections that share a place."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda detection: -detection.score):
        if not any(_shared(one.box, other.box) > _SHARED for other in kept):
            kept.append(one)
    return kept


def _shared(one: Box, other: Box) -> float:
    """Common area as a share of the smaller box."""
    return shared_area(one, other) / max(min(one.area, other.area), 1e-6)


def _name(image: LabelledImage) -> str:
    """Name of a picture in the cache: the last three parts of its path, so that the data may move."""
    return "/".join(image.path.parts[-3:])


def _cached(path: Path) -> dict[str, tuple[LabelledPlate, ...]]:
    """The plates found by earlier runs; a picture whose line was cut off is searched again."""
    rows = [json.loads(line) for line in _whole_lines(path)]
    return {row["file"]: tuple(_from_dict(plate) for plate in row["plates"]) for row in rows}


def _whole_lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith("\n")]


def _to_dict(plate: LabelledPlate) -> dict[str, Any]:
    corners = None if plate.corners is None else plate.corners.to_array().tolist()
    box = None if plate.box is None else plate.box.to_tuple()
    return {"box": box, "corners": corners, "text": plate.text, "box_quality": plate.box_quality}


def _from_dict(row: Mapping[str, Any]) -> LabelledPlate:
    corners = None if row["corners"] is None else Quad.from_points(row["corners"])
    return LabelledPlate(Box(*row["box"]), corners=corners, text=row["text"], box_quality=row["box_quality"])
