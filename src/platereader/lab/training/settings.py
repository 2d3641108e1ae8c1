"""Settings of a training: how long, how fast, how often; and their checks at its start and when it goes on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from platereader.errors import InvalidArgumentError

_RANGES = {
    "minutes": (1e-3, 1e6),
    "steps": (1, math.inf),
    "learning_rate": (1e-9, 1.0),
    "final_rate_share": (0.0, 1.0),
    "warmup_steps": (0, math.inf),
    "weight_decay": (0.0, 1.0),
    "max_gradient": (1e-6, math.inf),
    "seed": (0, 2**62),
    "workers": (0, 256),
    "log_every_steps": (1, math.inf),
    "save_every_s": (0.0, math.inf),
    "validate_every_s": (0.0, math.inf),
}
_MAY_CHANGE = frozenset({"minutes", "steps", "workers", "log_every_steps", "save_every_s", "validate_every_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Settings that every training has.

    The training is as long as ``minutes`` of loop time, earlier runs included, or optimizer ``steps``; with both, what
    comes first ends it. The learning rate rises over ``warmup_steps``, then falls as half a cosine to
    ``final_rate_share`` of itself. ``weight_decay`` is that of AdamW; gradients are clipped to the norm
    ``max_gradient``; the seed is that of weights and data. So many ``workers`` are processes that make batches; 0 makes
    them in the loop.

    Raises:
        InvalidArgumentError: a value is out of range, or neither ``minutes`` nor ``steps`` is given.
    """

    minutes: float | None = None
    steps: int | None = None
    learning_rate: float = 1e-3
    final_rate_share: float = 0.0
    warmup_steps: int = 100
    weight_decay: float = 0.01
    max_gradient: float = 10.0
    seed: int = 0
    workers: int = 1
    log_every_steps: int = 10
    save_every_s: float = 120.0
    validate_every_s: float = 600.0

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES)
        if self.minutes is None and self.steps is None:
            raise InvalidArgumentError("give minutes, steps or both as the length of the training.")

    def progress(self, *, step: int, elapsed_s: float) -> float:
        """Share of the training that is done, 0 to 1."""
        by_clock = 0.0 if self.minutes is None else elapsed_s / (60.0 * self.minutes)
        return min(1.0, max(by_clock, 0.0 if self.steps is None else step / self.steps))

    def rate(self, *, step: int, progress: float) -> float:
        """Learning rate of a step: linear warm-up, then half a cosine."""
        rise = min(1.0, (step + 1) / max(self.warmup_steps, 1))
        cosine = (1.0 + math.cos(math.pi * progress)) / 2
        return self.learning_rate * rise * (self.final_rate_share + (1.0 - self.final_rate_share) * cosine)

    def fixed(self) -> dict[str, Any]:
        """What has to stay the same when the training goes on."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _MAY_CHANGE}


def check_ranges(settings: object, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Raise InvalidArgumentError for a field outside of its range; None is always allowed.

    Above a whole lowest value whole numbers alone are.
    """
    for name, (low, high) in ranges.items():
        value: Any = getattr(settings, name)
        whole = isinstance(low, int)
        if value is not None and not (low <= value <= high and (isinstance(value, int) or not whole)):
            kind = "whole numbers" if whole else "numbers"
            raise InvalidArgumentError(f"{name} is {value!r}, allowed are {kind} from {low:g} to {high:g}.")


def check_unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentError, with the first value that differs, unless a training goes on as it was begun."""
    for name, value in now.items():
        if before.get(name, value) != value:
            raise InvalidArgumentError(
                f"{name} is {value!r}, but the checkpoint was made with {before[name]!r}: "
                "give the same again, or name a new folder for the output."
            )
