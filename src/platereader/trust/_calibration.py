"""P(the whole text is right) from the signs, by logistic regression (Platt, 1999) fitted on plates never trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from platereader.results._checks import refuses_damage
from platereader.trust._fused import FusedCalibration
from platereader.trust._logistic import check_weights, fit_logistic, log_odds, probability, weights_by_name
from platereader.trust._signs import Signs

FEATURES: Final = ("text", "lead", "weakest", "edge", "inner", "legal", "region")
"""Names of what is weighed, in the order of ``features_of``."""


def features_of(signs: Signs) -> tuple[float, ...]:
    """The signs as numbers that a logistic regression can weigh: log odds, and 0 or 1."""
    return (
        log_odds(signs.text_prob),
        signs.lead_nats,
        log_odds(signs.weakest),
        math.log1p(-min(signs.edge_illegible, 1 - 1e-6)),
        math.log1p(-min(signs.inner_illegible, 1 - 1e-6)),
        float(signs.legal),
        float(signs.region_known),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How much each sign counts, for one recognizer at one precision with one decoder.

    Attributes:
        bias: log odds of being right when all features are 0.
        weights: one for each of ``FEATURES``.
        plates: number of plates that it was fitted on.
        precision: of the recognizer that it was fitted for.
        decoder: what it was fitted for, as ``platereader._defaults.decoder_name`` calls it.
        fusion: the same for many frames of one plate, fitted on top of this; None before that.

    Raises:
        InvalidArgumentError: not one finite weight for each feature.
    """

    bias: float
    weights: tuple[float, ...]
    plates: int
    precision: str
    decoder: str
    fusion: FusedCalibration | None = None

    def __post_init__(self) -> None:
        check_weights(self.weights, self.bias, FEATURES)

    def confidence(self, signs: Signs) -> float:
        """Probability that the whole text is right, 0 to 1."""
        return probability(self.bias, self.weights, features_of(signs))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, as it travels with the weights."""
        data = {**asdict(self), "weights": dict(zip(FEATURES, self.weights, strict=True))}
        del data["fusion"]
        return data if self.fusion is None else {**data, "fusion": self.fusion.to_dict()}

    @classmethod
    @refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Inverse of ``to_dict``.

        Raises:
            InvalidArgumentError: something is missing, or a feature that this version does not know is there.
        """
        return cls(
            bias=float(data["bias"]),
            weights=weights_by_name(data["weights"], FEATURES, what="calibration"),
            plates=int(data["plates"]),
            precision=str(data["precision"]),
            decoder=str(data["decoder"]),
            fusion=FusedCalibration.from_dict(data["fusion"]) if "fusion" in data else None,
        )

    @classmethod
    def fit(cls, signs: Sequence[Signs], right: Sequence[bool], *, precision: str, decoder: str) -> Calibration:
        """Fit to readings, of which it is known whether their texts were right; both kinds must be among them.

        They were made in ``precision`` with ``decoder``, as ``platereader._defaults.decoder_name`` calls it.

        Raises:
            InvalidArgumentError: all are right, or all wrong.
        """
        bias, weights = fit_logistic([features_of(one) for one in signs], right)
        return cls(bias, weights, len(right), precision, decoder)
