"""What a comparison of whole pipelines says: times by stage, memory, start, and who could not take part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.speed.machine import Machine
from platereader.lab.speed.stages import PLATE_STAGES, STAGES
from platereader.lab.tables import aligned, columns, joined, show_estimate, show_number
from platereader.results import PartDescription

OUTSIDE = "outside of networks"
"""What all stages but the networks take together, in the same frame."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one candidate did in one round: seconds of each stage of each frame by itself, and of all frames at once."""

    frames: tuple[Mapping[str, float], ...]
    batch_s: float

    @property
    def mean_s(self) -> float:
        """Mean time of a frame, seconds."""
        return float(np.mean([sum(stages.values()) for stages in self.frames]))


@dataclass(frozen=True, slots=True)
class StageTime:
    """The time of one of ``STAGES``, of what is ``OUTSIDE``, or of the whole ``frame``, over all frames of all rounds.

    ``per_s`` is how many of the ``unit``, ``frames`` or ``plates``, it would do in a second if it did nothing else;
    None where it took no time.
    """

    name: str
    median_ms: float
    p95_ms: float
    unit: str
    per_s: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One candidate's figures.

    Engine, precision and threads are as requested; what each network really used is in ``parts``. ``plates`` are found
    in a frame on average, ``batch_frames_per_s`` is the median over the rounds when all frames are read at once.
    ``times_as_fast`` is as the reference with the same threads and input size, with its bootstrap interval over the
    rounds; None for the reference, and where that did not run.
    """

    name: str
    engine: str
    precision: str
    threads: int
    input_size: int
    parts: tuple[PartDescription, ...]
    plates: float
    frame: StageTime
    stages: tuple[StageTime, ...]
    batch_frames_per_s: float
    times_as_fast: Estimate | None


@dataclass(frozen=True, slots=True)
class Absent:
    """A candidate who did not take part, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """Fresh processes of one engine and precision, with as many threads as it takes by itself.

    ``first_reading_s`` is from the start of the process to the first reading of one picture, the median with its
    bootstrap interval over the processes, ``steps_s`` medians of its steps. ``rss_mib`` is memory after so many more
    ``reads``, ``peak_mib`` the most that it ever was, medians; None where the system does not say.
    """

    name: str
    first_reading_s: Estimate
    steps_s: Mapping[str, float]
    rss_mib: float | None
    peak_mib: float | None
    reads: int


@dataclass(frozen=True, slots=True)
class FrameReport(JsonSafe):
    """All of it: the machine, name, width and height of each picture, the candidates and the fresh processes.

    ``rounds`` are turns of each candidate, ``reference`` is engine and precision that the others are compared with.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("weights",)

    machine: Machine
    pictures: tuple[tuple[str, int, int], ...]
    rounds: int
    reference: str
    runs: tuple[Run, ...]
    starts: tuple[Start, ...]
    absent: tuple[Absent, ...]

    @property
    def weights(self) -> dict[str, str]:
        """sha256 by name of all weights that ran."""
        parts = [part for run in self.runs for part in run.parts]
        return {part.weights: part.sha256 for part in parts if part.weights is not None and part.sha256 is not None}


def stage_times(turns: Sequence[Turn], *, plates: float) -> tuple[StageTime, tuple[StageTime, ...]]:
    """The whole frame, each of ``STAGES`` and what is ``OUTSIDE``; ``plates`` are those in a frame on average."""
    frames = [stages for turn in turns for stages in turn.frames]
    whole = _time("frame", [sum(stages.values()) for stages in frames], items=1.0)
    stages = [
        _time(name, [frame[name] for frame in frames], items=plates if name in PLATE_STAGES else 1.0) for name in STAGES
    ]
    outside = [sum(seconds for name, seconds in frame.items() if not name.endswith(" network")) for frame in frames]
    return whole, (*stages, _time(OUTSIDE, outside, items=1.0))


def _time(name: str, seconds: Sequence[float], *, items: float) -> StageTime:
    median_s, p95_s = (float(value) for value in np.percentile(seconds, (50, 95)))
    unit = "plates" if name in PLATE_STAGES else "frames"
    return StageTime(name, 1e3 * median_s, 1e3 * p95_s, unit, items / median_s if median_s > 0 else None)


def format_frame_report(report: FrameReport) -> str:
    """Whole frames, their stages, fresh processes, who is absent and why, and what it was all measured on."""
    sizes = ", ".join(f"{name} {width}x{height}" for name, width, height in report.pictures)
    whole: Mapping[str, Callable[[Run], str]] = {
        "whole frame": lambda run: run.name.partition(",")[0],
        "threads": lambda run: str(run.threads),
        "input, px": lambda run: str(run.input_size),
        "median": lambda run: f"{run.frame.median_ms:.1f}",
        "p95": lambda run: f"{run.frame.p95_ms:.1f}",
        f"x as fast as {report.reference} (95 %)": lambda run: show_estimate(run.times_as_fast, digits=2),
        "frames/s": lambda run: _rate(run.frame),
        "in a batch": lambda run: f"{run.batch_frames_per_s:.1f}",
        "plates": lambda run: f"{run.plates:.1f}",
    }
    return joined(
        [f"{len(report.pictures)} pictures ({sizes}), {report.rounds} rounds in turn, median milliseconds"],
        columns(whole, report.runs),
        _stages(report.runs),
        _starts(report.starts),
        [f"absent: {one.name}: {one.reason}" for one in report.absent],
        [f"{run.name}: {_networks(run)}" for run in report.runs],
        [*report.machine.lines(), *(f"weights {name} sha256 {sha256}" for name, sha256 in report.weights.items())],
    )


def _stages(runs: Sequence[Run]) -> list[str]:
    """A row for each run and stage would be long: three rows a run, a column a stage."""
    if not runs:
        return []
    rows = [("stages", "", *(stage.name for stage in runs[0].stages))]
    for run in runs:
        rows.append((run.name, "median ms", *(f"{stage.median_ms:.2f}" for stage in run.stages)))
        rows.append(("", "p95 ms", *(f"{stage.p95_ms:.2f}" for stage in run.stages)))
        rows.append(("", "a second", *(f"{_rate(stage)} {stage.unit}" for stage in run.stages)))
    return aligned(rows)


def _rate(stage: StageTime) -> str:
    return "-" if stage.per_s is None else f"{stage.per_s:.0f}" if stage.per_s >= 100 else f"{stage.per_s:.1f}"


def _starts(starts: Sequence[Start]) -> list[str]:
    if not starts:
        return []
    rows: list[tuple[str, ...]] = [
        ("fresh process", "first reading, s (95 %)", *starts[0].steps_s, "RSS warm, MiB", "peak, MiB", "n")
    ]
    for one in starts:
        steps = [f"{seconds:.2f}" for seconds in one.steps_s.values()]
        memory = [show_number(mib, digits=0) for mib in (one.rss_mib, one.peak_mib)]
        first = one.first_reading_s
        rows.append((one.name, show_estimate(first, digits=2), *steps, *memory, str(first.n)))
    return aligned(rows)


def _networks(run: Run) -> str:
    ran = [part for part in run.parts if part.engine is not None]
    return "; ".join(f"{one.part} {one.engine} {one.precision}, {one.threads} threads, {one.weights}" for one in ran)
