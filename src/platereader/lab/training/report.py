"""What a training run is followed by: a JSON log, learning curves, a confusion matrix, a progress bar."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from platereader._files import append_text, read_bytes
from platereader.lab.plots import write_plot

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = [
    "append_log",
    "draw_confusion",
    "draw_curves",
    "progress_bar",
    "read_log",
    "report_skipped",
]


_MAX_LOG_BYTES = 1 << 30


def append_log(path: Path, row: Mapping[str, Any]) -> None:
    """Add one JSON object as a line; floats are kept to six digits, those that are not finite become null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    short = {name: _shortened(value) if isinstance(value, float) else value for name, value in row.items()}
    append_text(path, json.dumps(short) + "\n")


def _shortened(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows that ``append_log`` wrote; empty when there is no file.

    A line that is no such row is left out: a run that was killed, or a full disk, may leave a part of one.

    Raises:
        FileError: the file cannot be read.
    """
    if not path.exists():
        return []
    lines = read_bytes(path, limit_bytes=_MAX_LOG_BYTES, what="the log").splitlines()
    return [row for row in map(_row, lines) if row is not None]


def _row(line: bytes) -> dict[str, Any] | None:
    """The object that a line of a log holds; None for any other line."""
    try:
        row: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", row) if isinstance(row, dict) else None


def progress_bar(*, initial: int = 0) -> tqdm[Any]:
    """A bar in per cent of a training, with the time left, of which ``initial`` are done."""
    from tqdm import tqdm

    return tqdm(total=100, initial=initial, desc="training", unit="%", mininterval=2.0, dynamic_ncols=True)


def draw_curves(rows: Sequence[Mapping[str, Any]], path: Path, *, panels: Sequence[Sequence[str]]) -> None:
    """Draw the values of a log over the steps, one panel for each group of names, as a PNG.

    Args:
        rows: of ``read_log``; a row that lacks a name leaves no point.
        path: PNG to write.
        panels: names of the values that share a panel.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * len(panels), 4), layout="constrained")
    for index, names in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        for name in names:
            points = [(row["step"], row[name]) for row in rows if row.get(name) is not None and "step" in row]
            axes.plot([point[0] for point in points], [point[1] for point in points], label=name, linewidth=1.2)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend()
    write_plot(figure, path)


def draw_confusion(counts: NDArray[np.integer], path: Path, *, names: Sequence[str], title: str) -> None:
    """Draw a confusion matrix as a PNG; the colours leave out what is right.

    Args:
        counts: int ``(K, K)``, true ones down, read ones across.
        path: PNG to write.
        names: K names.
        title: printed above.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.add_subplot()
    wrong = np.array(counts, np.float64)
    np.fill_diagonal(wrong, 0)
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=max(1.0, float(wrong.max())))
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "grey" if row == column else "black"
        axes.text(column, row, str(int(counts[row, column])), ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(len(names)), list(names))
    axes.set_yticks(range(len(names)), list(names))
    axes.set_xlabel("read")
    axes.set_ylabel("true")
    axes.set_title(title)
    write_plot(figure, path)


def report_skipped(count: int) -> None:
    """Say on standard error how much of the labelled sets cannot be used."""
    sys.stderr.write(f"{count} labels or pictures cannot be used and are left out of the training.\n")
