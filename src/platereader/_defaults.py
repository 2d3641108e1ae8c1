"""The one file that knows which parts are the default ones, and by which ways their networks run.

A way is an engine and a precision. ``auto`` takes the first way of a part's list whose engine is installed, whose
instructions the processor has and whose weights are there. The lists are in the order of the time that they took; see
docs/how-to/speed.md for the figures. ``describe()`` says what was chosen, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from platereader.errors import EngineError, InvalidArgumentError
from platereader.plates import Alphabet, PlateScheme, Schemes
from platereader.plates._defaults import DEFAULT_SCHEMES, default_grammar, default_schemes
from platereader.plates._grammar import PlateGrammar
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier, VerdictPolicy
from platereader.registry import Registry, WeightFile
from platereader.results import PartDescription
from platereader.runtimes import Precision, Runtime
from platereader.runtimes._processor import BF16_INSTRUCTIONS, INT8_INSTRUCTIONS, cpu_features
from platereader.runtimes._selection import Asked, Way, check_asked, installed_engines, suitable_ways
from platereader.trust import Calibration, TrustPolicy

if TYPE_CHECKING:
    from platereader.detection._plate_detector import PlateDetector
    from platereader.recognition._recognizer import CtcRecognizer

DETECTOR_WEIGHTS = "plate-detector"
RECOGNIZER_WEIGHTS = "plate-recognizer"
INT8_RECOGNIZER_WEIGHTS = "plate-recognizer-int8"

DETECTOR_WAYS = (
    Way("openvino", "int8", INT8_INSTRUCTIONS),
    Way("torch", "int8", INT8_INSTRUCTIONS),
    Way("onnx", "int8", INT8_INSTRUCTIONS),
    Way("openvino", "bf16", BF16_INSTRUCTIONS),
    Way("torch", "bf16", BF16_INSTRUCTIONS),
    Way("onnx", "fp32"),
    Way("openvino", "fp32"),
    Way("torch", "fp32"),
)
"""Ways of the detector, the fastest first."""

RECOGNIZER_WAYS = (
    Way("openvino", "int8", INT8_INSTRUCTIONS),
    Way("torch", "int8", INT8_INSTRUCTIONS),
    Way("onnx", "int8", INT8_INSTRUCTIONS),
    Way("onnx", "fp32"),
    Way("openvino", "fp32"),
    Way("torch", "fp32"),
    Way("openvino", "bf16", only_asked=True),  # its confidence is not calibrated
    Way("torch", "bf16", only_asked=True),
)
"""Ways of the recognizer, the fastest first."""


class _Network(Protocol):
    @property
    def runtime(self) -> Runtime: ...


Network = TypeVar("Network", bound=_Network)
Place: TypeAlias = "tuple[Way, WeightFile | Callable[[], WeightFile]]"
"""A way, and where the weights for it are."""

Parts: TypeAlias = tuple[
    "Detector | None",
    "Rectifier | None",
    "Recognizer | None",
    "CTCDecoder | None",
    "VerdictPolicy | None",
    "Callable[[], PlateTracker] | None",
]
AllParts: TypeAlias = tuple[
    Detector,
    Rectifier,
    Recognizer,
    CTCDecoder,
    VerdictPolicy,
    "Callable[[], PlateTracker]",
    tuple[PartDescription, ...],
    Schemes,
]


def complete(
    given: Parts, *, schemes: Iterable[PlateScheme] | None, asked: Asked, registry: Registry | None
) -> AllParts:
    """Fill the gaps of ``given`` with default parts; nothing is loaded for a part that is there.

    Raises:
        InvalidArgumentError: schemes, alphabet and decoder do not go together.
        EngineError: engine and precision do not go together, or are unknown.
        WeightsError: default weights are missing or altered.
    """
    check_asked(asked)
    detector, rectifier, recognizer, decoder, trust, tracker = given
    if detector is None:
        detector, seen = _default_detector(Registry.default() if registry is None else registry, asked)
    else:
        seen = _described("detector", detector)
    rectifier = default_rectifier() if rectifier is None else rectifier
    if recognizer is None:
        known = Registry.default() if registry is None else registry
        recognizer, read, calibration = _default_recognizer(known, asked)
    else:
        read, calibration = _described("recognizer", recognizer), None
    chosen = check_schemes(schemes, alphabet=recognizer.alphabet, decoder=decoder)
    decoder = default_decoder(recognizer.alphabet, chosen) if decoder is None else decoder
    trust = TrustPolicy() if trust is None else trust
    trust = calibrated(trust, calibration, decoder=decoder) if isinstance(trust, TrustPolicy) else trust
    tracker = _default_tracker() if tracker is None else tracker
    others = {"rectifier": rectifier, "decoder": decoder, "trust": trust, "tracker": tracker}
    notes = (seen, read, *(_described(part, implementation) for part, implementation in others.items()))
    return detector, rectifier, recognizer, decoder, trust, tracker, notes, chosen


def load_detector(
    weights: WeightFile,
    *,
    engine: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    device: str = "cpu",
) -> tuple[PlateDetector, PartDescription]:
    """A ``PlateDetector`` with these weights, and what to say of it.

    Args:
        weights: a safetensors file, or an ONNX file.
        engine: ``torch`` runs the one, ``onnx`` and ``openvino`` the other; ``auto`` takes the fastest.
        precision: ``auto`` takes the fastest; weights that are not int8 run in fp32 for ``int8``.
        threads: of this network alone, where the engine has such a number; None for its choice.
        device: ``cpu``, or with torch another one.

    Raises:
        EngineError: these do not go together.
        MissingDependencyError: the engine is not installed.
        WeightsError: the file is damaged.
    """
    from platereader.detection._plate_detector import PlateDetector

    asked, note = Asked(engine, precision, threads, device), None
    check_asked(asked)
    if precision == "int8" and held_precision(weights) != "int8":
        asked, note = asked._replace(precision="fp32"), "these detector weights are not int8"
    places = [(way, weights) for way in suitable_ways(_ways_of(weights, DETECTOR_WAYS), asked)]
    return _first_that_loads("detector", PlateDetector.from_file, places, asked=asked, note=note)[:2]


class LoadedRecognizer(NamedTuple):
    """A recognizer, what to say of it, and the calibration of its confidence if there is one for this precision."""

    recognizer: CtcRecognizer
    description: PartDescription
    calibration: Calibration | None


def load_recognizer(
    weights: WeightFile,
    *,
    engine: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    device: str = "cpu",
) -> LoadedRecognizer:
    """A ``CtcRecognizer`` with these weights.

    Args:
        weights: float or int8 ones, in a safetensors file or an ONNX file.
        engine: ``torch`` runs the one, ``onnx`` and ``openvino`` the other; ``auto`` takes the fastest.
        precision: that the file can run in; ``auto`` is the precision of the file.
        threads: of this network alone, where the engine has such a number; None for its choice.
        device: ``cpu``, or with torch another one.

    Raises:
        EngineError: these do not go together.
        MissingDependencyError: the engine is not installed.
        WeightsError: the file is damaged.
    """
    held = held_precision(weights)
    asked = Asked(engine, held if precision == "auto" else precision, threads, device)
    check_asked(asked)
    places = [(way, weights) for way in suitable_ways(_ways_of(weights, RECOGNIZER_WAYS), asked)]
    note = f"these weights are {held}" if precision == "auto" else None
    return _recognizer(places, asked=asked, note=note)


def held_precision(weights: WeightFile) -> Precision:
    """``int8`` for quantised weights, ``fp32`` for any other."""
    from platereader.runtimes._exported import SUFFIX

    if weights.path.suffix == SUFFIX:
        return "int8" if weights.settings.get("precision") == "int8" else "fp32"
    from platereader.runtimes._int8_tensors import precision_of

    return "int8" if precision_of(weights.path) == "int8" else "fp32"


def _ways_of(weights: WeightFile, ways: Sequence[Way]) -> list[Way]:
    """Those of some ways by which this file can run."""
    from platereader.runtimes._exported import SUFFIX

    exported, int8 = weights.path.suffix == SUFFIX, held_precision(weights) == "int8"
    return [way for way in ways if (way.engine != "torch") == exported and (way.precision == "int8") == int8]


def _default_detector(registry: Registry, asked: Asked) -> tuple[PlateDetector, PartDescription]:
    """The shipped detector by the way asked for, or by the one that is fastest here."""
    from platereader.detection._plate_detector import PlateDetector

    places, note = _shipped(DETECTOR_WEIGHTS, DETECTOR_WAYS, registry=registry, asked=asked), None
    if not places and asked.precision == "int8":
        asked, note = asked._replace(precision="fp32"), "there are no int8 weights of the detector for this engine"
        places = _shipped(DETECTOR_WEIGHTS, DETECTOR_WAYS, registry=registry, asked=asked)
    return _first_that_loads("detector", PlateDetector.from_file, places, asked=asked, note=note)[:2]


def _default_recognizer(registry: Registry, asked: Asked) -> LoadedRecognizer:
    """The shipped recognizer by the way asked for, or by the one that is fastest here."""
    return _recognizer(_shipped(RECOGNIZER_WEIGHTS, RECOGNIZER_WAYS, registry=registry, asked=asked), asked=asked)


def _recognizer(places: Sequence[Place], *, asked: Asked, note: str | None = None) -> LoadedRecognizer:
    """The recognizer that loads first, with its calibration if that was fitted in the same precision."""
    from platereader.recognition._recognizer import CtcRecognizer

    recognizer, description, weights = _first_that_loads(
        "recognizer", CtcRecognizer.from_file, places, asked=asked, note=note
    )
    data = weights.settings.get("calibration")
    calibration = None if data is None else Calibration.from_dict(data)
    fits = calibration is not None and calibration.precision == description.precision
    return LoadedRecognizer(recognizer, description, calibration if fits else None)


def _shipped(name: str, ways: Sequence[Way], *, registry: Registry, asked: Asked) -> list[Place]:
    """The ways that suit and whose weights are known, with the weights.

    What is exported has ``-onnx`` behind its name, what is quantised ``-int8`` before that.
    """
    places: list[Place] = []
    for way in suitable_ways(ways, asked):
        full = name + ("-int8" if way.precision == "int8" else "") + ("" if way.engine == "torch" else "-onnx")
        if full in registry.names():
            places.append((way, partial(registry.resolve, full)))
    return places


def _first_that_loads(
    part: str, load: Callable[..., Network], places: Sequence[Place], *, asked: Asked, note: str | None = None
) -> tuple[Network, PartDescription, WeightFile]:
    """The network by the first way that its engine accepts, what to say of it, and its weights.

    Raises:
        EngineError: there is no way, or none that works.
    """
    refusals: list[EngineError] = []
    for way, weights in places:
        file = weights if isinstance(weights, WeightFile) else weights()
        try:
            network = load(
                file.path,
                engine=way.engine,
                precision=way.precision,
                threads=asked.threads,
                device=asked.device,
                settings=file.settings,
            )
        except EngineError as error:
            refusals.append(error)
            continue
        why = "; ".join([note or _reason(way, asked), *(str(error) for error in refusals)])
        return network, _with_weights(_described(part, network), file, network.runtime, note=why), file
    if refusals:
        raise refusals[-1]
    raise EngineError(
        f"no {part} runs with engine {asked.engine!r} and precision {asked.precision!r} on device {asked.device!r}: "
        f"installed are {', '.join(installed_engines()) or 'no engines'}, and weights must be there in the engine's "
        "format. See `platereader info`; `platereader train quantize` makes int8 weights, `platereader train export` "
        "ONNX files."
    )


def _reason(way: Way, asked: Asked) -> str:
    """Why it is this way."""
    if asked.precision != "auto":
        return "asked for"
    here = [name for name in cpu_features() if name in way.needs]
    fastest = "fastest installed" if asked.engine == "auto" else f"fastest of {way.engine}"
    return f"{fastest}, CPU has {here[0]}" if here else fastest


def calibrated(trust: TrustPolicy, calibration: Calibration | None, *, decoder: CTCDecoder) -> TrustPolicy:
    """The policy with the calibration, if that was fitted for this decoder and the policy has none of its own."""
    if trust.calibration is not None or calibration is None or calibration.decoder != decoder_name(decoder):
        return trust
    return replace(trust, calibration=calibration)


def decoder_name(decoder: CTCDecoder) -> str:
    """What a calibration calls a decoder: its class, and for ours everything that changes its candidates."""
    from platereader.decoding._beam import BeamDecoder

    if not isinstance(decoder, BeamDecoder):
        return type(decoder).__name__
    grammar = "no grammar" if decoder.grammar is None else f"grammar of {len(decoder.grammar.transitions)} states"
    nats = f"{decoder.no_format_nats:g} and {decoder.unknown_region_nats:g} nats"
    return f"BeamDecoder of width {decoder.width}, {grammar}, {nats}"


def default_rectifier() -> Rectifier:
    """Uses a detection's corners, or looks for them where it has none."""
    from platereader.rectification._contour import ContourRectifier
    from platereader.rectification._corners import CornerRectifier

    return CornerRectifier(fallback=ContourRectifier())


