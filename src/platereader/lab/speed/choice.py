"""Which engine and precision reads fastest here with the default weights, among those that read the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from platereader._arrays import BgrImage
from platereader._defaults import DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS
from platereader._loading import DETECTOR_SPECS, RECOGNIZER_SPECS, load_recognizer
from platereader.detection._refined import REFINER_WEIGHTS
from platereader.errors import EngineError, MissingDependencyError
from platereader.lab.speed.pipelines import WARM_ROUNDS, Build, Setting, time_frames
from platereader.lab.speed.report import Absent, Run
from platereader.pipeline import Pipeline
from platereader.recognition import CtcRecognizer
from platereader.registry import Registry
from platereader.runtimes import Engine, Precision, RuntimeOptions
from platereader.runtimes._kept import Fastest, keep
from platereader.runtimes._processor import usable_cores
from platereader.runtimes._selection import installed_engines, measurable_specs


@dataclass(frozen=True, slots=True)
class Choice:
    """The ``runs`` of those that read the same, one or more, the fastest first; who is ``absent``, and why."""

    runs: tuple[Run, ...]
    absent: tuple[Absent, ...]

    def keep(self, path: Path) -> None:
        """Write the fastest to a file, for ``auto`` to take; raises FileError where that cannot be written."""
        parts = {part.part: part for part in self.runs[0].parts}
        registry = Registry.default()
        networks = {
            kind: Fastest(
                cast(Engine, parts[part].engine),
                cast(Precision, parts[part].precision),
                [entry.sha256 for entry in registry.entries_of(name)],
            )
            for kind, part, name in (
                ("detector", "detector", DETECTOR_WEIGHTS),
                ("refiner", "detector", REFINER_WEIGHTS),
                ("recognizer", "recognizer", RECOGNIZER_WEIGHTS),
            )
        }
        keep(path, networks)


def default_reader(engine: str, precision: str, *, threads: int | None) -> CtcRecognizer:
    """The default recognizer, in a precision of its own where it never takes this one by itself."""
    allowed = [(spec.engine, spec.precision) for spec in measurable_specs(RECOGNIZER_SPECS)]
    reads_in = precision if (engine, precision) in allowed else "auto"
    return load_recognizer(RECOGNIZER_WEIGHTS, options=RuntimeOptions(engine, reads_in, threads))


def default_build(*, engine: str, precision: str, threads: int | None) -> Pipeline:
    """The default pipeline."""
    recognizer = default_reader(engine, precision, threads=threads)
    return Pipeline.build(recognizer=recognizer, engine=engine, precision=precision, threads=threads)


def candidates() -> list[Setting]:
    """The installed engines in each precision that can be chosen, fp32 first: the others must read what it reads."""
    engines = installed_engines()
    settings = [
        Setting(spec.engine, spec.precision, usable_cores())
        for spec in measurable_specs(DETECTOR_SPECS)
        if spec.engine in engines
    ]
    return sorted(settings, key=lambda one: one.precision != "fp32")


def turn_count(settings: Sequence[Setting], *, rounds: int) -> int:
    """How often ``choose`` calls ``on_turn``."""
    return len(settings) * (WARM_ROUNDS + rounds)


def choose(
    frames: Sequence[BgrImage],
    *,
    rounds: int,
    rng: np.random.Generator,
    settings: Sequence[Setting],
    build: Build = default_build,
    on_turn: Callable[[], object] = object,
) -> Choice:
    """Let all settings read the same frames in turn.

    Args:
        frames: one or more, uint8 ``(H, W, 3)`` BGR.
        rounds: turns of each that count.
        rng: draws the order of each round.
        settings: who takes part; who reads other texts than the first one that works is left out.
        build: makes the pipelines.
        on_turn: called after each turn, and for all turns of a setting that is left out once it is known.

    Raises:
        EngineError: none of them works.
        InvalidArgumentError: no frames or no rounds.
    """
    known: list[list[Counter[str | None]]] = []

    def same(*, engine: str, precision: str, threads: int | None) -> Pipeline:
        try:
            pipeline = build(engine=engine, precision=precision, threads=threads)
            known.append([Counter(one.text for one in readings) for readings in pipeline.read_batch(frames)])
            if known[-1] != known[0]:
                raise EngineError("it reads other texts")
        except (EngineError, MissingDependencyError):
            for _ in range(turn_count(settings[:1], rounds=rounds)):
                on_turn()
            raise
        return pipeline

    runs, absent = time_frames(frames, settings, rounds=rounds, rng=rng, build=same, on_turn=on_turn)
    if not runs:
        why = "; ".join(one.reason for one in absent) or "no engine is installed"
        raise EngineError(f"nothing can be measured: {why}. See `platereader info`.")
    return Choice(tuple(sorted(runs, key=lambda run: run.frame.median_ms)), absent)
