"""Detection as plots: precision against recall, recall against width."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.lab.metrics.curves import WidthRecall
from platereader.lab.plots import new_figure, new_plot, write_plot
from platereader.lab.suites.labelled.report import DetectionScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_detection(scores: DetectionScores, folder: Path) -> list[Path]:
    """Write ``precision-recall.png`` and ``recall-by-width.png`` of whole pictures into a folder, made if missing.

    Returned are their paths; none for a set without plates.

    Raises:
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    if not scores.plates:
        return []
    paths = [folder / "precision-recall.png", folder / "recall-by-width.png"]
    _draw_precision(scores, paths[0])
    _draw_widths(scores, paths[1])
    return paths


def _draw_precision(scores: DetectionScores, path: Path) -> None:
    figure, axes = new_plot(5.0, 4.2)
    points = scores.precision_recall
    axes.plot([100 * one.recall for one in points], [100 * one.precision for one in points], marker=".", markersize=3)
    axes.set_xlabel("recall, %")
    axes.set_ylabel("precision, %")
    axes.set_title(f"IoU 0.5, {scores.plates} plates in {scores.pictures} pictures", fontsize=9)
    axes.set_xlim(0, 101)
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)
    write_plot(figure, path)


def _draw_widths(scores: DetectionScores, path: Path) -> None:
    panels = [("picture", scores.recall_by_width), ("network's input", scores.recall_by_input_width)]
    panels = [(name, groups) for name, groups in panels if groups]
    figure = new_figure(4.6 * len(panels), 3.8)
    for number, (name, groups) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), number)
        _draw_recall(axes, groups)
        axes.set_xlabel(f"width of the plate in the {name}")
    write_plot(figure, path)


def _draw_recall(axes: Axes, groups: Sequence[WidthRecall]) -> None:
    """Recall at IoU 0.3 and 0.5 with the interval of each group of widths."""
    names = [f"{one.name}\nn {one.recall50.n}" for one in groups]
    for label, rates in (
        ("IoU 0.3", [one.recall30 for one in groups]),
        ("IoU 0.5", [one.recall50 for one in groups]),
    ):
        values = [100 * (rate.value or 0) for rate in rates]
        spans = [[100 * end for end in rate.interval] for rate in rates]
        below = [max(value - low, 0) for value, (low, _) in zip(values, spans, strict=True)]
        above = [max(high - value, 0) for value, (_, high) in zip(values, spans, strict=True)]
        axes.errorbar(names, values, yerr=[below, above], marker="o", capsize=3, label=label)
    axes.set_ylabel("found, %")
    axes.set_ylim(0, 101)
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
