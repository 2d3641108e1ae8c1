"""What a comparison of whole pipelines says: times by stage, memory, start, and who could not take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.speed.machine import Machine
from platereader.lab.speed.stages import PLATE_STAGES, STAGES
from platereader.results import PartDescription

__all__ = ["Absent", "FrameReport", "Run", "StageTime", "Start", "Turn", "stage_times", "times_as_fast"]

_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Turn:
    """What one candidate did in one round.

    Attributes:
        frames: for each frame, read by itself, the seconds of each stage.
        batch_s: seconds for all frames at once.
    """

    frames: tuple[Mapping[str, float], ...]
    batch_s: float

    @property
    def mean_s(self) -> float:
        """Mean time of a frame, seconds."""
        return float(np.mean([sum(stages.values()) for stages in self.frames]))


@dataclass(frozen=True, slots=True)
class StageTime:
    """The time of one stage, or of the whole.

    Attributes:
        name: one of ``STAGES``, or ``frame``.
        median_ms: of a frame, over all frames of all rounds, milliseconds.
        p95_ms: 95th percentile of the same.
        unit: what the stage works on: ``frames`` or ``plates``.
        per_s: of these in a second if the stage did nothing else; None where it took no time.
    """

    name: str
    median_ms: float
    p95_ms: float
    unit: str
    per_s: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """One candidate's figures.

    Attributes:
        name: engine and precision, threads, input size.
        engine: as requested.
        precision: as requested.
        threads: as requested; what each network really used is in ``parts``.
        input_size: longest side of the detector's input, pixels.
        parts: what ran.
        plates: found in a frame, on average.
        frame: time of a whole frame.
        stages: in their order.
        batch_frames_per_s: frames a second when all of them are read at once; median over the rounds.
        times_as_fast: as the reference with the same threads and input size, with its bootstrap interval over the
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
    """Fresh processes of one engine, with as many threads as it takes by itself.

    Attributes:
        name: engine and precision.
        first_reading_s: from the start of the process to the first reading of one picture; the value is the median, the
            interval is by bootstrap over the processes.
        steps_s: medians of the steps of it, in their order.
        rss_mib: memory of the process after ``reads`` more readings, median; None where the system does not say.
        peak_mib: the most that it ever was, median.
        reads: how many more.
    """

    name: str
    first_reading_s: Estimate
    steps_s: Mapping[str, float]
    rss_mib: float | None
    peak_mib: float | None
    reads: int


@dataclass(frozen=True, slots=True)
class FrameReport:
    """All of it.

    Attributes:
        machine: what it was measured on.
        pictures: name, width and height of each picture.
        rounds: turns of each candidate.
        reference: engine and precision that the others are compared with.
        runs: the candidates, in the order of their settings.
        starts: fresh processes; empty if none were requested.
        absent: who did not take part.
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
    """The whole frame, and each stage of it.

    Args:
        turns: one or more, of the same frames.
        plates: found in a frame, on average.
    """
    frames = [stages for turn in turns for stages in turn.frames]
    whole = _time("frame", [sum(stages.values()) for stages in frames], items=1.0)
    stages = tuple(
        _time(name, [frame[name] for frame in frames], items=plates if name in PLATE_STAGES else 1.0) for name in STAGES
    )
    return whole, stages


def _time(name: str, seconds: Sequence[float], *, items: float) -> StageTime:
    median_s, p95_s = (float(value) for value in np.percentile(seconds, (50, 95)))
    unit = "plates" if name in PLATE_STAGES else "frames"
    return StageTime(name, 1e3 * median_s, 1e3 * p95_s, unit, items / median_s if median_s > 0 else None)


def times_as_fast(reference: Sequence[Turn], turns: Sequence[Turn], *, rng: np.random.Generator) -> Estimate:
    """The median time of a round of the reference by that of another; rounds are drawn anew in pairs.

    Args:
        reference: one turn a round.
        turns: of the other in the same rounds.
        rng: draws the rounds.
    """
    slow, fast = (np.array([turn.mean_s for turn in several]) for several in (reference, turns))
    drawn = rng.integers(len(slow), size=(_RESAMPLES, len(slow)))
    spread = np.median(slow[drawn], axis=1) / np.median(fast[drawn], axis=1)
    low, high = (float(value) for value in np.percentile(spread, (2.5, 97.5)))
    return Estimate(float(np.median(slow) / np.median(fast)), low, high, len(slow))
