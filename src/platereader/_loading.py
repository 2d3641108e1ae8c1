"""From weights to a part: which file of them, on which engine and in which precision.

``auto`` takes what was measured as the fastest here, if that was measured, and else the first of a part's specs whose
engine is installed, whose instructions the processor has and whose weights are there. The specs are in the order of the
time that they took; see docs/how-to/speed.md for the figures.
``describe()`` says what was chosen, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from platereader._dependencies import DISTRIBUTION
from platereader._files import is_file
from platereader.errors import (
    EngineError,
    InvalidArgumentError,
    UntrustedPickleError,
    WeightsCorruptError,
    WeightsNotFoundError,
)
from platereader.registry import Kind, Registry, WeightEntry, WeightFile
from platereader.registry._exported import YOLO
from platereader.registry._registry import cache_folder
from platereader.runtimes import RuntimeOptions
from platereader.runtimes._kept import FILE_NAME, kept_spec
from platereader.runtimes._processor import BF16_INSTRUCTIONS, INT8_IN_STEPS, INT8_INSTRUCTIONS, cpu_features
from platereader.runtimes._selection import RuntimeSpec, installed_engines, measurable_specs, suitable_specs

if TYPE_CHECKING:
    from platereader.detection._plate_detector import PlateDetector
    from platereader.detection._refined import RefinedDetector
    from platereader.detection._yolo import YoloDetector
    from platereader.recognition._recognizer import CtcRecognizer

DETECTOR_SPECS = (
    RuntimeSpec("openvino", "int8", INT8_IN_STEPS),
    RuntimeSpec("torch", "int8", INT8_IN_STEPS),
    RuntimeSpec("onnx", "int8", INT8_INSTRUCTIONS),
    RuntimeSpec("openvino", "bf16", BF16_INSTRUCTIONS),
    RuntimeSpec("torch", "bf16", BF16_INSTRUCTIONS),
    RuntimeSpec("onnx", "fp32"),
    RuntimeSpec("openvino", "fp32"),
    RuntimeSpec("torch", "fp32"),
)
"""How the detector can run, the fastest first."""

RECOGNIZER_SPECS = (
    RuntimeSpec("openvino", "int8", INT8_IN_STEPS),
    RuntimeSpec("torch", "int8", INT8_IN_STEPS),
    RuntimeSpec("onnx", "int8", INT8_INSTRUCTIONS),
    RuntimeSpec("onnx", "fp32"),
    RuntimeSpec("openvino", "fp32"),
    RuntimeSpec("torch", "fp32"),
    RuntimeSpec("openvino", "bf16", explicit_only=True),  # its confidence is not calibrated
    RuntimeSpec("torch", "bf16", explicit_only=True),
)
"""How the recognizer can run, the fastest first."""


Network = TypeVar("Network")


class _File(NamedTuple):
    """A file that could be loaded: its entry, what reads it, and for a file that was given, the folder it lies in."""

    entry: WeightEntry
    read: Callable[[], WeightFile]
    folder: Path | None = None


class DetectorFiles(NamedTuple):
    """The weights of the two networks of a detector; the settings of the finder's are those of the pair."""

    finder: WeightFile
    refiner: WeightFile


def load_detector(
    weights: str | Path | WeightFile, *, options: RuntimeOptions | None = None, registry: Registry | None = None
) -> PlateDetector | YoloDetector | RefinedDetector:
    """A detector with the weights of a name, at a path or in a file that was read.

    A YOLO model without corners gets those that the packaged refiner finds.

    Args:
        weights: of a name that has several files, the one that runs fastest here is taken.
        options: how it runs. ``int8`` is fp32 for weights that are not quantised.
        registry: where they are looked up; by default the packaged ones and your cache.

    Raises:
        EngineError: the options do not go together or with the weights.
        MissingDependencyError: the engine is not installed.
        UnknownNameError: no weights of that name.
        WeightsError: they are missing or altered.
        InvalidArgumentError: they are of another kind.
    """
    files = _files(weights, kind="detector", registry=registry)
    options = options or RuntimeOptions()
    from platereader.detection._finder import Finder
    from platereader.detection._plate_detector import PlateDetector
    from platereader.detection._refined import REFINER_WEIGHTS, RefinedDetector
    from platereader.detection._refiner import Refiner
    from platereader.detection._yolo import YoloDetector

    if files[0].entry.settings.get("network") == YOLO:
        yolo = _load(YoloDetector.from_weights, files, options=options)
        if yolo.has_corners:
            return yolo
        second = _files(REFINER_WEIGHTS, kind="refiner", registry=registry)
        return RefinedDetector(yolo, _load(Refiner.from_weights, second, options=options))
    second = _files(_refiner_of(files[0].entry, files[0].folder), kind="refiner", registry=registry)
    _check_pair(files[0].entry, [file.entry for file in second])
    finder = _load(Finder.from_weights, files, options=options)
    return PlateDetector.of(finder, _load(Refiner.from_weights, second, options=options))


