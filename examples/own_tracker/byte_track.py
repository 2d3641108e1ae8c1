"""ByteTrack of ultralytics as the tracker: ``python examples/own_tracker/byte_track.py PICTURE...``.

The pictures are the frames of a video in order, since ByteTrack counts frames and not seconds. Needs
``pip install "platereader-anpr[ultralytics]"``, which is under AGPL-3.0.
"""

import sys
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from platereader import Box, Detection, MissingDependencyError, Pipeline, TrackAssignment
from platereader.media import read_image
from platereader.runtimes._quiet_import import import_ultralytics

SETTINGS = {"track_high_thresh": 0.25, "track_low_thresh": 0.1, "new_track_thresh": 0.25, "match_thresh": 0.8}


class ByteTrack:
    """Ids are per tracker; lost plates keep their predicted boxes."""

    def __init__(self, *, max_gap_frames: int = 30) -> None:
        settings = SimpleNamespace(**SETTINGS, track_buffer=max_gap_frames, fuse_score=True)
        self._tracker = import_ultralytics("ultralytics.trackers.byte_tracker").BYTETracker(settings)
        self._boxes = import_ultralytics("ultralytics.engine.results").Boxes

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:  # noqa: ARG002
        rows = np.array([(*d.box.to_tuple(), d.score, 0) for d in detections], np.float32).reshape(-1, 6)
        ids = {int(row[-1]): int(row[4]) for row in self._tracker.update(self._boxes(rows, (1, 1)))}
        lost = tuple((track.track_id, Box(*track.xyxy.tolist())) for track in self._tracker.lost_stracks)
        ended = tuple(track.track_id for track in self._tracker.removed_stracks_frame)
        return TrackAssignment(tuple(ids.get(index) for index in range(len(detections))), ended=ended, coasting=lost)


def main(arguments: Sequence[str]) -> None:
    pipeline = Pipeline.build(tracker=ByteTrack)
    for update in pipeline.read_stream(map(read_image, arguments), fps=10.0):
        for plate in update.active + update.finished:
            print(f"{update.timestamp_s:.1f} s: plate {plate.passage_id} {plate.text} {plate.status}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except MissingDependencyError as error:  # of ultralytics
        print(error, file=sys.stderr)
        sys.exit(3)
