"""Tracks by motion alone: each is moved on to the time of the frame and takes the detection that fits best.

What is taken from where: a Kalman filter with optimal assignment from SORT (Bewley et al., ICIP 2016). A second, looser
try for what is left over from ByteTrack (Zhang et al., ECCV 2022) and buffered IoU (Yang et al., WACV 2023), by how far
a plate is off its way and not by score; only for plates that were seen in the frame before, as one that left does not
jump. A plate is flat and often moves by several of its own heights between two frames, so nothing here asks for
overlap. OC-SORT (Cao et al., CVPR 2023) repairs a track after a gap: noise that grows with the seconds leaves nothing
to repair. A shake of the camera, which several tracks share, is taken out first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from platereader._geometry import Box
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.results import Detection, TrackAssignment
from platereader.video._tracking.association import assign, common_shift
from platereader.video._tracking.motion import FloatArray, Motion, measured


@dataclass(slots=True)
class _Track:
    """What is known of a track besides its motion.

    ``edges`` are those of its last box from its middle, in sides; ``track_id`` is None until it is confirmed.
    """

    edges: FloatArray
    last_seen_s: float
    hits: int = 1
    track_id: int | None = None


@final
class MotionTracker:
    """Follows plates through gaps, crossings and shakes; one instance per camera, not for several threads.

    Ids start at 1 and are given in the order in which tracks are confirmed. Memory is bounded by the detections of the
    last ``max_gap_s`` seconds. The size of the frames does not matter and may change.

    Args:
        min_hits: frames a plate must be seen in before it gets an id.
        max_gap_s: how long a track waits for its plate to be seen again, seconds; frames further apart than this
            never share a track.

    Raises:
        InvalidArgumentError: a value out of range.
    """

    def __init__(self, *, min_hits: int = 1, max_gap_s: float = 1.5) -> None:
        if min_hits < 1:
            raise InvalidArgumentError(f"min_hits is {min_hits}, allowed are whole numbers from 1.")
        if not (max_gap_s > 0 and math.isfinite(max_gap_s)):
            raise InvalidArgumentError(f"max_gap_s is {max_gap_s}, allowed are finite numbers above 0.")
        self._min_hits = min_hits
        self._max_gap_s = max_gap_s
        self._tracks: list[_Track] = []
        self._motion = Motion.started(np.zeros((0, 4)))
        self._ids_given = 0
        self._now_s = self._before_s = -math.inf

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
        elapsed_s = self._advance_clock(timestamp_s)
        ended = self._drop_lost()
        measurements = measured(detections)
        if self._tracks:
            self._motion.advance(elapsed_s)
            self._compensate_shake(measurements)
        rows, columns = assign(self._motion, measurements, missed_s=self._missed_s())
        self._motion.correct(rows, measurements[columns])
        coasting = self._coasting(set(rows.tolist()))
        edges = _edges(detections, measurements)
        followed: dict[int, _Track] = {}
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            track = self._tracks[int(row)]
            followed[column] = track
            track.edges, track.last_seen_s, track.hits = edges[column], timestamp_s, track.hits + 1
        new = [column for column in range(len(detections)) if column not in followed]
        followed |= {column: _Track(edges[column], timestamp_s) for column in new}
        self._tracks += [followed[column] for column in new]
        if new:
            self._motion = self._motion.joined(Motion.started(measurements[new]))
        ids = tuple(self._id_of(followed[column]) for column in range(len(detections)))
        return TrackAssignment(ids, ended=ended, coasting=coasting)

    def _advance_clock(self, timestamp_s: float) -> float:
        """Move the clock on; seconds since the last frame."""
        if not math.isfinite(timestamp_s) or timestamp_s <= self._now_s:
            raise TimestampError(
                f"timestamp_s is {timestamp_s}, the frame before was at {self._now_s}: times must be finite and grow "
                "from frame to frame; use one tracker per camera and a new one after a restart."
            )
        self._before_s, self._now_s = self._now_s, timestamp_s
        return self._now_s - self._before_s

    def _missed_s(self) -> FloatArray:
        """float64 ``(N,)``: seconds since each track was seen, 0 where that was in the frame before."""
        since_s = np.array([self._now_s - track.last_seen_s for track in self._tracks], dtype=np.float64)
        missed = np.array([track.last_seen_s < self._before_s for track in self._tracks], dtype=np.bool_)
        return np.where(missed, since_s, 0.0)

    def _drop_lost(self) -> tuple[int, ...]:
        """Forget tracks not seen for too long; the ids among them."""
        waits = np.array([self._now_s - track.last_seen_s <= self._max_gap_s for track in self._tracks], dtype=np.bool_)
        if waits.all():
            return ()
        ids = [track.track_id for track, kept in zip(self._tracks, waits, strict=True) if not kept]
        self._tracks = [track for track, kept in zip(self._tracks, waits, strict=True) if kept]
        self._motion = self._motion.of(waits)
        return tuple(track_id for track_id in ids if track_id is not None)

    def _compensate_shake(self, measurements: FloatArray) -> None:
        """Move all tracks with a shake of the camera. Those seen once have no known speed and do not count."""
        reliable = np.array([track.hits > 1 for track in self._tracks], dtype=np.bool_)
        shift = common_shift(self._motion.of(reliable), measurements)
        if shift is not None:
            self._motion.mean[:, :2] += shift

    def _coasting(self, seen: set[int]) -> tuple[tuple[int, Box], ...]:
        """Confirmed tracks that are not among ``seen``, with their predicted boxes."""
        middles = np.tile(self._motion.mean[:, :2], 2)
        return tuple(
            (track.track_id, Box(*(middles[row] + track.edges * self._motion.sides[row]).tolist()))
            for row, track in enumerate(self._tracks)
            if row not in seen and track.track_id is not None
        )

    def _id_of(self, track: _Track) -> int | None:
        """The id of a track that has just been seen; confirms what has hits enough."""
        if track.track_id is None and track.hits >= self._min_hits:
            self._ids_given += 1
            track.track_id = self._ids_given
        return track.track_id


def _edges(detections: Sequence[Detection], measurements: FloatArray) -> FloatArray:
    """float64 ``(N, 4)``: edges of the boxes from the measured middles, in measured sides."""
    boxes = np.array([detection.box.to_tuple() for detection in detections], dtype=np.float64).reshape(-1, 4)
    return (boxes - np.tile(measurements[:, :2], 2)) / np.exp(measurements[:, 2:3])
