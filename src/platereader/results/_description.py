"""What a pipeline is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from platereader.results import _checks as check


@dataclass(frozen=True, slots=True)
class PartDescription:
    """What one part of a pipeline is and how it runs.

    Attributes:
        part: ``detector``, ``rectifier``, ``recognizer``, ``decoder``, ``trust`` or ``tracker``.
        implementation: name of its class or function.
        weights: name of its weights; None without weights, or in a part that the caller gave.
        sha256: of the weight file, hexadecimal.
        engine: such as ``torch``.
        precision: such as ``fp32``.
        threads: threads that the engine uses.
        note: why it runs in this precision.
    """

    part: str
    implementation: str
    weights: str | None = None
    sha256: str | None = None
    engine: str | None = None
    precision: str | None = None
    threads: int | None = None
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return asdict(self)

    @classmethod
    @check.refuses_damage
    def from_dict(cls, data: Mapping[str, Any]) -> PartDescription:
        """Inverse of ``to_dict``."""
        return cls(**data)
