"""What a whole pipeline makes of the scenes suite, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from platereader._contracts import checked_detect
from platereader._geometry import iou
from platereader._reading import PlateReader
from platereader.detection._refined import RefinedRectifier
from platereader.lab.metrics.estimates import Estimate, estimate_errors, ninetieth
from platereader.lab.metrics.rates import Rate, best_overlap
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.frozen import FrozenReport, changed_parts, fingerprint, frozen_note
from platereader.lab.suites.labelled.outcomes import MIN_FOUND_IOU, corner_error_at
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.scenes.material import Material
from platereader.lab.synthesis.scenes.pictures import PARTS, TILTED, ScenePicture, part_size, pictures
from platereader.lab.tables import aligned, report_text, show_error, show_rate, table
from platereader.pipeline import Pipeline
from platereader.protocols import Rectifier
from platereader.rectification._corners import BoxRectifier, CornerRectifier
from platereader.results import Detection, PlateReading, Status

FROZEN_PICTURES = 8
"""Pictures of each part, from its first on, whose fingerprint is frozen."""

_CHUNK = 8
# By the box alone: as if the detector had no corners.
_OTHERS: dict[str, Rectifier] = {"refiner": RefinedRectifier(CornerRectifier()), "box": BoxRectifier()}
_GROUPS: Mapping[str, Callable[[Part], bool]] = {
    "width 40-200 px, together": lambda part: part.axis == "width" and part.unit not in ("16-24 px", "24-40 px"),
    "rolled, together": lambda part: part.axis == "rolled",
    "tilted, together": lambda part: part in TILTED,
}
_HEAD = ("scenes suite", "found, IoU 0.3", "found, IoU 0.5", "whole text right", "right and status read")
_CORNERS = ("corner error", "n", "median", "90 %")
_RECTIFIERS = ("rectifier", "the pipeline's", "refiner", "box")


@dataclass(frozen=True, slots=True)
class SceneReading:
    """What became of the plate of one picture, made of a photograph ``file``.

    Attributes:
        text: what it says; None where it was only to be found.
        iou: of the plate with the detection that overlaps it most, from IoU 0.3 on; None when it was not found.
        corner_error_percent: mean distance of the corners in per cent of the plate's width; None where the label or the
            detection has no corners, or below IoU 0.5.
        read_text: what was read on that detection.
        others: what was read on the same detection with other rectifiers, by their names; empty where not tried.
    """

    part: Part
    file: str
    width_px: float
    text: str | None
    iou: float | None
    corner_error_percent: float | None
    read_text: str | None
    status: Status | None
    others: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])

    @property
    def right(self) -> bool:
        """Whether the whole text is right."""
        return self.text is not None and self.read_text == self.text

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "part": self.part.name}


@dataclass(frozen=True, slots=True)
class SceneScores:
    """How well the plates of one part, or of several together, were found, at IoU 0.3 and 0.5, and read.

    ``exact`` counts, of the plates with a text, those read right from end to end, whatever the status; ``exact_read``
    only those of status ``read``; ``others`` those of other rectifiers. Corner errors are in per cent of plate width,
    their median and 90th percentile; None without corners. Their intervals are over photographs.
    """

    name: str
    found30: Rate
    found50: Rate
    exact: Rate
    exact_read: Rate
    corner_error_median: Estimate | None
    corner_error_p90: Estimate | None
    others: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class ScenesReport(FrozenReport[SceneReading]):
    """What a run over the suite says."""

    SCHEMA: ClassVar[int] = 1
    FIGURES: ClassVar[tuple[str, ...]] = ("scores",)

    def scores(self) -> list[SceneScores]:
        """Scores of each part, then of parts that belong together; the same numbers every time."""
        rng = np.random.default_rng(0)
        rows = [(part.name, [one for one in self.readings if one.part == part]) for part in PARTS]
        rows += [(name, [one for one in self.readings if chosen(one.part)]) for name, chosen in _GROUPS.items()]
        return [_score(name, some, rng=rng) for name, some in rows if some]


def _score(name: str, readings: Sequence[SceneReading], *, rng: np.random.Generator) -> SceneScores:
    texts = [one for one in readings if one.text is not None]
    errors = [(one.file, one.corner_error_percent) for one in readings if one.corner_error_percent is not None]
    rectifiers = dict.fromkeys(name for one in texts for name in one.others)
    return SceneScores(
        name=name,
        found30=Rate.of(one.iou is not None for one in readings),
        found50=Rate.of(one.iou is not None and one.iou >= 0.5 for one in readings),
        exact=Rate.of(one.right for one in texts),
        exact_read=Rate.of(one.right and one.status == "read" for one in texts),
        corner_error_median=estimate_errors(errors, np.median, rng=rng),
        corner_error_p90=estimate_errors(errors, ninetieth, rng=rng),
        others={name: Rate.of(one.others.get(name) == one.text for one in texts) for name in rectifiers},
    )


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


def format_scenes(report: ScenesReport) -> str:
    """Parts, corners, rectifiers and what ran as text; rates with counts and 95 % intervals."""
    scores = report.scores()
    return report_text(
        f"{len(report.readings)} pictures; {frozen_note(report.changed)}",
        report.parts,
        aligned([_HEAD, *(_row(one) for one in scores)]),
        table(_CORNERS, [_corners(one) for one in scores if one.corner_error_median]),
        table(_RECTIFIERS, [_rectifiers(one) for one in scores if one.others]),
    )


def _row(scores: SceneScores) -> tuple[str, ...]:
    return scores.name, *map(show_rate, (scores.found30, scores.found50, scores.exact, scores.exact_read))


def _corners(scores: SceneScores) -> tuple[str, ...]:
    errors = [one for one in (scores.corner_error_median, scores.corner_error_p90) if one]
    return (scores.name, str(errors[0].n), *map(show_error, errors))


def _rectifiers(scores: SceneScores) -> tuple[str, ...]:
    return scores.name, show_rate(scores.exact), *(show_rate(scores.others[name]) for name in ("refiner", "box"))
