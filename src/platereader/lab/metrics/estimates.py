"""Scores that are no rates, with bootstrap intervals: what is drawn anew is pictures, not plates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from platereader.lab.metrics.rates import Matches, Ranking, average_precision, character_error_rate, edit_distance, rank

_Measure: TypeAlias = Callable[[NDArray[np.float64]], SupportsFloat]
_ROUNDS = 200
# Of medians over rounds, which are quickly drawn anew.
_MEDIAN_ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score of ``n`` labelled plates with its 95 % interval from ``low`` to ``high``.

    That is the 2.5th to 97.5th percentile over pictures drawn anew with replacement.
    """

    value: float
    low: float
    high: float
    n: int


def estimate_precision(thresholds: Sequence[Sequence[Matches]], *, rng: np.random.Generator) -> Estimate | None:
    """Mean average precision over thresholds, each with the matches of all pictures; None without labelled plates."""
    rankings = [rank(matches) for matches in thresholds]
    value = mean_precision(rankings, None)
    if value is None:
        return None
    plates = sum(one.labelled for one in thresholds[0])
    return with_interval(value, plates, len(thresholds[0]), lambda drawn: mean_precision(rankings, drawn), rng=rng)


def estimate_cer(texts: Sequence[tuple[str, str, str]], *, rng: np.random.Generator) -> Estimate | None:
    """Character error rate of rows of picture, label and reading; None without a labelled text."""
    value = character_error_rate([(label, reading) for _, label, reading in texts])
    if value is None:
        return None
    owner, pictures = _owners([picture for picture, _, _ in texts])
    edits = np.bincount(owner, [edit_distance(label, reading) for _, label, reading in texts], pictures)
    characters = np.bincount(owner, [len(label) for _, label, _ in texts], pictures)
    return with_interval(value, len(texts), pictures, lambda drawn: drawn @ edits / (drawn @ characters), rng=rng)


def estimate_errors(
    errors: Sequence[tuple[str, float]], measure: _Measure, *, rng: np.random.Generator
) -> Estimate | None:
    """One number of pairs of picture and error, None without any; ``measure`` is such as ``numpy.median``."""
    if not errors:
        return None
    owner, pictures = _owners([picture for picture, _ in errors])
    values = np.asarray([value for _, value in errors], dtype=np.float64)
    return with_interval(
        measure(values), len(values), pictures, lambda drawn: measure(np.repeat(values, drawn[owner])), rng=rng
    )


def estimate_ratio(above: ArrayLike, below: ArrayLike, *, rng: np.random.Generator) -> Estimate:
    """The median of some values by that of as many others of the same rounds, which are drawn anew in pairs."""
    dividends, divisors = np.asarray(above, np.float64), np.asarray(below, np.float64)
    drawn = rng.integers(len(dividends), size=(_MEDIAN_ROUNDS, len(dividends)))
    spread = np.median(dividends[drawn], axis=1) / np.median(divisors[drawn], axis=1)
    low, high = np.percentile(spread, (2.5, 97.5)).tolist()
    return Estimate(float(np.median(dividends) / np.median(divisors)), low, high, len(dividends))


def ninetieth(values: NDArray[np.float64]) -> float:
    """The 90th percentile of float64 ``(N,)``, one or more."""
    return float(np.percentile(values, 90))


def _owners(pictures: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """For each plate the number of its picture, and how many pictures there are."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(pictures))}
    return np.asarray([numbers[name] for name in pictures], dtype=np.int64), len(numbers)


def with_interval(
    value: SupportsFloat,
    n: int,
    pictures: int,
    score: Callable[[NDArray[np.int64]], SupportsFloat | None],
    *,
    rng: np.random.Generator,
    rounds: int = _ROUNDS,
) -> Estimate:
    """The score with the spread it has when each picture counts as often as it is drawn; None is no draw."""
    drawn = (np.bincount(rng.integers(pictures, size=pictures), minlength=pictures) for _ in range(rounds))
    draws = map(score, drawn)
    low, high = np.percentile([float(draw) for draw in draws if draw is not None], (2.5, 97.5)).tolist()
    return Estimate(float(value), low, high, n)


def mean_precision(rankings: Sequence[Ranking], drawn: NDArray[np.int64] | None) -> float | None:
    """Average precision meaned over thresholds; None without labelled plates."""
    values = [average_precision(ranking, weights=drawn) for ranking in rankings]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
