"""What every fine-tuning has in common: its result, its report, and when its weights are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from platereader._files import write_json
from platereader.errors import AccuracyError, DatasetError, InvalidArgumentError
from platereader.lab.datasets import SkippedRow
from platereader.lab.training.checkpoint import load_checkpoint
from platereader.lab.training.loop import CHECKPOINT_NAME, TrainingLoop
from platereader.registry import WeightFile

REPORT_NAME = "finetuning.json"
"""The figures of a fine-tuning."""


ExampleT = TypeVar("ExampleT")
ComparisonT = TypeVar("ComparisonT", bound="BeforeAndAfter")


@dataclass(frozen=True, slots=True)
class TuningSet(Generic[ExampleT]):
    """A labelled set of the user: examples to train on, and others, of no text of these, to measure on.

    ``label`` says what is known of an example.
    """

    train: Sequence[ExampleT]
    held_out: Sequence[ExampleT]
    skipped: Sequence[SkippedRow]
    label: Callable[[ExampleT], str]

    @property
    def fingerprint(self) -> str:
        """Tells one set, as it is labelled now, from any other."""
        labels = "\n".join(sorted(map(self.label, (*self.train, *self.held_out))))
        return hashlib.sha256(labels.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class BeforeAndAfter(Protocol):
    """The same examples, measured with the old weights and with the new ones."""

    @property
    def is_worse(self) -> bool:
        """Whether more is lost than is allowed."""
        ...

    def describe(self) -> str:
        """Name of the set, and its figures before and after."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form; with n and 95 % intervals."""
        ...


@dataclass(frozen=True, slots=True)
class FineTuned(Generic[ComparisonT]):
    """The result of a fine-tuning, with what was trained on and kept apart, and the figures before and after.

    ``start`` is a sha256; weights are None where they were not written. ``calibration`` says by file name how far
    confidences hold on plates that they were not fitted on, ``notes`` what was left out, and why.
    """

    start: str
    train: int
    held_out: int
    skipped: tuple[SkippedRow, ...]
    steps: int
    minutes: float
    comparisons: tuple[ComparisonT, ...]
    weights: Path | None = None
    int8: Path | None = None
    calibration: Mapping[str, Mapping[str, float | None]] = field(
        default_factory=dict[str, Mapping[str, float | None]], hash=False
    )
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *loops: TrainingLoop,
        start: WeightFile,
        tuning: TuningSet[Any],
        comparisons: Sequence[ComparisonT],
    ) -> FineTuned[ComparisonT]:
        """The result of finished loops, without weights."""
        return cls(
            start=start.sha256,
            train=len(tuning.train),
            held_out=len(tuning.held_out),
            skipped=tuple(tuning.skipped),
            steps=sum(loop.step for loop in loops),
            minutes=sum(loop.elapsed_s for loop in loops) / 60,
            comparisons=tuple(comparisons),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "start_sha256": self.start,
            "examples": {"train": self.train, "held_out": self.held_out, "skipped": list(map(str, self.skipped))},
            "steps": self.steps,
            "minutes": round(self.minutes, 2),
            "comparisons": [one.to_dict() for one in self.comparisons],
            "weights": None if self.weights is None else self.weights.name,
            "int8": None if self.int8 is None else self.int8.name,
            "calibration": dict(self.calibration),
            "notes": list(self.notes),
        }


def check_output(output: Path, *, start: str, checkpoints: Path | None = None) -> None:
    """Raise InvalidArgumentError unless a folder is empty, or holds an earlier run from the same weights."""
    checkpoint = (checkpoints or output) / CHECKPOINT_NAME
    if checkpoint.exists() and load_checkpoint(checkpoint).scalars.get("settings", {}).get("start") == start:
        return
    # A hidden one is what a killed run left of its first checkpoint.
    found = sorted(path.name for path in output.glob("*.safetensors") if not path.name.startswith("."))
    if found:
        raise InvalidArgumentError(
            f"output is {output}, which holds other weights ({', '.join(found)}): name a new folder. Nothing there was "
            "touched."
        )


def refuse_worse(result: FineTuned[Any], *, output: Path, checkpoints: Path, data: Path) -> None:
    """Write the report and raise AccuracyError if the new weights are worse; ``checkpoints`` is where they are."""
    worse: list[str] = [one.describe() for one in result.comparisons if one.is_worse]
    if worse:
        write_report(result, output=output)
        raise AccuracyError(
            f"the new weights are worse and were not written: {'; '.join(worse)}. They are in "
            f"{checkpoints}. Look for wrong or missing labels in {data}, or try more examples, older "
            "labelled sets beside them or a lower learning_rate, with a new folder for the output; even_if_worse "
            "(--even-if-worse) writes these as they are."
        )


def write_report(result: FineTuned[Any], *, output: Path) -> None:
    """Write the figures into the folder of the fine-tuning."""
    write_json(output / REPORT_NAME, result.to_dict())


def check_enough(folder: Path, found: int, *, least: int, what: str, skipped: Sequence[SkippedRow]) -> None:
    """Raise DatasetError, with reasons of skipped rows, if less can be used than there is to learn from."""
    if found < least:
        reasons = "".join(f"\n  {row}" for row in skipped[:5])
        raise DatasetError(
            f"{folder} has {found} usable {what}, at least {least} are needed: label more of them."
            + (f" {len(skipped)} rows are skipped, such as:{reasons}" if skipped else "")
        )
