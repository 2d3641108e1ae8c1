"""A comparison of whole pipelines as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from platereader.lab.speed.report import FrameReport, Run, StageTime, Start
from platereader.lab.tables import aligned

__all__ = ["format_frame_report"]


def format_frame_report(report: FrameReport) -> str:
    """Whole frames, their stages, fresh processes, who is absent and why, and what it was all measured on."""
    sizes = ", ".join(f"{name} {width}x{height}" for name, width, height in report.pictures)
    head = [f"{len(report.pictures)} pictures ({sizes}), {report.rounds} rounds in turn, median milliseconds"]
    blocks = [
        head,
        aligned([_whole_header(report), *(_whole(run) for run in report.runs)]),
        _stages(report.runs),
        _starts(report.starts),
        [f"absent: {one.name}: {one.reason}" for one in report.absent],
        _networks(report.runs),
        [*report.machine.lines(), *(f"weights {name} sha256 {sha256}" for name, sha256 in report.weights.items())],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _whole_header(report: FrameReport) -> tuple[str, ...]:
    faster = f"x as fast as {report.reference} (95 %)"
    return ("whole frame", "threads", "input, px", "median", "p95", faster, "frames/s", "in a batch", "plates")


def _whole(run: Run) -> tuple[str, ...]:
    times = run.times_as_fast
    faster = "-" if times is None else f"{times.value:.2f} ({times.low:.2f}-{times.high:.2f})"
    return (
        _way(run),
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
        rows.append(
            (
                one.name,
                f"{first.value:.2f} ({first.low:.2f}-{first.high:.2f})",
                *(f"{seconds:.2f}" for seconds in one.steps_s.values()),
                _mib(one.rss_mib),
                _mib(one.peak_mib),
                str(first.n),
            )
        )
    return aligned(rows)


def _mib(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _networks(runs: Sequence[Run]) -> list[str]:
    """What each network really ran with."""
    return [
        f"{run.name}: "
        + "; ".join(
            f"{part.part} {part.engine} {part.precision}, {part.threads} threads, {part.weights}"
            for part in run.parts
            if part.engine is not None
        )
        for run in runs
    ]


def _way(run: Run) -> str:
    return run.name.partition(",")[0]
