"""A part of a suite: pictures that have one thing in common, and the seeds of their randomness."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

SEED = 20261124
"""Of both suites of pictures."""


@dataclass(frozen=True, slots=True)
class Part:
    """Pictures that have one thing in common: an axis, such as ``width`` or ``type``, and how far it is made worse.

    ``amount`` is in the ``unit``; 0 where it has no amount, and the unit stands for it, such as the name of a type.
    """

    axis: str
    amount: float
    unit: str

    @property
    def name(self) -> str:
        """Axis and severity, such as ``width 60 px``."""
        return f"{self.axis} {self.severity}"

    @property
    def severity(self) -> str:
        """The amount with its unit."""
        return f"{self.amount:g} {self.unit}" if self.amount else self.unit

    def rng(self, number: int) -> np.random.Generator:
        """The source of randomness of one picture."""
        return np.random.default_rng((SEED, zlib.crc32(self.name.encode()), number))