def load_recognizer(
    weights: str | Path | WeightFile, *, options: RuntimeOptions | None = None, registry: Registry | None = None
) -> CtcRecognizer:
    """A recognizer, as ``load_detector`` loads a detector."""
    from platereader.recognition._recognizer import CtcRecognizer

    files = _files(weights, kind="recognizer", registry=registry)
    return _load(CtcRecognizer.from_weights, files, options=options or RuntimeOptions())


def resolve_weights(name_or_path: str | Path, *, kind: Kind, registry: Registry, **choice: Any) -> WeightFile:
    """``registry.resolve``, for weights of one kind; others are refused."""
    weights = registry.resolve(name_or_path, **choice)
    _check_kind(weights.entry, name_or_path, kind=kind, known=registry.names(kind=kind))
    return weights


def resolve_detector(name_or_path: str | Path, *, registry: Registry, **choice: Any) -> DetectorFiles:
    """``registry.resolve``, for the weights of a detector and those that its settings name as its refiner."""
    finder = resolve_weights(name_or_path, kind="detector", registry=registry, **choice)
    refiner = _refiner_of(finder.entry, finder.path.parent)
    files = DetectorFiles(finder, resolve_weights(refiner, kind="refiner", registry=registry, **choice))
    _check_pair(finder.entry, [files.refiner.entry])
    return files


def _check_kind(entry: WeightEntry, given: object, *, kind: Kind, known: Sequence[str]) -> None:
    if entry.kind != kind:
        raise InvalidArgumentError(
            f"{kind} is {str(given)!r}, which are weights of a {entry.kind}"
            + (f"; known of a {kind} are {', '.join(known)}." if known else f", expected are those of a {kind}.")
        )


def _files(weights: str | Path | WeightFile, *, kind: Kind, registry: Registry | None) -> list[_File]:
    """The files of a name, or the one at a path; those of a name are read when their turn comes."""
    if isinstance(weights, WeightFile):
        _check_kind(weights.entry, weights.path, kind=kind, known=())
        return [_File(weights.entry, lambda: weights, weights.path.parent)]
    registry = Registry.default() if registry is None else registry
    if isinstance(weights, str) and weights in registry.names():
        entries = registry.entries_of(weights)
        _check_kind(entries[0], weights, kind=kind, known=registry.names(kind=kind))
        return [_File(entry, partial(registry.read, entry)) for entry in entries]
    if Path(weights).suffix.lower() in {".pt", ".pth"}:
        detects = ", or make an UltralyticsDetector(path, trust_pickle=True) of it and pass that"
        raise UntrustedPickleError(
            f"{kind} is {str(weights)!r}, which may run any code when it is loaded: export it to ONNX"
            f"{detects if kind == 'detector' else ''}."
        )
    file = resolve_weights(weights, kind=kind, registry=registry)
    return [_File(file.entry, lambda: file, file.path.parent)]


def _refiner_of(finder: WeightEntry, folder: Path | None) -> str | Path:
    """The weights that a detector's settings name as its refiner: a file beside its own, or the name of a model."""
    name = finder.settings.get("refiner")
    if not isinstance(name, str) or not name or name == ".." or Path(name).name != name:
        raise WeightsCorruptError(
            f"the description of the detector {finder.model!r} has settings.refiner = {name!r}, expected is the "
            "name of a refiner's weights, such as 'plate-refiner', or of a file beside its own: correct it, or train "
            "it again."
        )
    if not Path(name).suffix:
        return name
    beside = Path(name) if folder is None else folder / name
    if not is_file(beside):
        raise WeightsNotFoundError(
            f"the detector {finder.model!r} needs its refiner, the file {beside}, which is not there: copy it and "
            "its sidecar beside the detector's own."
        )
    return beside


