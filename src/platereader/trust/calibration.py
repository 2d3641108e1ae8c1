"""P(the whole text is right) from the signs, by logistic regression (Platt, 1999) fitted on plates never trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError
from platereader.trust.signs import Signs

__all__ = ["FEATURES", "Calibration", "features_of"]

_FARTHEST = 14.0

FEATURES: Final = ("text", "lead", "weakest", "edge", "inner", "legal", "region")
"""Names of what is weighed, in the order of ``features_of``."""


def features_of(signs: Signs) -> tuple[float, ...]:
    """The signs as numbers that a logistic regression can weigh: log odds, and 0 or 1."""
    return (
        _log_odds(signs.text_prob),
        signs.lead_nats,
        _log_odds(signs.weakest),
        math.log1p(-min(signs.edge_illegible, 1 - 1e-6)),
        math.log1p(-min(signs.inner_illegible, 1 - 1e-6)),
        float(signs.legal),
        float(signs.region_known),
    )


def _log_odds(probability: float) -> float:
    if probability <= 0.0 or probability >= 1.0:
        return -_FARTHEST if probability <= 0.0 else _FARTHEST
    return max(-_FARTHEST, min(_FARTHEST, math.log(probability) - math.log1p(-probability)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How much each sign counts, for one recognizer at one precision with one decoder.

    Attributes:
        bias: log odds of being right when all features are 0.
        weights: one for each of ``FEATURES``.
        plates: number of plates that it was fitted on.
        precision: of the recognizer that it was fitted for.
        decoder: what it was fitted for, as ``platereader.defaults.decoder_name`` calls it.

    Raises:
        InvalidArgumentError: not one finite weight for each feature.
    """

    bias: float
    weights: tuple[float, ...]
    plates: int
    precision: str
    decoder: str

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES) or not all(map(math.isfinite, (self.bias, *self.weights))):
            raise InvalidArgumentError(
                f"weights are {self.weights} with bias {self.bias}: give one finite number for each of {FEATURES}."
            )

    def confidence(self, signs: Signs) -> float:
        """Probability that the whole text is right, 0 to 1."""
        odds = self.bias + sum(w * x for w, x in zip(self.weights, features_of(signs), strict=True))
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, odds))))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, as it travels with the weights."""
        return {**asdict(self), "weights": dict(zip(FEATURES, self.weights, strict=True))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Inverse of ``to_dict``.

        Raises:
            InvalidArgumentError: a feature is missing, or one that this version does not know is there.
        """
        given: Mapping[str, float] = data.get("weights", {})
        if set(given) != set(FEATURES):
            raise InvalidArgumentError(
                f"the calibration weighs {sorted(given)}, this version weighs {sorted(FEATURES)}: calibrate again."
            )
        return cls(
            bias=float(data["bias"]),
            weights=tuple(float(given[name]) for name in FEATURES),
            plates=int(data["plates"]),
            precision=str(data["precision"]),
            decoder=str(data["decoder"]),
        )

    @classmethod
    def fit(cls, signs: Sequence[Signs], right: Sequence[bool], *, precision: str, decoder: str) -> Calibration:
        """Fit by Newton's method with a weak ridge, which keeps separable data finite.

        Args:
            signs: of N readings.
            right: whether each text was right; both kinds must be among them.
            precision: of the recognizer that made them.
            decoder: that made them, as ``platereader.defaults.decoder_name`` calls it.

        Raises:
            InvalidArgumentError: all are right, or all wrong.
        """
        truth = np.asarray(right, dtype=np.float64)
        if not 0 < truth.sum() < len(truth):
            raise InvalidArgumentError(
                f"{int(truth.sum())} of {len(truth)} readings are right: a calibration needs right and wrong ones; "
                "add harder or easier plates."
            )
        rows = np.array([(1.0, *features_of(one)) for one in signs])  # (N, 1 + F)
        solution = _newton(rows, truth)
        bias, *weights = (round(float(value), 6) for value in solution)
        return cls(bias, tuple(weights), len(truth), precision, decoder)


def _newton(rows: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (F,) of the logistic regression of ``truth`` (N,) on ``rows`` (N, F)."""
    ridge = 1e-3 * len(rows) * np.diag([0.0] + [1e-2] * (rows.shape[1] - 1))
    weights = np.zeros(rows.shape[1])
    for _ in range(60):
        expected = 1.0 / (1.0 + np.exp(-np.clip(rows @ weights, -40, 40)))
        gradient = rows.T @ (expected - truth) + ridge @ weights
        hessian = (rows * (expected * (1 - expected))[:, None]).T @ rows + ridge + 1e-9 * np.eye(rows.shape[1])
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step * min(1.0, 5.0 / float(np.abs(step).max(initial=1e-12)))
        if float(np.abs(step).max()) < 1e-9:
            break
    return weights
