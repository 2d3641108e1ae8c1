"""The one file that knows which parts are the default ones.

Precision is chosen for each part. ``auto`` takes int8 for the recognizer where its int8 weights are known and the
processor multiplies int8 faster (AVX512-VNNI, AVX-VNNI or AMX, as torch tells), else fp32. The detector has no int8
weights and runs in fp32 for ``int8``, too. ``describe()`` says what was chosen, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from platereader.errors import EngineError
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier
from platereader.registry import Registry, WeightFile
from platereader.results import PartDescription
from platereader.trust import Calibration, TrustPolicy

if TYPE_CHECKING:
    from platereader.plates.alphabet import Alphabet
    from platereader.runtimes import Precision, Runtime

DETECTOR_WEIGHTS = "plate-detector"
RECOGNIZER_WEIGHTS = "plate-recognizer"
INT8_RECOGNIZER_WEIGHTS = "plate-recognizer-int8"

ENGINES: dict[str, tuple[Precision, ...]] = {"torch": ("int8", "fp32", "bf16")}
"""Precisions of each engine."""

Choice: TypeAlias = Literal["auto", "int8", "fp32", "bf16"]
"""A precision, or the one that suits a part best."""

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
        weights = (Registry.default() if registry is None else registry).resolve(DETECTOR_WEIGHTS)
        detector, seen = load_detector(weights, precision=chosen)
    else:
        seen = _described("detector", detector)
    rectifier = default_rectifier() if rectifier is None else rectifier
    if recognizer is None:
        known = Registry.default() if registry is None else registry
        recognizer, read, calibration = _default_recognizer(known, precision=chosen)
    else:
        read, calibration = _described("recognizer", recognizer), None
    decoder = default_decoder(recognizer.alphabet) if decoder is None else decoder
    trust = calibrated(TrustPolicy() if trust is None else trust, calibration, decoder=decoder)
    tracker = _default_tracker() if tracker is None else tracker
    others = {"rectifier": rectifier, "decoder": decoder, "trust": trust, "tracker": tracker}
    notes = (seen, read, *(_described(part, implementation) for part, implementation in others.items()))
    return detector, rectifier, recognizer, decoder, trust, tracker, notes


def resolve_engine(engine: str, precision: str) -> tuple[str, Choice]:
    """The engine that ``auto`` stands for, or the given one, and the precision, if the two go together.

    Raises:
        EngineError: unknown, or not offered together.
    """
    if engine != "auto" and engine not in ENGINES:
        raise EngineError(f"engine is {engine!r}, allowed are 'auto' and {sorted(ENGINES)}.")
    chosen = next(iter(ENGINES)) if engine == "auto" else engine
    allowed: tuple[Choice, ...] = ("auto", *ENGINES[chosen])
    for choice in allowed:
        if precision == choice:
            return chosen, choice
    raise EngineError(f"engine {chosen!r} does not offer precision {precision!r}, allowed are {list(allowed)}.")


def load_detector(weights: WeightFile, *, precision: Choice) -> tuple[Detector, PartDescription]:
    """A ``YoloDetector`` with these weights, and what to say of it; in fp32 for ``int8``, too."""
    from platereader.detection.yolo import YoloDetector

    detector = YoloDetector.from_file(
        weights.path, precision="bf16" if precision == "bf16" else "fp32", settings=weights.settings
    )
    note = "the detector has no int8 weights" if precision in {"auto", "int8"} else "asked for"
    return detector, _with_weights(_described("detector", detector), weights, detector.runtime, note=note)


class LoadedRecognizer(NamedTuple):
    """A recognizer, what to say of it, and the calibration of its confidence if there is one for this precision."""

    recognizer: Recognizer
    description: PartDescription
    calibration: Calibration | None


def load_recognizer(weights: WeightFile, *, precision: Choice, note: str | None = None) -> LoadedRecognizer:
    """A ``CtcRecognizer`` with these weights; ``auto`` is the precision of the file.

    Args:
        weights: float or int8 ones.
        precision: that the file can run in.
        note: why it is this one.

    Raises:
        EngineError: the file cannot run in that precision.
    """
    from platereader.recognition.quantized import precision_of
    from platereader.recognition.recognizer import CtcRecognizer

    if precision == "auto":
        chosen: Precision = "int8" if precision_of(weights.path) == "int8" else "fp32"
        note = note or f"these weights are {chosen}"
    else:
        chosen = precision
    recognizer = CtcRecognizer.from_file(weights.path, precision=chosen, settings=weights.settings)
    description = _described("recognizer", recognizer)
    description = _with_weights(description, weights, recognizer.runtime, note=note or "asked for")
    data = weights.settings.get("calibration")
    calibration = None if data is None else Calibration.from_dict(data)
    fits = calibration is not None and calibration.precision == chosen
    return LoadedRecognizer(recognizer, description, calibration if fits else None)


def calibrated(trust: TrustPolicy, calibration: Calibration | None, *, decoder: CTCDecoder) -> TrustPolicy:
    """The policy with the calibration, if that was fitted for this decoder and the policy has none of its own."""
    if trust.calibration is not None or calibration is None or calibration.decoder != decoder_name(decoder):
        return trust
    return replace(trust, calibration=calibration)


def decoder_name(decoder: CTCDecoder) -> str:
    """What a calibration calls a decoder: its class, and for ours everything that changes its candidates."""
    from platereader.decoding.beam import BeamDecoder

    if not isinstance(decoder, BeamDecoder):
        return type(decoder).__name__
    grammar = "no grammar" if decoder.grammar is None else f"grammar of {len(decoder.grammar.transitions)} states"
    nats = f"{decoder.no_format_nats:g} and {decoder.unknown_region_nats:g} nats"
    return f"BeamDecoder of width {decoder.width}, {grammar}, {nats}"


def _default_recognizer(registry: Registry, *, precision: Choice) -> LoadedRecognizer:
    """The shipped recognizer in the precision asked for, or in the one that is fastest here."""
    offered = INT8_RECOGNIZER_WEIGHTS in registry.names()
    if precision == "int8" and not offered:
        raise EngineError(
            f"precision is 'int8' and no weights are called {INT8_RECOGNIZER_WEIGHTS!r}: use 'auto', 'fp32' or 'bf16', "
            "or make int8 weights with `platereader train quantize` and give them by their path."
        )
    if precision != "auto":
        name = INT8_RECOGNIZER_WEIGHTS if precision == "int8" else RECOGNIZER_WEIGHTS
        return load_recognizer(registry.resolve(name), precision=precision)
    fast, note = _prefers_int8() if offered else (False, "there are no int8 weights")
    if fast:
        weights = registry.resolve(INT8_RECOGNIZER_WEIGHTS)
        try:
            return load_recognizer(weights, precision="int8", note=note)
        except EngineError:  # a torch that is too old, or was built without oneDNN
            note = "this torch cannot compute in int8"
    return load_recognizer(registry.resolve(RECOGNIZER_WEIGHTS), precision="fp32", note=note)


def _prefers_int8() -> tuple[bool, str]:
    """Whether int8 is faster than fp32 on this processor, and why."""
    from platereader.runtimes.torch_int8 import fast_int8_instructions

    instructions = fast_int8_instructions()
    return instructions is not None, f"this CPU has {instructions or 'no instructions for int8'}"


def default_rectifier() -> Rectifier:
    """Uses a detection's corners, or looks for them where it has none."""
    from platereader.rectification.contour import ContourRectifier
    from platereader.rectification.corners import CornerRectifier

    return CornerRectifier(fallback=ContourRectifier())


