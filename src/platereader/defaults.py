"""The one file that knows which parts are the default ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from platereader.errors import EngineError
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier
from platereader.registry import Registry, WeightFile
from platereader.results import PartDescription
from platereader.trust import TrustPolicy

if TYPE_CHECKING:
    from platereader.runtimes import Runtime

DETECTOR_WEIGHTS = "plate-detector"
RECOGNIZER_WEIGHTS = "plate-recognizer"

ENGINES = {"torch": ("fp32", "bf16")}
"""Precisions of each engine; the first is what ``auto`` takes."""

Parts: TypeAlias = tuple[
    "Detector | None",
    "Rectifier | None",
    "Recognizer | None",
    "CTCDecoder | None",
    "TrustPolicy | None",
    "Callable[[], PlateTracker] | None",
]
AllParts: TypeAlias = tuple[
    Detector,
    Rectifier,
    Recognizer,
    CTCDecoder,
    TrustPolicy,
    "Callable[[], PlateTracker]",
    tuple[PartDescription, ...],
]


def complete(given: Parts, *, engine: str, precision: str, registry: Registry | None) -> AllParts:
    """Fill the gaps of ``given`` with default parts; nothing is loaded for a part that is there.

    Raises:
        EngineError: engine and precision do not go together, or are unknown.
        WeightsError: default weights are missing or altered.
    """
    engine, precision = resolve_engine(engine, precision)
    registry = registry or Registry.default()
    detector, rectifier, recognizer, decoder, trust, tracker = given
    notes: list[PartDescription] = []
    if detector is None:
        detector, note = load_detector(registry.resolve(DETECTOR_WEIGHTS), precision=precision)
        notes.append(note)
    else:
        notes.append(_described("detector", detector))
    rectifier = rectifier or _default_rectifier()
    notes.append(_described("rectifier", rectifier))
    if recognizer is None:
        recognizer, note = load_recognizer(registry.resolve(RECOGNIZER_WEIGHTS), precision=precision)
        notes.append(note)
    else:
        notes.append(_described("recognizer", recognizer))
    decoder = decoder or _default_decoder(recognizer)
    trust = trust or TrustPolicy()
    tracker = tracker or _default_tracker()
    notes += [_described("decoder", decoder), _described("trust", trust), _described("tracker", tracker)]
    return detector, rectifier, recognizer, decoder, trust, tracker, tuple(notes)


def resolve_engine(engine: str, precision: str) -> tuple[str, str]:
    """The engine and precision that ``auto`` stands for, or the given ones when they go together.

    Raises:
        EngineError: unknown, or not offered together.
    """
    if engine != "auto" and engine not in ENGINES:
        raise EngineError(f"engine is {engine!r}, allowed are 'auto' and {sorted(ENGINES)}.")
    chosen = next(iter(ENGINES)) if engine == "auto" else engine
    precisions = ENGINES[chosen]
    if precision != "auto" and precision not in precisions:
        raise EngineError(
            f"engine {chosen!r} does not offer precision {precision!r}, allowed are 'auto' and {list(precisions)}."
        )
    return chosen, precisions[0] if precision == "auto" else precision


def load_detector(weights: WeightFile, *, precision: str) -> tuple[Detector, PartDescription]:
    """A ``YoloDetector`` with these weights, and what to say of it."""
    from platereader.detection.yolo import YoloDetector

    detector = YoloDetector.from_file(weights.path, precision=precision, settings=weights.settings)
    return detector, _with_weights(_described("detector", detector), weights, detector.runtime)


def load_recognizer(weights: WeightFile, *, precision: str) -> tuple[Recognizer, PartDescription]:
    """A ``CrnnRecognizer`` with these weights, and what to say of it."""
    from platereader.recognition.recognizer import CrnnRecognizer

    recognizer = CrnnRecognizer.from_file(weights.path, precision=precision, settings=weights.settings)
    return recognizer, _with_weights(_described("recognizer", recognizer), weights, recognizer.runtime)


def _default_rectifier() -> Rectifier:
    from platereader.rectification.contour import ContourRectifier
    from platereader.rectification.corners import CornerRectifier

    return CornerRectifier(fallback=ContourRectifier())


def _default_decoder(recognizer: Recognizer) -> CTCDecoder:
    from platereader.decoding.beam import BeamDecoder
    from platereader.plates.alphabet import RUSSIAN
    from platereader.plates.formats import russian_grammar

    grammar = russian_grammar() if recognizer.alphabet == RUSSIAN else None
    return BeamDecoder(recognizer.alphabet, grammar=grammar)


def _default_tracker() -> Callable[[], PlateTracker]:
    from platereader.tracking.tracker import IouTracker

    return IouTracker


def _described(part: str, implementation: object) -> PartDescription:
    name = implementation.__name__ if isinstance(implementation, type) else type(implementation).__name__
    return PartDescription(part, name)


def _with_weights(note: PartDescription, weights: WeightFile, runtime: Runtime) -> PartDescription:
    return PartDescription(
        note.part,
        note.implementation,
        weights.name,
        weights.sha256,
        runtime.engine,
        runtime.precision,
        runtime.threads,
    )
