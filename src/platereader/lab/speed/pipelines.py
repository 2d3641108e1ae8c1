"""Whole pipelines with different engines, precisions, threads and input sizes, which take turns in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from platereader._arrays import BgrImage
from platereader.errors import EngineError, InvalidArgumentError, MissingDependencyError
from platereader.lab.metrics.estimates import Estimate, estimate_ratio
from platereader.lab.speed.report import Absent, Run, Turn, stage_times
from platereader.lab.speed.stages import Stopwatch, watched
from platereader.lab.speed.turns import take_turns, torch_threads
from platereader.pipeline import Pipeline
from platereader.results import PartDescription
from platereader.runtimes._options import ENGINES

REFERENCE = ("torch", "fp32")
"""Engine and precision that all others of the same threads and input size are compared with."""

WARM_ROUNDS = 2
"""Those of ``time_frames`` that do not count."""

# Idle threads of the one before spin for a while before they sleep.
_PAUSE_S = 0.02
# After a pause a process is slow for some frames: threads wake, caches fill, the clock rises.
_WARM_FRAMES = 5


class Build(Protocol):
    """What makes a pipeline, as ``Pipeline.build`` does."""

    def __call__(self, *, engine: str, precision: str, threads: int | None) -> Pipeline:
        """A pipeline; raises EngineError where there is none."""
        ...


class Setting(NamedTuple):
    """One candidate: engine and precision as for ``Pipeline.build``, threads of each network.

    ``input_size`` is the longest side of the detector's input in pixels; None for its own.
    """

    engine: str
    precision: str
    threads: int
    input_size: int | None = None

    @property
    def combination(self) -> str:
        """Engine and precision in one word or two."""
        return "auto" if self.engine == self.precision == "auto" else f"{self.engine} {self.precision}"

    @property
    def name(self) -> str:
        """Everything."""
        size = "" if self.input_size is None else f", {self.input_size} px"
        return f"{self.combination}, {self.threads} thread{'s' if self.threads > 1 else ''}{size}"


class _Candidate(NamedTuple):
    setting: Setting
    pipeline: Pipeline
    parts: tuple[PartDescription, ...]


def settings_of(
    *, engines: Sequence[str], precisions: Sequence[str], threads: Sequence[int], sizes: Sequence[int | None] = (None,)
) -> list[Setting]:
    """Every engine in every precision with every number of threads and input size, the reference first.

    ``auto`` chooses both: it stands once as an engine, and once as a precision of each engine. These come last, as they
    mostly turn out to be one of the others.
    """
    combinations = [
        REFERENCE,
        *((engine, precision) for engine in engines for precision in precisions if engine != "auto"),
    ]
    combinations.sort(key=lambda pair: (pair != REFERENCE, pair[1] == "auto"))
    if "auto" in engines:
        combinations.append(("auto", "auto"))
    unique = list(dict.fromkeys(combinations))
    return [Setting(*pair, threads=count, input_size=size) for size in sizes for count in threads for pair in unique]


def time_frames(
    frames: Sequence[BgrImage],
    settings: Sequence[Setting],
    *,
    rounds: int,
    rng: np.random.Generator,
    build: Build = Pipeline.build,
    on_turn: Callable[[], object] = lambda: None,
) -> tuple[tuple[Run, ...], tuple[Absent, ...]]:
    """Let all settings that work here read the same frames, one or more, in turn.

    A turn reads five frames that do not count, then each frame by itself, then all of them at once. Each setting is
    compared with ``REFERENCE`` of the same threads and input size. ``on_turn`` is called after each turn, those that do
    not count included.

    Raises:
        InvalidArgumentError: no frames or no rounds, or an input size that is not allowed.
    """
    if not frames or rounds < 1:
        raise InvalidArgumentError(f"frames has {len(frames)} pictures and rounds is {rounds}, allowed is 1 or more.")
    candidates, absent = _gather(settings, build)
    calls = {one.setting.name: _turn_of(one, frames) for one in candidates}
    turns = take_turns(calls, rounds=rounds, rng=rng, warm_rounds=WARM_ROUNDS, on_turn=on_turn)
    seconds = {name: [turn.mean_s for turn in several] for name, several in turns.items()}
    runs: list[Run] = []
    for one in candidates:
        name, reference = one.setting.name, one.setting._replace(engine=REFERENCE[0], precision=REFERENCE[1]).name
        comparable = reference in turns and reference != name
        faster = estimate_ratio(seconds[reference], seconds[name], rng=rng) if comparable else None
        runs.append(_run(one, turns[name], frames=frames, faster=faster))
    return tuple(runs), tuple(absent)


def _gather(settings: Sequence[Setting], build: Build) -> tuple[list[_Candidate], list[Absent]]:
    """Those that work here and differ, and why the others do not take part."""
    present: dict[tuple[object, ...], _Candidate] = {}
    absent: list[Absent] = []
    for setting in settings:
        try:
            one = _prepared(setting, build)
        except (EngineError, MissingDependencyError) as error:
            absent.append(Absent(setting.name, str(error)))
            continue
        networks = [(part.engine, part.precision, part.threads) for part in one.parts if part.engine is not None]
        same = present.setdefault((*networks, setting.input_size), one)
        if same is not one:
            absent.append(Absent(setting.name, f"is the same as {same.setting.name}"))
    return list(present.values()), absent


def _prepared(setting: Setting, build: Build) -> _Candidate:
    """A pipeline with that many threads: those of torch are set while it runs, those of other engines here."""
    offered = ENGINES.get(cast("Any", setting.engine), ())
    if offered and setting.precision not in {"auto", *offered}:
        raise EngineError(f"{setting.engine} offers {', '.join(offered)}, not {setting.precision}")
    pipeline = build(engine=setting.engine, precision=setting.precision, threads=None)
    engines = {part.engine for part in pipeline.describe()} - {None}
    if "torch" not in engines:
        pipeline = build(engine=setting.engine, precision=setting.precision, threads=setting.threads)
    parts = tuple(
        replace(part, threads=setting.threads) if part.engine == "torch" else part for part in pipeline.describe()
    )
    if setting.input_size is not None:
        detector = cast("Any", pipeline.detector).with_input_size(setting.input_size)
        pipeline = replace(pipeline, parts=replace(pipeline.parts, detector=detector))
    return _Candidate(setting, pipeline, parts)


def _turn_of(candidate: _Candidate, frames: Sequence[BgrImage]) -> Callable[[], Turn]:
    stopwatch = Stopwatch()
    pipeline = watched(candidate.pipeline, stopwatch)

    def stages(frame: BgrImage) -> dict[str, float]:
        stopwatch.start()
        pipeline.read(frame)
        return stopwatch.stop()

    def turn() -> Turn:
        time.sleep(_PAUSE_S)
        with torch_threads(candidate.setting.threads):
            for _ in range(_WARM_FRAMES):
                candidate.pipeline.read(frames[0])
            alone = tuple(stages(frame) for frame in frames)
            start_s = time.perf_counter()
            candidate.pipeline.read_batch(frames)
            return Turn(alone, time.perf_counter() - start_s)

    return turn


def _run(candidate: _Candidate, turns: Sequence[Turn], *, frames: Sequence[BgrImage], faster: Estimate | None) -> Run:
    plates = float(np.mean([len(readings) for readings in candidate.pipeline.read_batch(frames)]))
    whole, stages = stage_times(turns, plates=plates)
    return Run(
        name=candidate.setting.name,
        engine=candidate.setting.engine,
        precision=candidate.setting.precision,
        threads=candidate.setting.threads,
        input_size=int(cast("Any", candidate.pipeline.detector).input_size),
        parts=candidate.parts,
        plates=plates,
        frame=whole,
        stages=stages,
        batch_frames_per_s=len(frames) / float(np.median([turn.batch_s for turn in turns])),
        times_as_fast=faster,
    )
