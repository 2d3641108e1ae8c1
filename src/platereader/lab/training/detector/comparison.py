"""Whether new weights find plates as well as old ones: both look at the same pictures, and each picture is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._contracts import checked_detect
from platereader._geometry import Box, iou
from platereader.detection._plate_detector import PlateDetector
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics.estimates import Estimate, estimate_errors, estimate_precision
from platereader.lab.metrics.rates import (
    COCO_IOUS,
    Matches,
    PictureBoxes,
    Rate,
    average_precision,
    corner_error,
    match,
    rank,
    recall,
)
from platereader.lab.tables import show_rate
from platereader.media._images import read_image
from platereader.results import Detection

# For the precision at every recall.
_MIN_SCORE = 0.01
_NOTHING = "-"
_ROUNDS = 400
_PERCENTILES = (2.5, 97.5)
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
    """What a detector finds on the pictures of a pictures.

    Attributes:
        ap50: average precision at IoU 0.5; None without plates.
        ap50_95: mean average precision at IoU 0.5, 0.55, ... 0.95.
        recall: plates found (IoU >= 0.5) with the score that is reported by default.
        corner_error: median distance of the corners from labelled ones, in per cent of a plate's width; None without
            any.
        false_alarms: pictures without plates on which something is reported by default.
        matches: for each IoU threshold the matches of all pictures.
    """

    ap50: Estimate | None
    ap50_95: Estimate | None
    recall: Rate
    corner_error: Estimate | None
    false_alarms: Rate
    matches: tuple[tuple[Matches, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, without the matches."""
        estimates = {"ap50": self.ap50, "ap50_95": self.ap50_95, "corner_error_percent": self.corner_error}
        rates = {"recall": self.recall, "false_alarms": self.false_alarms}
        return {
            **{name: None if one is None else asdict(one) for name, one in estimates.items()},
            **{name: rate.to_dict() for name, rate in rates.items()},
        }


