"""How many plates redaction leaves open, and how much it covers: ``python -m benchmarks.redaction_coverage DATA``.

With ``--suite``, DATA is the folder that the video suite is made from, whose truth is exact: every legible plate of
every frame counts. Without, each video is a window that moves, shakes and zooms over one photograph of DATA whose plate
has labelled corners. Of what the detector finds there, some is dropped: single frames at random, and two gaps. A frame
counts where all of the plate is inside of it.

With ``--read``, DATA is a folder of real videos. Each frame is read before and after, by a detector with a larger input
than the one that redacts: what has a text after it was left open.

A plate is covered where at least 98 % of its middle is, 80 % of its width and height: its characters, whatever the
labels make of its rim. The area is that of all that is covered, in areas of the plates that are in the frames.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader import Detection, Pipeline, PlateReading, Quad
from platereader._arrays import BgrImage
from platereader.detection import PlateDetector
from platereader.detection._thresholds import with_min_score
from platereader.lab.datasets import load_dataset
from platereader.lab.synthesis.video.clip import Clip, VideoFrame
from platereader.lab.synthesis.video.clips import clip, clip_names
from platereader.lab.synthesis.video.material import load_material
from platereader.media import open_source
from platereader.media._images import read_image
from platereader.media._redaction import REDACTION_MIN_SCORE, redact, redact_stream
from platereader.protocols import Detector
from platereader.video._tracking.tracker import MotionTracker

FPS = 25
WIDTH_PX = 512
MIDDLE = 0.8
CLOSE_PX, LEGIBLE_CHARACTERS = 1280, 4


@dataclass
class ReplayedDetector:
    """What a detector once found, frame by frame."""

    found: Iterator[list[Detection]]

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The next frame's detections."""
        return [next(self.found)]


def video(
    photograph: BgrImage, corners: NDArray[np.float32], frames: int, rng: np.random.Generator
) -> Iterator[tuple[BgrImage, NDArray[np.float32]]]:
    """Frames of a moving window, and the plate's corners in each."""
    height, width = photograph.shape[:2]
    middle = corners.mean(axis=0)
    start, end = rng.uniform(-0.25, 0.25, (2, 2)) * width
    zoom = np.exp(np.linspace(0, rng.uniform(-0.5, 0.5), frames))
    shake = cv2.GaussianBlur(rng.normal(size=(frames, 2)), (1, 7), 2) * 0.01 * width
    for index in range(frames):
        share = index / (frames - 1)
        at = middle + start + share**1.5 * (end - start) + shake[index]
        scale = WIDTH_PX / (0.6 * width) * zoom[index]
        size = np.array([WIDTH_PX, round(WIDTH_PX * height / width)])
        move = np.hstack([np.eye(2) * scale, (size / 2 - scale * at)[:, None]])
        frame = cv2.warpAffine(photograph, move, size.tolist(), borderMode=cv2.BORDER_REFLECT)
        yield cast(BgrImage, frame), (corners * scale + move[:, 2]).astype(np.float32)


