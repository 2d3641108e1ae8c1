"""One run of a pipeline over a labelled set."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from platereader.arrays import BgrImage
from platereader.datasets import Dataset, LabelledImage, LabelledPlate, SkippedRow, read_image
from platereader.errors import DatasetError, InvalidImageError, MediaFileError
from platereader.evaluation.failures import FailureWriter
from platereader.evaluation.metrics import PictureBoxes
from platereader.evaluation.outcomes import PlateOutcome, box_of, judge
from platereader.evaluation.report import DetectionScores, EvaluationReport, score_detection, score_groups
from platereader.geometry import Box
from platereader.pipeline import Pipeline
from platereader.protocols import Detector
from platereader.reading import detect
from platereader.results import Detection, PlateReading

LOW_SCORE = 0.01
"""Average precision looks at plates down to this score where the detector can be asked for them."""


@dataclasses.dataclass(slots=True)
class _Run:
    """What gathers over the pictures."""

    outcomes: list[PlateOutcome] = dataclasses.field(default_factory=list[PlateOutcome])
    candidates: list[PictureBoxes] = dataclasses.field(default_factory=list[PictureBoxes])
    reported: list[PictureBoxes] = dataclasses.field(default_factory=list[PictureBoxes])
    skipped: list[SkippedRow] = dataclasses.field(default_factory=list[SkippedRow])
    pictures: int = 0


def evaluate(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    name: str,
    failures: str | Path | None = None,
    rng: np.random.Generator | None = None,
    on_picture: Callable[[], None] | None = None,
) -> EvaluationReport:
    """Run a pipeline over a labelled set and score it.

    Every picture is read from the frame (``Pipeline.read``), and every plate with a text and a trustworthy place once
    more from that place (``Pipeline.read_detections``); crops are read as they are (``Pipeline.read_plates``). A
    picture that cannot be decoded, or is not of the labelled size, is skipped and reported; it is in no score.

    Args:
        pipeline: what to measure.
        dataset: as ``load_dataset`` returns it.
        name: how the report calls the set.
        failures: folder for pictures of the failures and their contact sheets; made when missing.
        rng: for the bootstrap intervals; by default seeded with 0, so that reports repeat.
        on_picture: called after each picture, for a progress bar.

    Raises:
        ContractError: a part broke its contract.
    """
    rng = rng or np.random.default_rng(0)
    run = _Run(skipped=list(dataset.skipped))
    writer = None if failures is None else FailureWriter(Path(failures))
    patient = _patient(pipeline.detector)
    names = _short_names([image.path for image in dataset.images])
    for image, file in zip(dataset.images, names, strict=True):
        try:
            frame = read_image(image.path)
            _evaluate_picture(run, pipeline, patient, image=image, frame=frame, file=file, writer=writer)
        except (MediaFileError, InvalidImageError, DatasetError) as error:
            run.skipped.append(SkippedRow(image.path, None, str(error)))
        if on_picture is not None:
            on_picture()
    if writer is not None:
        writer.finish()
    return EvaluationReport(
        dataset=name,
        pictures=run.pictures,
        plates=len(run.outcomes),
        skipped=tuple(run.skipped),
        parts=pipeline.describe(),
        detection=_detection_scores(run, rng),
        groups=score_groups(run.outcomes, rng=rng),
        outcomes=tuple(run.outcomes),
    )


def _evaluate_picture(
    run: _Run,
    pipeline: Pipeline,
    patient: Detector | None,
    *,
    image: LabelledImage,
    frame: BgrImage,
    file: str,
    writer: FailureWriter | None,
) -> None:
    """Read one picture in every way its labels allow, and keep what came of it."""
    height, width = frame.shape[:2]
    if (image.width or width, image.height or height) != (width, height):
        raise DatasetError(
            f"the labels are for {image.width}x{image.height} px, the picture is {width}x{height} px: its places "
            "would be wrong; label this very file (EXIF orientation applied), or leave out width and height."
        )
    boxes = [box for plate in image.plates if (box := box_of(plate)) is not None]
    if any(box.clipped(width, height) is None for box in boxes):
        raise DatasetError(f"a labelled box lies outside of the picture, which is {width}x{height} px")
    whole = not image.plates or bool(boxes)
    readings = pipeline.read(frame) if whole else []
    given = [_read_given(pipeline, frame, plate) for plate in image.plates]
    outcomes = [
        judge(image, plate, file=file, readings=readings, given=reading)
        for plate, reading in zip(image.plates, given, strict=True)
    ]
    run.pictures += 1
    run.outcomes += outcomes
    if whole:
        reported = [reading.detection for reading in readings if reading.detection is not None]
        run.reported.append(_boxes(image, reported))
        candidates = reported if patient is None else detect(patient, [frame])[0]
        run.candidates.append(_boxes(image, candidates))
    if writer is not None:
        for plate, outcome in zip(image.plates, outcomes, strict=True):
            if outcome.is_failure:
                writer.add(frame, readings, plate=plate, outcome=outcome)


def _read_given(pipeline: Pipeline, frame: BgrImage, plate: LabelledPlate) -> PlateReading | None:
    """The reading from the labelled place, or of a crop; None where the label has no text or only a loose place."""
    box = box_of(plate)
    if plate.text is None or plate.is_loose:
        return None
    if box is None:
        return pipeline.read_plates([frame])[0]
    return pipeline.read_detections(frame, [Detection(box, 1.0, plate.corners, plate.lines)])[0]


def _boxes(image: LabelledImage, detections: Sequence[Detection]) -> PictureBoxes:
    """The boxes of one picture; loose labels are places where a find is neither right nor wrong."""
    labels = [(plate, box) for plate in image.plates if (box := box_of(plate)) is not None]
    return PictureBoxes(
        found=_rows(detection.box for detection in detections),
        scores=np.asarray([detection.score for detection in detections], dtype=np.float64),
        labelled=_rows(box for plate, box in labels if not plate.is_loose),
        ignored=_rows(box for plate, box in labels if plate.is_loose),
    )


def _rows(boxes: Iterable[Box]) -> NDArray[np.float64]:
    return np.asarray([box.to_tuple() for box in boxes], dtype=np.float64).reshape(-1, 4)


def _patient(detector: object) -> Detector | None:
    """The same detector with a low ``min_score``, where it is a dataclass that has one; None for any other."""
    if not dataclasses.is_dataclass(detector) or not hasattr(detector, "min_score"):
        return None
    return cast(Detector, dataclasses.replace(cast(Any, detector), min_score=LOW_SCORE))


def _detection_scores(run: _Run, rng: np.random.Generator) -> DetectionScores | None:
    if not run.reported:
        return None
    return score_detection(run.candidates, run.reported, run.outcomes, rng=rng)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """Paths without what all of them share."""
    if not paths:
        return []
    shared = Path(os.path.commonpath([path.parent for path in paths]))
    return [path.relative_to(shared).as_posix() for path in paths]
