"""One run of a pipeline over a labelled set."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader.detection._thresholds import with_min_score
from platereader.errors import DatasetError, InvalidImageError, MediaFileError
from platereader.lab.datasets import Dataset, LabelledImage, LabelledPlate, SkippedRow
from platereader.lab.metrics.rates import PictureBoxes, box_rows
from platereader.lab.suites.labelled.failures import FailureWriter
from platereader.lab.suites.labelled.outcomes import PlateOutcome, plate_outcome
from platereader.lab.suites.labelled.report import (
    DetectionScores,
    EvaluationReport,
    Scene,
    score_detection,
    score_groups,
)
from platereader.media._images import read_image
from platereader.pipeline import Pipeline
from platereader.results import Detection, PlateReading

LOW_SCORE = 0.01
"""Average precision looks at plates down to this score where the detector can report them."""


def evaluate(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    name: str,
    failures: str | Path | None = None,
    on_picture: Callable[[], object] = lambda: None,
) -> EvaluationReport:
    """Run a pipeline over a labelled set, which the report calls ``name``, and score it.

    Every picture is read from the frame (``Pipeline.read``), and every plate with a text and a trustworthy place once
    more from that place (``Pipeline.read_detections``); crops are read as they are (``Pipeline.read_plates``). A
    picture that cannot be decoded, or is not of the labelled size, is skipped and reported; it is in no score. A folder
    of ``failures`` gets pictures of them and contact sheets; it is made if missing.
    """
    writer = None if failures is None else FailureWriter(Path(failures))
    run, skipped = _Run(pipeline, writer), list(dataset.skipped)
    names = _short_names([image.path for image in dataset.images])
    for image, file in zip(dataset.images, names, strict=True):
        try:
            run.look_at(image, read_image(image.path), file=file)
        except (MediaFileError, InvalidImageError, DatasetError) as error:
            skipped.append(SkippedRow(image.path, None, str(error)))
        on_picture()
    if writer is not None:
        writer.write_sheet()
    rng = np.random.default_rng(0)  # of the intervals: reports repeat
    return EvaluationReport(
        dataset=name,
        pictures=run.pictures,
        plates=len(run.outcomes),
        skipped=tuple(skipped),
        parts=pipeline.describe(),
        detection=score_detection(run.scenes, run.outcomes, rng=rng) if run.scenes else None,
        countries=_by_country(run.scenes, run.outcomes, rng=rng),
        groups=score_groups(run.outcomes, rng=rng),
        outcomes=tuple(run.outcomes),
    )


class _Run:
    """A pipeline that looks at pictures one by one, and what came of them."""

    def __init__(self, pipeline: Pipeline, writer: FailureWriter | None) -> None:
        self.pictures: int = 0
        self.outcomes: list[PlateOutcome] = []
        self.scenes: list[Scene] = []
        self._pipeline, self._writer = pipeline, writer
        self._low_threshold = with_min_score(pipeline.detector, LOW_SCORE)

    def look_at(self, image: LabelledImage, frame: BgrImage, *, file: str) -> None:
        """Read one picture in every way its labels allow; raises DatasetError where they cannot be of it."""
        height, width = frame.shape[:2]
        if (image.width or width, image.height or height) != (width, height):
            raise DatasetError(
                f"the labels are for {image.width}x{image.height} px, the picture is {width}x{height} px: its places "
                "would be wrong; label this very file (EXIF orientation applied), or leave out width and height."
            )
        boxes = [box for plate in image.plates if (box := plate.bounds) is not None]
        if any(box.clipped(width, height) is None for box in boxes):
            raise DatasetError(f"a labelled box lies outside of the picture, which is {width}x{height} px")
        whole = not image.plates or bool(boxes)
        readings = self._pipeline.read(frame) if whole else []
        given = [self._read_given(frame, plate) for plate in image.plates]
        outcomes = [
            plate_outcome(image, plate, file=file, readings=readings, given=reading)
            for plate, reading in zip(image.plates, given, strict=True)
        ]
        self.pictures += 1
        self.outcomes += outcomes
        if whole:
            reported = [reading.detection for reading in readings if reading.detection is not None]
            low = self._low_threshold
            candidates = reported if low is None else checked_detect(low, [frame])[0]
            boxes_of = picture_boxes(image, candidates), picture_boxes(image, reported)
            scale = input_scale_of(self._pipeline.detector, width, height)
            self.scenes.append(Scene(file, image.country, scale, *boxes_of))
        if self._writer is not None:
            for plate, outcome in zip(image.plates, outcomes, strict=True):
                if outcome.is_failure:
                    self._writer.add(frame, readings, plate=plate, outcome=outcome)

    def _read_given(self, frame: BgrImage, plate: LabelledPlate) -> PlateReading | None:
        """The reading from the labelled place, or of a crop; None where the label has no text or only a loose place."""
        if plate.text is None or plate.is_loose:
            return None
        if plate.bounds is None:
            return self._pipeline.read_plates([frame])[0]
        given = Detection(plate.bounds, 1.0, plate.corners, plate.lines)
        return self._pipeline.read_detections(frame, [given])[0]


def picture_boxes(image: LabelledImage, detections: Sequence[Detection]) -> PictureBoxes:
    """The boxes of one picture; in loose labels and ignored places a detection is neither right nor wrong."""
    labels = [(plate, box) for plate in image.plates if (box := plate.bounds) is not None]
    return PictureBoxes(
        found=box_rows(detection.box for detection in detections),
        scores=np.asarray([detection.score for detection in detections], dtype=np.float64),
        labelled=box_rows(box for plate, box in labels if not plate.is_loose),
        ignored=box_rows((*(box for plate, box in labels if plate.is_loose), *image.ignored)),
    )


def input_scale_of(detector: Any, width: int, height: int) -> float | None:
    """Pixels of the network's input a pixel of a frame, where the detector says it, or how large its input is."""
    if hasattr(detector, "input_scale"):
        return float(detector.input_scale(width, height))
    size = getattr(detector, "input_size", None)
    return min(1.0, size / max(width, height)) if isinstance(size, int) else None


def _by_country(
    scenes: Sequence[Scene], outcomes: Sequence[PlateOutcome], *, rng: np.random.Generator
) -> dict[str, DetectionScores]:
    """The scores of each country, where the set names several."""
    names = sorted({scene.country for scene in scenes if scene.country is not None})
    scored: dict[str, DetectionScores] = {}
    for name in names if len(names) > 1 else ():
        some = [scene for scene in scenes if scene.country == name]
        files = {scene.file for scene in some}
        scored[name] = score_detection(some, [one for one in outcomes if one.file in files], rng=rng)
    return scored


def _short_names(paths: Sequence[Path]) -> list[str]:
    """Paths without what all of them share."""
    if not paths:
        return []
    shared = Path(os.path.commonpath([path.parent for path in paths]))
    return [path.relative_to(shared).as_posix() for path in paths]
