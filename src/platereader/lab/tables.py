"""Figures with their intervals, and rows in columns, as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from platereader.lab.metrics.estimates import Estimate
from platereader.lab.metrics.rates import Rate
from platereader.results import PartDescription

_Item = TypeVar("_Item")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns padded to one width."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns below their heads; nothing without rows."""
    return aligned([head, *rows]) if rows else []


def columns(cells: Mapping[str, Callable[[_Item], str]], items: Iterable[_Item]) -> list[str]:
    """A row for each item below the heads, with what the function of each column says of it."""
    return aligned([list(cells), *([cell(item) for cell in cells.values()] for item in items)])


def described(part: PartDescription) -> str:
    """What ran for one part, on one line."""
    weights = f" weights {part.weights} sha256 {part.sha256[:12]}" if part.weights and part.sha256 else ""
    engine = f" on {part.engine} {part.precision}, {part.threads} threads" if part.engine else ""
    return f"{part.part}: {part.implementation}{weights}{engine}"


def joined(*blocks: Sequence[str]) -> str:
    """Blocks of lines with an empty line between them; one without lines is left out."""
    return "\n\n".join("\n".join(block) for block in blocks if block)


def report_text(head: str, parts: Iterable[PartDescription], *tables: Sequence[str]) -> str:
    """A headline, what ran, and tables, with an empty line between them; a table without lines is left out."""
    return joined([head], [described(part) for part in parts], *tables)


def show_rate(rate: Rate) -> str:
    """Count, share and 95 % interval."""
    if rate.value is None:
        return "-"
    low, high = rate.interval
    return f"{rate.count}/{rate.n} {100 * rate.value:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def show_error(error: Estimate) -> str:
    """A corner error in per cent of the plate's width, with its 95 % interval."""
    return f"{error.value:.2f} % of width ({error.low:.2f}-{error.high:.2f})"


def show_percent(estimate: Estimate | None, *, digits: int, factor: float = 100.0) -> str:
    """A score in per cent, ``factor`` times itself, with its 95 % interval and n."""
    if estimate is None:
        return "-"
    value, low, high = (f"{factor * side:.{digits}f}" for side in (estimate.value, estimate.low, estimate.high))
    return f"{value} % ({low}-{high}), n {estimate.n}"


def show_number(value: float | None, *, digits: int) -> str:
    """A number without an interval."""
    return "-" if value is None else f"{value:.{digits}f}"


def show_estimate(estimate: Estimate | None, *, digits: int = 3) -> str:
    """A score with its 95 % interval."""
    return "-" if estimate is None else show_interval(estimate.value, estimate.low, estimate.high, digits=digits)


def show_interval(value: float, low: float, high: float, *, digits: int) -> str:
    """A number with its interval."""
    return f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
