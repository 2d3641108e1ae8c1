"""The parts and the methods users call; knows protocols only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platereader.arrays import BgrImage, check_image
from platereader.errors import InvalidArgumentError
from platereader.protocols import CTCDecoder, Detector, PlateTracker, Recognizer, Rectifier
from platereader.reading import PlateReader, check_detection, detect
from platereader.results import Detection, PartDescription, PlateImage, PlateReading, StreamUpdate
from platereader.stream import PlateStream
from platereader.trust import TrustPolicy

if TYPE_CHECKING:
    from platereader.registry import Registry


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Finds and reads plates. Stateless: share one between threads; what changes over time lives in a ``PlateStream``.

    Attributes:
        detector: finds plates.
        rectifier: straightens them.
        recognizer: gives posteriors over characters.
        decoder: turns posteriors into texts; its alphabet equals the recognizer's.
        trust: says which readings to rely on.
        tracker: called once per stream for a fresh tracker.
        descriptions: what ``describe`` returns; filled by ``build``.

    Raises:
        InvalidArgumentError: recognizer and decoder have different alphabets.
    """

    detector: Detector
    rectifier: Rectifier
    recognizer: Recognizer
    decoder: CTCDecoder
    trust: TrustPolicy
    tracker: Callable[[], PlateTracker]
    descriptions: tuple[PartDescription, ...] = ()

    def __post_init__(self) -> None:
        if self.recognizer.alphabet != self.decoder.alphabet:
            raise InvalidArgumentError(
                f"the recognizer's alphabet {self.recognizer.alphabet.characters!r} differs from the decoder's "
                f"{self.decoder.alphabet.characters!r}: build the decoder with recognizer.alphabet."
            )

    @classmethod
    def build(
        cls,
        *,
        detector: Detector | None = None,
        rectifier: Rectifier | None = None,
        recognizer: Recognizer | None = None,
        decoder: CTCDecoder | None = None,
        trust: TrustPolicy | None = None,
        tracker: Callable[[], PlateTracker] | None = None,
        engine: str = "auto",
        precision: str = "auto",
        registry: Registry | None = None,
    ) -> Pipeline:
        """Put a pipeline together; a default is loaded only for a part that is not given.

        Args:
            detector: yours, instead of the shipped YOLOv8n.
            rectifier: yours; the default uses a detection's corners, or finds them where it has none.
            recognizer: yours; the default decoder then uses its alphabet.
            decoder: yours.
            trust: thresholds of your own.
            tracker: a class or function without arguments, called once per stream.
            engine: ``"torch"``, or ``"auto"`` for the fastest installed.
            precision: ``"fp32"``, ``"bf16"``, or ``"auto"`` for what suits this CPU.
            registry: where weights are looked up; by default the packaged ones and your cache.

        Raises:
            EngineError: engine and precision do not go together, or are unknown.
            WeightsError: the default weights are missing or altered.
            InvalidArgumentError: alphabets of recognizer and decoder differ.
        """
        from platereader import defaults

        given = (detector, rectifier, recognizer, decoder, trust, tracker)
        return cls(*defaults.complete(given, engine=engine, precision=precision, registry=registry))

    def read(self, frame: BgrImage) -> list[PlateReading]:
        """Find and read all plates of one frame, best detection first.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR; never written to.

        Raises:
            InvalidImageError: not such an array.
            ContractError: a part broke its contract.
        """
        return self.read_batch([frame])[0]

    def read_batch(self, frames: Sequence[BgrImage]) -> list[list[PlateReading]]:
        """Find and read all plates of several frames of any mix of sizes, together.

        Raises:
            InvalidImageError: one of them is not a uint8 ``(H, W, 3)`` array; the message says which.
            ContractError: a part broke its contract.
        """
        checked = [check_image(frame, name=f"frames[{index}]") for index, frame in enumerate(frames)]
        found = [sorted(items, key=lambda item: -item.score) for items in detect(self.detector, checked)]
        return self._reader.read_frames(checked, found)

    def read_detections(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        """Read plates that are already found: one reading per detection, in order.

        Raises:
            InvalidImageError: ``frame`` is not a uint8 ``(H, W, 3)`` array.
            ContractError: a detection lies wholly outside of the frame, or has a score outside 0..1.
        """
        checked = check_image(frame)
        for detection in detections:
            check_detection(detection, checked, source="detections")
        return self._reader.read_frames([checked], [detections])[0]

    def read_plates(self, plates: Sequence[BgrImage | PlateImage]) -> list[PlateReading]:
        """Read plates that are already cropped and straight: one reading per plate, in order.

        Args:
            plates: uint8 ``(H, W, 3)`` BGR crops, or ``PlateImage`` from a rectifier.

        Raises:
            InvalidImageError: one of them is not a picture; the message says which.
        """
        pictures = [_plate_image(plate, index) for index, plate in enumerate(plates)]
        return self._reader.read_plates(pictures, [None] * len(pictures))

    def stream(self) -> PlateStream:
        """A fresh stream: the state of one camera."""
        return PlateStream(
            self.read, tracker=self.tracker(), trust=self.trust, alphabet=self.recognizer.alphabet
        )

    def read_stream(
        self, frames: Iterable[tuple[float, BgrImage]] | Iterable[BgrImage], *, fps: float | None = None
    ) -> Iterator[StreamUpdate]:
        """Follow the plates through ``frames``; the last update reports whatever was still in view.

        Args:
            frames: ``(timestamp_s, frame)`` pairs, or bare frames together with ``fps``.
            fps: frames per second of bare frames.

        Raises:
            InvalidArgumentError: bare frames without ``fps``, or ``fps`` not positive.
            TimestampError: time does not grow.
        """
        if fps is not None and not fps > 0:
            raise InvalidArgumentError(f"fps is {fps}: pass frames per second above 0.")
        stream = self.stream()
        for index, item in enumerate(frames):
            yield stream.update(*_timed(item, index, fps))
        yield stream.finish()

    def describe(self) -> tuple[PartDescription, ...]:
        """What runs: class, weights and sha256, engine, precision and thread count of each part."""
        return self.descriptions

    @property
    def _reader(self) -> PlateReader:
        return PlateReader(self.rectifier, self.recognizer, self.decoder, self.trust)


def _plate_image(plate: BgrImage | PlateImage, index: int) -> PlateImage:
    if isinstance(plate, PlateImage):
        return PlateImage(check_image(plate.pixels, name=f"plates[{index}].pixels"), plate.lines)
    return PlateImage(check_image(plate, name=f"plates[{index}]"))


def _timed(item: tuple[float, BgrImage] | BgrImage, index: int, fps: float | None) -> tuple[BgrImage, float]:
    if isinstance(item, tuple):
        return item[1], float(item[0])
    if fps is None:
        raise InvalidArgumentError("frames are bare pictures and fps is None: pass fps, or (timestamp_s, frame) pairs.")
    return item, index / fps
