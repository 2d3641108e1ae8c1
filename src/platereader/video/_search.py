"""The plates of each frame: searched everywhere now and then, and between only where they are expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from platereader._arrays import BgrImage
from platereader._geometry import Box, iou
from platereader.results import Detection, Sighting, TrackAssignment
from platereader.video._cuts import Cuts
from platereader.video._passage import FADE_S
from platereader.video._view import Size, View

SAME_PLACE_IOU = 0.4
"""Overlap of a plate with the place where it was expected: a refiner learns that a crop shows a plate from here on."""

_SHORTEST_S = 0.005
"""Least time between two frames for the speed of a plate: what a burst of a camera shows is where it was."""

_NEWEST_SPEED = 0.5
"""Weight of the latest move in the speed of a plate; the rest is the speed before."""


class Expected(NamedTuple):
    """A place where a plate is expected, in pixels of the stream's first frame; and whether it was seen just before."""

    box: Box
    seen: bool


@dataclass(frozen=True, slots=True)
class _Followed:
    """A plate: its latest measured box, when that was, and when a search of a whole frame found it last."""

    box: Box
    seen_s: float
    found_s: float
    speed: tuple[float, float] = (0.0, 0.0)

    def at(self, timestamp_s: float) -> Box:
        elapsed_s = timestamp_s - self.seen_s
        return self.box.moved(self.speed[0] * elapsed_s, self.speed[1] * elapsed_s)

    def seen_at(self, box: Box, timestamp_s: float, *, found_s: float) -> _Followed:
        """The same plate where it is now."""
        elapsed_s = max(timestamp_s - self.seen_s, _SHORTEST_S)
        moved = ((now - before) / elapsed_s for now, before in zip(box.center, self.box.center, strict=True))
        # The first move is all that is known of a speed.
        newest = 1.0 if self.speed == (0.0, 0.0) else _NEWEST_SPEED
        x, y = (newest * now + (1 - newest) * old for now, old in zip(moved, self.speed, strict=True))
        return _Followed(box, timestamp_s, found_s, (x, y))


class ExpectedPlaces:
    """What a stream that refines looks at between two searches of the whole frame.

    A plate is expected for a second after it was seen last, and for a second after a search found it last, or until the
    next search where that comes later: a refiner that sees something at the same spot time and again cannot keep it.
    """

    def __init__(self, *, search_s: float) -> None:
        self._longest_s = max(FADE_S, search_s)
        self._tracked: dict[int, _Followed] = {}
        self._untracked: list[_Followed] = []  # seen in this frame, without a number so far
        self._now_s = self._searched_s = 0.0

    def at(self, timestamp_s: float) -> list[Expected]:
        """The places in a frame at this time."""
        followed = [*self._tracked.values(), *self._untracked]
        lasting = [one for one in followed if self._lasts(one, timestamp_s)]
        return [Expected(one.at(timestamp_s), one.seen_s == self._now_s) for one in lasting]

    def update(self, assignment: TrackAssignment, places: Sequence[Box], timestamp_s: float, *, searched: bool) -> None:
        """Take in a frame; ``places`` are the boxes of what was seen in it, in pixels of the first frame."""
        self._now_s, before = timestamp_s, self._tracked
        self._searched_s = timestamp_s if searched else self._searched_s
        lasting = {key: one for key, one in before.items() if self._lasts(one, timestamp_s)}
        self._tracked = {key: one for key, one in lasting.items() if key not in assignment.ended}
        self._untracked = []
        for track_id, box in zip(assignment.track_ids, places, strict=True):
            known = None if track_id is None else before.get(track_id)
            found_s = self._searched_s if searched or known is None else known.found_s
            new = _Followed(box, timestamp_s, found_s)
            if track_id is None:
                self._untracked.append(new)
            else:
                self._tracked[track_id] = new if known is None else known.seen_at(box, timestamp_s, found_s=found_s)

    def _lasts(self, one: _Followed, timestamp_s: float) -> bool:
        return timestamp_s - one.seen_s <= FADE_S and timestamp_s - one.found_s <= self._longest_s


def is_one_missing(boxes: Sequence[Box], found: Sequence[Detection]) -> bool:
    """Whether one of the plates expected in ``boxes`` is not where it should be, each detection being one plate."""
    left = [detection.box for detection in found]
    for box in boxes:
        nearest = max(left, key=lambda other: iou(box, other), default=None)
        if nearest is None or iou(box, nearest) < SAME_PLACE_IOU:
            return True
        left.remove(nearest)
    return False


SEARCH_S = 0.2
"""Seconds between two searches of the whole frame where the detector refines; a new plate is found within them."""

_CLOCK_S = 1e-3
"""What the times of frames may be rounded by."""

Detect: TypeAlias = Callable[[BgrImage], list[Detection]]
Refine: TypeAlias = Callable[[BgrImage, Sequence[Box]], list[Detection]]


class FrameSearch:
    """Finds the plates of one frame after another.

    The whole frame is searched when that is due, after a gap or a cut and in another size. Between, the detector looks
    where plates are expected; if one that was just seen is not there, the whole frame is searched too. So nothing that
    a refiner does can lose a plate or bring it to another one: it only spares searches that would find what is
    expected.
    Between two searches pass ``search_s``; None = 0.2 seconds with a refiner, and every frame without.

    Attributes:
        cut: whether the latest frame shows another view than the one before: what is there may be any plate.
    """

    def __init__(self, detect: Detect, refine: Refine | None, *, search_s: float | None) -> None:
        self._detect = detect
        self._refine = refine
        default_s = 0.0 if refine is None else SEARCH_S
        self._search_s = default_s if search_s is None else search_s
        self._expected = ExpectedPlaces(search_s=self._search_s)
        self.cut = False
        self._cuts = Cuts()
        self._size: Size | None = None
        self._now_s = self._searched_s = -math.inf

    def find(self, frame: BgrImage, view: View, timestamp_s: float) -> list[Detection]:
        """The plates of the next frame, best first; tell ``follow`` afterwards what they are."""
        self.cut = self._cuts.is_cut(frame)
        found = None if self.cut or self._is_due(view, timestamp_s) else self._refined(frame, view, timestamp_s)
        if found is None:
            found = self._detect(frame)
            self._searched_s = timestamp_s
        self._size, self._now_s = view.size, timestamp_s
        return found

    def follow(self, assignment: TrackAssignment, places: Sequence[Box]) -> None:
        """Expect the plates of this frame in the next ones; ``places`` are their boxes in pixels of the first frame."""
        if self._refine is not None:
            self._expected.update(assignment, places, self._now_s, searched=self._searched_s == self._now_s)

    def missed_frames(self, last: Sighting, timestamp_s: float, frame_index: int) -> int:
        """Frames between a sighting and a later frame in which a plate was looked for and not found."""
        frames = frame_index - last.frame_index - 1
        if self._refine is not None or not self._search_s:
            return frames
        return min(frames, math.ceil(min(frames + 1, (timestamp_s - last.timestamp_s - _CLOCK_S) / self._search_s)) - 1)

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
