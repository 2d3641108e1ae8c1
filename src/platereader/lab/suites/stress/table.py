"""A stress report as plain text for the terminal."""

from __future__ import annotations

from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.stress.report import PartScores, StressReport, TrustScores
from platereader.lab.tables import aligned, described, show_rate

__all__ = ["format_stress"]

_HEAD = ("stress suite", "whole text right", "of these sources", "best path only", "read", "wrong of read")


def format_stress(report: StressReport) -> str:
    """Parts, trust and what ran as text; rates with counts and 95 % intervals."""
    frozen_note = "its pictures are the frozen ones"
    if report.changed:
        frozen_note = f"NOT the frozen pictures in {len(report.changed)} parts ({', '.join(report.changed[:4])}, ...)"
    blocks = [
        [f"{len(report.readings)} pictures; {frozen_note}"],
        [described(part) for part in report.parts],
        aligned([_HEAD, *(_row(scores) for scores in report.scores())]),
        aligned(_trust(report.trust())),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _row(scores: PartScores) -> tuple[str, ...]:
    sources = ", ".join(f"{name} {_share(rate)}" for name, rate in scores.by_source.items())
    return (
        scores.part.name,
        show_rate(scores.exact),
        sources,
        _share(scores.path_exact),
        _share(scores.read),
        f"{scores.read_wrong.count}/{scores.read_wrong.n}",
    )


def _share(rate: Rate) -> str:
    return "-" if rate.value is None else f"{100 * rate.value:.1f} %"


def _trust(trust: TrustScores) -> list[tuple[str, str]]:
    return [
        ("calibration error, mixed, 15 bins of equal mass", _number(trust.calibration_error)),
        ("AUROC of confidence, mixed", _number(trust.auroc)),
        ("AUROC of the best path's mean confidence, mixed", _number(trust.path_auroc)),
        ("cut off by 15 to 50 %: not read", show_rate(trust.cut_off_flagged)),
        ("cut off by 15 to 50 %: named so, or unreadable", show_rate(trust.cut_off_named)),
        ("not a plate: read", show_rate(trust.not_a_plate_read)),
        ("foreign plates: read as Russian", show_rate(trust.foreign_read)),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
