"""The plates of each frame: the whole frame is searched now and then, and between the detector refines."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from platereader._arrays import BgrImage
from platereader._geometry import Box
from platereader.results import Detection, Sighting, TrackAssignment
from platereader.video._expected import ExpectedPlaces, is_one_missing
from platereader.video._passage import FADE_S
from platereader.video._view import Size, View

SEARCH_S = 0.2
"""Seconds between two searches of the whole frame where the detector refines; a new plate is found within them."""

_CLOCK_S = 1e-3
"""What the times of frames may be rounded by."""

Detect: TypeAlias = Callable[[BgrImage], list[Detection]]
Refine: TypeAlias = Callable[[BgrImage, Sequence[Box]], list[Detection]]


class FrameSearch:
    """Finds the plates of one frame after another.

    The whole frame is searched when that is due, after a gap and in another size. Between, the detector looks where
    plates are expected; if one that was just seen is not there, the whole frame is searched too. So nothing that a
    refiner does can lose a plate or bring it to another one: it only spares searches that would find what is expected.

    Args:
        detect: frame -> detections, best first.
        refine: frame and places -> the plates there, best first; None where the detector cannot.
        search_s: seconds between two searches; None = 0.2 with a refiner, and every frame without.
    """

    def __init__(self, detect: Detect, refine: Refine | None, *, search_s: float | None) -> None:
        self._detect = detect
        self._refine = refine
        default_s = 0.0 if refine is None else SEARCH_S
        self._search_s = default_s if search_s is None else search_s
        self._expected = ExpectedPlaces(search_s=self._search_s)
        self._size: Size | None = None
        self._now_s = self._searched_s = -math.inf

    def find(self, frame: BgrImage, view: View, timestamp_s: float) -> list[Detection]:
        """The plates of the next frame, best first; tell ``follow`` afterwards what they are."""
        found = None if self._is_due(view, timestamp_s) else self._refined(frame, view, timestamp_s)
        if found is None:
            found = self._detect(frame)
            self._searched_s = timestamp_s
        self._size, self._now_s = view.size, timestamp_s
        return found

    def follow(self, assignment: TrackAssignment, places: Sequence[Box]) -> None:
        """Expect the plates of this frame in the next ones; ``places`` are their boxes in pixels of the first frame."""
        if self._refine is not None:
            self._expected.update(assignment, places, self._now_s, searched=self._searched_s == self._now_s)

    def missed_frames(self, last: Sighting, now: Sighting) -> int:
        """Frames between these two in which a plate was looked for and not found."""
        frames = now.frame_index - last.frame_index - 1
        if self._refine is not None or not self._search_s:
            return frames
        return min(
            frames, math.ceil(min(frames + 1, (now.timestamp_s - last.timestamp_s - _CLOCK_S) / self._search_s)) - 1
        )

    def _is_due(self, view: View, timestamp_s: float) -> bool:
        """Whether to search this frame: the next one, if frames go on at this pace, would be too late."""
        gap_s = timestamp_s - self._now_s
        if view.size != self._size or gap_s > FADE_S:
            return True
        return timestamp_s + gap_s - self._searched_s > self._search_s + _CLOCK_S

    def _refined(self, frame: BgrImage, view: View, timestamp_s: float) -> list[Detection] | None:
        """The plates where they are expected; None where one that was just seen is missing."""
        if self._refine is None:
            return []
        inside = [(view.box_in_frame(one.box), one.seen) for one in self._expected.at(timestamp_s)]
        boxes = [box for box, _ in inside if box is not None]
        found = self._refine(frame, boxes) if boxes else []
        seen = [box for box, was_seen in inside if was_seen]
        return None if None in seen or is_one_missing([box for box in seen if box is not None], found) else found
