"""Detection as plots: precision against recall, recall against width."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.lab.metrics.curves import WidthRecall
from platereader.lab.plots import new_figure, new_plot, percent_with_errors, write_plot
from platereader.lab.suites.labelled.report import DetectionScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_detection(scores: DetectionScores, folder: Path) -> list[Path]:
    """Write ``precision-recall.png`` and ``recall-by-width.png`` of whole pictures into a folder, made if missing.

    Returned are their paths; none for a set without plates. Raises as ``new_figure``.
    """
    if not scores.plates:
        return []
    curve, widths = folder / "precision-recall.png", folder / "recall-by-width.png"
    _draw_precision(scores, curve)
    _draw_widths(scores, widths)
    return [curve, widths]


def _draw_precision(scores: DetectionScores, path: Path) -> None:
    figure, axes = new_plot(5.0, 4.2)
    points = scores.precision_recall
    axes.plot([100 * one.recall for one in points], [100 * one.precision for one in points], marker=".", markersize=3)
    axes.set(xlabel="recall, %", ylabel="precision, %", xlim=(0, 101), ylim=(0, 101))
    axes.set_title(f"IoU 0.5, {scores.plates} plates in {scores.pictures} pictures", fontsize=9)
    axes.grid(alpha=0.3)
    write_plot(figure, path)


def _draw_widths(scores: DetectionScores, path: Path) -> None:
    panels = {"picture": scores.recall_by_width, "network's input": scores.recall_by_input_width}
    panels = {name: groups for name, groups in panels.items() if groups}
    figure = new_figure(4.6 * len(panels), 3.8)
    for number, (name, groups) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        _draw_recall(axes, groups)
        axes.set_xlabel(f"width of the plate in the {name}")
    write_plot(figure, path)


def _draw_recall(axes: Axes, groups: Sequence[WidthRecall]) -> None:
    names = [f"{one.name}\nn {one.recall50.n}" for one in groups]
    recalls = {"IoU 0.3": [one.recall30 for one in groups], "IoU 0.5": [one.recall50 for one in groups]}
    for label, rates in recalls.items():
        values, reach = percent_with_errors(rates)
        axes.errorbar(names, values, yerr=reach, marker="o", capsize=3, label=label)
    axes.set(ylabel="found, %", ylim=(0, 101))
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
