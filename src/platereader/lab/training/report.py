"""What a training leaves: a JSON log, learning curves, a confusion matrix, a progress bar, sidecars and cards.

A sidecar is read by the registry, a card by people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from platereader._files import append_text, read_bytes, write_text
from platereader.lab.metrics.rates import alignment
from platereader.lab.plots import new_figure, new_plot, write_plot
from platereader.plates._alphabet import ILLEGIBLE, Alphabet
from platereader.registry import Kind, WeightEntry, write_sidecar

if TYPE_CHECKING:
    from tqdm import tqdm

Figures: TypeAlias = Sequence[tuple[str, str]]
"""What was measured on data that was not trained on: what it is, and the value with n and 95 % interval."""


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """How weights were made: from what start (sha256; None for random ones), on which sets, and with which settings.

    The ``licence`` of the weights that the training began with is handed on.
    """

    start: str | None
    data: Sequence[str]
    settings: Mapping[str, Any]
    steps: int
    minutes: float
    figures: Figures = ()
    licence: str = "unknown"


def describe_weights(
    weights: Path,
    record: TrainingRecord,
    *,
    kind: Kind,
    settings: Mapping[str, Any],
    alphabet: str | None = None,
    calibration: Mapping[str, Any] | None = None,
) -> None:
    """Write the sidecar ``FILE.json``, so that ``Registry.resolve`` takes the file, and its card.

    ``calibration`` is that of a recognizer's confidence, as ``Calibration.to_dict`` gives it.
    """
    entry = write_sidecar(
        weights, kind=kind, settings=settings, alphabet=alphabet, calibration=calibration, licence=record.licence
    )
    write_text(card_of(weights), _card(entry, record))


def card_of(weights: Path) -> Path:
    """Where the card of a weight file lies: ``model.md`` beside ``model.safetensors``."""
    return weights.with_suffix(".md")


def _card(entry: WeightEntry, record: TrainingRecord) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in record.settings.items())
    facts = {
        "kind": entry.kind,
        "file": f"`{entry.file}`, {entry.size_bytes} bytes, sha256 `{entry.sha256}`",
        "licence": entry.licence,
        "began with": "random weights" if record.start is None else f"the weights of sha256 `{record.start}`",
        "labelled sets": ", ".join(record.data) or "none",
        "training": f"{record.steps} steps in {record.minutes:.1f} minutes; {settings}",
    }
    lines = [f"# {entry.model}", "", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items())]
    if record.figures:
        lines += ["", "Measured on data that was not trained on, with n and 95 % interval:", ""]
        lines += ["| what | value |", "|---|---|", *(f"| {what} | {value} |" for what, value in record.figures)]
    return "\n".join([*lines, ""])


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
    lines = read_bytes(path, limit_bytes=1 << 30, what="the log").splitlines()
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
    """Draw the values of a log over the steps as a PNG, one panel for each group of names."""
    figure = new_figure(5.5 * len(panels), 4)
    for index, names in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        for name in names:
            known = [row for row in rows if row.get(name) is not None and "step" in row]
            axes.plot([row["step"] for row in known], [row[name] for row in known], label=name, linewidth=1.2)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        axes.legend()
    write_plot(figure, path)


def confusion_counts(pairs: Iterable[tuple[str, str]], *, alphabet: Alphabet) -> NDArray[np.int64]:
    """Count over pairs (true text, text read): int64 ``(C, C)``, true ones down, read ones across, in class order.

    Class 0 stands for nothing or ``?``, so row 0 holds characters that were made up and column 0 those that were
    missed.
    """
    counts = np.zeros((alphabet.size, alphabet.size), np.int64)
    for true, read in pairs:
        for pair in alignment(true, read):
            row, column = (alphabet.blank if char in ("", ILLEGIBLE) else alphabet.encode(char)[0] for char in pair)
            counts[row, column] += 1
    return counts


def draw_confusion(counts: NDArray[np.integer], path: Path, *, names: Sequence[str], title: str) -> None:
    """Draw counts ``(K, K)``, true ones down, read ones across, as a PNG; the colours leave out what is right."""
    figure, axes = new_plot(9, 8)
    wrong = np.array(counts, np.float64)
    np.fill_diagonal(wrong, 0)
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=max(1.0, float(wrong.max())))
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "grey" if row == column else "black"
        axes.text(column, row, str(int(counts[row, column])), ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(len(names)), list(names))
    axes.set_yticks(range(len(names)), list(names))
    axes.set(xlabel="read", ylabel="true", title=title)
    write_plot(figure, path)
