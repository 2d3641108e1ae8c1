"""Logistic regression: probabilities from weighed features, and the fit of the weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError

_FARTHEST = 14.0
_SURE = 40.0


def log_odds(probability: float) -> float:
    """Natural logarithm of p : 1 - p, from -14 to 14."""
    if probability <= 0.0 or probability >= 1.0:
        return -_FARTHEST if probability <= 0.0 else _FARTHEST
    return max(-_FARTHEST, min(_FARTHEST, math.log(probability) - math.log1p(-probability)))


def probability(bias: float, weights: Iterable[float], features: Iterable[float]) -> float:
    """What weighed features come to, 0 to 1."""
    odds = bias + sum(w * x for w, x in zip(weights, features, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-_SURE, min(_SURE, odds))))


def weights_by_name(given: Mapping[str, float], names: Sequence[str], *, what: str) -> tuple[float, ...]:
    """The weights in the order of their names."""
    if set(given) != set(names):
        raise InvalidArgumentError(
            f"the {what} weighs {sorted(given)}, this version weighs {sorted(names)}: calibrate again."
        )
    return tuple(float(given[name]) for name in names)


def check_weights(weights: Sequence[float], bias: float, names: Sequence[str], *, name: str = "weights") -> None:
    """Refuse what is not one finite number for each name, and a finite bias."""
    if len(weights) != len(names) or not all(map(math.isfinite, (bias, *weights))):
        raise InvalidArgumentError(
            f"{name} are {weights} with bias {bias}: give one finite number for each of {names}."
        )


def fit_logistic(
    rows: Sequence[Sequence[float]], right: Sequence[bool], *, never_against: Collection[int] = ()
) -> tuple[float, tuple[float, ...]]:
    """Bias and weights (F,), six decimals each, of the features (N, F) of readings that are right or not.

    By Newton's method with a weak ridge, which keeps separable data finite. The features with the indices
    ``never_against`` can only speak for a reading: where the best weight would be below 0, as where another feature
    says the same, it is 0.
    """
    truth = np.asarray(right, dtype=np.float64)
    if not 0 < truth.sum() < len(truth):
        raise InvalidArgumentError(
            f"{int(truth.sum())} of {len(truth)} readings are right: a calibration needs right and wrong ones; "
            "add harder or easier plates."
        )
    design = np.array([(1.0, *row) for row in rows])  # (N, 1 + F)
    used = list(range(design.shape[1]))
    while True:
        fitted = dict(zip(used, _newton(design[:, used], truth).tolist(), strict=True))
        against = [column for column in used if column - 1 in never_against and fitted[column] < 0.0]
        if not against:
            bias, *weights = (round(fitted.get(column, 0.0), 6) for column in range(design.shape[1]))
            return bias, tuple(weights)
        used.remove(min(against, key=lambda column: fitted[column]))


def _newton(rows: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (F,) of the logistic regression of ``truth`` (N,) on ``rows`` (N, F)."""
    ridge = 1e-3 * len(rows) * np.diag([0.0] + [1e-2] * (rows.shape[1] - 1))
    weights = np.zeros(rows.shape[1])
    for _ in range(60):
        expected = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -_SURE, _SURE)))
        gradient = rows.T @ (expected - truth) + ridge @ weights
        hessian = (rows * (expected * (1 - expected))[:, None]).T @ rows + ridge + 1e-9 * np.eye(rows.shape[1])
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step * min(1.0, 5.0 / float(np.abs(step).max(initial=1e-12)))
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights
