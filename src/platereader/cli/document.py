"""What ``platereader read`` prints with ``--json`` and, a picture a line, with ``--jsonl``; how to read it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from platereader.errors import InvalidArgumentError
from platereader.results import Detection, PlateReading

SCHEMA = 2
"""Version of the document; grows when a field changes its meaning or goes."""

Stage: TypeAlias = Literal["detector", "decoder", "trust", "passed"]
"""Where a candidate stopped, or that it did not."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far one candidate of the detector came, and why not further.

    Attributes:
        detection: the candidate.
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Explanation:
        """Inverse of ``to_dict``."""
        return cls(Detection.from_dict(data["detection"]), data["stage"], data["why"], data["text"])


@dataclass(frozen=True, slots=True)
class PictureResult:
    """One picture file: what was read on it, or why it could not be read.

    Attributes:
        source: path as given, or as found below the folder that was given.
        width: in pixels; None when the picture failed.
        height: in pixels; None when the picture failed.
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PictureResult:
        """Inverse of ``to_dict``, but for the pixels and posteriors of the readings."""
        explanations = data["explanations"]
        return cls(
            data["source"],
            data["width"],
            data["height"],
            tuple(PlateReading.from_dict(item) for item in data["readings"]),
            data["error"],
            None if explanations is None else tuple(Explanation.from_dict(item) for item in explanations),
            data.get("frame"),
        )


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Everything that one call of ``platereader read`` found.

    Attributes:
        pictures: in the order in which they were read.
        version: of the package that wrote the document.
    """

    pictures: tuple[PictureResult, ...]
    version: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form, with the ``schema`` it follows."""
        pictures = [picture.to_dict() for picture in self.pictures]
        return {"schema": SCHEMA, "version": self.version, "pictures": pictures}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReadDocument:
        """Inverse of ``to_dict``.

        Raises:
            InvalidArgumentError: it is no such document, or follows another schema.
        """
        try:
            if (schema := data.get("schema")) != SCHEMA:
                raise InvalidArgumentError(
                    f"data has the schema {schema!r}, this version reads {SCHEMA}: use the version of platereader that "
                    "wrote it."
                )
            return cls(tuple(PictureResult.from_dict(item) for item in data["pictures"]), data["version"])
        except (LookupError, TypeError, AttributeError) as error:
            raise InvalidArgumentError(
                f"data is no document of `platereader read` ({type(error).__name__}: {error}): let it write one anew."
            ) from error
