"""Plots as PNG files, written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platereader._dependencies import check_installed
from platereader._files import write_bytes
from platereader.lab.metrics.rates import Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches.

    Raises:
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def new_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one plot in it; raises as ``new_figure``."""
    figure = new_figure(width, height)
    return figure, figure.add_subplot()


def percent_with_errors(rates: Sequence[Rate]) -> tuple[list[float], list[list[float]]]:
    """Rates in per cent, 0 of nothing, and how far their intervals reach below and above, as ``yerr`` takes it."""
    values = [100 * (rate.value or 0.0) for rate in rates]
    below = [max(value - 100 * rate.interval[0], 0.0) for value, rate in zip(values, rates, strict=True)]
    above = [max(100 * rate.interval[1] - value, 0.0) for value, rate in zip(values, rates, strict=True)]
    return values, [below, above]


def write_plot(figure: Figure, path: Path, *, dpi: int = 110) -> None:
    """Draw a figure into a PNG file, whose folder is made if missing; raises FileError where it cannot be written."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, drawn.getvalue())
