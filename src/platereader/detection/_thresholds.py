"""The lowest score that a detector reports, also where another detector wraps it."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import Any, cast

from platereader.protocols import Detector


def min_score_of(detector: object) -> float | None:
    """``min_score`` of a detector that can be given another, or of what it wraps as ``inner``; None for any other."""
    known: Any = detector
    replaceable = is_dataclass(detector)
    if hasattr(known, "min_score") and (replaceable or hasattr(known, "with_min_score")):
        return float(known.min_score)
    return min_score_of(known.inner) if replaceable and hasattr(known, "inner") else None


def with_min_score(detector: object, min_score: float) -> Detector | None:
    """The same detector, and the same wrappers around it, with another ``min_score``; None where it has none."""
    if min_score_of(detector) is None:
        return None
    known: Any = detector
    if hasattr(known, "with_min_score"):
        return cast(Detector, known.with_min_score(min_score))
    if hasattr(known, "min_score"):
        return cast(Detector, replace(known, min_score=min_score))
    return cast(Detector, replace(known, inner=with_min_score(known.inner, min_score)))
