"""What ``platereader read`` finds on a picture, and the form that it has in ``--json`` and ``--jsonl``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from platereader.results import Detection, PlateReading

SCHEMA = 2
"""Version of that form; grows when a field changes its meaning or goes."""

Stage: TypeAlias = Literal["detector", "decoder", "trust", "passed"]
"""Where a candidate stopped, or that it did not."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far one candidate of the detector came, and why not further.

    Attributes:
        stage: ``detector``, ``decoder``, ``trust``, or ``passed`` when its reading has the status ``read``.
        why: one sentence.
        text: what was read, if it came that far.
    """

    detection: Detection
    stage: Stage
    why: str
    text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"detection": self.detection.to_dict(), "stage": self.stage, "why": self.why, "text": self.text}


@dataclass(frozen=True, slots=True)
class PictureResult:
    """One picture file: what was read on it, or why it could not be read.

    Attributes:
        source: path as given, or as found below the folder that was given.
        readings: best detection first.
        error: what went wrong; None when nothing did.
        explanations: best score first; None when they were not requested.
        frame: index of it in an animated picture, from 0; None for any other.
    """

    source: str
    width: int | None = None
    height: int | None = None
    readings: tuple[PlateReading, ...] = ()
    error: str | None = None
    explanations: tuple[Explanation, ...] | None = None
    frame: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        explanations = None if self.explanations is None else [item.to_dict() for item in self.explanations]
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "error": self.error,
            "readings": [reading.to_dict() for reading in self.readings],
            "explanations": explanations,
            "frame": self.frame,
        }
