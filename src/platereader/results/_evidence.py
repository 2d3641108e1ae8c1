"""What the parts say of a picture: where plates are, what they look like, and which texts they may carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from platereader._arrays import BgrImage, LogProbs
from platereader._geometry import Box, Quad

Lines: TypeAlias = Literal[1, 2]
"""Number of text lines on a plate."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One plate found in a frame.

    Attributes:
        box: upright box in pixels of the frame.
        score: 0 to 1, how sure the detector is that this is a plate.
        corners: outer corners as read, in pixels of the frame; None when the detector gives boxes only.
        lines: 1 or 2 text lines; None lets the rectifier decide by the aspect of the quad.
    """

    box: Box
    score: float
    corners: Quad | None = None
    lines: Lines | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        corners = None if self.corners is None else [[float(x), float(y)] for x, y in self.corners.points]
        lines = None if self.lines is None else int(self.lines)
        return {"box": list(self.box.to_tuple()), "score": float(self.score), "corners": corners, "lines": lines}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detection:
        """Inverse of ``to_dict``."""
        corners = None if data["corners"] is None else Quad.from_points(data["corners"])
        return cls(Box(*data["box"]), data["score"], corners, data["lines"])


@dataclass(frozen=True, slots=True, eq=False)
class PlateImage:
    """A rectified plate, laid out as one line of text.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        lines: how many lines the plate had before they were joined.
    """

    pixels: BgrImage
    lines: Lines = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """One text a plate may carry.

    Attributes:
        text: Latin look-alike spelling, region included.
        log_prob: natural log P(text | picture), over all alignments, unconstrained by any grammar.
        format: name of the plate format that the text fits, or None.
    """

    text: str
    log_prob: float
    format: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"text": self.text, "log_prob": float(self.log_prob), "format": self.format}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Inverse of ``to_dict``."""
        return cls(data["text"], data["log_prob"], data["format"])


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a reading and the posterior probability that it is right (0 to 1)."""

    char: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"char": self.char, "confidence": self.confidence}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Character:
        """Inverse of ``to_dict``."""
        return cls(data["char"], data["confidence"])


@dataclass(frozen=True, slots=True, eq=False)
class PlateEvidence:
    """What was seen of one plate: all that trust and fusion need.

    Attributes:
        detection: where it is in the frame; None for an already cropped plate.
        plate: the rectified picture that was read.
        log_probs: float32 ``(T, C)`` of the recognizer.
        candidates: best first; empty when nothing was legible.
    """

    detection: Detection | None
    plate: PlateImage
    log_probs: LogProbs
    candidates: tuple[Candidate, ...]
