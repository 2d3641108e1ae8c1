"""The networks see every frame once; their results are then replayed to all streams that are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from platereader._arrays import BgrImage
from platereader._contracts import refines
from platereader._geometry import Box, iou
from platereader.lab.suites.chunks import chunks
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.truth import TruePlate
from platereader.pipeline import Pipeline
from platereader.results import Detection, PlateReading, StreamUpdate
from platereader.video._fusion import FusedEvidence
from platereader.video._stream import PlateStream, StreamSettings

_CHUNK = 4
# A refiner looks at a place where it overlaps a plate by this much.
_SAME_PLACE_IOU = 0.4


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """What was found and read in one frame, best detection first, and the true plates where they are known."""

    timestamp_s: float
    readings: tuple[PlateReading, ...]
    size_px: tuple[int, int] = (1, 1)
    plates: tuple[TruePlate, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """The updates of a stream, one for each frame and the last one of ``finish``.

    ``detector_runs`` counts the frames that it searched as a whole, ``read`` the plates that it read.
    """

    updates: tuple[StreamUpdate, ...]
    detector_runs: int
    read: int


def record(pipeline: Pipeline, frames: Iterable[VideoFrame]) -> list[RecordedFrame]:
    """Find and read everything in every frame of a clip."""
    recorded: list[RecordedFrame] = []
    for some in chunks(frames, size=_CHUNK):
        read = pipeline.read_batch([one.pixels for one in some])
        for frame, readings in zip(some, read, strict=True):
            height, width = frame.pixels.shape[:2]
            recorded.append(RecordedFrame(frame.timestamp_s, tuple(readings), (width, height), frame.plates))
    return recorded


def replay(pipeline: Pipeline, frames: Sequence[RecordedFrame], settings: StreamSettings | None = None) -> Replay:
    """Let a fresh stream of the pipeline see recorded frames; the networks are not run.

    Where the detector refines, a place is taken to show what a search of the same frame found there.
    """
    parts = _RecordedParts()
    stream = PlateStream(
        parts.detect,
        parts.read,
        refine=parts.refine if refines(pipeline.detector) else None,
        tracker=pipeline.tracker(),
        evidence=lambda: FusedEvidence(pipeline.trust, alphabet=pipeline.recognizer.alphabet, schemes=pipeline.schemes),
        settings=settings,
    )
    updates: list[StreamUpdate] = []
    for frame in frames:
        parts.frame = frame
        width, height = frame.size_px
        updates.append(stream.update(np.zeros((height, width, 3), np.uint8), frame.timestamp_s))
    updates.append(stream.finish())
    return Replay(tuple(updates), parts.detector_runs, parts.reads)


@dataclass(slots=True)
class _RecordedParts:
    """Stands in for the networks, with their results on the current frame."""

    frame: RecordedFrame = RecordedFrame(0.0, ())
    detector_runs: int = 0
    reads: int = 0

    @property
    def detections(self) -> list[Detection]:
        return [one.detection for one in self.frame.readings if one.detection is not None]

    def detect(self, _pixels: BgrImage) -> list[Detection]:
        self.detector_runs += 1
        return self.detections

    def refine(self, _pixels: BgrImage, boxes: Sequence[Box]) -> list[Detection]:
        near = [one for one in self.detections if any(iou(one.box, box) >= _SAME_PLACE_IOU for box in boxes)]
        return near[: len(boxes)]

    def read(self, _pixels: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        self.reads += len(detections)
        known = {id(one.detection): one for one in self.frame.readings}
        return [known[id(detection)] for detection in detections]
