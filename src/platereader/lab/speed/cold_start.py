"""From the start of a process to its first reading, and the memory it holds when warm: fresh processes, in turn."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from platereader.errors import EngineError
from platereader.lab.metrics.estimates import estimate_errors
from platereader.lab.speed.report import Absent, Start
from platereader.lab.speed.turns import take_turns

_READS = 10


class _Started(NamedTuple):
    """What one process did: seconds of its steps, MiB of memory."""

    steps_s: Mapping[str, float]
    memory_mib: Mapping[str, float]


def cold_starts(
    picture: Path,
    combinations: Sequence[tuple[str, str]],
    *,
    rounds: int,
    rng: np.random.Generator,
    on_turn: Callable[[], object] = lambda: None,
) -> tuple[tuple[Start, ...], tuple[Absent, ...]]:
    """Start a fresh process for each engine and precision in each round, after one of each that warms the disk.

    ``on_turn`` is called after each process, those that do not count included.

    Raises:
        EngineError: a process failed otherwise than by not being offered here.
    """
    present: dict[str, Callable[[], _Started | str]] = {}
    absent: list[Absent] = []
    for pair in combinations:
        name = "auto" if pair == ("auto", "auto") else " ".join(pair)
        call = partial(start_fresh, picture, *pair, reads=_READS)
        first = call()
        if isinstance(first, str):
            absent.append(Absent(f"{name}, fresh process", first))
        else:
            present[name] = call
        on_turn()
    results = take_turns(present, rounds=rounds, rng=rng, on_turn=on_turn)
    starts = [
        _start(name, [one for one in several if isinstance(one, _Started)], rng=rng)
        for name, several in results.items()
    ]
    return tuple(starts), tuple(absent)


def start_fresh(picture: Path, engine: str, precision: str, *, reads: int) -> _Started | str:
    """Start one process and wait for it; why it is not offered here, if it is not.

    The time before the first step of the process, ``python``, is that of the system and of the interpreter.

    Raises:
        EngineError: it failed.
    """
    command = [sys.executable, "-m", "platereader.lab.speed.fresh_process", str(picture), engine, precision, str(reads)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        start_s = time.perf_counter()
        # The words are ours, and no shell sees them.
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:  # noqa: S603
            if process.stdout is None:
                raise AssertionError("the output of the process is a pipe")
            first = process.stdout.readline()
            whole_s = time.perf_counter() - start_s
            second = process.stdout.readline()
        if process.returncode:
            errors.seek(0)
            lines = errors.read().strip().splitlines()
            raise EngineError(
                f"a fresh process with engine {engine!r} and precision {precision!r} failed "
                f"({lines[-1] if lines else f'status {process.returncode}'}): leave that engine out, or reinstall it."
            )
    answer: dict[str, Any] = json.loads(first)
    if "absent" in answer:
        return str(answer["absent"])
    steps_s: dict[str, float] = answer["steps_s"]
    return _Started({"python": whole_s - sum(steps_s.values()), **steps_s}, json.loads(second))


def _start(name: str, processes: Sequence[_Started], *, rng: np.random.Generator) -> Start:
    wholes = [(str(number), sum(one.steps_s.values())) for number, one in enumerate(processes)]
    first = estimate_errors(wholes, np.median, rng=rng)
    if first is None:
        raise AssertionError("every start has a process")
    steps = {step: float(np.median([one.steps_s[step] for one in processes])) for step in processes[0].steps_s}
    memory = {kind: float(np.median([one.memory_mib[kind] for one in processes])) for kind in processes[0].memory_mib}
    return Start(name, first, steps, memory.get("rss"), memory.get("peak"), _READS)
