"""One camera's state: a tracker says which readings belong together, fusion says what they spell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import cast

from platereader._arrays import BgrImage, check_image
from platereader._contracts import checked_update
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.protocols import PlateTracker
from platereader.results import Detection, PlateReading, StreamUpdate, TrackAssignment, TrackedPlate
from platereader.results._checks import instance, number, whole
from platereader.video._fusion import FusedEvidence
from platereader.video._passage import MIN_CONFLICTS, Observation, Passage

MAX_LOST = 100
"""Passages without a track that may still be resumed; of more, the oldest are finished first."""


MAX_UNSEEN_S = 60.0
"""A track that was not seen for longer than this has ended, also if its tracker never says so."""

MAX_UNSEEN = 100
"""Tracks that are followed without a detection; of more, those that were not seen for longest end."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How much work a stream does, and how long it waits for a plate to come back.

    Attributes:
        detect_every: find plates in every n-th frame; between them, boxes are predicted.
        recheck_s: a settled plate is read again after so many seconds; 0 = in every frame.
        same_passage_s: a plate that comes back within so many seconds is still on the same passage.
        parked_s: likewise for one that stood still when it was last seen.

    Raises:
        InvalidArgumentError: a value out of range.
    """

    detect_every: int = 1
    recheck_s: float = 1.0
    same_passage_s: float = 4.0
    parked_s: float = 60.0

    def __post_init__(self) -> None:
        whole(self.detect_every, name="detect_every", least=1)
        for name in ("recheck_s", "same_passage_s", "parked_s"):
            value = number(getattr(self, name), name=name)
            if value < 0.0:
                raise InvalidArgumentError(f"{name} is {value}, allowed are 0 and more seconds.")


class PlateStream:
    """Follows the plates of one camera; make one per camera with ``Pipeline.stream()``. Not for several threads.

    Args:
        detect: frame -> detections, best first.
        read: frame and some of its detections -> one reading each (``Pipeline.read_detections``).
        tracker: a fresh tracker, used by this stream alone.
        evidence: makes a place to gather the readings of one plate in.
        settings: how much work to do, and how long to wait for a plate to come back.
    """

    def __init__(
        self,
        detect: Callable[[BgrImage], list[Detection]],
        read: Callable[[BgrImage, Sequence[Detection]], list[PlateReading]],
        *,
        tracker: PlateTracker,
        evidence: Callable[[], FusedEvidence],
        settings: StreamSettings | None = None,
    ) -> None:
        self._detect = detect
        self._read = read
        self._tracker = tracker
        self._evidence = evidence
        self._settings = StreamSettings() if settings is None else settings
        instance(self._settings, StreamSettings, name="settings")
        self._active: dict[int, Passage] = {}  # by the tracker's id
        self._lost: list[Passage] = []  # without a track, and may be resumed
        self._passages = 0
        self._frame_index = -1
        self._timestamp_s = -math.inf
        self._finished = False

    def update(self, frame: BgrImage, timestamp_s: float) -> StreamUpdate:
        """Take in the next frame.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR; the size may change from frame to frame.
            timestamp_s: seconds; any origin, must grow.

        Raises:
            TimestampError: not later than the frame before.
            InvalidArgumentError: the stream is finished.
            InvalidImageError: not a picture.
            ContractError: a part broke its contract.
        """
        self._check_time(timestamp_s)
        frame = check_image(frame)
        due_frame = (self._frame_index + 1) % self._settings.detect_every == 0
        detections = self._detect(frame) if due_frame else []
        self._timestamp_s = timestamp_s
        self._frame_index += 1
        assignment = checked_update(self._tracker, detections, timestamp_s)
        due = self._due(assignment, detections)
        self._move(assignment, detections)
        for track_id, observation in self._observe(frame, due):
            self._add(track_id, observation)
        ended = (*assignment.ended, *self._overdue())
        self._lost += [self._active.pop(track_id) for track_id in ended if track_id in self._active]
        active = tuple(passage.plate() for passage in self._active.values())
        return StreamUpdate(timestamp_s, active, self._finish_lost())

    def finish(self) -> StreamUpdate:
        """End the stream: every plate that was not yet reported as finished is, at the time of the last frame."""
        self._finished = True
        rest = sorted((*self._lost, *self._active.values()), key=lambda passage: passage.passage_id)
        self._lost.clear()
        self._active.clear()
        timestamp_s = self._timestamp_s if math.isfinite(self._timestamp_s) else 0.0
        return StreamUpdate(timestamp_s, (), tuple(passage.plate() for passage in rest))

    def _check_time(self, timestamp_s: float) -> None:
        if self._finished:
            raise InvalidArgumentError("this stream is finished: make a new one with Pipeline.stream().")
        real = isinstance(cast(object, timestamp_s), Real)
        if not (real and math.isfinite(timestamp_s) and timestamp_s > self._timestamp_s):
            raise TimestampError(
                f"timestamp_s is {timestamp_s!r} after {self._timestamp_s}: pass seconds that grow from frame to "
                "frame, and make a new stream for a new camera or file."
            )

    def _due(self, assignment: TrackAssignment, detections: Sequence[Detection]) -> list[tuple[int, Detection]]:
        """Which confirmed tracks to read in this frame: new and unsettled ones, and the others now and then."""
        due: list[tuple[int, Detection]] = []
        for track_id, detection in zip(assignment.track_ids, detections, strict=True):
            passage = None if track_id is None else self._active.get(track_id)
            known = passage is not None and not passage.due(self._timestamp_s, recheck_s=self._settings.recheck_s)
            if track_id is not None and not known:
                due.append((track_id, detection))
        return due

    def _move(self, assignment: TrackAssignment, detections: Sequence[Detection]) -> None:
        """Bring the passages to where their plates are now, or are expected to be."""
        for track_id, detection in zip(assignment.track_ids, detections, strict=True):
            if track_id in self._active:
                self._active[track_id].see(detection.box, self._timestamp_s)
        for track_id, box in assignment.coasting:
            if track_id in self._active:
                self._active[track_id].coast(box)

    def _observe(self, frame: BgrImage, due: Sequence[tuple[int, Detection]]) -> list[tuple[int, Observation]]:
        """Read the plates that are due, all of them together."""
        if not due:
            return []
        detections = [detection for _, detection in due]
        readings = self._read(frame, detections)
        ids = (track_id for track_id, _ in due)
        return [
            (track_id, Observation(reading, detection, self._frame_index, self._timestamp_s))
            for track_id, reading, detection in zip(ids, readings, detections, strict=True)
        ]

    def _add(self, track_id: int, observation: Observation) -> None:
        """Add an observation to its passage; where that is of a lost plate, the earlier passage is resumed."""
        passage = self._active.get(track_id)
        if passage is None:
            passage = self._occluded(observation) or self._begin(track_id, [observation])
        elif not passage.add(observation) and len(passage.conflicts) >= MIN_CONFLICTS:
            observations, passage.conflicts = passage.conflicts, []
            passage.last_seen_s = min(passage.last_seen_s, observations[0].timestamp_s)
            self._lost.append(passage)
            passage = self._begin(track_id, observations)
        self._active[track_id] = self._merged(passage)
        self._active[track_id].track_id = track_id

    def _begin(self, track_id: int, observations: list[Observation]) -> Passage:
        self._passages += 1
        return Passage.begin(self._passages, track_id, evidence=self._evidence(), observations=observations)

    def _occluded(self, observation: Observation) -> Passage | None:
        """The passage whose plate is expected where a fragment of one was read: the rest may be occluded."""
        for passage in self._active.values():
            if passage.coasting and passage.covers(observation):
                self._remove(passage)
                passage.see(observation.detection.box, observation.timestamp_s)
                passage.add(observation)
                return passage
        return None

    def _merged(self, passage: Passage) -> Passage:
        """The passage, or an earlier one of the same plate, which is not in view, resumed with it."""
        unseen = [one for one in self._active.values() if one is not passage and (one.coasting or one.doubtful)]
        for earlier in reversed([*self._lost, *unseen]):
            waited_s = passage.first_seen_s - earlier.last_seen_s
            if waited_s <= self._max_absence_s(earlier) and earlier.same_plate(passage):
                self._remove(earlier)
                earlier.resume(passage)
                return earlier
        return passage

    def _remove(self, passage: Passage) -> None:
        """Take a passage out of the active and the lost ones."""
        self._lost = [one for one in self._lost if one is not passage]
        self._active = {track_id: one for track_id, one in self._active.items() if one is not passage}

    def _max_absence_s(self, passage: Passage) -> float:
        return self._settings.parked_s if passage.parked else self._settings.same_passage_s

    def _overdue(self) -> list[int]:
        """Tracks that were not seen for too long, those first that were not seen for longest."""
        unseen = sorted(
            (passage.last_seen_s, track_id)
            for track_id, passage in self._active.items()
            if passage.last_seen_s < self._timestamp_s
        )
        surplus = len(unseen) - MAX_UNSEEN
        return [
            track_id
            for index, (last_seen_s, track_id) in enumerate(unseen)
            if index < surplus or self._timestamp_s - last_seen_s > MAX_UNSEEN_S
        ]

    def _finish_lost(self) -> tuple[TrackedPlate, ...]:
        """Finish the lost passages that are not resumed any more."""
        surplus = len(self._lost) - MAX_LOST
        gone = [
            passage
            for index, passage in enumerate(self._lost)
            if index < surplus or self._timestamp_s - passage.last_seen_s > self._max_absence_s(passage)
        ]
        self._lost = [passage for passage in self._lost if passage not in gone]
        return tuple(passage.plate() for passage in gone)
