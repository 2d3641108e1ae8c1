"""Why a plate is not among the readings: every candidate of the detector and the stage at which it stopped."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from platereader.arrays import BgrImage
from platereader.cli.document import Explanation, Stage
from platereader.errors import InvalidArgumentError
from platereader.protocols import Detector
from platereader.reading import detect
from platereader.results import Detection, PlateReading

if TYPE_CHECKING:
    from platereader.pipeline import Pipeline

LOWEST_SCORE = 0.05
"""Candidates below this score are not worth an explanation."""


def explain(frame: BgrImage, readings: list[PlateReading], *, pipeline: Pipeline) -> tuple[Explanation, ...]:
    """What became of every candidate that the detector scored 0.05 or more.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR.
        readings: what ``pipeline.read`` returned for it.
        pipeline: its detector needs a ``min_score``, as our detectors have.

    Raises:
        InvalidArgumentError: the detector's threshold cannot be lowered.
    """
    curious, threshold = _with_lower_threshold(pipeline.detector)
    below = [item for item in detect(curious, [frame])[0] if item.score < threshold]
    explained = [
        Explanation(item, "detector", f"its score of {item.score:.2f} is below the detector's threshold {threshold:g}")
        for item in below
    ]
    for reading in readings:
        if reading.detection is not None:
            stage, why = _fate(reading)
            why += _note_on_corners(reading.detection, pipeline=pipeline)
            explained.append(Explanation(reading.detection, stage, why, reading.text))
    return tuple(sorted(explained, key=lambda item: -item.detection.score))


def _with_lower_threshold(detector: Detector) -> tuple[Detector, float]:
    """The same detector with the lowest threshold, and the threshold it has."""
    part: Any = detector
    threshold: object = getattr(part, "min_score", None)
    if not is_dataclass(part) or not isinstance(threshold, float):
        raise InvalidArgumentError(
            f"{type(detector).__name__} has no min_score that could be lowered: --explain needs one of our detectors."
        )
    return cast(Detector, replace(cast(Any, part), min_score=min(LOWEST_SCORE, threshold))), threshold


def _fate(reading: PlateReading) -> tuple[Stage, str]:
    """The stage at which a detected plate stopped, and why."""
    if reading.status == "read":
        return "passed", f"read with a confidence of {reading.confidence:.2f}"
    if reading.text is None:
        return "decoder", "nothing on it is legible"
    weakest = min(reading.characters, key=lambda item: item.confidence)
    region = reading.text if reading.format is None else f"the region of {reading.text}"
    why = {
        "low_confidence": f"the whole text has a confidence of {reading.confidence:.2f} only",
        "weak_character": f"its weakest character, {weakest.char}, has a confidence of {weakest.confidence:.2f} only",
        "unknown_format": f"{reading.text} fits no known plate format",
        "unknown_region": f"{region} is not in the table of regions",
    }
    return "trust", why.get(str(reading.reason), str(reading.reason))


def _note_on_corners(detection: Detection, *, pipeline: Pipeline) -> str:
    """That the rectifier did not trust the corners, if so."""
    from platereader.rectification.corners import CornerRectifier, is_plausible

    rectifier = pipeline.rectifier
    if not isinstance(rectifier, CornerRectifier) or detection.corners is None:
        return ""
    if is_plausible(detection.corners, detection.box, min_box_iou=rectifier.min_box_iou):
        return ""
    return "; the rectifier declined its corners and went by the box"
