"""Whether new weights find plates as well as old ones: both look at the same pictures, and each picture is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage
from platereader.lab.metrics.estimates import (
    Estimate,
    estimate_errors,
    estimate_precision,
    mean_precision,
    with_interval,
)
from platereader.lab.metrics.json_safe import JsonSafe, fields_of
from platereader.lab.metrics.rates import COCO_IOUS, Matches, Rate, best_overlap, corner_error, match, rank, recall
from platereader.lab.suites.labelled.run import LOW_SCORE, picture_boxes
from platereader.lab.tables import show_percent, show_rate
from platereader.media._images import read_image
from platereader.results import Detection

_NOTHING = "-"
_ROUNDS = 400
_SEED = 0


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures to compare detectors on; ``frame`` gives the pixels of the one of that number."""

    name: str
    images: tuple[LabelledImage, ...]
    frame: Callable[[int], BgrImage]

    @classmethod
    def of_files(cls, name: str, images: Sequence[LabelledImage]) -> PictureSet:
        """Pictures that are read from their files."""
        return cls(name, tuple(images), lambda index: read_image(images[index].path))


@dataclass(frozen=True, slots=True)
class DetectorScores:
    """What a detector finds on the pictures of a set; estimates are None without plates.

    ``recall`` counts plates found (IoU >= 0.5) with the score that is reported by default, ``false_alarms`` pictures
    without plates on which something is reported by default. ``corner_error_percent`` is the median distance of the
    corners from labelled ones by the width of a plate. ``matches`` are those of all pictures for each IoU threshold.
    """

    ap50: Estimate | None
    ap50_95: Estimate | None
    recall: Rate
    false_alarms: Rate
    corner_error_percent: Estimate | None
    matches: tuple[tuple[Matches, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, without the matches."""
        figures = fields_of(replace(self, matches=()))
        del figures["matches"]
        return figures


@dataclass(frozen=True, slots=True)
class DetectorComparison(JsonSafe):
    """What is found on the pictures of one set, before and after.

    ``change_points`` is that of AP50-95, with its interval over pictures drawn anew; None without plates.
    ``margin_points`` may be lost; with more than 0, what may be chance is forgiven, too.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_worse",)

    name: str
    before: DetectorScores
    after: DetectorScores
    margin_points: float
    change_points: Estimate | None

    @property
    def is_worse(self) -> bool:
        """Whether more is lost than the margin, and than chance explains: zero lies outside of the interval."""
        change = self.change_points
        if change is None or change.value >= -self.margin_points:
            return False
        return change.high < 0 if self.margin_points else True

    def describe(self) -> str:
        """Name, and AP50-95 before and after with its change and interval, in per cent and points."""
        change = self.change_points
        if change is None or self.before.ap50_95 is None or self.after.ap50_95 is None:
            return f"{self.name} show no plate"
        return (
            f"{self.name} AP50-95 {100 * self.before.ap50_95.value:.1f} before, {100 * self.after.ap50_95.value:.1f} "
            f"after ({change.value:+.1f} points, 95 % interval {change.low:+.1f} to {change.high:+.1f}, n {change.n})"
        )


def score_detector(detector: PlateDetector, pictures: PictureSet) -> DetectorScores:
    """Let a detector look at every picture; its ``min_score`` is the one that finds are reported with by default."""
    low_threshold = replace(detector, min_score=LOW_SCORE)
    found = [checked_detect(low_threshold, [pictures.frame(index)])[0] for index in range(len(pictures.images))]
    return score_detections(pictures.images, found, min_score=detector.min_score)


def score_detections(
    images: Sequence[LabelledImage], found: Sequence[Sequence[Detection]], *, min_score: float
) -> DetectorScores:
    """Figures of detections on each picture; ``min_score`` is the one that is reported by default."""
    pairs = list(zip(images, found, strict=True))
    pictures = [picture_boxes(image, detections) for image, detections in pairs]
    matches = tuple(tuple(match(picture, min_iou=limit) for picture in pictures) for limit in COCO_IOUS)
    reported = [(image, [one for one in some if one.score >= min_score]) for image, some in pairs]
    errors = [(str(image.path), error) for image, some in pairs for error in corner_errors(image, some)]
    alarms = [bool(some) for image, some in reported if not image.plates]
    rng = np.random.default_rng(_SEED)
    return DetectorScores(
        ap50=estimate_precision(matches[:1], rng=rng),
        ap50_95=estimate_precision(matches, rng=rng),
        recall=recall([match(picture_boxes(image, some), min_iou=0.5) for image, some in reported]),
        false_alarms=Rate.of(alarms),
        corner_error_percent=estimate_errors(errors, np.median, rng=rng),
        matches=matches,
    )


def corner_errors(image: LabelledImage, detections: Sequence[Detection]) -> list[float]:
    """Corner error in per cent of each plate with known corners, by the detection that overlaps it most."""
    errors: list[float] = []
    known = [(plate.box, plate.corners) for plate in image.plates if plate.box and plate.corners and not plate.is_loose]
    for box, corners in known:
        best, overlap = best_overlap(box, [detection.box for detection in detections])
        found = detections[best].corners if overlap >= 0.5 else None
        if found is not None:
            errors.append(corner_error(found, corners))
    return errors


def compare_scores(
    name: str, before: DetectorScores, after: DetectorScores, *, margin_points: float
) -> DetectorComparison:
    """Compare what was found on the same pictures, in the same order; each picture drawn anew counts for both."""
    if before.ap50_95 is None or after.ap50_95 is None:
        return DetectorComparison(name, before, after, margin_points, None)
    rankings = [[rank(matches) for matches in one.matches] for one in (before, after)]

    def gain(drawn: NDArray[np.int64]) -> float | None:
        old, new = (mean_precision(some, drawn) for some in rankings)
        return None if old is None or new is None else 100 * (new - old)

    value, rng = 100 * (after.ap50_95.value - before.ap50_95.value), np.random.default_rng(_SEED)
    change = with_interval(value, before.ap50_95.n, len(before.matches[0]), gain, rng=rng, rounds=_ROUNDS)
    return DetectorComparison(name, before, after, margin_points, change)


def table(one: DetectorComparison) -> list[tuple[str, str, str, str]]:
    """Rows of name, figure, and its value before and after with n and 95 % interval; what has no value is left out."""
    rows = zip(_figures(one.before), _figures(one.after), strict=True)
    return [(one.name, name, was, now) for (name, was), (_, now) in rows if (was, now) != (_NOTHING, _NOTHING)]


def score_rows(scores: DetectorScores) -> list[tuple[str, str]]:
    """Rows of figure and value with n and 95 % interval; what has no value is left out."""
    return [(name, value) for name, value in _figures(scores) if value != _NOTHING]


def _figures(scores: DetectorScores) -> list[tuple[str, str]]:
    return [
        ("AP50", show_percent(scores.ap50, digits=1)),
        ("AP50-95", show_percent(scores.ap50_95, digits=1)),
        ("found", show_rate(scores.recall)),
        ("corner error", show_percent(scores.corner_error_percent, digits=1, factor=1.0)),
        ("false alarms", show_rate(scores.false_alarms)),
    ]
