"""How many frames of a video redaction leaves open: ``python -m benchmarks.redaction_coverage DATA``.

Each video is a window that moves, shakes and zooms over one photograph of DATA whose plate has labelled corners. Of
what the detector finds, some is dropped: single frames at random, and two gaps. A frame counts where all of the plate
is inside of it, and is covered where at least 98 % of the plate's area is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader import Detection, Pipeline, Quad
from platereader._arrays import BgrImage
from platereader.detection._thresholds import with_min_score
from platereader.lab.datasets import load_dataset
from platereader.media._images import read_image
from platereader.media._redaction import REDACTION_MIN_SCORE, redact, redact_stream
from platereader.protocols import Detector
from platereader.video._tracking.tracker import MotionTracker

FPS = 25
WIDTH_PX = 512


@dataclass
class ReplayedDetector:
    """What a detector once found, without the frames that are dropped."""

    found: Sequence[list[Detection]]
    dropped: NDArray[np.bool_]
    index: int = field(default=-1)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """The next frame's detections."""
        self.index += 1
        return [[] if self.dropped[self.index] else self.found[self.index]]


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


def is_covered(covered: Sequence[Detection], corners: NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    """Whether the plate's area is filled but for 2 %."""
    filled = redact(np.zeros(shape, np.uint8), covered, method="fill")[..., 0] > 0
    plate = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(plate, corners.round().astype(np.int32), 1)
    return bool(filled[plate > 0].mean() >= 0.98)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--frames", type=int, default=60)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    detector = cast(Detector, with_min_score(Pipeline.build().detector, REDACTION_MIN_SCORE))
    images = [image for image in load_dataset(arguments.data).images if len(image.plates) == 1]
    chosen = [image for image in images if image.plates[0].corners is not None and not image.plates[0].is_loose]
    shown = 0
    covered = {"found in the frame": 0, "without what was dropped": 0, "redact_stream": 0}
    for image in chosen[: arguments.videos]:
        corners = cast(Quad, image.plates[0].corners).to_array()
        pictures = list(video(read_image(image.path), corners, arguments.frames, rng))
        found = [detector.detect([frame])[0] for frame, _ in pictures]
        dropped = dropped_frames(len(pictures), rng)
        timed = [(index / FPS, frame) for index, (frame, _) in enumerate(pictures)]
        out = redact_stream(timed, detector=ReplayedDetector(found, dropped), tracker=MotionTracker())
        for index, redacted in enumerate(out):
            frame, at = pictures[index]
            if at.min() < 0 or (at.max(axis=0) >= [frame.shape[1], frame.shape[0]]).any():
                continue
            shown += 1
            variants = (found[index], [] if dropped[index] else found[index], redacted.covered)
            for name, places in zip(covered, variants, strict=True):
                covered[name] += is_covered(places, at, frame.shape)
        print(image.path.name, shown, covered, flush=True)
    for name, count in covered.items():
        print(f"{name}: {count}/{shown} frames covered, {100 * count / max(shown, 1):.1f} %")


if __name__ == "__main__":
    main()
