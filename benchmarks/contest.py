"""Contestants that take turns, each in a process of its own, so that no library changes what another one finds.

Only one of them works at a time. A round lets each have one turn, from round to round in another order; what else the
machine does then hits all alike, and the ratios of one run hold on a noisy machine.
"""

from __future__ import annotations

import multiprocessing
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Seconds: TypeAlias = Mapping[str, float]
"""How long each thing took in one turn."""

_WARM_TURNS = 2
# Worker threads of the last contestant spin for a while before they sleep.
_PAUSE_S = 0.03
_STOP_S = 10.0
# After a pause a process is slow for some calls: threads wake, caches fill, the clock rises.
_WARM_CALLS = 5
_RESAMPLES = 2000


class NotOfferedError(Exception):
    """A contestant cannot take part here, and why."""


@dataclass(frozen=True)
class Prepared:
    """A contestant who is ready: what it does in a turn, and what is worth knowing about it."""

    turn: Callable[[], Seconds]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Contestant:
    """A name, and a picklable function that gets ready in the contestant's own process."""

    name: str
    prepare: Callable[[], Prepared]


@dataclass(frozen=True)
class Contest:
    """What came of it.

    Attributes:
        seconds: by contestant and by what was timed, one number a round.
        facts: by contestant.
        absent: why a contestant did not take part, by name.
    """

    seconds: Mapping[str, Mapping[str, Sequence[float]]]
    facts: Mapping[str, Mapping[str, Any]]
    absent: Mapping[str, str]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval over the rounds."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """JSON-safe form."""
        return {"value": self.value, "low": self.low, "high": self.high}


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
            spans: list[float] = []
            for _ in range(repeats):
                start = time.perf_counter()
                call()
                spans.append(time.perf_counter() - start)
            seconds[name] = float(np.median(spans)) / (per or {}).get(name, 1)
        return seconds

    return turn


def hold(contestants: Sequence[Contestant], *, rounds: int) -> Contest:
    """Let the contestants take turns.

    Raises:
        RuntimeError: one of them failed otherwise than by not being offered here.
    """
    absent: dict[str, str] = {}
    facts: dict[str, Mapping[str, Any]] = {}
    with _processes() as start:
        present: dict[str, Connection] = {}
        for contestant in contestants:
            connection = start(contestant)
            kind, answer = connection.recv()
            if kind == "absent":
                absent[contestant.name] = str(answer)
                continue
            facts[contestant.name] = _checked(kind, answer, contestant.name)
            present[contestant.name] = connection
        seconds: dict[str, dict[str, list[float]]] = {name: {} for name in present}
        for number in range(_WARM_TURNS + rounds):
            for name in _rotated(list(present), number):
                taken = _turn(present[name], name)
                if number >= _WARM_TURNS:
                    for what, span in taken.items():
                        seconds[name].setdefault(what, []).append(span)
    return Contest(seconds, facts, absent)


def median(seconds: Sequence[float], *, rng: np.random.Generator) -> Estimate:
    """The median over the rounds."""
    values = np.asarray(seconds)
    return _estimate(float(np.median(values)), np.median(values[_resampled(len(values), rng)], axis=1))


def ratio(slow: ArrayLike, fast: ArrayLike, *, rng: np.random.Generator) -> Estimate:
    """How many times longer the median of ``slow`` is than that of ``fast``, both of the same rounds."""
    above, below = np.asarray(slow, np.float64), np.asarray(fast, np.float64)
    picked = _resampled(len(above), rng)
    spread = np.median(above[picked], axis=1) / np.median(below[picked], axis=1)
    return _estimate(float(np.median(above) / np.median(below)), spread)


def _resampled(rounds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.integers(rounds, size=(_RESAMPLES, rounds))


def _estimate(value: float, spread: NDArray[np.float64]) -> Estimate:
    low, high = np.percentile(spread, (2.5, 97.5))
    return Estimate(value, float(low), float(high))


def _rotated(names: list[str], number: int) -> list[str]:
    """The names beginning with another one each time, so that nobody always follows the same one."""
    first = number % max(len(names), 1)
    return names[first:] + names[:first]


def _turn(connection: Connection, name: str) -> Seconds:
    time.sleep(_PAUSE_S)
    connection.send("turn")
    kind, answer = connection.recv()
    taken: Seconds = _checked(kind, answer, name)
    return taken


def _checked(kind: str, answer: Any, name: str) -> Any:
    if kind == "failed":
        raise RuntimeError(f"{name} failed:\n{answer}")
    return answer


@contextmanager
def _processes() -> Generator[Callable[[Contestant], Connection], None, None]:
    """A function that starts a contestant's process; all of them end with the block."""
    context = multiprocessing.get_context("spawn")  # nothing of this process is inherited
    started: list[tuple[BaseProcess, Connection]] = []

    def start(contestant: Contestant) -> Connection:
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(there, contestant.prepare), daemon=True)
        process.start()
        there.close()
        started.append((process, here))
        return here

    try:
        yield start
    finally:
        for process, connection in started:
            connection.close()  # ends its loop
            process.join(_STOP_S)
            if process.is_alive():
                process.terminate()


def _serve(connection: Connection, prepare: Callable[[], Prepared]) -> None:
    """A contestant's process: get ready, then take a turn whenever asked, until nobody asks any more."""
    try:
        prepared = prepare()
        connection.send(("ready", dict(prepared.facts)))
        while True:
            connection.recv()
            connection.send(("done", dict(prepared.turn())))
    except NotOfferedError as error:
        connection.send(("absent", str(error)))
    except EOFError:
        return
    except Exception:  # noqa: BLE001 - whatever it is, the parent raises it
        connection.send(("failed", traceback.format_exc()))
