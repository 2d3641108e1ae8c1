"""Candidates that are timed in turn, each in a process of its own, so that no library changes another one's state.

Only one of them works at a time. In a round each has one turn, in another order each round; other load on the machine
then affects all alike, and the ratios of one run hold on a noisy machine. Figures and tables of it are made here, too.
"""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

import numpy as np

from platereader.lab.metrics.estimates import Estimate, estimate_ratio
from platereader.lab.speed.turns import seconds_of, take_turns
from platereader.lab.tables import aligned, show_estimate

Seconds: TypeAlias = Mapping[str, float]
"""How long each thing took in one turn."""

# Worker threads of the previous candidate spin for a while before they sleep.
_GAP_S = 0.03
_JOIN_TIMEOUT_S = 10.0
# After a pause a process is slow for some calls: threads wake, caches fill, the clock rises.
_WARM_CALLS = 5


class UnavailableError(Exception):
    """A candidate cannot run here, and why."""


@dataclass(frozen=True)
class Prepared:
    """A candidate that is ready: what it does in a turn, and facts about it."""

    turn: Callable[[], Seconds]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Candidate:
    """A name, and a picklable function that gets ready in the candidate's own process."""

    name: str
    prepare: Callable[[], Prepared]


@dataclass(frozen=True)
class Comparison:
    """The results.

    Attributes:
        seconds: by candidate and by what was timed, one number a round.
        facts: by candidate.
        absent: why a candidate did not run, by name.
    """

    seconds: Mapping[str, Mapping[str, Sequence[float]]]
    facts: Mapping[str, Mapping[str, Any]]
    absent: Mapping[str, str]


def timed(
    calls: Mapping[str, Callable[[], object]], *, repeats: int = 10, per: Mapping[str, int] | None = None
) -> Callable[[], Seconds]:
    """A turn that makes every call five times to get warm, then ``repeats`` times, and gives the medians.

    Args:
        calls: by name.
        repeats: timed calls of each.
        per: pieces that a call does at once, where the time of one of them is wanted.
    """

    def turn() -> Seconds:
        seconds: dict[str, float] = {}
        for name, call in calls.items():
            for _ in range(_WARM_CALLS):
                call()
            spans = [seconds_of(call) for _ in range(repeats)]
            seconds[name] = float(np.median(spans)) / (per or {}).get(name, 1)
        return seconds

    return turn


def compare(candidates: Sequence[Candidate], *, rounds: int) -> Comparison:
    """Time the candidates in turn.

    Raises:
        RuntimeError: one of them failed otherwise than by not being offered here.
    """
    absent: dict[str, str] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    with _processes() as start:
        present: dict[str, Connection] = {}
        for candidate in candidates:
            connection = start(candidate)
            kind, reply = connection.recv()
            if kind == "absent":
                absent[candidate.name] = str(reply)
                continue
            facts[candidate.name] = _checked(kind, reply, candidate.name)
            present[candidate.name] = connection
        turns = take_turns(
            {name: partial(_turn, connection, name) for name, connection in present.items()},
            rounds=rounds,
            rng=np.random.default_rng(0),
            warm_rounds=2,
        )
    seconds = {
        name: {what: [turn[what] for turn in several] for what in next(iter(several), {})}
        for name, several in turns.items()
    }
    return Comparison(seconds, facts, absent)


def estimate_median(values: Sequence[float], *, rng: np.random.Generator) -> Estimate:
    """The median of one or more values; what is drawn anew is values."""
    return estimate_ratio(values, np.ones(len(values)), rng=rng)


def medians(comparison: Comparison, *, rng: np.random.Generator) -> dict[str, dict[str, Estimate]]:
    """Milliseconds by candidate and by what was timed."""
    return {
        name: {what: _in_ms(estimate_median(spans, rng=rng)) for what, spans in seconds.items()}
        for name, seconds in comparison.seconds.items()
    }


def ratios(comparison: Comparison, *, against: str, rng: np.random.Generator) -> dict[str, dict[str, Estimate]]:
    """How many times faster than ``against`` every other candidate is, in all that both did."""
    slow = comparison.seconds[against]
    return {
        name: {what: estimate_ratio(slow[what], spans, rng=rng) for what, spans in seconds.items() if what in slow}
        for name, seconds in comparison.seconds.items()
        if name != against
    }


def table(figures: Mapping[str, Mapping[str, Estimate]], *, head: str) -> str:
    """A row for each candidate, a column for each figure, intervals in brackets."""
    columns = list(dict.fromkeys(what for row in figures.values() for what in row))
    rows = [(name, *(show_estimate(row.get(what), digits=2) for what in columns)) for name, row in figures.items()]
    return "\n".join(aligned([(head, *columns), *rows]))


def about(comparison: Comparison) -> Sequence[str]:
    """Lines on who took part, with how many threads and plates, and on who did not, and why."""
    lines = [
        f"{name}: {facts.get('plates', '?')} plates, {facts.get('threads', '?')} threads"
        for name, facts in comparison.facts.items()
    ]
    return [*lines, *(f"{name}: absent: {reason}" for name, reason in comparison.absent.items())]


def _in_ms(seconds: Estimate) -> Estimate:
    return replace(seconds, value=1e3 * seconds.value, low=1e3 * seconds.low, high=1e3 * seconds.high)


def _turn(connection: Connection, name: str) -> Seconds:
    time.sleep(_GAP_S)
    connection.send("turn")
    kind, reply = connection.recv()
    seconds: Seconds = _checked(kind, reply, name)
    return seconds


def _checked(kind: str, reply: Any, name: str) -> Any:
    if kind == "failed":
        raise RuntimeError(f"{name} failed:\n{reply}")
    return reply


@contextmanager
def _processes() -> Generator[Callable[[Candidate], Connection], None, None]:
    """A function that starts a candidate's process; all of them end with the block."""
    context = multiprocessing.get_context("spawn")  # nothing of this process is inherited
    started: list[tuple[BaseProcess, Connection]] = []

    def start(candidate: Candidate) -> Connection:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, candidate.prepare), daemon=True)
        process.start()
        there.close()
        started.append((process, here))
        return here

    try:
        yield start
    finally:
        for process, connection in started:
            connection.close()  # ends its loop
            process.join(_JOIN_TIMEOUT_S)
            if process.is_alive():
                process.terminate()


def _serve(connection: Connection, prepare: Callable[[], Prepared]) -> None:
    """A candidate's process: get ready, then take a turn at each request, until the connection closes."""
    try:
        prepared = prepare()
        connection.send(("ready", dict(prepared.facts)))
        while True:
            connection.recv()
            connection.send(("done", dict(prepared.turn())))
    except UnavailableError as error:
        connection.send(("absent", str(error)))
    except EOFError:
        return
    except Exception:  # noqa: BLE001 - whatever it is, the parent raises it
        connection.send(("failed", traceback.format_exc()))
