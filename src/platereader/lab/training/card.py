"""What trained weights are accompanied by: a sidecar that the registry reads, and a card that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from platereader._files import write_text
from platereader.registry import Kind, WeightEntry, write_sidecar

__all__ = ["Figures", "TrainingRecord", "card_of", "describe_weights"]

Figures: TypeAlias = Sequence[tuple[str, str]]
"""What was measured on data that was not trained on: what it is, and the value with n and 95 % interval."""


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """How weights were made.

    Attributes:
        start: sha256 of the weights that the training began with; None for random ones.
        data: names of the labelled sets.
        settings: of the training, by name.
        steps: optimizer steps.
        minutes: time they took.
        figures: what was measured.
    """

    start: str | None
    data: Sequence[str]
    settings: Mapping[str, Any]
    steps: int
    minutes: float
    figures: Figures = ()


def describe_weights(
    weights: Path,
    record: TrainingRecord,
    *,
    kind: Kind,
    settings: Mapping[str, Any],
    alphabet: str | None = None,
    calibration: Mapping[str, Any] | None = None,
    licence: str = "unknown",
) -> None:
    """Write the sidecar ``FILE.json``, so that ``Registry.resolve`` takes the file, and its card.

    Args:
        weights: the finished file.
        record: how it was made.
        kind: what it is for.
        settings: what the model needs to run, JSON-safe.
        alphabet: characters of a recognizer.
        calibration: of a recognizer's confidence, as ``Calibration.to_dict`` gives it.
        licence: SPDX expression or words.
    """
    entry = write_sidecar(
        weights, kind=kind, settings=settings, alphabet=alphabet, calibration=calibration, licence=licence
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
