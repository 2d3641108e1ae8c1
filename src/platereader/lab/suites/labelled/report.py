"""The result of an evaluation: scores with their counts and intervals, what ran, what was skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from platereader.lab.datasets import SkippedRow
from platereader.lab.metrics.curves import PrecisionPoint, WidthRecall, precision_recall, recall_by_width
from platereader.lab.metrics.estimates import Estimate, estimate_cer, estimate_errors, estimate_precision, ninetieth
from platereader.lab.metrics.json_safe import fields_of
from platereader.lab.metrics.rates import COCO_IOUS, PictureBoxes, Rate, match, rank, recall
from platereader.lab.suites.labelled.outcomes import PlateOutcome
from platereader.lab.tables import aligned, report_text, show_error, show_estimate, show_percent, show_rate, table
from platereader.results import PartDescription

SCHEMA = 5
"""Version of ``EvaluationReport.to_dict``."""

_Kind: TypeAlias = Literal["all", "type", "region", "foreign"]
_SHOWN_ROWS = 10
_READING = ("end to end", "plates", "found, IoU 0.3", "whole text right", "CER")
_WIDTHS = ("width of the plate", "recall, IoU 0.3", "recall, IoU 0.5")
_TRUST = ("", "right and status read", "right of status read", "country of status read", "right, place given", "CER")


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture that plates were looked for in: its boxes down to a low score, and those that the pipeline reports.

    ``input_scale`` says by how much it is shrunk before it enters the network, 1 for not at all; None where that is not
    known.
    """

    file: str
    country: str | None
    input_scale: float | None
    candidates: PictureBoxes
    reported: PictureBoxes


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """How well plates are found; ``loose`` labels and readings on them are left out.

    Attributes:
        pictures: pictures whose plates have boxes, those without plates included.
        plates: boxes that had to be found.
        ap30: average precision at IoU 0.3, over all scores that the detector can report; None without plates.
        ap50_95: mean over the IoU thresholds 0.50, 0.55, ... 0.95.
        recall30: found at IoU 0.3 by the pipeline as it is.
        unlabelled_detections: readings on no label; not proof of an error where background plates are not labelled.
        alarms: pictures without plates where something was found.
        alarm_detections: detections per picture without plates; its ``n`` counts pictures. None without such pictures.
        corner_error_median: per cent of plate width, over plates with corners in label and detection; None without any.
        corner_error_p90: likewise, the 90th percentile.
        precision_recall: at IoU 0.5, over all scores that the detector can report.
        recall_by_width: by width of the labelled box in its picture, by the pipeline as it is.
        recall_by_input_width: likewise by its width in the network's input; empty where the detector does not tell.
    """

    pictures: int
    plates: int
    ap30: Estimate | None
    ap50: Estimate | None
    ap75: Estimate | None
    ap50_95: Estimate | None
    recall30: Rate
    recall50: Rate
    unlabelled_detections: int
    alarms: Rate
    alarm_detections: Estimate | None
    corner_error_median: Estimate | None
    corner_error_mean: Estimate | None
    corner_error_p90: Estimate | None
    precision_recall: tuple[PrecisionPoint, ...]
    recall_by_width: tuple[WidthRecall, ...]
    recall_by_input_width: tuple[WidthRecall, ...]


