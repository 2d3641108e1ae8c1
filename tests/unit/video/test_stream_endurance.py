"""A stream that runs for days: flat memory, and nothing shared between two of them."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from fakes import frame_with, judged, patch_pipeline
from platereader import Box, Detection, PlateImage
from platereader._arrays import BgrImage
from platereader.media import read_image
from platereader.pipeline import Pipeline
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN
from platereader.results import Candidate, PlateEvidence, PlateReading
from platereader.testing import spelled
from platereader.trust import TrustPolicy
from platereader.video._fusion import FusedEvidence
from platereader.video._stream import PlateStream
from platereader.video._tracking.tracker import MotionTracker

FPS = 10
FRAMES = 20_000
STATM = Path("/proc/self/statm")
PICTURES = Path(__file__).parents[3] / "examples" / "pictures"
NOTHING = np.zeros((720, 1280, 3), np.uint8)


class Street:
    """Detections and readings without pictures: a car of its own every 30 frames, one that parks, and some noise."""

    def __init__(self) -> None:
        self.number = -1
        self.rng = np.random.default_rng(0)
        self.judged = [self._judged(f"A{number:03d}BC77") for number in range(50)]

    def _judged(self, text: str) -> PlateReading:
        candidates = (Candidate(text, -0.01, "standard"),)
        plate = PlateImage(np.zeros((1, 1, 3), np.uint8))
        evidence = PlateEvidence(None, plate, spelled(text, RUSSIAN, steps=24), candidates)
        return judged(evidence)

    def detect(self, frame: BgrImage) -> list[Detection]:
        """What is in the next frame; the score says which car it is."""
        self.number += 1
        car, step = divmod(self.number, 30)
        found = [Detection(Box(900, 500, 1000, 522), 0.001)]
        if step < 22:
            found.append(Detection(Box(100 + 20 * step, 300, 190 + 20 * step, 320), (car % 50) / 100))
        if self.number % 7 == 0:
            x, y = self.rng.uniform(0, 600, 2).tolist()
            found.append(Detection(Box(x, y, x + 60, y + 14), 0.99))
        return found

    def read(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        """Every reading has a picture of its own, as real ones have."""
        return [self._reading(detection) for detection in detections]

    def _reading(self, detection: Detection) -> PlateReading:
        judged = self.judged[round(100 * detection.score) % 50]
        picture = PlateImage(np.full((48, 200, 3), 90, np.uint8))
        log_probs = judged.evidence.log_probs.copy()
        return replace(judged, evidence=PlateEvidence(detection, picture, log_probs, judged.candidates))


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()


@pytest.mark.slow
@pytest.mark.skipif(not STATM.is_file(), reason="resident memory is read from /proc")
def test_memory_stays_flat_over_20000_frames() -> None:
    street, trust = Street(), TrustPolicy()
    stream = PlateStream(
        street.detect,
        street.read,
        tracker=MotionTracker(),
        evidence=lambda: FusedEvidence(trust, alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES),
    )
    marks: list[int] = []
    finished = 0
    for number in range(FRAMES):
        finished += len(stream.update(NOTHING, number / FPS).finished)
        if (number + 1) % (FRAMES // 4) == 0:
            marks.append(resident_bytes())
    assert finished > 200
    assert max(marks) - marks[0] < 10e6, marks


def told(pipeline: Pipeline, frames: Iterable[BgrImage], *, start: Barrier | None = None) -> list[dict[str, Any]]:
    """Everything a stream says of some frames."""
    if start is not None:
        start.wait()
    stream = pipeline.stream()
    updates = [stream.update(pixels, number / FPS) for number, pixels in enumerate(frames)]
    return [update.to_dict() for update in (*updates, stream.finish())]


def passing(blue: int) -> Iterator[BgrImage]:
    """A car that comes twice."""
    for step in range(60):
        yield frame_with({blue: Box(10 + 3 * step, 30, 90 + 3 * step, 50)} if step % 40 < 25 else {})


def panned(name: str) -> Iterator[BgrImage]:
    """A street from a camera that turns."""
    street = read_image(PICTURES / name)
    for step in range(4):
        yield np.ascontiguousarray(np.roll(street, 6 * step, axis=1))


@pytest.mark.parametrize("shipped", [False, True])
def test_two_streams_in_two_threads_say_what_they_say_one_after_the_other(*, shipped: bool) -> None:
    pipeline = Pipeline.build() if shipped else patch_pipeline()
    videos = [list(panned(f"street-{n}.jpg")) if shipped else list(passing(50 * n)) for n in (1, 2)]
    alone = [told(pipeline, video) for video in videos]
    start = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda video: told(pipeline, video, start=start), videos))
    assert together == alone
    finished = [[plate["text"] for update in one for plate in update["finished"]] for one in together]
    assert finished[0] != finished[1]
    assert all(finished)
