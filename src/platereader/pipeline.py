"""The parts and the methods users call; knows protocols only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage, check_image
from platereader._contracts import (
    check_detections,
    check_iterable,
    check_part,
    checked_detect,
    checked_rectify,
    checked_refine,
    refines,
    timed_frame,
)
from platereader._geometry import Box, Point, is_finite
from platereader._parts import PipelineParts
from platereader._reading import PlateReader
from platereader.errors import InvalidArgumentError, InvalidImageError
from platereader.plates import PlateScheme, Schemes
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier, VerdictPolicy
from platereader.registry import Registry, WeightFile
from platereader.results import Detection, PartDescription, PlateImage, PlateReading, StreamUpdate
from platereader.results._checks import instance, probability
from platereader.runtimes import RuntimeOptions
from platereader.trust import TrustPolicy
from platereader.video._fusion import FusedEvidence
from platereader.video._stream import PlateStream, StreamSettings

__all__ = ["Pipeline", "PipelineParts"]

MOST_THREADS = 1024
"""Of one network: more than any machine has cores, and no more than every engine can start."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Finds and reads plates. Stateless: share one between threads; what changes over time lives in a ``PlateStream``.

    It can be sent to other processes, as process pools and Ray do: pickled, a network is the path and the sha256 of its
    weights and how they run, and is loaded again where it arrives. Parts of your own go along if they can be pickled.

    Attributes:
        parts: what it is made of. ``build`` puts them together; ``Pipeline(replace(pipeline.parts, trust=policy))``,
            with ``dataclasses.replace``, is the same pipeline with another one.

    Raises:
        InvalidArgumentError: ``parts`` are no ``PipelineParts``.
    """

    parts: PipelineParts

    def __post_init__(self) -> None:
        instance(self.parts, PipelineParts, name="parts")

    def __repr__(self) -> str:
        return repr(self.parts).replace("PipelineParts", "Pipeline", 1)

    @classmethod
    def build(
        cls,
        *,
        detector: str | Path | WeightFile | Detector | None = None,
        rectifier: Rectifier | None = None,
        recognizer: str | Path | WeightFile | Recognizer | None = None,
        decoder: CTCDecoder | None = None,
        trust: VerdictPolicy | None = None,
        tracker: Callable[[], PlateTracker] | None = None,
        schemes: Iterable[PlateScheme] | None = None,
        min_score: float | None = None,
        area: Sequence[Point] | NDArray[np.floating] | None = None,
        runtime: RuntimeOptions | None = None,
        engine: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        device: str | None = None,
        registry: Registry | None = None,
    ) -> Pipeline:
        """Put a pipeline together; a default is loaded only for a part that is not given.

        Args:
            detector: the name of weights, a file, or a part of your own; by default the weights ``plate-detector``.
            rectifier: yours; the default uses a detection's corners, or finds them where it has none.
            recognizer: likewise, by default ``plate-recognizer``; the default decoder uses its alphabet.
            decoder: yours; by default a beam search.
            trust: a ``TrustPolicy`` with thresholds of your own, or any ``VerdictPolicy``.
            tracker: a class or function without arguments, called once per stream: ``MotionTracker``, or
                ``functools.partial(MotionTracker, max_gap_s=3.0)``.
            schemes: of the countries that are read, the preferred first; by default all that decoder or alphabet allow.
            min_score: lowest score of a plate that is reported, 0 to 1, in the place of the detector's ``min_score``.
            area: plates are looked for in this polygon of ``(x, y)`` in pixels only, as by ``RegionDetector``.
            runtime: how the networks of weights run; ``RuntimeOptions()`` by default.
            engine: ``"auto"``, ``"openvino"``, ``"onnx"`` or ``"torch"``, in the place of ``runtime.engine``.
            precision: ``"auto"``, ``"int8"``, ``"fp32"`` or ``"bf16"``, in the place of ``runtime.precision``.
            threads: of each network, 1 to 1024, in the place of ``runtime.threads``.
            device: ``"cpu"``, or with torch ``"cuda"``, in the place of ``runtime.device``.
            registry: where weights are looked up; by default the packaged ones and your cache.

        Raises:
            EngineError: engine, precision, threads and device do not go together, or no weights go with them.
            MissingDependencyError: the engine is not installed; the message says which command installs it.
            UnknownNameError: no weights of that name.
            WeightsError: weights are missing or altered.
            InvalidArgumentError: a part or an option of the wrong kind, or parts that do not go together.
        """
        options = _options(runtime, engine=engine, precision=precision, threads=threads, device=device)
        finder, reader = _networks(detector, recognizer, options=options, registry=registry)
        finder = _restricted(finder, min_score=min_score, area=area)
        return cls(_assembled(finder, rectifier, reader, decoder, trust=trust, tracker=tracker, schemes=schemes))

    @property
    def detector(self) -> Detector:
        """Finds plates."""
        return self.parts.detector

    @property
    def rectifier(self) -> Rectifier:
        """Straightens them."""
        return self.parts.rectifier

    @property
    def recognizer(self) -> Recognizer:
        """Gives posteriors over characters."""
        return self.parts.recognizer

    @property
    def decoder(self) -> CTCDecoder:
        """Turns posteriors into texts."""
        return self.parts.decoder

    @property
    def trust(self) -> VerdictPolicy:
        """Says which readings to rely on."""
        return self.parts.trust

    @property
    def tracker(self) -> Callable[[], PlateTracker]:
        """Called once per stream for a fresh tracker."""
        return self.parts.tracker

    @property
    def schemes(self) -> Schemes:
        """Of the countries whose plates are read."""
        return self.parts.schemes

    def read(self, frame: BgrImage) -> list[PlateReading]:
        """Find and read all plates of one frame, best detection first.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR, such as ``read_image`` makes of a file; never written to.

        Raises:
            InvalidImageError: not such an array.
            ContractError: a part broke its contract.
        """
        return self._read([check_image(frame)])[0]

    def read_batch(self, frames: Sequence[BgrImage]) -> list[list[PlateReading]]:
        """Find and read all plates of several frames of any mix of sizes, together.

        Raises:
            InvalidImageError: one of them is not a uint8 ``(H, W, 3)`` array; the message says which.
            InvalidArgumentError: ``frames`` is no list.
            ContractError: a part broke its contract.
        """
        _check_several(frames, name="frames")
        return self._read([check_image(frame, name=f"frames[{index}]") for index, frame in enumerate(frames)])

    def read_detections(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        """Read plates that are already found: one reading per detection, in order.

        Raises:
            InvalidImageError: ``frame`` is not a uint8 ``(H, W, 3)`` array.
            InvalidArgumentError: something else than detections, or one lies wholly outside of the frame.
            ContractError: a part broke its contract.
        """
        checked = check_image(frame)
        found = check_detections(detections, checked)
        return self._reader.read_frames([checked], [found])[0]

    def read_plates(self, plates: Sequence[BgrImage | PlateImage]) -> list[PlateReading]:
        """Read plates that are already cropped: one reading per plate, in order.

        Args:
            plates: uint8 ``(H, W, 3)`` BGR crops, which the rectifier straightens as a box that fills its frame, or
                ``PlateImage``, which are read as they are: one line of text, the lower line behind the upper one.

        Raises:
            InvalidImageError: one of them is not a picture; the message says which.
            ContractError: a part broke its contract.
        """
        _check_several(plates, name="plates")
        pictures = [self._plate_image(plate, index) for index, plate in enumerate(plates)]
        return self._reader.read_plates(pictures, [None] * len(pictures))

    def stream(self, settings: StreamSettings | None = None) -> PlateStream:
        """A fresh stream, the state of one camera; ``settings`` say how much work it does, and how long it waits."""
        return PlateStream(
            lambda frame: self._detect([frame])[0],
            self.read_detections,
            refine=self._refine if refines(self.detector) else None,
            tracker=self.tracker(),
            evidence=lambda: FusedEvidence(self.trust, alphabet=self.recognizer.alphabet, schemes=self.schemes),
            settings=settings,
        )

    def read_stream(
        self,
        frames: Iterable[tuple[float, BgrImage]] | Iterable[BgrImage],
        *,
        fps: float | None = None,
        settings: StreamSettings | None = None,
    ) -> Iterator[StreamUpdate]:
        """Follow the plates through ``frames``; the last update reports whatever was still in view.

        Args:
            frames: ``(timestamp_s, frame)`` pairs, or bare frames together with ``fps``.
            fps: frames per second of bare frames.
            settings: as for ``stream``.

        Raises:
            InvalidArgumentError: bare frames without ``fps``, ``fps`` not positive and finite, or other tuples.
            TimestampError: time does not grow.
        """
        if fps is not None and not (is_finite(fps) and fps > 0):
            raise InvalidArgumentError(f"fps is {fps!r}: pass frames per second, a finite number above 0.")
        check_iterable(frames, name="frames")
        stream = self.stream(settings)
        for index, item in enumerate(frames):
            yield stream.update(*_timed(item, index, fps))
        yield stream.finish()

    def describe(self) -> tuple[PartDescription, ...]:
        """What runs: class, weights and sha256, engine, precision and thread count of each part."""
        return self.parts.describe()

    def _read(self, frames: Sequence[BgrImage]) -> list[list[PlateReading]]:
        return self._reader.read_frames(frames, self._detect(frames))

    def _detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The detections of each frame, best first."""
        return [_best_first(items) for items in checked_detect(self.detector, frames)]

    def _refine(self, frame: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        return _best_first(checked_refine(self.detector, frame, boxes))

    @property
    def _reader(self) -> PlateReader:
        return PlateReader(self.rectifier, self.recognizer, self.decoder, self.trust, self.schemes)

    def _plate_image(self, plate: BgrImage | PlateImage, index: int) -> PlateImage:
        if isinstance(plate, PlateImage):
            return PlateImage(check_image(plate.pixels, name=f"plates[{index}].pixels"), plate.lines)
        crop = check_image(plate, name=f"plates[{index}]")
        whole = Detection(Box(0.0, 0.0, float(crop.shape[1]), float(crop.shape[0])), 1.0)
        return checked_rectify(self.rectifier, crop, [whole])[0]


def _check_several(pictures: object, *, name: str) -> None:
    """Refuse what is no list, and one picture, whose rows would be taken for pictures."""
    check_iterable(pictures, name=name)
    if isinstance(pictures, np.ndarray) and pictures.ndim == 3:
        raise InvalidImageError(f"{name} is one picture, expected is a list of them, also of one: [{name[:-1]}].")


def _best_first(detections: Sequence[Detection]) -> list[Detection]:
    return sorted(detections, key=lambda one: -one.score)


def _networks(
    detector: str | Path | WeightFile | Detector | None,
    recognizer: str | Path | WeightFile | Recognizer | None,
    *,
    options: RuntimeOptions,
    registry: Registry | None,
) -> tuple[Detector, Recognizer]:
    """Detector and recognizer, loaded where weights are given or nothing is."""
    from platereader._defaults import DETECTOR_WEIGHTS, RECOGNIZER_WEIGHTS
    from platereader._loading import load_detector, load_recognizer

    if registry is not None:
        instance(registry, Registry, name="registry")
    detector = DETECTOR_WEIGHTS if detector is None else detector
    recognizer = RECOGNIZER_WEIGHTS if recognizer is None else recognizer
    if isinstance(detector, (str, Path, WeightFile)):
        detector = load_detector(detector, options=options, registry=registry)
    if isinstance(recognizer, (str, Path, WeightFile)):
        recognizer = load_recognizer(recognizer, options=options, registry=registry)
    return detector, recognizer


def _assembled(
    detector: Detector,
    rectifier: Rectifier | None,
    recognizer: Recognizer,
    decoder: CTCDecoder | None,
    *,
    trust: VerdictPolicy | None,
    tracker: Callable[[], PlateTracker] | None,
    schemes: Iterable[PlateScheme] | None,
) -> PipelineParts:
    """The parts, with a default for each that is not given."""
    from platereader import _defaults as defaults

    check_part(recognizer, kind="recognizer")  # before its alphabet is looked at
    chosen = defaults.check_schemes(schemes, alphabet=recognizer.alphabet, decoder=decoder)
    decoder = defaults.default_decoder(recognizer.alphabet, chosen) if decoder is None else decoder
    trust = TrustPolicy() if trust is None else trust
    if isinstance(trust, TrustPolicy):
        trust = defaults.calibrated(trust, recognizer, decoder=decoder)
    return PipelineParts(
        detector=detector,
        rectifier=defaults.default_rectifier() if rectifier is None else rectifier,
        recognizer=recognizer,
        decoder=decoder,
        trust=trust,
        tracker=defaults.TRACKER if tracker is None else tracker,
        schemes=chosen,
    )


def _restricted(
    detector: Detector, *, min_score: float | None, area: Sequence[Point] | NDArray[np.floating] | None
) -> Detector:
    """The detector with another threshold, or for a part of the frame only."""
    from platereader.detection._region import RegionDetector
    from platereader.detection._thresholds import with_min_score

    check_part(detector, kind="detector")
    if min_score is not None:
        name = type(detector).__name__
        chosen = with_min_score(detector, probability(min_score, name="min_score"))
        if chosen is None:
            raise InvalidArgumentError(
                f"min_score is {min_score}, and {name} has no threshold that can be set: make it a dataclass with a "
                "field min_score, or leave out in its detect what scores lower."
            )
        detector = chosen
    return detector if area is None else RegionDetector(detector, cast("Sequence[Point]", area), name="area")


def _options(runtime: RuntimeOptions | None, **shortcuts: str | int | None) -> RuntimeOptions:
    """The options with the shortcuts that are given in the place of their fields."""
    given: dict[str, Any] = {name: value for name, value in shortcuts.items() if value is not None}
    runtime = RuntimeOptions() if runtime is None else runtime
    instance(runtime, RuntimeOptions, name="runtime")
    options = replace(runtime, **given)
    if options.threads is not None and options.threads > MOST_THREADS:
        raise InvalidArgumentError(
            f"threads is {options.threads}, allowed are 1 to {MOST_THREADS}, or None for all cores."
        )
    return options


def _timed(item: object, index: int, fps: float | None) -> tuple[BgrImage, float]:
    if isinstance(item, tuple):
        timestamp_s, frame = timed_frame(cast(object, item), index)
        return frame, timestamp_s
    if fps is None:
        raise InvalidArgumentError("frames are bare pictures and fps is None: pass fps, or (timestamp_s, frame) pairs.")
    return cast(BgrImage, item), index / fps
