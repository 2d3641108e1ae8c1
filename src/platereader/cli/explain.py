"""Why a plate is not among the readings: every candidate of the detector and the stage at which it stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader.cli.report import Explanation, Stage
from platereader.detection._thresholds import min_score_of, with_min_score
from platereader.errors import InvalidArgumentError
from platereader.pipeline import Pipeline
from platereader.rectification._corners import CornerRectifier, is_plausible
from platereader.results import Detection, PlateReading

LOWEST_SCORE = 0.05
"""Candidates below this score are not worth an explanation."""


def check_explainable(pipeline: Pipeline) -> None:
    """Refuse a pipeline whose detector has no threshold that can be lowered."""
    if min_score_of(pipeline.detector) is None:
        raise InvalidArgumentError(
            f"--explain cannot lower the threshold of {type(pipeline.detector).__name__}: use it with weights of this "
            "package's own detector."
        )


def explained(pipeline: Pipeline, frame: BgrImage, readings: Sequence[PlateReading]) -> tuple[Explanation, ...]:
    """What became of every candidate that the detector scored 0.05 or more, best score first."""
    detector = pipeline.detector
    threshold = min_score_of(detector) or 0.0
    permissive = with_min_score(detector, min(LOWEST_SCORE, threshold)) or detector
    found = [
        Explanation(one, "detector", f"its score of {one.score:.2f} is below the threshold {threshold:g}")
        for one in checked_detect(permissive, [frame])[0]
        if one.score < threshold
    ]
    for reading in readings:
        if reading.detection is not None:
            stage, why = _stage_of(reading)
            note = _corner_note(reading.detection, pipeline=pipeline)
            found.append(Explanation(reading.detection, stage, why + note, reading.text))
    return tuple(sorted(found, key=lambda item: -item.detection.score))


def _stage_of(reading: PlateReading) -> tuple[Stage, str]:
    """The stage at which a detected plate stopped, and why."""
    if reading.status == "read":
        return "passed", f"read with a confidence of {_rounded_down(reading.confidence)}"
    if reading.text is None:
        return "decoder", "nothing on it is legible"
    weakest = min(reading.characters, key=lambda item: item.confidence)
    region = reading.text if reading.format is None else f"the region of {reading.text}"
    weak = f"{weakest.char}, has a confidence of {_rounded_down(weakest.confidence)} only"
    why = {
        "cut_off": f"an end of {reading.text} is cut off or hidden",
        "hidden_character": f"a character of {reading.text} is hidden",
        "too_small": f"too small to be sure of, with a confidence of {_rounded_down(reading.confidence)} only",
        "low_confidence": f"the whole text has a confidence of {_rounded_down(reading.confidence)} only",
        "weak_character": f"its weakest character, {weak}",
        "overexposed": f"too much light: strokes of {reading.text} may be burnt out",
        "unknown_format": f"{reading.text} fits no known plate format",
        "unknown_region": f"{region} is not in the table of regions",
        "unknown_country": (
            f"the mark of its country was not seen on {reading.text}, or that country is none of the pipeline's"
            f"{_likeliest_mark(reading)}: see --country"
        ),
        "ambiguous_country": f"{reading.text} fits formats of several countries, and nothing on it tells them apart",
    }
    return "trust", why.get(str(reading.reason), str(reading.reason))


def _likeliest_mark(reading: PlateReading) -> str:
    """The country whose mark was seen best, and how well."""
    marks = reading.evidence.marks
    if not marks:
        return ""
    country = max(marks, key=lambda code: marks[code])
    return f" (likeliest mark: {country}, {_rounded_down(marks[country])})"


def _rounded_down(confidence: float) -> str:
    """Two decimals, rounded down, so that only certainty is 1.00."""
    return f"{math.floor(100 * confidence) / 100:.2f}"


def _corner_note(detection: Detection, *, pipeline: Pipeline) -> str:
    """A note where the rectifier rejected the corners."""
    rectifier = pipeline.rectifier
    if not isinstance(rectifier, CornerRectifier) or detection.corners is None:
        return ""
    if is_plausible(detection.corners, detection.box, min_box_iou=rectifier.min_box_iou):
        return ""
    return "; the rectifier rejected its corners and used the box"
