"""One run of a whole pipeline over the scenes suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from platereader._contracts import checked_detect
from platereader._geometry import iou
from platereader._reading import PlateReader
from platereader.lab.metrics.rates import best_overlap
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.frozen import changed_parts, fingerprint
from platereader.lab.suites.labelled.outcomes import MIN_FOUND_IOU, corner_error_at
from platereader.lab.suites.scenes.report import SceneReading, ScenesReport
from platereader.lab.synthesis.scenes.material import Material
from platereader.lab.synthesis.scenes.pictures import PARTS, TILTED, ScenePicture, part_size, pictures
from platereader.pipeline import Pipeline
from platereader.protocols import Rectifier
from platereader.rectification._contour import ContourRectifier
from platereader.rectification._corners import BoxRectifier
from platereader.results import Detection, PlateReading

FROZEN_PICTURES = 8
"""Pictures of each part, from its first on, whose fingerprint is frozen."""

_CHUNK = 8
# By the box alone: as if the detector had no corners.
_OTHERS: dict[str, Rectifier] = {"contour": ContourRectifier(), "box": BoxRectifier()}


def run_size(material: Material) -> int:
    """How many pictures ``evaluate_scenes`` will read."""
    return sum(part_size(part, material) for part in PARTS)


def evaluate_scenes(
    pipeline: Pipeline, material: Material, *, on_picture: Callable[[], object] = lambda: None
) -> ScenesReport:
    """Find and read the plate of every picture; the tilted ones with other rectifiers, too.

    Raises:
        MediaFileError: a photograph cannot be decoded.
    """
    readings: list[SceneReading] = []
    made: dict[str, str] = {}
    for part in PARTS:
        first: list[ScenePicture] = []
        for some in chunks(pictures(material, part), size=_CHUNK):
            first += some[: FROZEN_PICTURES - len(first)]
            for reading in _read(pipeline, some):
                readings.append(reading)
                on_picture()
        made[part.name] = fingerprint_of(first)
    return ScenesReport(tuple(readings), changed_parts("scenes", made), pipeline.describe())


def fingerprint_of(made: Sequence[ScenePicture]) -> str:
    """The ``fingerprint`` of some pictures: their pixels, places and texts."""
    return fingerprint(
        (one.frame, [one.text, one.frame.shape, [round(value, 2) for value in one.box.to_tuple()]]) for one in made
    )


def _read(pipeline: Pipeline, some: Sequence[ScenePicture]) -> Iterator[SceneReading]:
    """Find the plates of some pictures of one part, and read their detections."""
    detections = checked_detect(pipeline.detector, [one.frame for one in some])
    matches = [_match(picture, found) for picture, found in zip(some, detections, strict=True)]
    readings = _texts(pipeline, pipeline.rectifier, some, matches)
    without_corners = [match and replace(match, corners=None) for match in matches]
    rectifiers = _OTHERS if some[0].part in TILTED else {}
    others = {name: _texts(pipeline, rectifier, some, without_corners) for name, rectifier in rectifiers.items()}
    for index, (picture, match, reading) in enumerate(zip(some, matches, readings, strict=True)):
        overlap, corners = (None, None) if match is None else (iou(match.box, picture.box), match.corners)
        yield SceneReading(
            part=picture.part,
            file=picture.file,
            width_px=picture.width_px,
            text=picture.text,
            iou=overlap,
            corner_error_percent=corner_error_at(overlap, corners, picture.corners),
            read_text=None if reading is None else reading.text,
            status=None if reading is None else reading.status,
            others={name: one.text if (one := read[index]) else None for name, read in others.items()},
        )


def _match(picture: ScenePicture, detections: Sequence[Detection]) -> Detection | None:
    """The detection that overlaps the plate most, from IoU 0.3 on."""
    best, overlap = best_overlap(picture.box, [one.box for one in detections])
    return detections[best] if overlap >= MIN_FOUND_IOU else None


def _texts(
    pipeline: Pipeline, rectifier: Rectifier, some: Sequence[ScenePicture], matches: Sequence[Detection | None]
) -> list[PlateReading | None]:
    """What is read with a rectifier; None where nothing was found. A reading does not depend on others."""
    reader = PlateReader(rectifier, pipeline.recognizer, pipeline.decoder, pipeline.trust, pipeline.schemes)
    chosen = [[] if match is None else [match] for match in matches]
    readings = reader.read_frames([one.frame for one in some], chosen)
    return [read[0] if read else None for read in readings]