def dropped_frames(frames: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Three in ten at random, and two gaps of 0.4 to 0.8 seconds."""
    dropped = rng.random(frames) < 0.3
    for start in (frames // 5, 3 * frames // 5):
        dropped[start : start + int(rng.uniform(0.4, 0.8) * FPS)] = True
    return dropped


@dataclass
class Coverage:
    """Plates whose middle is covered, those that are covered whole, and the area that is."""

    plates: int = 0
    covered: int = 0
    whole: int = 0
    painted_px: int = 0
    plates_px: int = 0

    def add(self, other: Coverage) -> None:
        """Count what another one counted."""
        self.plates += other.plates
        self.covered += other.covered
        self.whole += other.whole
        self.painted_px += other.painted_px
        self.plates_px += other.plates_px

    def __str__(self) -> str:
        share, area = 100 * self.covered / max(self.plates, 1), self.painted_px / max(self.plates_px, 1)
        counts = f"{self.covered}/{self.plates} plates covered, {share:.2f} %, {self.whole} up to their rim"
        return f"{counts}; area {area:.2f} times the plates'"


def frame_coverage(
    places: Sequence[Detection],
    legible: Sequence[NDArray[np.float32]],
    shown: Sequence[NDArray[np.float32]],
    shape: tuple[int, ...],
) -> Coverage:
    """Count one frame.

    Args:
        places: what is covered.
        legible: corners of the plates that must be, float32 ``(4, 2)`` each.
        shown: corners of all plates.
        shape: of the frame.
    """
    painted = painted_mask([one for one in places if one.box.clipped(shape[1], shape[0]) is not None], shape)
    middles = [corners.mean(axis=0) + MIDDLE * (corners - corners.mean(axis=0)) for corners in legible]
    return Coverage(
        plates=len(legible),
        covered=sum(bool(painted[plate_mask([middle], shape)].mean() >= 0.98) for middle in middles),
        whole=sum(bool(painted[plate_mask([corners], shape)].mean() >= 0.98) for corners in legible),
        painted_px=int(painted.sum()),
        plates_px=int(plate_mask(shown, shape).sum()),
    )


def painted_mask(places: Sequence[Detection], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where ``redact`` changes a frame; all methods paint the same pixels, and a fill is the cheapest."""
    noise = noise_of(shape)
    same = cv2.inRange(cv2.absdiff(redact(noise, places, method="fill"), noise), (0, 0, 0), (0, 0, 0))
    painted: NDArray[np.bool_] = np.asarray(same, np.uint8) == 0
    return painted


@lru_cache(maxsize=1)
def noise_of(shape: tuple[int, ...]) -> BgrImage:
    """A frame of which hardly a pixel stays as it is when it is painted over."""
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def plate_mask(plates: Sequence[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where plates with these corners are in a frame."""
    mask = np.zeros(shape[:2], np.uint8)
    for corners in plates:
        cv2.fillConvexPoly(mask, corners.round().astype(np.int32), 1)
    return mask > 0


def measure_suite(detector: Detector, root: Path, *, clips: int | None) -> None:
    """Redact the clips of the video suite."""
    material = load_material(root)
    by_level: dict[str, Coverage] = {}
    names = clip_names()
    for name in names[:: len(names) // min(clips or len(names), len(names))]:
        made = clip(name, material)
        truth: list[VideoFrame] = []

        def frames(made: Clip = made, truth: list[VideoFrame] = truth) -> Iterator[tuple[float, BgrImage]]:
            for one in made.frames():
                truth.append(replace(one, pixels=one.pixels[:0]))
                yield one.timestamp_s, one.pixels

        coverage = Coverage()
        out = redact_stream(frames(), detector=detector, tracker=MotionTracker())
        for index, redacted in enumerate(out):
            plates = truth[index].plates
            legible = [plate.corners.to_array() for plate in plates if plate.legible]
            shown = [plate.corners.to_array() for plate in plates]
            coverage.add(frame_coverage(redacted.covered, legible, shown, redacted.frame.shape))
        for level in (made.level, "all"):
            by_level.setdefault(level, Coverage()).add(coverage)
        print(f"{name}: {coverage}", flush=True)
    for level, coverage in by_level.items():
        print(f"{level}: {coverage}")


def measure_windows(detector: Detector, data: Path, *, videos: int, frames: int) -> None:
    """Redact windows over photographs, with detections dropped."""
    rng = np.random.default_rng(0)
    images = [image for image in load_dataset(data).images if len(image.plates) == 1]
    chosen = [image for image in images if image.plates[0].corners is not None and not image.plates[0].is_loose]
    names = ("found in the frame", "without what was dropped", "redact_stream")
    results = {name: Coverage() for name in names}
    for image in chosen[:videos]:
        corners = cast(Quad, image.plates[0].corners).to_array()
        pictures = list(video(read_image(image.path), corners, frames, rng))
        found = [detector.detect([frame])[0] for frame, _ in pictures]
        left = [[] if gone else one for one, gone in zip(found, dropped_frames(len(pictures), rng), strict=True)]
        timed = [(index / FPS, frame) for index, (frame, _) in enumerate(pictures)]
        out = redact_stream(timed, detector=ReplayedDetector(iter(left)), tracker=MotionTracker())
        for index, redacted in enumerate(out):
            frame, at = pictures[index]
            is_whole = at.min() >= 0 and bool((at.max(axis=0) < [frame.shape[1], frame.shape[0]]).all())
            for name, places in zip(names, (found[index], left[index], redacted.covered), strict=True):
                results[name].add(frame_coverage(places, [at] if is_whole else [], [at], frame.shape))
        print(image.path.name, results["redact_stream"], flush=True)
    for name, coverage in results.items():
        print(f"{name}: {coverage}")


def measure_real(pipeline: Pipeline, detector: Detector, folder: Path) -> None:
    """Redact real videos, and read what is left."""
    assert isinstance(pipeline.detector, PlateDetector)
    reader = Pipeline(replace(pipeline.parts, detector=pipeline.detector.with_input_size(CLOSE_PX)))
    for path in sorted(folder.glob("*.mp4")):
        frames, before, left = 0, 0, list[str]()
        redacted = redact_stream(open_source(path), detector=detector, tracker=MotionTracker())
        for (timestamp_s, frame), one in zip(open_source(path), redacted, strict=True):
            frames += 1
            before += sum(has_text(reading, confidence=0.3) for reading in reader.read(frame))
            if any(has_text(reading, confidence=0.1) for reading in reader.read(one.frame)):
                left.append(f"{timestamp_s:.2f}")
        print(f"{path.name}: {frames} frames; {before} plates read before, {len(left)} after {left}", flush=True)


def has_text(reading: PlateReading, *, confidence: float) -> bool:
    """Whether something like a plate's text was read, and not by chance."""
    return len(reading.text or "") >= LEGIBLE_CHARACTERS and reading.confidence >= confidence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--suite", action="store_true", help="the clips of the video suite")
    parser.add_argument("--read", action="store_true", help="real videos: what can be read in them before and after")
    parser.add_argument("--clips", type=int, help="about so many of them, of all levels (default: all)")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--frames", type=int, default=60)
    arguments = parser.parse_args()
    pipeline = Pipeline.build()
    detector = cast(Detector, with_min_score(pipeline.detector, REDACTION_MIN_SCORE))
    if arguments.read:
        measure_real(pipeline, detector, arguments.data)
    elif arguments.suite:
        measure_suite(detector, arguments.data, clips=arguments.clips)
    else:
        measure_windows(detector, arguments.data, videos=arguments.videos, frames=arguments.frames)


if __name__ == "__main__":
    main()