def default_decoder(alphabet: Alphabet, schemes: Schemes | None = None) -> CTCDecoder:
    """Prefix beam search, with the grammar of the schemes; by default of those that the alphabet can spell."""
    from platereader.decoding._beam import BeamDecoder

    schemes = default_schemes(alphabet) if schemes is None else schemes
    if schemes is DEFAULT_SCHEMES:
        return BeamDecoder(alphabet, grammar=default_grammar(alphabet))
    return BeamDecoder(alphabet, grammar=PlateGrammar.build(schemes, alphabet=alphabet) if schemes.members else None)


def check_schemes(given: Iterable[PlateScheme] | None, *, alphabet: Alphabet, decoder: CTCDecoder | None) -> Schemes:
    """The schemes of a pipeline: those given, or those of the decoder's grammar, or all that the alphabet can spell.

    Raises:
        InvalidArgumentError: the alphabet lacks characters of a scheme, or the decoder has a grammar of other schemes.
    """
    grammar = getattr(decoder, "grammar", None)
    known = grammar.schemes if isinstance(grammar, PlateGrammar) else None
    if given is None:
        return default_schemes(alphabet) if known is None else known
    schemes = Schemes.of(given)
    for scheme in schemes:
        missing = "".join(sorted(scheme.characters - frozenset(alphabet.characters)))
        if missing:
            raise InvalidArgumentError(
                f"schemes: plates of {scheme.country} have the characters {missing!r}, which the recognizer's alphabet "
                f"{alphabet.characters!r} lacks: take weights that know them, or leave formats with them out."
            )
    if known is not None and known.members != schemes.members:
        raise InvalidArgumentError(
            f"schemes are of {[one.country for one in schemes]}, the decoder's grammar accepts other formats, of "
            f"{[one.country for one in known]}: build it with PlateGrammar.build(schemes, alphabet=...), or give none."
        )
    return schemes


def _default_tracker() -> Callable[[], PlateTracker]:
    from platereader.video._tracking.tracker import MotionTracker

    return MotionTracker


def _described(part: str, implementation: object) -> PartDescription:
    return PartDescription(part, class_name(implementation))


def class_name(implementation: object) -> str:
    """Name of a part's class or function; of a detector that wraps another, ``TiledDetector(PlateDetector)``."""
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
