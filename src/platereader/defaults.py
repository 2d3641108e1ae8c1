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
    from platereader.runtimes.torch import TorchPrecision

DETECTOR_WEIGHTS = "plate-detector"
RECOGNIZER_WEIGHTS = "plate-recognizer"

ENGINES: dict[str, tuple[TorchPrecision, ...]] = {"torch": ("fp32", "bf16")}
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
    chosen = resolve_engine(engine, precision)[1]
    detector, rectifier, recognizer, decoder, trust, tracker = given
    if detector is None:
        detector, seen = load_detector(_weights(DETECTOR_WEIGHTS, registry), precision=chosen)
    else:
        seen = _described("detector", detector)
    rectifier = _default_rectifier() if rectifier is None else rectifier
    if recognizer is None:
        recognizer, read = load_recognizer(_weights(RECOGNIZER_WEIGHTS, registry), precision=chosen)
    else:
        read = _described("recognizer", recognizer)
    decoder = _default_decoder(recognizer) if decoder is None else decoder
    trust = TrustPolicy() if trust is None else trust
    tracker = _default_tracker() if tracker is None else tracker
    others = {"rectifier": rectifier, "decoder": decoder, "trust": trust, "tracker": tracker}
    notes = (seen, read, *(_described(part, implementation) for part, implementation in others.items()))
    return detector, rectifier, recognizer, decoder, trust, tracker, notes


def resolve_engine(engine: str, precision: str) -> tuple[str, TorchPrecision]:
    """The engine and precision that ``auto`` stands for, or the given ones when they go together.

    Raises:
        EngineError: unknown, or not offered together.
    """
    if engine != "auto" and engine not in ENGINES:
        raise EngineError(f"engine is {engine!r}, allowed are 'auto' and {sorted(ENGINES)}.")
    chosen = next(iter(ENGINES)) if engine == "auto" else engine
    precisions = ENGINES[chosen]
    for offered in precisions:
        if precision in ("auto", offered):
            return chosen, offered
    raise EngineError(
        f"engine {chosen!r} does not offer precision {precision!r}, allowed are 'auto' and {list(precisions)}."
    )


def load_detector(weights: WeightFile, *, precision: TorchPrecision) -> tuple[Detector, PartDescription]:
    """A ``YoloDetector`` with these weights, and what to say of it."""
    from platereader.detection.yolo import YoloDetector

    detector = YoloDetector.from_file(weights.path, precision=precision, settings=weights.settings)
    return detector, _with_weights(_described("detector", detector), weights, detector.runtime)


def load_recognizer(weights: WeightFile, *, precision: TorchPrecision) -> tuple[Recognizer, PartDescription]:
    """A ``CrnnRecognizer`` with these weights, and what to say of it."""
    from platereader.recognition.recognizer import CrnnRecognizer

    recognizer = CrnnRecognizer.from_file(weights.path, precision=precision, settings=weights.settings)
    return recognizer, _with_weights(_described("recognizer", recognizer), weights, recognizer.runtime)


def _weights(name: str, registry: Registry | None) -> WeightFile:
    """Looked up when wanted only: a pipeline of the caller's own parts needs no weights and no manifest."""
    return (Registry.default() if registry is None else registry).resolve(name)


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
