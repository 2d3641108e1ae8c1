"""A norfair tracker, which goes by distance: ``python examples/own_tracker/norfair_distance.py PICTURE...``.

The pictures are the frames of a video in order. norfair 2.3 asks for numpy below 2 and runs with 2 all the same:
``pip install --no-deps norfair filterpy``. It counts frames and not seconds.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from platereader import Box, Detection, Pipeline, TrackAssignment
from platereader.media import read_image

try:
    norfair: Any = import_module("norfair")
except ModuleNotFoundError as error:
    print(f"{error.name} is not installed: pip install --no-deps norfair filterpy", file=sys.stderr)
    sys.exit(3)


class DistanceTracker:
    """A plate is the one whose corners are nearest to where they were expected."""

    def __init__(self, *, max_distance_px: float = 150.0) -> None:
        self._tracker = norfair.Tracker("euclidean", distance_threshold=max_distance_px, initialization_delay=0)
        self._alive: set[int] = set()

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:  # noqa: ARG002
        found = [norfair.Detection(np.reshape(d.box.to_tuple(), (2, 2))) for d in detections]
        tracks = self._tracker.update(found)
        ids = {id(track.last_detection): track.id for track in tracks}
        boxes = {t.id: t.estimate for t in tracks if not any(t.last_detection is detection for detection in found)}
        coasting = tuple((key, Box(*p.min(axis=0).tolist(), *p.max(axis=0).tolist())) for key, p in boxes.items())
        ended, self._alive = tuple(self._alive - {t.id for t in tracks}), {t.id for t in tracks}
        return TrackAssignment(tuple(ids.get(id(detection)) for detection in found), ended=ended, coasting=coasting)


def main(arguments: Sequence[str]) -> None:
    pipeline = Pipeline.build(tracker=DistanceTracker)
    for update in pipeline.read_stream(map(read_image, arguments), fps=10.0):
        for plate in update.active + update.finished:
            print(f"{update.timestamp_s:.1f} s: plate {plate.passage_id} {plate.text} {plate.status}")


if __name__ == "__main__":
    main(sys.argv[1:])