@dataclass(frozen=True, slots=True)
class DetectorComparison:
    """What is found on the pictures of one set, before and after.

    ``change`` is that of AP50-95, in points, with its interval over pictures drawn anew; None without plates.
    ``margin_points`` may be lost; with more than 0, what may be chance is forgiven, too.
    """

    name: str
    before: DetectorScores
    after: DetectorScores
    change: Estimate | None
    margin_points: float

    @property
    def is_worse(self) -> bool:
        """Whether more is lost than the margin, and than chance explains: zero lies outside of the interval."""
        if self.change is None or self.change.value >= -self.margin_points:
            return False
        return self.change.high < 0 if self.margin_points else True

    def describe(self) -> str:
        """Name, and AP50-95 before and after with its change and interval, in per cent and points."""
        change = self.change
        if change is None or self.before.ap50_95 is None or self.after.ap50_95 is None:
            return f"{self.name} show no plate"
        return (
            f"{self.name} AP50-95 {100 * self.before.ap50_95.value:.1f} before, {100 * self.after.ap50_95.value:.1f} "
            f"after ({change.value:+.1f} points, 95 % interval {change.low:+.1f} to {change.high:+.1f}, n {change.n})"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form; with n and 95 % intervals."""
        return {
            "name": self.name,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "change_points": None if self.change is None else asdict(self.change),
            "margin_points": self.margin_points,
            "is_worse": self.is_worse,
        }


def score_detector(detector: PlateDetector, pictures: PictureSet) -> DetectorScores:
    """Let a detector look at every picture; its ``min_score`` is the one that finds are reported with by default."""
    low_threshold = replace(detector, min_score=_MIN_SCORE)
    found = [checked_detect(low_threshold, [pictures.frame(index)])[0] for index in range(len(pictures.images))]
    return score_detections(pictures.images, found, min_score=detector.min_score)


def score_detections(
    images: Sequence[LabelledImage], found: Sequence[Sequence[Detection]], *, min_score: float
) -> DetectorScores:
    """Figures of detections on each picture; ``min_score`` is the one that is reported by default."""
    pictures = [picture_boxes(image, detections) for image, detections in zip(images, found, strict=True)]
    matches = tuple(tuple(match(picture, min_iou=limit) for picture in pictures) for limit in COCO_IOUS)
    sure = [[one for one in detections if one.score >= min_score] for detections in found]
    errors = [
        (str(image.path), error)
        for image, detections in zip(images, found, strict=True)
        for error in corner_errors(image, detections)
    ]
    alarms = [bool(some) for image, some in zip(images, sure, strict=True) if not image.plates]
    rng = np.random.default_rng(_SEED)
    return DetectorScores(
        ap50=estimate_precision(matches[:1], rng=rng),
        ap50_95=estimate_precision(matches, rng=rng),
        recall=recall([match(picture_boxes(*pair), min_iou=0.5) for pair in zip(images, sure, strict=True)]),
        corner_error=estimate_errors(errors, lambda values: float(np.median(values)), rng=rng),
        false_alarms=Rate(sum(alarms), len(alarms)),
        matches=matches,
    )


def picture_boxes(image: LabelledImage, detections: Sequence[Detection]) -> PictureBoxes:
    """Boxes of one picture as the measures take them; on loosely boxed plates and in ignored places nothing counts."""
    loose = [plate.box for plate in image.plates if plate.box is not None and plate.box_quality == "loose"]
    return PictureBoxes(
        _rows([detection.box for detection in detections]),
        np.array([detection.score for detection in detections], np.float64),
        _rows([box for box, _ in _well_boxed(image)]),
        _rows((*loose, *image.ignored)),
    )


def corner_errors(image: LabelledImage, detections: Sequence[Detection]) -> list[float]:
    """Corner error in per cent of each plate with known corners, by the detection that overlaps it most."""
    errors: list[float] = []
    for box, plate in _well_boxed(image):
        best = max(detections, key=lambda detection: iou(detection.box, box), default=None)
        if best is not None and iou(best.box, box) >= 0.5 and plate.corners is not None and best.corners is not None:
            errors.append(corner_error(best.corners, plate.corners))
    return errors


def _well_boxed(image: LabelledImage) -> list[tuple[Box, LabelledPlate]]:
    """The plates that have to be found, with their boxes."""
    return [(plate.box, plate) for plate in image.plates if plate.box is not None and plate.box_quality != "loose"]


def _rows(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Boxes as float64 ``(N, 4)``, also for none."""
    return np.array([box.to_tuple() for box in boxes], np.float64).reshape(-1, 4)


def compare_scores(
    name: str, before: DetectorScores, after: DetectorScores, *, margin_points: float
) -> DetectorComparison:
    """Compare what was found on the same pictures, in the same order."""
    return DetectorComparison(name, before, after, _change(before, after), margin_points)


def table(one: DetectorComparison) -> list[tuple[str, str, str, str]]:
    """Rows of name, figure, and its value before and after with n and 95 % interval; what has no value is left out."""
    rows = zip(_figures(one.before), _figures(one.after), strict=True)
    return [(one.name, name, was, now) for (name, was), (_, now) in rows if (was, now) != (_NOTHING, _NOTHING)]


def score_rows(scores: DetectorScores) -> list[tuple[str, str]]:
    """Rows of figure and value with n and 95 % interval; what has no value is left out."""
    return [(name, value) for name, value in _figures(scores) if value != _NOTHING]


def _figures(scores: DetectorScores) -> list[tuple[str, str]]:
    return [
        ("AP50", _percent(scores.ap50)),
        ("AP50-95", _percent(scores.ap50_95)),
        ("found", show_rate(scores.recall)),
        ("corner error", _percent(scores.corner_error, factor=1.0)),
        ("false alarms", show_rate(scores.false_alarms)),
    ]


def _percent(estimate: Estimate | None, *, factor: float = 100.0) -> str:
    if estimate is None:
        return _NOTHING
    value, low, high = (factor * side for side in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} % ({low:.1f}-{high:.1f}), n {estimate.n}"


def _change(before: DetectorScores, after: DetectorScores) -> Estimate | None:
    """Gain of AP50-95 in points; each picture drawn anew counts for both."""
    if before.ap50_95 is None or after.ap50_95 is None:
        return None
    rankings = [[rank(matches) for matches in one.matches] for one in (before, after)]
    pictures, rng = len(before.matches[0]), np.random.default_rng(_SEED)
    gains: list[float] = []
    for _ in range(_ROUNDS):
        weights = np.bincount(rng.integers(pictures, size=pictures), minlength=pictures)
        means = [[average_precision(ranking, weights=weights) for ranking in some] for some in rankings]
        old, new = ([value for value in some if value is not None] for some in means)
        if old:
            gains.append(100 * float(np.mean(new) - np.mean(old)))
    low, high = (float(value) for value in np.percentile(gains, _PERCENTILES))
    value = 100 * (after.ap50_95.value - before.ap50_95.value)
    return Estimate(value, low, high, before.ap50_95.n)
