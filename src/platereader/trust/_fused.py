"""How much each frame of a passage counts, and what the text that all frames agree on is worth; both are fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from platereader.errors import InvalidArgumentError
from platereader.plates import TextFit
from platereader.results import FusedSigns
from platereader.results._checks import refuses_damage
from platereader.trust._logistic import check_weights, fit_logistic, probability, weights_by_name

FRAME_SIGNS: Final = ("width", "sharpness", "contrast", "edge", "inner", "confidence")
"""Names of what is weighed of a frame, in the order of ``platereader.video._fusion.legibility.frame_signs``."""


@dataclass(frozen=True, slots=True)
class FrameWeights:
    """How the frames of one plate are added up.

    A frame with signs x has the weight w = exp(bias + signs · x). Of frames f, a text scores

        (weighted mean of log(P(text | f) + exp(-floor_nats)), less its penalty) * (sum of w_f) ** (1 - dependence).

    So a text that fits no plate type is held back as much by many frames as it is by one, and what they all show wins.

    Attributes:
        bias: see above.
        signs: one for each of ``FRAME_SIGNS``.
        floor_nats: how far a single frame can speak against a text that others see, 0 or more.
        dependence: 0 where frames err independently of each other, 1 where many count no more than one.
        no_format_nats: penalty of a text that fits no plate type, 0 or more; as ``BeamDecoder.no_format_nats``, not
            fitted, as every plate that is fitted on has a type.
        unknown_region_nats: likewise of one whose region code is not in use.

    Raises:
        InvalidArgumentError: not one finite number for each sign, or a number out of range.
    """

    bias: float
    signs: tuple[float, ...]
    floor_nats: float
    dependence: float
    no_format_nats: float = 5.0
    unknown_region_nats: float = 1.0

    def __post_init__(self) -> None:
        check_weights(self.signs, self.bias, FRAME_SIGNS, name="signs")
        for name in ("floor_nats", "no_format_nats", "unknown_region_nats"):
            if not getattr(self, name) >= 0.0:
                raise InvalidArgumentError(f"{name} is {getattr(self, name)}, must be 0 or more.")
        if not 0.0 <= self.dependence <= 1.0:
            raise InvalidArgumentError(f"dependence is {self.dependence}, allowed are 0 to 1.")

    def weight(self, signs: Sequence[float]) -> float:
        """How much a frame with these signs counts beside others, above 0."""
        return math.exp(max(-20.0, min(20.0, self.bias + sum(w * x for w, x in zip(self.signs, signs, strict=True)))))

    def penalty(self, fit: TextFit) -> float:
        """What a text must make up for by its probability, nats."""
        if not fit.legal:
            return self.no_format_nats
        return 0.0 if fit.region_known else self.unknown_region_nats

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "signs": dict(zip(FRAME_SIGNS, self.signs, strict=True))}

    @classmethod
    @refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> FrameWeights:
        """Inverse of ``to_dict``.

        Raises:
            InvalidArgumentError: something is missing, or a sign that this version does not know is there.
        """
        signs = weights_by_name(data["signs"], FRAME_SIGNS, what="fusion")
        others = {one.name: float(data[one.name]) for one in fields(cls) if one.name != "signs"}
        return cls(signs=signs, **others)


UNFITTED: Final = FrameWeights(0.0, (0.0,) * len(FRAME_SIGNS), floor_nats=6.0, dependence=0.7)
"""For parts that nothing was fitted for: all frames count the same."""


FUSED_FEATURES: Final = ("lead", "typical", "agreement", "edge", "inner", "legal", "region")
"""Names of what is weighed of a fused text, in the order of ``fused_features``."""

# Pictures that agree never make a text less probable. On plates that are hard to read, which are seen longest, a fit
# would find that they do.
_NEVER_AGAINST = frozenset(FUSED_FEATURES.index(name) for name in ("lead", "typical", "agreement"))


def fused_features(signs: FusedSigns) -> tuple[float, ...]:
    """The signs as numbers that a logistic regression can weigh; the share says what the lead says."""
    return (
        signs.lead_nats,
        signs.typical_nats,
        math.log1p(max(0.0, signs.agreement_nats)),
        signs.edge,
        signs.inner,
        float(signs.legal),
        float(signs.region_known),
    )


@dataclass(frozen=True, slots=True)
class FusedCalibration:
    """How frames are fused and what the result is worth; part of the ``Calibration`` that it was fitted with.

    Attributes:
        frames: how much each frame counts.
        bias: log odds of being right when all features are 0.
        weights: one for each of ``FUSED_FEATURES``.
        tracks: number of tracks that it was fitted on.

    Raises:
        InvalidArgumentError: not one finite weight for each feature.
    """

    frames: FrameWeights
    bias: float
    weights: tuple[float, ...]
    tracks: int

    def __post_init__(self) -> None:
        check_weights(self.weights, self.bias, FUSED_FEATURES)

    def confidence(self, signs: FusedSigns) -> float:
        """Probability that the whole text is right, 0 to 1."""
        return probability(self.bias, self.weights, fused_features(signs))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, as it travels with the weights."""
        weights = dict(zip(FUSED_FEATURES, self.weights, strict=True))
        return {**asdict(self), "frames": self.frames.to_dict(), "weights": weights}

    @classmethod
    @refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> FusedCalibration:
        """Inverse of ``to_dict``.

        Raises:
            InvalidArgumentError: something is missing, or a feature that this version does not know is there.
        """
        return cls(
            frames=FrameWeights.from_dict(data["frames"]),
            bias=float(data["bias"]),
            weights=weights_by_name(data["weights"], FUSED_FEATURES, what="fused calibration"),
            tracks=int(data["tracks"]),
        )

    def fitted(self, signs: Sequence[FusedSigns], right: Sequence[bool]) -> FusedCalibration:
        """The same with the confidence fitted to fused texts, made with ``frames``, some of which were right.

        Raises:
            InvalidArgumentError: all are right, or all wrong.
        """
        bias, weights = fit_logistic([fused_features(one) for one in signs], right, never_against=_NEVER_AGAINST)
        return replace(self, bias=bias, weights=weights)
