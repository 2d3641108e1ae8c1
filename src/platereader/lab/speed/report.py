"""What a comparison of whole pipelines says: times by stage, memory, start, and who could not take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.speed.machine import Machine
from platereader.lab.speed.stages import PLATE_STAGES, STAGES
from platereader.lab.tables import aligned, joined, show_number
from platereader.results import PartDescription

OUTSIDE = "outside of networks"
"""What all stages but the networks take together, in the same frame."""

_RESAMPLES = 2000


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
class FrameReport:
    """All of it: the machine, name, width and height of each picture, the candidates and the fresh processes.

    ``rounds`` are turns of each candidate, ``reference`` is engine and precision that the others are compared with.
    """

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

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "weights": self.weights}


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


def times_as_fast(reference: Sequence[Turn], turns: Sequence[Turn], *, rng: np.random.Generator) -> Estimate:
    """The median time of a round of the reference by that of another; rounds are drawn anew in pairs."""
    slow, fast = (np.array([turn.mean_s for turn in several]) for several in (reference, turns))
    drawn = rng.integers(len(slow), size=(_RESAMPLES, len(slow)))
    spread = np.median(slow[drawn], axis=1) / np.median(fast[drawn], axis=1)
    low, high = (float(value) for value in np.percentile(spread, (2.5, 97.5)))
    return Estimate(float(np.median(slow) / np.median(fast)), low, high, len(slow))


def format_frame_report(report: FrameReport) -> str:
    """Whole frames, their stages, fresh processes, who is absent and why, and what it was all measured on."""
    sizes = ", ".join(f"{name} {width}x{height}" for name, width, height in report.pictures)
    faster = f"x as fast as {report.reference} (95 %)"
    whole = ("whole frame", "threads", "input, px", "median", "p95", faster, "frames/s", "in a batch", "plates")
    return joined(
        [f"{len(report.pictures)} pictures ({sizes}), {report.rounds} rounds in turn, median milliseconds"],
        aligned([whole, *(_whole(run) for run in report.runs)]),
        _stages(report.runs),
        _starts(report.starts),
        [f"absent: {one.name}: {one.reason}" for one in report.absent],
        [f"{run.name}: {_networks(run)}" for run in report.runs],
        [*report.machine.lines(), *(f"weights {name} sha256 {sha256}" for name, sha256 in report.weights.items())],
    )


def _whole(run: Run) -> tuple[str, ...]:
    times = run.times_as_fast
    faster = "-" if times is None else f"{times.value:.2f} ({times.low:.2f}-{times.high:.2f})"
    return (
        run.name.partition(",")[0],
        str(run.threads),
        str(run.input_size),
        f"{run.frame.median_ms:.1f}",
        f"{run.frame.p95_ms:.1f}",
        faster,
        _rate(run.frame),
        f"{run.batch_frames_per_s:.1f}",
        f"{run.plates:.1f}",
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
    """Seconds to the first reading, its steps, and memory."""
    if not starts:
        return []
    rows = [("fresh process", "first reading, s (95 %)", *starts[0].steps_s, "RSS warm, MiB", "peak, MiB", "n")]
    for one in starts:
        first = one.first_reading_s
        seconds = (f"{first.value:.2f} ({first.low:.2f}-{first.high:.2f})", *(f"{s:.2f}" for s in one.steps_s.values()))
        memory = (show_number(one.rss_mib, digits=0), show_number(one.peak_mib, digits=0))
        rows.append((one.name, *seconds, *memory, str(first.n)))
    return aligned(rows)


def _networks(run: Run) -> str:
    """What each network really ran with."""
    ran = [part for part in run.parts if part.engine is not None]
    return "; ".join(f"{one.part} {one.engine} {one.precision}, {one.threads} threads, {one.weights}" for one in ran)
