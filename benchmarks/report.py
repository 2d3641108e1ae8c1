"""Tables and JSON of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from benchmarks.comparison import Comparison
from platereader.cli.tables import format_table
from platereader.lab.metrics.estimates import Estimate, estimate_median, estimate_ratio
from platereader.lab.tables import show_estimate


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
    return format_table((head, *columns), rows)


def to_json(figures: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, dict[str, float]]]:
    """The figures, JSON-safe."""
    return {name: {what: asdict(one) for what, one in row.items()} for name, row in figures.items()}


def about(comparison: Comparison) -> Sequence[str]:
    """Lines on who took part, with how many threads and plates, and on who did not, and why."""
    lines = [
        f"{name}: {facts.get('plates', '?')} plates, {facts.get('threads', '?')} threads"
        for name, facts in comparison.facts.items()
    ]
    return [*lines, *(f"{name}: absent: {reason}" for name, reason in comparison.absent.items())]


def _in_ms(seconds: Estimate) -> Estimate:
    return replace(seconds, value=1e3 * seconds.value, low=1e3 * seconds.low, high=1e3 * seconds.high)
