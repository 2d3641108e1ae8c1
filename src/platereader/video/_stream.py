"""One camera's state: a tracker says which readings belong together, fusion says what they spell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from platereader._arrays import BgrImage, check_image
from platereader._contracts import check_tracker, checked_update
from platereader._geometry import Box, is_finite, shared_area
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.protocols import PlateTracker
from platereader.results import Detection, PlateReading, Sighting, StreamUpdate, TrackAssignment, TrackedPlate
from platereader.results._checks import instance, number
from platereader.video._fusion import FusedEvidence
from platereader.video._passage import FADE_S, Observation, Passage
from platereader.video._search import Detect, FrameSearch, Refine
from platereader.video._view import Size, View

MAX_LOST = 100
"""Passages without a track that may still be resumed; of more, the oldest are finished first."""

MAX_UNDETECTED_S = 60.0
"""A track that was not seen for longer than this has ended, also if its tracker never says so."""

MAX_UNDETECTED = 100
"""Tracks that are followed without a detection; of more, those that were not seen for longest end."""

MAX_MISSED_FRAMES = 2
"""Frames in which a plate that is still there may be missed, however much time lies between them."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How much work a stream does, and how long it waits for a plate to come back.

    Attributes:
        search_s: seconds between two searches of the whole frame, 0 = search every frame. Between them the detector
            refines: it looks only where plates are expected, and at the whole frame if one is missing. One that cannot
            refine does not look, and boxes are predicted. None = 0.2 for the first kind, 0 for the other.
        recheck_s: a settled plate is read again after so many seconds, and in every frame that comes more than 0.3 s
            after the one before; 0 = in every frame.
        same_passage_s: a plate that comes back within so many seconds is still on the same passage.
        parked_s: likewise for one that stood still when it was last seen.

    Raises:
        InvalidArgumentError: a value out of range.
    """

    search_s: float | None = None
    recheck_s: float = 1.0
    same_passage_s: float = 4.0
    parked_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("search_s", "recheck_s", "same_passage_s", "parked_s"):
            given = getattr(self, name)
            value = 0.0 if given is None and name == "search_s" else number(given, name=name)
            if value < 0.0:
                raise InvalidArgumentError(f"{name} is {value}, allowed are 0 and more seconds.")


class PlateStream:
    """Follows the plates of one camera; make one per camera with ``Pipeline.stream()``. Not for several threads.

    Args:
        detect: frame -> detections, best first.
        read: frame and some of its detections -> one reading each (``Pipeline.read_detections``).
        refine: frame and boxes where plates are expected -> the plates there, best first; None if the detector cannot.
        tracker: a fresh tracker, used by this stream alone.
        evidence: makes a place to gather the readings of one plate in.
        settings: how much work to do, and how long to wait for a plate to come back.

    Raises:
        InvalidArgumentError: no tracker, or no settings.
    """

    def __init__(
        self,
        detect: Detect,
        read: Callable[[BgrImage, Sequence[Detection]], list[PlateReading]],
        *,
        refine: Refine | None = None,
        tracker: PlateTracker,
        evidence: Callable[[], FusedEvidence],
        settings: StreamSettings | None = None,
    ) -> None:
        self._read = read
        check_tracker(tracker)
        self._tracker = tracker
        self._evidence = evidence
        self._settings = StreamSettings() if settings is None else settings
        instance(self._settings, StreamSettings, name="settings")
        self._search = FrameSearch(detect, refine, search_s=self._settings.search_s)
        self._active: dict[int, Passage] = {}  # by the tracker's id
        self._lost: list[Passage] = []  # without a track, and may be resumed
        self._first_size: Size | None = None
        self._passages = 0
        self._joined: list[tuple[int, int]] = []
        self._frame_index = -1
        self._timestamp_s = -math.inf
        self._finished = False

    def __repr__(self) -> str:
        ended = ", finished" if self._finished else ""
        return f"PlateStream(frames={self._frame_index + 1}, in_view={len(self._active)}{ended})"

    def update(self, frame: BgrImage, timestamp_s: float) -> StreamUpdate:
        """Take in the next frame.

        Args:
            frame: uint8 ``(H, W, 3)`` BGR; the size may change from frame to frame, if the view stays the same.
            timestamp_s: seconds; any origin, must grow.

        Raises:
            TimestampError: not later than the frame before.
            InvalidArgumentError: the stream is finished.
            InvalidImageError: not a picture.
            ContractError: a part broke its contract.
        """
        timestamp_s = self._checked_time(timestamp_s)
        frame = check_image(frame)
        size = (frame.shape[1], frame.shape[0])
        view = View(size, self._first_size or size)
        found = self._search.find(frame, view, timestamp_s)
        self._first_size, self._timestamp_s = view.first_size, timestamp_s
        self._frame_index += 1
        self._joined = []
        places = [view.detection_in_first(detection) for detection in found]
        assignment = checked_update(self._tracker, places, timestamp_s)
        boxes = [one.box for one in places]
        self._search.follow(assignment, boxes)
        self._lose((*assignment.ended, *self._overdue()))
        sightings = [Sighting(timestamp_s, self._frame_index, view.inside(one.box)) for one in found]
        self._move(assignment, boxes, sightings, view)
        due = self._due(assignment)
        readings = self._read(frame, [found[index] for index in due]) if due else []
        observations = [
            (cast(int, assignment.track_ids[index]), Observation(reading, boxes[index], sightings[index]))
            for index, reading in zip(due, readings, strict=True)
        ]
        for track_id, new in [(one, self._displacing(one, observation)) for one, observation in observations]:
            self._add(track_id, new)
        return StreamUpdate(timestamp_s, self._shown(view), self._finish_lost(), tuple(self._joined))

    def finish(self) -> StreamUpdate:
        """End the stream: every plate that was not yet reported as finished is, at the time of the last frame."""
        self._finished = True
        self._joined = []
        self._lose(list(self._active))
        rest = sorted(self._lost, key=lambda passage: passage.passage_id)
        self._lost.clear()
        timestamp_s = self._timestamp_s if math.isfinite(self._timestamp_s) else 0.0
        return StreamUpdate(timestamp_s, (), tuple(map(_finished, rest)), tuple(self._joined))

    def _checked_time(self, timestamp_s: float) -> float:
        """The time as a float: any real number comes in, such as a Fraction."""
        if self._finished:
            raise InvalidArgumentError("this stream is finished: make a new one with Pipeline.stream().")
        if not (is_finite(timestamp_s) and float(timestamp_s) > self._timestamp_s):
            raise TimestampError(
                f"timestamp_s is {timestamp_s!r} after {self._timestamp_s}: pass seconds that grow from frame to "
                "frame, and make a new stream for a new camera or file."
            )
        return float(timestamp_s)

    def _due(self, assignment: TrackAssignment) -> list[int]:
        """Which detections to read in this frame: of new and unsettled tracks, and of the others now and then."""
        known = {
            track_id
            for track_id, passage in self._active.items()
            if not passage.due(self._timestamp_s, recheck_s=self._settings.recheck_s)
        }
        return [index for index, one in enumerate(assignment.track_ids) if one is not None and one not in known]

    def _move(
        self, assignment: TrackAssignment, places: Sequence[Box], sightings: Sequence[Sighting], view: View
    ) -> None:
        """Bring the passages to where their plates are now, or are expected to be."""
        for track_id, place, sighting in zip(assignment.track_ids, places, sightings, strict=True):
            if track_id in self._active:
                self._active[track_id].see(place, sighting, cut=self._search.cut)
        for track_id, place in assignment.coasting:
            if track_id in self._active:
                self._active[track_id].coast(place)
        self._lose([key for key, one in self._active.items() if one.coasting and view.box_in_frame(one.place) is None])

    def _lose(self, track_ids: Iterable[int]) -> None:
        """Their plates are out of view; they may be seen again, under another track or the same.

        What was surely read of another plate in the place of one, as it went, is a passage of its own.
        """
        for passage in [self._active.pop(one) for one in dict.fromkeys(track_ids) if one in self._active]:
            self._retire(passage)

    def _retire(self, passage: Passage) -> None:
        """Keep a passage without a track for as long as it may be resumed."""
        self._lost.append(passage)
        self._set_apart(passage.track_id, passage.release_strangers())
        if passage.is_doubted:
            self._set_apart(passage.track_id, passage.release())

    def _set_apart(self, track_id: int, observations: Sequence[Observation]) -> None:
        """What was seen of another plate in the place of one is on a passage of its own, or on that which it is of."""
        if observations:
            self._retire(self._merged(self._begin(track_id, observations)))

    def _displacing(self, track_id: int, observation: Observation) -> list[Observation]:
        """The observation, and before it those in doubt of the passage that it surely takes the track from, if any.

        Before any is added: tracks may have changed places with each other.
        """
        passage = self._active.get(track_id)
        if passage is None or not passage.displaced_by(observation):
            return [observation]
        self._lost.append(self._active.pop(track_id))
        return [*passage.release(), observation]

    def _add(self, track_id: int, new: list[Observation]) -> None:
        """Add an observation to its passage, or to an earlier one of the same plate, or begin a new one."""
        passage, observation = self._active.get(track_id), new[-1]
        if (passage is None or passage.strayed) and self._is_fragment(track_id, observation):
            return
        if passage is None:
            passage = self._begin(track_id, new)
        else:
            others = passage.add(observation)
            if others:
                self._lost.append(passage)
                passage = self._begin(track_id, others)
        self._active[track_id] = passage = self._merged(passage)
        passage.track_id = track_id
        self._set_apart(track_id, passage.release_strangers())
        for other in [*self._lost, *self._active.values()]:
            if other is not passage and passage.includes(other):
                self._take_out(other)
                numbers = {passage.passage_id, other.passage_id}
                passage.absorb(other)
                self._note_joined(passage, numbers)

    def _begin(self, track_id: int, observations: Sequence[Observation]) -> Passage:
        """The passage of the latest of them; what is of other plates is on passages that are lost."""
        self._passages += 1
        first, *later = observations
        passage = Passage.begin(self._passages, track_id, evidence=self._evidence(), observations=[first])
        for index, observation in enumerate(later):
            passage.see(observation.place, observation.sighting)
            displaced = passage.displaced_by(observation)
            others = [*passage.release(), observation] if displaced else passage.add(observation)
            if others:
                self._lost.append(self._merged(passage))
                return self._begin(track_id, [*others, *later[index + 1 :]])
        return passage

    def _is_fragment(self, track_id: int, observation: Observation) -> bool:
        """Whether a track that is new, or may have strayed, shows a fragment of a plate that is in view or expected.

        If that plate was not seen in this frame, its passage goes on with this track.
        """
        strayed = self._active.get(track_id)
        for key, passage in self._active.items():
            seen = passage.last.frame_index == self._frame_index
            if strayed is not None and (seen or not passage.identified):
                continue
            if passage.covers(observation):
                if strayed is not None:
                    self._retire(strayed)
                    strayed.release()
                if not seen:
                    passage.see(observation.place, observation.sighting)
                    passage.track_id = track_id
                    self._active[track_id] = self._active.pop(key)
                    if observation.reading.text == passage.evidence.fused.text:  # the whole plate
                        passage.add(observation)
                return True
        return False

    def _merged(self, passage: Passage) -> Passage:
        """The passage, or an earlier one of the same plate, which was not in view at the same time, resumed with it."""
        others = [one for one in self._active.values() if one is not passage]
        for earlier in reversed([*self._lost, *others]):
            first = passage.first
            before = earlier.surely_last.frame_index < first.frame_index
            if not before or self._is_gone(earlier, first.timestamp_s, first.frame_index):
                continue
            missed = self._search.missed_frames(earlier.surely_last, first.timestamp_s, first.frame_index)
            if earlier.same_plate(passage, soon=missed <= MAX_MISSED_FRAMES):
                self._take_out(earlier)
                numbers = {earlier.passage_id, passage.passage_id}
                earlier.resume(passage)
                self._note_joined(earlier, numbers)
                return earlier
        return passage

    def _note_joined(self, passage: Passage, numbers: set[int]) -> None:
        """Two passages with these numbers are one."""
        self._joined += [(number, passage.passage_id) for number in numbers - {passage.passage_id}]

    def _take_out(self, passage: Passage) -> None:
        """Take a passage out of the active and the lost ones; what is in its place instead gets its own passage."""
        self._lost = [one for one in self._lost if one is not passage]
        track_ids = [key for key, one in self._active.items() if one is passage]
        for track_id in track_ids:
            del self._active[track_id]
        seen = passage.last.frame_index == self._frame_index
        doubted, others = passage.is_doubted, passage.release()
        if others and track_ids and seen:
            self._active[track_ids[0]] = self._begin(track_ids[0], others)
        elif doubted or (others and not shared_area(others[-1].place, passage.place)):  # else pieces of this plate
            self._lost.append(self._begin(passage.track_id, others))

    def _shown(self, view: View) -> tuple[TrackedPlate, ...]:
        """The plates that are seen in this frame, and those whose predicted place is in it and not too old."""
        shown: list[TrackedPlate] = []
        for passage in self._active.values():
            if passage.last.frame_index == self._frame_index:
                shown.append(passage.plate(passage.last.box, predicted=False))
            elif self._timestamp_s - passage.last.timestamp_s <= FADE_S:
                box = view.box_in_frame(passage.place)
                shown += [] if box is None else [passage.plate(box, predicted=True)]
        return tuple(shown)

    def _is_gone(self, passage: Passage, timestamp_s: float, frame_index: int) -> bool:
        """Whether a plate that is seen in that frame comes too late to be on this passage.

        However few frames there are in a second, a plate that few of them missed is still the same.
        """
        waited_s = timestamp_s - passage.surely_last.timestamp_s
        if waited_s <= (self._settings.parked_s if passage.parked else self._settings.same_passage_s):
            return False
        missed = self._search.missed_frames(passage.surely_last, timestamp_s, frame_index)
        return waited_s > self._settings.parked_s or missed > MAX_MISSED_FRAMES

    def _overdue(self) -> list[int]:
        """Tracks that were not seen for too long, those first that were not seen for longest."""
        unseen = sorted((passage.last.timestamp_s, track_id) for track_id, passage in self._active.items())
        surplus = len(unseen) - MAX_UNDETECTED
        return [
            track_id
            for index, (last_seen_s, track_id) in enumerate(unseen)
            if index < surplus or self._timestamp_s - last_seen_s > MAX_UNDETECTED_S
        ]

    def _finish_lost(self) -> tuple[TrackedPlate, ...]:
        """Finish the lost passages that are not resumed any more."""
        now = self._timestamp_s, self._frame_index
        surplus = len(self._lost) - MAX_LOST
        gone = [one for index, one in enumerate(self._lost) if index < surplus or self._is_gone(one, *now)]
        self._lost = [passage for passage in self._lost if passage not in gone]
        return tuple(map(_finished, gone))


def _finished(passage: Passage) -> TrackedPlate:
    return passage.plate(passage.last.box, predicted=False)
