"""A stress report as pictures: exact match against severity, reliability, risk against coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.lab.metrics.reliability import reliability_bins, risk_coverage
from platereader.lab.plots import new_figure, new_plot, percent_with_errors, write_plot
from platereader.lab.suites.stress.report import PartScores, StressReading, StressReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_COLUMNS = 4


def draw_stress(report: StressReport, folder: Path) -> list[Path]:
    """Write ``stress.png``, ``reliability.png`` and ``risk-coverage.png``: their paths; raises as ``new_figure``."""
    paths = [folder / name for name in ("stress.png", "reliability.png", "risk-coverage.png")]
    _draw_axes(report.scores(), paths[0])
    _draw_reliability(report.mixed, paths[1])
    _draw_risk(report.mixed, paths[2])
    return paths


def _draw_axes(scores: Sequence[PartScores], path: Path) -> None:
    """One panel for each axis of severity, and one for the types."""
    names = list(dict.fromkeys(one.part.axis for one in scores if one.part.amount))
    rows = math.ceil(len(names) / _COLUMNS) + 2
    figure = new_figure(3.6 * _COLUMNS, 2.6 * rows)
    grid = figure.add_gridspec(rows, _COLUMNS)
    for index, name in enumerate(names):
        axes = figure.add_subplot(grid[index // _COLUMNS, index % _COLUMNS])
        _draw_severity(axes, [one for one in scores if one.part.axis == name])
    axes = figure.add_subplot(grid[rows - 2 :, :])
    _draw_types(axes, [one for one in scores if one.part.axis in ("type", "mixed")])
    write_plot(figure, path, dpi=90)


def _draw_severity(axes: Axes, scores: Sequence[PartScores]) -> None:
    amounts = [f"{one.part.amount:g}" for one in scores]
    axes.plot(amounts, [100 * (one.exact.value or 0) for one in scores], marker="o", label="whole text right")
    low = [100 * one.exact.interval[0] for one in scores]
    high = [100 * one.exact.interval[1] for one in scores]
    axes.fill_between(amounts, low, high, alpha=0.2)
    axes.plot(amounts, [100 * (one.read.value or 0) for one in scores], linestyle="--", label="status read")
    axes.set_title(f"{scores[0].part.axis}, {scores[0].part.unit}", fontsize=9)
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="lower left")


def _draw_types(axes: Axes, scores: Sequence[PartScores]) -> None:
    names = [one.part.unit if one.part.axis == "type" else one.part.axis for one in scores]
    values, reach = percent_with_errors([one.exact for one in scores])
    axes.bar(names, values, yerr=reach, color="tab:blue", alpha=0.7)
    axes.set(ylabel="whole text right, %", ylim=(50, 101))
    axes.tick_params(axis="x", rotation=60, labelsize=8)
    axes.grid(alpha=0.3, axis="y")


def _draw_reliability(mixed: Sequence[StressReading], path: Path) -> None:
    figure, axes = new_plot(4.6, 4.4)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    bins = reliability_bins([one.confidence for one in mixed], [one.right for one in mixed])
    axes.plot([one.confidence for one in bins], [one.right for one in bins], "o-", label="confidence")
    bins = reliability_bins([one.path_confidence for one in mixed], [one.path_right for one in mixed])
    confidences, right = [one.confidence for one in bins], [one.right for one in bins]
    axes.plot(confidences, right, "x--", label="mean confidence of the best path")
    axes.set(xlabel="confidence, mean of the bin", ylabel="share right")
    axes.set_title(f"mixed stress, n = {len(mixed)}, 15 bins of equal mass", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    write_plot(figure, path)


def _draw_risk(mixed: Sequence[StressReading], path: Path) -> None:
    figure, axes = new_plot(5.4, 4.0)
    ours = risk_coverage([one.confidence for one in mixed], [one.right for one in mixed])
    others = risk_coverage([one.path_confidence for one in mixed], [one.path_right for one in mixed])
    axes.plot(100 * ours[:, 0], 100 * ours[:, 1], label="beam, grammar, calibrated confidence")
    axes.plot(100 * others[:, 0], 100 * others[:, 1], linestyle="--", label="best path, mean confidence")
    axes.set(xlabel="coverage, %", ylabel="wrong of those, %", ylim=(0, 40))
    axes.set_title(f"mixed stress, n = {len(mixed)}", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    write_plot(figure, path)
