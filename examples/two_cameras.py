"""Follow two videos in two threads with one pipeline: ``python examples/two_cameras.py VIDEO VIDEO``."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

import cv2

from platereader import BgrImage, Pipeline


def frames_of(video: cv2.VideoCapture) -> Iterator[BgrImage]:
    while True:
        there, frame = video.read()
        if not there:
            return
        yield cast(BgrImage, frame)


def follow(pipeline: Pipeline, path: str) -> list[str]:
    """One line for each plate that was seen. The stream inside belongs to this video alone."""
    video = cv2.VideoCapture(path)
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    updates = list(pipeline.read_stream(frames_of(video), fps=fps))
    video.release()
    gone = [plate for update in updates for plate in update.finished]
    return [f"{path} {plate.first_seen_s:.1f}-{plate.last_seen_s:.1f} s {plate.text} {plate.status}" for plate in gone]


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        raise SystemExit(__doc__)
    pipeline = Pipeline.build()
    with ThreadPoolExecutor() as threads:
        for lines in threads.map(partial(follow, pipeline), arguments):
            print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
