"""The parts of a pipeline together: checked against each other, and described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from platereader._contracts import METHODS, check_part, check_tracker_factory
from platereader.errors import InvalidArgumentError
from platereader.plates import DEFAULT_SCHEMES, Schemes
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier, VerdictPolicy
from platereader.results import PartDescription
from platereader.results._checks import instance

_DESCRIBED = ("detector", "recognizer", "rectifier", "decoder", "trust", "tracker")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParts:
    """All parts of a pipeline, none missing.

    Attributes:
        detector: finds plates.
        rectifier: straightens them.
        recognizer: gives posteriors over characters.
        decoder: turns posteriors into texts; its alphabet equals the recognizer's.
        trust: says which readings to rely on.
        tracker: called once per stream for a fresh tracker.
        schemes: of the countries whose plates are read.

    Raises:
        InvalidArgumentError: recognizer and decoder have different alphabets, a part is of another kind, ``tracker``
            cannot be called, or ``schemes`` are no ``Schemes``.
    """

    detector: Detector
    rectifier: Rectifier
    recognizer: Recognizer
    decoder: CTCDecoder
    trust: VerdictPolicy
    tracker: Callable[[], PlateTracker]
    schemes: Schemes = DEFAULT_SCHEMES

    def __post_init__(self) -> None:
        for kind in METHODS:
            check_part(getattr(self, kind), kind=kind)
        check_tracker_factory(self.tracker)
        instance(self.schemes, Schemes, name="schemes")
        if self.recognizer.alphabet != self.decoder.alphabet:
            raise InvalidArgumentError(
                f"the recognizer's alphabet {self.recognizer.alphabet.characters!r} differs from the decoder's "
                f"{self.decoder.alphabet.characters!r}: build the decoder with recognizer.alphabet."
            )

    def __repr__(self) -> str:
        named = (f"{name}={class_name(getattr(self, name))}" for name in METHODS)
        return f"PipelineParts({', '.join(named)}, tracker={class_name(self.tracker)}, schemes={self.schemes!r})"

    def describe(self) -> tuple[PartDescription, ...]:
        """What runs: class, weights and sha256, engine, precision and thread count of each part."""
        return tuple(description_of(getattr(self, name), part=name) for name in _DESCRIBED)


def description_of(implementation: object, *, part: str) -> PartDescription:
    """What a part says of itself, or what a part that it wraps as ``inner`` says; otherwise its class alone."""
    described: object = implementation
    while described is not None:
        description = getattr(described, "description", None)
        if isinstance(description, PartDescription):
            return replace(description, part=part, implementation=class_name(implementation))
        described = getattr(described, "inner", None)
    return PartDescription(part, class_name(implementation))


def class_name(implementation: object) -> str:
    """Name of a part's class or function; of a detector that wraps another, ``TiledDetector(PlateDetector)``."""
    if isinstance(implementation, type):
        return implementation.__name__
    inner = getattr(implementation, "inner", None)
    name = type(implementation).__name__
    return name if inner is None else f"{name}({class_name(inner)})"
