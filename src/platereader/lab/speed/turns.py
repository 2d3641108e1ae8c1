"""Candidates take turns, so that what else the machine does hits all of them alike; nothing here needs an engine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")


def take_turns(
    calls: Mapping[str, Callable[[], Result]],
    *,
    rounds: int,
    rng: np.random.Generator,
    warm_rounds: int = 0,
    on_turn: Callable[[], object] = lambda: None,
) -> dict[str, list[Result]]:
    """Call everything once a round, in another order each round, so that none always follows the same one.

    Returned is for each name what its call returned, in the order of the rounds, without the ``warm_rounds`` before
    them, which do not count.
    """
    names = list(calls)
    results: dict[str, list[Result]] = {name: [] for name in names}
    for _ in range(warm_rounds + rounds):
        for number in rng.permutation(len(names)).tolist():
            results[names[number]].append(calls[names[number]]())
            on_turn()
    return {name: several[warm_rounds:] for name, several in results.items()}


def interleaved(calls: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds of each call in each of ``rounds`` rounds, after some that do not count; the same orders every time."""
    turns = {name: partial(seconds_of, call) for name, call in calls.items()}
    return take_turns(turns, rounds=rounds, rng=np.random.default_rng(0), warm_rounds=3)


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start_s = time.perf_counter()
    call()
    return time.perf_counter() - start_s


@contextmanager
def torch_threads(count: int) -> Generator[None, None, None]:
    """Let torch compute with ``count`` threads for a while; nothing happens where torch is not loaded."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
