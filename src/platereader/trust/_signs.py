"""What evidence says about its own worth, in a handful of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from platereader._arrays import LogProbs
from platereader.plates import TextFit
from platereader.results import Candidate, Character, PlateImage

_LEAST = 1e-6
# Two of 916 photographs of plates have so much white, and nothing darker than this grey.
_BURNT_OUT, _BURNT_SHARE = 250, 0.4
_FADED_INK, _INK_SHARE = 100, 0.03


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs for and against the best text of a plate.

    Attributes:
        text_prob: P(text | picture), 0 to 1.
        lead_nats: how much more probable it is than the next candidate; natural logarithm of the ratio, 20 at most.
        weakest: posterior of its weakest character, 0 to 1.
        edge_illegible: highest probability, over the time steps before the first and after the last character, that
            something illegible stands there: a plate that is cut off.
        inner_illegible: likewise between its characters: a character that is hidden.
        legal: whether the text fits a plate format.
        region_known: whether its region code is in use.
    """

    text_prob: float
    lead_nats: float
    weakest: float
    edge_illegible: float
    inner_illegible: float
    legal: bool
    region_known: bool


def signs_of(
    candidates: tuple[Candidate, ...], characters: tuple[Character, ...], log_probs: LogProbs, *, fit: TextFit
) -> Signs:
    """Read the signs.

    Args:
        candidates: of a decoder, best first, at least one.
        characters: of the best candidate, with their posteriors.
        log_probs: float32 ``(T, C)``; what a time step lacks to a sum of one is the probability of an illegible one.
        fit: what the best text is under the schemes.
    """
    best = candidates[0]
    edge, inner = illegible_shares(log_probs)
    return Signs(
        text_prob=min(1.0, math.exp(best.log_prob)),
        lead_nats=_lead(candidates),
        weakest=min((character.confidence for character in characters), default=0.0),
        edge_illegible=edge,
        inner_illegible=inner,
        legal=fit.legal,
        region_known=fit.region_known,
    )


def emptiness(log_probs: LogProbs) -> float:
    """Probability that nothing stands there, neither a character nor something illegible, of float32 ``(T, C)``."""
    return math.exp(float(log_probs[:, 0].sum(dtype=np.float64)))


def _lead(candidates: tuple[Candidate, ...]) -> float:
    """The best text may be less probable than another one when that fits no format: then the lead is negative."""
    others = max((candidate.log_prob for candidate in candidates[1:]), default=-math.inf)
    return max(-20.0, min(20.0, candidates[0].log_prob - others))


def illegible_shares(log_probs: LogProbs) -> tuple[float, float]:
    """Highest probability of something illegible at either end of the text, and within it, of float32 ``(T, C)``."""
    probabilities = np.exp(log_probs)
    whole: list[float] = probabilities.sum(axis=1).tolist()
    blank: list[float] = probabilities[:, 0].tolist()
    missing = [1.0 - share if share <= 1.0 - _LEAST else 0.0 for share in whole]  # less is rounding
    written = [step for step, share in enumerate(whole) if share - blank[step] > 0.5]
    if not written:
        return max(missing), max(missing)
    first, last = written[0], written[-1] + 1
    return max(missing[:first] + missing[last:], default=0.0), max(missing[first:last])


def is_overexposed(plate: PlateImage) -> bool:
    """Whether the ground of a plate is burnt out and even its ink is light: strokes may have gone with it."""
    height, width = plate.pixels.shape[:2]
    rim = height // 6, width // 20
    inner = plate.pixels[rim[0] : height - rim[0] : 2, rim[1] : width - rim[1] : 2, 1]
    if not inner.size or np.count_nonzero(inner >= _BURNT_OUT) < _BURNT_SHARE * inner.size:
        return False
    return float(np.quantile(inner, _INK_SHARE)) > _FADED_INK
