"""A tracker of Roboflow's ``trackers``: ``python examples/own_tracker/roboflow_trackers.py PICTURE...``.

The pictures are the frames of a video in order. ``trackers`` asks for ``opencv-python``, which must not lie beside our
headless OpenCV: ``pip install --no-deps trackers supervision pydeprecate defusedxml av``.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from platereader import Box, Detection, Pipeline, TrackAssignment
from platereader.media import read_image

try:
    supervision: Any = import_module("supervision")
    trackers: Any = import_module("trackers")
except ModuleNotFoundError as error:
    print(
        f"{error.name} is not installed: pip install --no-deps trackers supervision pydeprecate defusedxml av",
        file=sys.stderr,
    )
    sys.exit(3)


class RoboflowTracker:
    """OC-SORT in seconds; any other class of the package does as well."""

    def __init__(self) -> None:
        self._tracker = trackers.OCSORTTracker(minimum_consecutive_frames=1)
        self._alive: set[int] = set()

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        boxes = np.array([d.box.to_tuple() for d in detections], np.float32).reshape(-1, 4)
        scores = np.array([d.score for d in detections], np.float32)
        found = supervision.Detections(boxes, confidence=scores, data={"index": np.arange(len(boxes))})
        tracked = self._tracker.update(found, timestamp=timestamp_s)
        ids = {int(i): int(t) for i, t in zip(tracked.data.get("index", ()), tracked.tracker_id, strict=True) if t >= 0}
        alive = {t.tracker_id: t.get_state_bbox() for t in self._tracker.tracks if t.tracker_id >= 0}
        coasting = tuple((key, Box(*map(float, box))) for key, box in alive.items() if key not in ids.values())
        ended, self._alive = tuple(self._alive - alive.keys()), set(alive)
        return TrackAssignment(tuple(ids.get(index) for index in range(len(boxes))), ended=ended, coasting=coasting)


def main(arguments: Sequence[str]) -> None:
    pipeline = Pipeline.build(tracker=RoboflowTracker)
    for update in pipeline.read_stream(map(read_image, arguments), fps=10.0):
        for plate in update.active + update.finished:
            print(f"{update.timestamp_s:.1f} s: plate {plate.passage_id} {plate.text} {plate.status}")


if __name__ == "__main__":
    main(sys.argv[1:])