@dataclass(frozen=True, slots=True)
class GroupScores:
    """How well the plates of one group are read, such as ``standard``, ``3 digits`` or ``KZ``.

    Attributes:
        kind: what the group is: ``all`` Russian plates, one ``type``, one ``region`` length, one ``foreign`` country.
        found: plates with a place that have a reading at IoU 0.3.
        exact: end to end, whatever the status: the whole text right, of plates with a place and a text.
        exact_read: likewise, counting only readings of status ``read``.
        read_right: of the readings of status ``read``, those that are right.
        country_right: of the readings of status ``read``, those whose country is the labelled one, Russia without one.
        cer: end to end; a plate not found costs all its characters.
        given_exact: the whole text right when the place is given.
    """

    kind: _Kind
    name: str
    plates: int
    found: Rate
    exact: Rate
    exact_read: Rate
    read_right: Rate
    country_right: Rate
    cer: Estimate | None
    given_exact: Rate
    given_cer: Estimate | None


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """All scores of one pipeline on one set, and the parts that ran.

    Broken rows and unreadable pictures are ``skipped`` and in no score. ``detection`` is None for a set of crops,
    ``countries`` has it for the pictures of each country, where the set names several. The ``groups`` are all Russian
    plates first, then by type, by region length, and foreign ones by country. ``outcomes`` has one for each labelled
    plate.
    """

    dataset: str
    pictures: int
    plates: int
    skipped: tuple[SkippedRow, ...]
    parts: tuple[PartDescription, ...]
    detection: DetectionScores | None
    countries: Mapping[str, DetectionScores]
    groups: tuple[GroupScores, ...]
    outcomes: tuple[PlateOutcome, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        skipped = [{"file": str(row.path), "line": row.line, "reason": row.reason} for row in self.skipped]
        return {"schema": SCHEMA, **fields_of(replace(self, skipped=())), "skipped": skipped}


def score_groups(outcomes: Sequence[PlateOutcome], *, rng: np.random.Generator) -> tuple[GroupScores, ...]:
    """Scores of all Russian plates, of each type and region length, and of each foreign country."""
    home = [outcome for outcome in outcomes if outcome.foreign is None]
    types = sorted({outcome.plate_type for outcome in home})
    countries = sorted({outcome.foreign for outcome in outcomes if outcome.foreign})
    groups: list[tuple[_Kind, str, list[PlateOutcome]]] = [
        ("all", "all", home),
        *(("type", name, [one for one in home if one.plate_type == name]) for name in types),
        *(("region", f"{n} digits", [one for one in home if one.region_digits == n]) for n in (2, 3)),
        *(("foreign", name, [one for one in outcomes if one.foreign == name]) for name in countries),
    ]
    return tuple(
        _score_group(kind, name, members, rng=rng) for kind, name, members in groups if members or kind == "all"
    )


def _score_group(kind: _Kind, name: str, outcomes: Sequence[PlateOutcome], *, rng: np.random.Generator) -> GroupScores:
    boxed = [one for one in outcomes if one.boxed]
    texts = [one for one in boxed if one.text]
    reads = [one for one in texts if one.status == "read"]
    given = [one for one in outcomes if one.text and one.given]
    return GroupScores(
        kind=kind,
        name=name,
        plates=len(outcomes),
        found=Rate.of(one.found for one in boxed),
        exact=Rate.of(one.exact for one in texts),
        exact_read=Rate(sum(one.exact for one in reads), len(texts)),
        read_right=Rate.of(one.exact for one in reads),
        country_right=Rate.of(one.read_country == (one.foreign or "RU") for one in reads),
        cer=estimate_cer([(one.file, one.text, one.read_text or "") for one in texts if one.text], rng=rng),
        given_exact=Rate.of(one.given_exact for one in given),
        given_cer=estimate_cer([(one.file, one.text, one.given_text or "") for one in given if one.text], rng=rng),
    )


def score_detection(
    scenes: Sequence[Scene], outcomes: Sequence[PlateOutcome], *, rng: np.random.Generator
) -> DetectionScores:
    """Average precision of ``candidates``, recall and false finds of ``reported`` boxes; corners are of outcomes."""
    reported = [scene.reported for scene in scenes]
    by_iou = {value: [match(scene.candidates, min_iou=value) for scene in scenes] for value in (0.3, *COCO_IOUS)}
    found, found50 = ([match(one, min_iou=value) for one in reported] for value in (0.3, 0.5))
    widths = [one.labelled[:, 2] - one.labelled[:, 0] for one in reported]
    scales = [scene.input_scale for scene in scenes if scene.input_scale is not None]
    scaled = [one * scale for one, scale in zip(widths, scales, strict=True)] if len(scales) == len(scenes) else []
    without_plates = [len(one.found) for one in reported if not len(one.labelled) and not len(one.ignored)]
    errors = [(one.file, one.corner_error_percent) for one in outcomes if one.corner_error_percent is not None]
    return DetectionScores(
        pictures=len(reported),
        plates=sum(len(one.labelled) for one in reported),
        ap30=estimate_precision([by_iou[0.3]], rng=rng),
        ap50=estimate_precision([by_iou[0.5]], rng=rng),
        ap75=estimate_precision([by_iou[0.75]], rng=rng),
        ap50_95=estimate_precision([by_iou[value] for value in COCO_IOUS], rng=rng),
        recall30=recall(found),
        recall50=recall(found50),
        unlabelled_detections=sum(int((~one.right).sum()) for one in found),
        alarms=Rate.of(count > 0 for count in without_plates),
        corner_error_median=estimate_errors(errors, np.median, rng=rng),
        corner_error_mean=estimate_errors(errors, np.mean, rng=rng),
        corner_error_p90=estimate_errors(errors, ninetieth, rng=rng),
        alarm_detections=estimate_errors([(str(n), count) for n, count in enumerate(without_plates)], np.mean, rng=rng),
        precision_recall=precision_recall(rank(by_iou[0.5])),
        recall_by_width=recall_by_width(widths, at30=found, at50=found50),
        recall_by_input_width=recall_by_width(scaled, at30=found, at50=found50),
    )


def format_table(report: EvaluationReport) -> str:
    """Everything but the single outcomes as text; rates with counts and 95 % intervals."""
    counts = f"{report.pictures} pictures, {report.plates} labelled plates, {len(report.skipped)} skipped"
    tables: list[list[str]] = []
    if report.detection is not None:
        tables += [_detection(report.detection, name="detection"), _by_width(report.detection)]
    tables += [_detection(scores, name=f"detection, {name}") for name, scores in report.countries.items()]
    tables.append(aligned([_READING, *(_reading(group) for group in report.groups)]))
    tables.append(aligned([_TRUST, *(_trust(group) for group in report.groups)]))
    if report.skipped:
        shown = [f"  {row}" for row in report.skipped[:_SHOWN_ROWS]]
        more = [f"  ... and {len(report.skipped) - _SHOWN_ROWS} more"] if len(report.skipped) > _SHOWN_ROWS else []
        tables.append(["skipped:", *shown, *more])
    return report_text(f"{report.dataset}: {counts}", report.parts, *tables)


def _detection(scores: DetectionScores, *, name: str) -> list[str]:
    """Two columns: what, and how much."""
    rows = [
        (name, f"{scores.plates} plates in {scores.pictures} pictures"),
        ("AP30", show_estimate(scores.ap30)),
        ("AP50", show_estimate(scores.ap50)),
        ("AP75", show_estimate(scores.ap75)),
        ("AP50-95", show_estimate(scores.ap50_95)),
        ("recall, IoU 0.3", show_rate(scores.recall30)),
        ("recall, IoU 0.5", show_rate(scores.recall50)),
        ("detections on no label", str(scores.unlabelled_detections)),
        ("alarms without plates", show_rate(scores.alarms)),
    ]
    alarms = scores.alarm_detections
    if alarms is not None:
        rows.append(("detections a picture without plates", f"{show_estimate(alarms)}, n {alarms.n}"))
    errors = (scores.corner_error_median, scores.corner_error_mean, scores.corner_error_p90)
    for part, error in zip(("median", "mean", "90 %"), errors, strict=True):
        if error is not None:
            rows.append((f"corner error, {part}", f"{show_error(error)}, n {error.n}"))
    return aligned(rows)


def _by_width(scores: DetectionScores) -> list[str]:
    groups = [("picture", one) for one in scores.recall_by_width]
    groups += [("input", one) for one in scores.recall_by_input_width]
    rows = [(f"{where}, {one.name}", show_rate(one.recall30), show_rate(one.recall50)) for where, one in groups]
    return table(_WIDTHS, rows)


def _name(group: GroupScores) -> str:
    return f"foreign, {group.name}" if group.kind == "foreign" else group.name


def _reading(group: GroupScores) -> tuple[str, ...]:
    rates = map(show_rate, (group.found, group.exact))
    return (_name(group), str(group.plates), *rates, show_percent(group.cer, digits=2))


def _trust(group: GroupScores) -> tuple[str, ...]:
    rates = (group.exact_read, group.read_right, group.country_right, group.given_exact)
    return (_name(group), *map(show_rate, rates), show_percent(group.given_cer, digits=2))
