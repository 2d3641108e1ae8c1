"""One camera's state: a tracker says which readings belong together, fusion says what they spell."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from platereader.arrays import BgrImage
from platereader.errors import ContractError, InvalidArgumentError, TimestampError
from platereader.fusion import FusedText, ScoredEvidence, fuse
from platereader.geometry import Box
from platereader.plates.alphabet import Alphabet
from platereader.protocols import PlateTracker
from platereader.results import Detection, PlateReading, StreamUpdate, TrackAssignment, TrackedPlate
from platereader.trust import TrustPolicy

MAX_EVIDENCE = 24
"""Readings kept per track: memory stays bounded however long a car stands in view."""

SETTLED_READINGS = 3
"""Readings that must be fused before a confident text counts as settled."""


class PlateStream:
    """Follows the plates of one camera; make one per camera with ``Pipeline.stream()``. Not for several threads.

    Args:
        read: frame -> readings, each with its detection (``Pipeline.read``).
        tracker: a fresh tracker, used by this stream alone.
        trust: judges the fused texts.
        alphabet: of the recognizer behind ``read``.
    """

    def __init__(
        self,
        read: Callable[[BgrImage], list[PlateReading]],
        *,
        tracker: PlateTracker,
        trust: TrustPolicy,
        alphabet: Alphabet,
    ) -> None:
        self._read = read
        self._tracker = tracker
        self._trust = trust
        self._alphabet = alphabet
        self._tracks: dict[int, _Track] = {}
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
        """
        if self._finished:
            raise InvalidArgumentError("this stream is finished: make a new one with Pipeline.stream().")
        if not (math.isfinite(timestamp_s) and timestamp_s > self._timestamp_s):
            raise TimestampError(
                f"timestamp_s is {timestamp_s} after {self._timestamp_s}: pass seconds that grow from frame to frame, "
                "and make a new stream for a new camera or file."
            )
        readings = self._read(frame)
        self._timestamp_s = timestamp_s
        self._frame_index += 1
        detections = [_detection(reading) for reading in readings]
        assignment = self._tracker.update(detections, timestamp_s)
        _check_assignment(assignment, expected=len(detections), source=f"{type(self._tracker).__name__}.update")
        for track_id, reading in zip(assignment.track_ids, readings, strict=True):
            if track_id is not None:
                self._track(track_id).add(reading, timestamp_s, self._frame_index)
        for track_id, box in assignment.coasting:
            if track_id in self._tracks:
                self._tracks[track_id].box = box
        finished = tuple(self._close(track_id) for track_id in assignment.ended if track_id in self._tracks)
        return StreamUpdate(timestamp_s, tuple(self._plate(track) for track in self._tracks.values()), finished)

    def finish(self) -> StreamUpdate:
        """End the stream: every plate still followed is reported as finished."""
        self._finished = True
        finished = tuple(self._close(track_id) for track_id in list(self._tracks))
        return StreamUpdate(max(self._timestamp_s, 0.0), (), finished)

    def _track(self, track_id: int) -> _Track:
        return self._tracks.setdefault(track_id, _Track(track_id))

    def _close(self, track_id: int) -> TrackedPlate:
        return self._plate(self._tracks.pop(track_id))

    def _plate(self, track: _Track) -> TrackedPlate:
        best, best_frame_index = track.best
        fused = track.fused(self._alphabet)
        text, confidence, status, reason = None, 0.0, best.status, best.reason
        if fused is not None:
            text, confidence = fused.text, fused.confidence
            status, reason = self._trust.status(text, confidence, lines=best.lines)
        return TrackedPlate(
            track_id=track.track_id,
            text=text,
            confidence=confidence,
            status=status,
            reason=reason,
            settled=status == "read" and track.readings >= SETTLED_READINGS,
            readings=track.readings,
            first_seen_s=track.first_seen_s,
            last_seen_s=track.last_seen_s,
            box=track.box,
            best=best,
            best_frame_index=best_frame_index,
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    reading: PlateReading
    frame_index: int
    frame: ScoredEvidence


@dataclass(slots=True)
class _Track:
    track_id: int
    readings: int = 0
    first_seen_s: float = 0.0
    last_seen_s: float = 0.0
    box: Box = field(default_factory=lambda: Box(0.0, 0.0, 0.0, 0.0))
    kept: list[_Kept] = field(default_factory=list["_Kept"])
    cached: FusedText | None = None

    @property
    def best(self) -> tuple[PlateReading, int]:
        """The most confident reading and its frame index."""
        best = max(self.kept, key=lambda kept: kept.reading.confidence)
        return best.reading, best.frame_index

    def add(self, reading: PlateReading, timestamp_s: float, frame_index: int) -> None:
        """Take in a reading of this plate."""
        if not self.readings:
            self.first_seen_s = timestamp_s
        self.readings += 1
        self.last_seen_s = timestamp_s
        self.box = _detection(reading).box
        self.kept.append(_Kept(reading, frame_index, ScoredEvidence(reading.evidence)))
        if len(self.kept) > MAX_EVIDENCE:
            self.kept.remove(min(self.kept, key=lambda kept: kept.reading.confidence))
        self.cached = None

    def fused(self, alphabet: Alphabet) -> FusedText | None:
        """The text of all kept readings together, or None when none was legible."""
        if self.cached is None:
            self.cached = next(iter(fuse([kept.frame for kept in self.kept], alphabet)), None)
        return self.cached


def _check_assignment(assignment: object, *, expected: int, source: str) -> None:
    """Raise ContractError unless a tracker returned one id or None per detection, each id once."""
    if not isinstance(assignment, TrackAssignment):
        raise ContractError(f"{source} returned a {type(assignment).__name__}: return a TrackAssignment.")
    if len(assignment.track_ids) != expected:
        raise ContractError(
            f"{source} returned {len(assignment.track_ids)} ids for {expected} detections: return one id or None per "
            "detection, in order."
        )
    ids = [track_id for track_id in assignment.track_ids if track_id is not None]
    if len(set(ids)) != len(ids) or set(ids) & set(assignment.ended):
        raise ContractError(
            f"{source} returned ids {ids} with {assignment.ended} ended: an id belongs to one detection of a frame, "
            "and not to a track that has ended."
        )


def _detection(reading: PlateReading) -> Detection:
    if reading.detection is None:
        raise ContractError("a reading without a detection cannot be tracked: streams read whole frames.")
    return reading.detection
