"""Plots of what was timed: whole pipelines by stage and start, and the detector by its input size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platereader.lab.plots import new_figure, new_plot, write_plot
from platereader.lab.speed.report import FrameReport, Run, Start
from platereader.lab.speed.stages import STAGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from platereader.lab.speed.input_size import InputSizeReport


def draw_frame_report(report: FrameReport, path: Path) -> Path:
    """Draw bars of the stages of each run, and of start and memory of fresh processes; raises as ``new_figure``."""
    rows = [len(report.runs) + 3, *([len(report.starts) + 2] if report.starts else [])]
    figure = new_figure(10.0, 1.4 + 0.34 * sum(rows))
    grid = figure.add_gridspec(len(rows), 2, height_ratios=rows)
    _draw_stages(figure.add_subplot(grid[0, :]), report.runs)
    if report.starts:
        _draw_starts(figure.add_subplot(grid[1, 0]), report.starts)
        _draw_memory(figure.add_subplot(grid[1, 1]), report.starts)
    measured = f"{len(report.pictures)} pictures, {report.rounds} rounds"
    figure.suptitle(f"{report.machine.processor}, {report.machine.usable_cores} cores; {measured}", fontsize=9)
    write_plot(figure, path)
    return path


def _draw_stages(axes: Axes, runs: Sequence[Run]) -> None:
    """Medians of the stages side by side; their sum is close to the median of the frame, which stands behind it."""
    stages = {name: [run.stages[number].median_ms for run in runs] for number, name in enumerate(STAGES)}
    ends = _draw_stacks(axes, stages, names=[run.name for run in runs])
    for run, (end, place) in zip(runs, ends, strict=True):
        faster = "" if run.times_as_fast is None else f", {run.times_as_fast.value:.1f} x"
        text = f"{run.frame.median_ms:.1f} ms{faster}"
        axes.annotate(text, (end, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, 1.25 * max([*(end for end, _ in ends), 1e-3]))
    axes.set_xlabel("ms a frame, median of each stage")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)


def _draw_stacks(
    axes: Axes, parts: Mapping[str, Sequence[float]], *, names: Sequence[str]
) -> list[tuple[float, float]]:
    """A bar for each name, made of the parts, below one another; where each of them ends."""
    places = [-float(number) for number in range(len(names))]
    ends = [0.0] * len(names)
    for label, widths in parts.items():
        axes.barh(places, widths, left=ends, label=label)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    axes.set_yticks(places, names)
    axes.grid(axis="x", alpha=0.3)
    return list(zip(ends, places, strict=True))


def _draw_starts(axes: Axes, starts: Sequence[Start]) -> None:
    steps = {step: [one.steps_s[step] for one in starts] for step in starts[0].steps_s}
    _draw_stacks(axes, steps, names=[one.name for one in starts])
    axes.set_xlabel("s from the start of the process to the first reading")
    axes.legend(fontsize=7)


def _draw_memory(axes: Axes, starts: Sequence[Start]) -> None:
    places = [-float(number) for number in range(len(starts))]
    axes.barh(places, [one.peak_mib or 0.0 for one in starts], height=0.8, label="peak")
    axes.barh(places, [one.rss_mib or 0.0 for one in starts], height=0.5, label="warm")
    axes.set_yticks(places, [""] * len(starts))
    axes.set_xlabel("MiB of memory (RSS)")
    axes.legend(fontsize=7)
    axes.grid(axis="x", alpha=0.3)


def draw_input_sizes(report: InputSizeReport, folder: Path) -> Path:
    """Write ``input-size.png``, accuracy against the median time of a frame; raises as ``new_figure``."""
    figure, axes = new_plot(5.6, 4.2)
    times = [one.timing.median_ms for one in report.sizes]
    precision = [100 * one.ap50_95.value if one.ap50_95 else 0.0 for one in report.sizes]
    axes.plot(times, [100 * (one.recall50.value or 0) for one in report.sizes], "o-", label="found, IoU 0.5")
    axes.plot(times, [100 * one.ap50.value if one.ap50 else 0.0 for one in report.sizes], "o-", label="AP50")
    axes.plot(times, precision, "o-", label="AP50-95")
    for one, place in zip(report.sizes, zip(times, precision, strict=True), strict=True):
        axes.annotate(str(one.input_size), place, textcoords="offset points", xytext=(3, -11))
    axes.set(xlabel="ms a frame, median", ylabel="%")
    axes.set_title(f"{report.dataset}, {report.pictures} pictures; input size in px at each point", fontsize=9)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    path = folder / "input-size.png"
    write_plot(figure, path)
    return path
