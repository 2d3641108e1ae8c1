"""What thresholds may be, and the lowest score that a detector reports, also where another detector wraps it."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from numbers import Integral
from typing import Any, cast

from platereader._geometry import is_finite
from platereader.errors import InvalidArgumentError
from platereader.protocols import Detector


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no truth value."""
    return isinstance(value, (int, float)) and is_finite(value)


def is_whole(value: object) -> bool:
    """Whether it is a whole number, of Python or numpy, and no truth value."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def check_shares(settings: object, *names: str) -> None:
    """Refuse fields that are no numbers from 0 to 1."""
    for name in names:
        value = getattr(settings, name)
        if not is_number(value) or not 0 <= value <= 1:
            raise InvalidArgumentError(f"{name} is {value!r}, allowed is 0 to 1.")


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