def default_decoder(alphabet: Alphabet) -> CTCDecoder:
    """Prefix beam search, with the grammar of Russian plates if the alphabet is theirs."""
    from platereader.decoding.beam import BeamDecoder
    from platereader.plates.alphabet import RUSSIAN
    from platereader.plates.formats import russian_grammar

    return BeamDecoder(alphabet, grammar=russian_grammar() if alphabet == RUSSIAN else None)


def _default_tracker() -> Callable[[], PlateTracker]:
    from platereader.tracking.tracker import IouTracker

    return IouTracker


def _described(part: str, implementation: object) -> PartDescription:
    return PartDescription(part, class_name(implementation))


def class_name(implementation: object) -> str:
    """Name of a part's class or function; of a detector that wraps another, ``TiledDetector(YoloDetector)``."""
    if isinstance(implementation, type):
        return implementation.__name__
    inner = getattr(implementation, "inner", None)
    name = type(implementation).__name__
    return name if inner is None else f"{name}({class_name(inner)})"


def _with_weights(description: PartDescription, weights: WeightFile, runtime: Runtime, *, note: str) -> PartDescription:
    return replace(
        description,
        weights=weights.name,
        sha256=weights.sha256,
        engine=runtime.engine,
        precision=runtime.precision,
        threads=runtime.threads,
        note=note,
    )
