"""Tracks by overlap: every track is moved on at constant velocity and takes the detection that covers it best.

A plate is a flat target and often moves by more than its own height between two frames, so boxes are grown before they
are compared (buffered IoU: Yang et al., "Hard to Track Objects with Irregular Motions and Similar Appearances?",
WACV 2023).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError, TimestampError
from platereader.geometry import Box, iou_matrix
from platereader.results import Detection, TrackAssignment

_VELOCITY_GAIN = 0.5
# A shorter step would turn a box's jitter of one pixel into thousands of pixels a second.
_MIN_STEP_S = 1e-3


@dataclass(slots=True)
class _Track:
    """State of one track; ``track_id`` is None until it is confirmed."""

    box: Box
    last_seen_s: float
    hits: int = 1
    velocity: tuple[float, float] | None = None
    track_id: int | None = None

    def predicted(self, timestamp_s: float) -> Box:
        """The last box moved on to ``timestamp_s``."""
        if self.velocity is None:
            return self.box
        elapsed_s = timestamp_s - self.last_seen_s
        return self.box.moved(self.velocity[0] * elapsed_s, self.velocity[1] * elapsed_s)

    def follow(self, box: Box, timestamp_s: float) -> None:
        """Take in the box seen at ``timestamp_s``."""
        step_s = max(timestamp_s - self.last_seen_s, _MIN_STEP_S)
        (old_x, old_y), (new_x, new_y) = self.box.center, box.center
        seen = ((new_x - old_x) / step_s, (new_y - old_y) / step_s)
        if self.velocity is None:
            self.velocity = seen
        else:
            vx, vy = self.velocity
            self.velocity = (vx + _VELOCITY_GAIN * (seen[0] - vx), vy + _VELOCITY_GAIN * (seen[1] - vy))
        self.box, self.last_seen_s, self.hits = box, timestamp_s, self.hits + 1


@final
class IouTracker:
    """Intersection over union with constant velocity; one instance per camera, not for several threads.

    Ids start at 1 and are given in the order in which tracks are confirmed. Memory is bounded by the detections of the
    last ``max_gap_s`` seconds.

    Args:
        min_iou: least overlap, above 0 to 1, of a detection's grown box with a track's grown prediction.
        growth: how far boxes grow on every side before they are compared, in square roots of their area.
        min_hits: frames a plate must be seen in before it gets an id.
        max_gap_s: how long a track waits for its plate to be seen again, seconds; frames further apart than this
            never share a track.

    Raises:
        InvalidArgumentError: a value out of range.
    """

    def __init__(
        self, *, min_iou: float = 0.2, growth: float = 0.75, min_hits: int = 1, max_gap_s: float = 1.0
    ) -> None:
        if not 0 < min_iou <= 1:
            raise InvalidArgumentError(f"min_iou is {min_iou}, allowed are numbers above 0 up to 1.")
        if not (growth >= 0 and math.isfinite(growth)):
            raise InvalidArgumentError(f"growth is {growth}, allowed are 0 and finite numbers above.")
        if min_hits < 1:
            raise InvalidArgumentError(f"min_hits is {min_hits}, allowed are whole numbers from 1.")
        if not (max_gap_s > 0 and math.isfinite(max_gap_s)):
            raise InvalidArgumentError(f"max_gap_s is {max_gap_s}, allowed are finite numbers above 0.")
        self._min_iou = min_iou
        self._growth = growth
        self._min_hits = min_hits
        self._max_gap_s = max_gap_s
        self._tracks: list[_Track] = []
        self._ids_given = 0
        self._now_s = -math.inf

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        """Take in one frame's detections.

        Args:
            detections: the plates of this frame, in any order; may be empty.
            timestamp_s: time of the frame in seconds, later than that of the frame before.

        Returns:
            Ids in the order of ``detections``, the confirmed tracks that were not seen, and those that have ended.

        Raises:
            TimestampError: the time is not finite or did not grow.
        """
        self._advance(timestamp_s)
        ended = self._drop_lost(timestamp_s)
        predictions = [track.predicted(timestamp_s) for track in self._tracks]
        pairs = self._match(predictions, [detection.box for detection in detections])
        followed: dict[int, _Track] = {}
        for track_index, detection_index in pairs:
            track = self._tracks[track_index]
            track.follow(detections[detection_index].box, timestamp_s)
            followed[detection_index] = track
        seen = {track_index for track_index, _ in pairs}
        coasting = tuple(
            (track.track_id, predictions[index])
            for index, track in enumerate(self._tracks)
            if index not in seen and track.track_id is not None
        )
        ids = tuple(self._id_of(followed.get(index), d.box, timestamp_s) for index, d in enumerate(detections))
        return TrackAssignment(ids, coasting, ended)

    def _advance(self, timestamp_s: float) -> None:
        """Move the clock on."""
        if not math.isfinite(timestamp_s) or timestamp_s <= self._now_s:
            raise TimestampError(
                f"timestamp_s is {timestamp_s}, the frame before was at {self._now_s}: times must be finite and grow "
                "from frame to frame; use one tracker per camera and a new one after a restart."
            )
        self._now_s = timestamp_s

    def _drop_lost(self, timestamp_s: float) -> tuple[int, ...]:
        """Forget tracks not seen for too long; the ids among them."""
        lost = [track for track in self._tracks if timestamp_s - track.last_seen_s > self._max_gap_s]
        self._tracks = [track for track in self._tracks if timestamp_s - track.last_seen_s <= self._max_gap_s]
        return tuple(track.track_id for track in lost if track.track_id is not None)

    def _match(self, predictions: Sequence[Box], boxes: Sequence[Box]) -> list[tuple[int, int]]:
        """Pairs of (track index, detection index), the best overlaps first, each index at most once."""
        if not predictions or not boxes:
            return []
        overlap = iou_matrix(self._grown(predictions), self._grown(boxes))
        order = np.argsort(-overlap, axis=None, kind="stable")
        pairs: list[tuple[int, int]] = []
        free_tracks, free_boxes = set(range(len(predictions))), set(range(len(boxes)))
        for flat in order[: np.count_nonzero(overlap >= self._min_iou)]:
            track_index, box_index = divmod(int(flat), len(boxes))
            if track_index in free_tracks and box_index in free_boxes:
                free_tracks.remove(track_index)
                free_boxes.remove(box_index)
                pairs.append((track_index, box_index))
        return pairs

    def _grown(self, boxes: Sequence[Box]) -> NDArray[np.float64]:
        """float64 ``(N, 4)``: the boxes grown for comparison."""
        array = np.asarray([box.to_tuple() for box in boxes], dtype=np.float64)
        margin = self._growth * np.sqrt((array[:, 2:3] - array[:, 0:1]) * (array[:, 3:4] - array[:, 1:2]))
        return np.hstack([array[:, :2] - margin, array[:, 2:] + margin])

    def _id_of(self, track: _Track | None, box: Box, timestamp_s: float) -> int | None:
        """The id of a detection's track; starts a track where there is none and confirms what has hits enough."""
        if track is None:
            track = _Track(box, timestamp_s)
            self._tracks.append(track)
        if track.track_id is None and track.hits >= self._min_hits:
            self._ids_given += 1
            track.track_id = self._ids_given
        return track.track_id