def _check_pair(finder: WeightEntry, refiners: Sequence[WeightEntry]) -> None:
    """Refuse a refiner that another detector was trained with, where the finder's description says with which."""
    expected = finder.settings.get("refiner_sha256")
    if expected is not None and all(entry.sha256 != expected for entry in refiners):
        raise WeightsCorruptError(
            f"the refiner of the detector {finder.model!r} has the sha256 {refiners[0].sha256}, expected is "
            f"{expected}: put the one beside it that was trained with it."
        )


def _load(from_weights: Callable[..., Network], files: Sequence[_File], *, options: RuntimeOptions) -> Network:
    """The network with the first spec that its engine accepts."""
    specs = RECOGNIZER_SPECS if files[0].entry.kind == "recognizer" else DETECTOR_SPECS
    refusals: list[EngineError] = []
    for chosen, why in _attempts(files, options):
        measured = _measured(files, specs, chosen)
        for spec in dict.fromkeys((*measured, *suitable_specs(specs, chosen))):
            for file in files:
                if not _runs(file.entry, spec):
                    continue
                try:
                    runs = replace(chosen, engine=spec.engine, precision=spec.precision)
                    loaded: Any = from_weights(file.read(), options=runs)
                except EngineError as error:
                    refusals.append(error)
                    continue
                reason = why or ("measured as the fastest here" if spec in measured else _reason(spec, options))
                note = "; ".join([reason, *(str(error) for error in refusals)])
                return cast("Network", replace(loaded, note=note))
        if refusals:
            raise refusals[-1]
    raise EngineError(
        f"no {files[0].entry.kind} runs with engine {options.engine!r} and precision {options.precision!r} on device "
        f"{options.device!r}: installed are {', '.join(installed_engines()) or 'no engines'}, and weights must be "
        f'there in the engine\'s format. See `platereader info`; pip install "{DISTRIBUTION}[openvino,torch]" adds '
        "engines, `platereader train quantize` makes int8 weights, and `platereader train export` ONNX files."
    )


def _measured(files: Sequence[_File], specs: Sequence[RuntimeSpec], options: RuntimeOptions) -> tuple[RuntimeSpec, ...]:
    """What ``platereader benchmark --choose`` found, if it fits the options; otherwise nothing."""
    if options.engine != "auto" or options.device != "cpu":
        return ()
    entries = [file.entry for file in files]
    kept = kept_spec(
        cache_folder() / FILE_NAME,
        entries[0].kind,
        weights=[entry.sha256 for entry in entries],
        allowed=measurable_specs(specs),
    )
    return () if kept is None or options.precision not in {"auto", kept.precision} else (kept,)


def _attempts(files: Sequence[_File], options: RuntimeOptions) -> Iterator[tuple[RuntimeOptions, str | None]]:
    """The options, and what stands for them where nothing runs with them, with why."""
    yield options, None
    precisions = {file.entry.precision for file in files}
    if options.precision == "auto" and len(precisions) == 1:
        (precision,) = precisions
        yield replace(options, precision=precision), f"these weights are {precision}"
    if options.precision == "int8" and files[0].entry.kind in {"detector", "refiner"}:
        yield replace(options, precision="fp32"), "there are no int8 weights of this detector for this engine"


def _runs(entry: WeightEntry, spec: RuntimeSpec) -> bool:
    """Whether a file is one for an engine and a precision."""
    format_fits = (spec.engine == "torch") == (entry.format == "safetensors")
    return format_fits and (spec.precision == "int8") == (entry.precision == "int8")


def _reason(spec: RuntimeSpec, options: RuntimeOptions) -> str:
    """Why a spec was chosen."""
    if options.precision != "auto":
        return "as requested"
    has = cpu_features()
    here = [name for name in spec.instructions if name in has]
    fastest = "fastest installed" if options.engine == "auto" else f"fastest of {spec.engine}"
    return f"{fastest}, CPU has {here[0]}" if here else fastest
