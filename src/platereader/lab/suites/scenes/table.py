"""A scenes report as plain text for the terminal."""

from __future__ import annotations

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.suites.scenes.report import SceneScores, ScenesReport
from platereader.lab.tables import aligned, described, show_error, show_rate

__all__ = ["format_scenes"]

_HEAD = ("scenes suite", "found, IoU 0.3", "found, IoU 0.5", "whole text right", "right and status read")
_CORNERS = ("corner error", "n", "median", "90 %")


def format_scenes(report: ScenesReport) -> str:
    """Parts, corners, rectifiers and what ran as text; rates with counts and 95 % intervals."""
    frozen_note = "its pictures are the frozen ones"
    if report.changed:
        frozen_note = f"NOT the frozen pictures in {len(report.changed)} parts ({', '.join(report.changed[:4])}, ...)"
    scores = report.scores()
    blocks = [
        [f"{len(report.readings)} pictures; {frozen_note}"],
        [described(part) for part in report.parts],
        aligned([_HEAD, *(_row(one) for one in scores)]),
        _table([_CORNERS, *(_corners(one) for one in scores if one.corner_error_median)]),
        _table(
            [("rectifier", "the pipeline's", "contour", "box"), *(_rectifiers(one) for one in scores if one.others)]
        ),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows below each other, if there are any but the head."""
    return aligned(rows) if len(rows) > 1 else []


def _row(scores: SceneScores) -> tuple[str, ...]:
    return scores.name, *map(show_rate, (scores.found30, scores.found50, scores.exact, scores.exact_read))


def _corners(scores: SceneScores) -> tuple[str, ...]:
    errors = (scores.corner_error_median, scores.corner_error_p90)
    return (scores.name, _count(scores.corner_error_median), *(show_error(one) for one in errors if one))


def _count(error: Estimate | None) -> str:
    return "-" if error is None else str(error.n)


def _rectifiers(scores: SceneScores) -> tuple[str, ...]:
    return scores.name, show_rate(scores.exact), *(show_rate(scores.others[name]) for name in ("contour", "box"))
