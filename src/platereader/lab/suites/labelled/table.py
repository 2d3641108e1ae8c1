"""An evaluation report as plain text for the terminal."""

from __future__ import annotations

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.suites.labelled.report import DetectionScores, EvaluationReport, GroupScores
from platereader.lab.tables import aligned, described, show_error, show_estimate, show_rate

__all__ = ["format_table"]

_SHOWN_ROWS = 10
_READING = ("end to end", "plates", "found, IoU 0.3", "whole text right", "CER")
_TRUST = ("", "right and status read", "right of status read", "country of status read", "right, place given", "CER")


def format_table(report: EvaluationReport) -> str:
    """Everything but the single outcomes as text; rates with counts and 95 % intervals.

    Args:
        report: as ``evaluate`` returns it.
    """
    head = (
        f"{report.dataset}: {report.pictures} pictures, {report.plates} labelled plates, {len(report.skipped)} skipped"
    )
    blocks = [[head], [described(part) for part in report.parts]]
    if report.detection is not None:
        blocks += [_detection(report.detection, name="detection"), _by_width(report.detection)]
    blocks += [_detection(scores, name=f"detection, {name}") for name, scores in report.countries.items()]
    blocks.append(aligned([_READING, *(_reading(group) for group in report.groups)]))
    blocks.append(aligned([_TRUST, *(_trust(group) for group in report.groups)]))
    if report.skipped:
        shown = [f"  {row}" for row in report.skipped[:_SHOWN_ROWS]]
        more = [f"  ... and {len(report.skipped) - _SHOWN_ROWS} more"] if len(report.skipped) > _SHOWN_ROWS else []
        blocks.append(["skipped:", *shown, *more])
    return "\n\n".join("\n".join(block) for block in blocks if block)


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
    if scores.alarm_detections is not None:
        rows.append(
            (
                "detections a picture without plates",
                f"{show_estimate(scores.alarm_detections)}, n {scores.alarm_detections.n}",
            )
        )
    errors = (scores.corner_error_median, scores.corner_error_mean, scores.corner_error_p90)
    for part, error in zip(("median", "mean", "90 %"), errors, strict=True):
        if error is not None:
            rows.append((f"corner error, {part}", f"{show_error(error)}, n {error.n}"))
    return aligned(rows)


def _by_width(scores: DetectionScores) -> list[str]:
    """Recall by width, in the picture and in the network's input."""
    rows = [("width of the plate", "recall, IoU 0.3", "recall, IoU 0.5")]
    for where, groups in (("picture", scores.recall_by_width), ("input", scores.recall_by_input_width)):
        rows += [(f"{where}, {one.name}", show_rate(one.recall30), show_rate(one.recall50)) for one in groups]
    return aligned(rows) if len(rows) > 1 else []


def _name(group: GroupScores) -> str:
    return f"foreign, {group.name}" if group.kind == "foreign" else group.name


def _reading(group: GroupScores) -> tuple[str, ...]:
    return _name(group), str(group.plates), show_rate(group.found), show_rate(group.exact), _percent(group.cer)


def _trust(group: GroupScores) -> tuple[str, ...]:
    rates = (group.exact_read, group.read_right, group.country_right, group.given_exact)
    return (_name(group), *map(show_rate, rates), _percent(group.given_cer))


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:.2f} % ({low:.2f}-{high:.2f}), n {estimate.n}"
