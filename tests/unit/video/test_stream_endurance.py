"""A stream that runs for days: flat memory, and nothing shared between two of them."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from fakes import frame_with, no_evidence, patch_pipeline, read_as
from platereader import Box, Detection, PlateImage
from platereader._arrays import BgrImage
from platereader.media import read_image
from platereader.pipeline import Pipeline
from platereader.results import PlateEvidence, PlateReading
from platereader.video._stream import PlateStream
from platereader.video._tracking.tracker import MotionTracker

FPS = 10
PICTURES = Path(__file__).parents[3] / "examples" / "pictures"
PERIOD = 210  # frames after which the street repeats itself
NOTHING = np.zeros((720, 1280, 3), np.uint8)


class Street:
    """Detections and readings without pictures: a car of its own every 30 frames, one that parks, and some noise."""

    def __init__(self) -> None:
        self.number = -1
        self.noise = np.random.default_rng(0).uniform(0, 600, (PERIOD, 2)).tolist()
        self.judged = [read_as(f"A{number:03d}BC77") for number in range(PERIOD // 30 + 2)]

    def detect(self, frame: BgrImage) -> list[Detection]:
        """What is in the next frame; the score says which car it is."""
        self.number += 1
        car, step = divmod(self.number % PERIOD, 30)
        found = [Detection(Box(900, 500, 1000, 522), 0.07)]
        if step < 22:
            found.append(Detection(Box(100 + 20 * step, 300, 190 + 20 * step, 320), car / 100))
        if self.number % 7 == 0:
            x, y = self.noise[self.number % PERIOD]
            found.append(Detection(Box(x, y, x + 60, y + 14), 0.08))
        return found

    def read(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        """Every reading has a picture and posteriors of its own, as real ones have."""
        return [self._reading(detection) for detection in detections]

    def _reading(self, detection: Detection) -> PlateReading:
        judged = self.judged[round(100 * detection.score)]
        picture = PlateImage(np.full((48, 200, 3), 90, np.uint8))
        log_probs = judged.evidence.log_probs.copy()
        return replace(judged, evidence=PlateEvidence(detection, picture, log_probs, judged.candidates))


@pytest.mark.slow
def test_memory_stays_flat_whatever_passes() -> None:
    """Every block that is held is counted, so that a few minutes show what days would add up to."""
    street = Street()
    stream = PlateStream(street.detect, street.read, tracker=MotionTracker(), evidence=no_evidence)
    held: list[int] = []
    finished = 0
    tracemalloc.start()
    try:
        for number in range(7 * PERIOD):
            finished += len(stream.update(NOTHING, number / FPS).finished)
            if (number + 1) % PERIOD == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert finished > 40
    assert max(held[4:]) - held[3] < 25e3, held  # the picture of one reading has 29e3; after 84 s all waiting is over


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
