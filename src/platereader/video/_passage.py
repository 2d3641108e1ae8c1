"""One plate's passage through the view of one camera: where it was, and what was read of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from platereader._geometry import Box, iou, shared_area
from platereader.results import PlateReading, Sighting, TrackedPlate
from platereader.video._fusion import FusedEvidence, FusedReading
from platereader.video._fusion.difference import MIN_FRAMES, MIN_LENGTH, is_unlike, resembles

SETTLED_READINGS = 3
"""Readings that must each have a confident text as their own best one before it counts as settled."""

MIN_CONFLICTS = 2
"""Confident readings of quite another plate in a row that show that the tracker switched to another vehicle."""

LONG_RUN = 8
"""Readings in a row of another text before it is of another plate where the plate never left its place."""

MAX_DOUBTFUL = 12
"""Readings that wait for a decision whether they are of another plate; of so many without one, they are of this one."""

STANDING_IOU = 0.6
"""Overlap with where it stood before of a plate that stands still."""

UNBROKEN_IOU = 0.5
UNBROKEN_S = 0.3
"""Overlap with where it was at most so many seconds ago of what is surely the same plate."""

FRAGMENT_SHARE = 0.6
"""Share of a fragment of a plate that lies inside the place where the plate is expected."""

_WHOLE_ASPECT = 0.96
_TURN_PER_S = 0.2
"""A plate is seen whole if its aspect is at least this share of the greatest one; that fades, as vehicles turn."""

_MARGIN = 0.15
"""How far off a plate may be from where it is expected, in heights of it."""

_FRAGMENT_WIDTH = 0.85
_FRAGMENT_HEIGHTS = (0.6, 1.5)
_FRAGMENT_LENGTH = 4
_END_LENGTH = 3
_FRAGMENT_WIDTHS = 2.0
"""What was a fragment of a plate: narrower and as high; or a text that is a piece of its text, so near, and shorter if
it is an end of it and the fragment is narrower, too."""

PARKED_S = 3.0
"""Seconds after which a plate that stands still counts as parked."""

FADE_S = 1.0
"""Seconds without a detection after which a plate is not expected anywhere any more."""


class Observation(NamedTuple):
    """One detection, where it was made and when, and what was read there.

    ``place`` is its box in pixels of the stream's first frame, and so are all boxes of a passage but its sightings.
    """

    reading: PlateReading
    place: Box
    sighting: Sighting


class Seen(NamedTuple):
    """Where and when a plate was seen."""

    place: Box
    sighting: Sighting


@dataclass(slots=True, eq=False)
class Passage:
    """What is known of one plate from its first detection to its last."""

    passage_id: int  # unique within its stream, from 1
    track_id: int  # the latest number that the tracker gave the plate
    evidence: FusedEvidence  # all that was read of it
    place: Box  # last known or predicted
    first: Sighting
    last: Sighting
    # The latest readings, if they may be of another plate; they are not in the evidence.
    doubtful: list[Observation] = field(default_factory=list[Observation])
    # What was surely read of other plates in its place before it was seen there again; the stream takes them over.
    strangers: list[Observation] = field(default_factory=list[Observation])
    coasting: bool = False  # whether its place is only predicted
    _last_certain: Seen | None = None
    _whole: Seen | None = None
    _speed: tuple[float, float] = (0.0, 0.0)
    _read_s: float = 0.0
    _unbroken: bool = True
    _returned: bool = False  # seen again after it was not, and not read since
    _jumped: bool = False  # likewise, where it was not expected
    _apart: bool = False  # seen again so long after it was that another vehicle may be there, and not read since
    _settled: FusedReading | None = None
    _standing: tuple[Box, float] | None = None

    @classmethod
    def begin(
        cls, passage_id: int, track_id: int, *, evidence: FusedEvidence, observations: Sequence[Observation]
    ) -> Passage:
        """A passage that begins with these observations, at least one."""
        first = observations[0]
        passage = cls(passage_id, track_id, evidence, first.place, first.sighting, first.sighting)
        for observation in observations:
            passage.see(observation.place, observation.sighting)
            passage.add(observation)
        return passage

    @property
    def settled(self) -> bool:
        """Whether more frames are not expected to change the text."""
        return self._settled is not None

    @property
    def parked(self) -> bool:
        """Whether the plate stood still when it was last seen."""
        return self._standing is not None and self.last.timestamp_s - self._standing[1] >= PARKED_S

    @property
    def surely_last(self) -> Sighting:
        """The latest detection that is surely of this plate."""
        return self._last_certain.sighting if self.doubtful and self._last_certain is not None else self.last

    @property
    def is_doubted(self) -> bool:
        """Whether another plate was surely read in this one's place, and this one not again so far."""
        return any(self.evidence.contradicted_by(one.reading) for one in self.doubtful)

    def due(self, timestamp_s: float, *, recheck_s: float) -> bool:
        """Whether to read the plate: always before it is settled, then now and then, on its return and after a jump.

        Where few frames come in a second, every sighting may be one of another vehicle.
        """
        known = self.settled and not (self.coasting or self._returned or self._jumped or self._apart or self.doubtful)
        return not known or timestamp_s - self._read_s >= recheck_s

    def see(self, place: Box, sighting: Sighting, *, cut: bool = False) -> None:
        """Take in a detection; after a cut it may be of any plate."""
        if self._unbroken and not self.doubtful:  # else only a reading tells whether it is still the same plate
            self._last_certain = Seen(self.place, self.last)
        waited_s = sighting.timestamp_s - self.last.timestamp_s
        moved = iou(self.place, place) < UNBROKEN_IOU
        if cut or self.coasting or waited_s > UNBROKEN_S or moved:
            self._unbroken = False
        self._returned = self._returned or self.coasting
        self._apart = self._apart or waited_s > UNBROKEN_S
        if cut or (moved and iou(self._led_to(sighting.timestamp_s), place) < UNBROKEN_IOU):
            self._jumped = True
        self.place, self.last, self.coasting = place, sighting, False
        if self._is_whole(place, sighting):
            self._see_whole(place, sighting)
        if self._standing is None or iou(self._standing[0], place) < STANDING_IOU:
            self._standing = (place, sighting.timestamp_s)

    def _is_whole(self, place: Box, sighting: Sighting) -> bool:
        """Whether all of the plate is seen, as far as its aspect says."""
        if self._whole is None:
            return True
        elapsed_s = sighting.timestamp_s - self._whole.sighting.timestamp_s
        least = _WHOLE_ASPECT * _aspect(self._whole.place) * math.exp(-_TURN_PER_S * elapsed_s)
        return elapsed_s > FADE_S or _aspect(place) >= least

    def _see_whole(self, place: Box, sighting: Sighting) -> None:
        """Remember where the whole plate was seen, and how it moves."""
        self._speed = (0.0, 0.0)
        if self._whole is not None:
            elapsed_s = sighting.timestamp_s - self._whole.sighting.timestamp_s
            if 0.0 < elapsed_s <= FADE_S:
                moves = zip(place.center, self._whole.place.center, strict=True)
                x, y = ((now - before) / elapsed_s for now, before in moves)
                self._speed = (x, y)
        self._whole = Seen(place, sighting)

    def coast(self, place: Box) -> None:
        """Take in a predicted box, of a frame without a detection."""
        self.place, self.coasting = place, True

    def add(self, observation: Observation) -> list[Observation]:
        """Take in a reading; returns those that are of another plate in this one's place now, which are mostly none."""
        if self._is_only_checked(observation.reading):
            self._jumped = self._apart = False
            return []
        self._read_s, self._returned, self._jumped = observation.sighting.timestamp_s, False, False
        self._apart = False
        in_doubt = self._in_doubt(observation.reading)
        self.doubtful.append(observation)
        if in_doubt and self._replaced():
            return self.release()
        if in_doubt and len(self.doubtful) < MAX_DOUBTFUL:
            return []
        others = [self.evidence.contradicted_by(one.reading) for one in self.doubtful]
        for one, is_other in zip(self.doubtful, others, strict=True):
            if is_other:
                self.strangers.append(one)
            else:
                self.evidence.add(one.reading, one.sighting.frame_index)
        self.doubtful.clear()
        self._last_certain = Seen(self.place, self.last)
        if observation.reading.text is not None and observation.reading.text == self.evidence.fused.text:
            self._unbroken = True
        self._settle()
        return []

    def displaced_by(self, observation: Observation) -> bool:
        """Whether it is surely of another plate, which the track of this one has jumped to."""
        return not self._unbroken and bool(self.evidence.readings) and self.evidence.excludes(observation.reading)

    def release_strangers(self) -> list[Observation]:
        """Give up what was surely read of other plates in its place; in that of a settled one, once is misread."""
        if self.settled and len(self.strangers) < MIN_CONFLICTS:
            return []
        released, self.strangers = self.strangers, []
        return released

    def release(self) -> list[Observation]:
        """Give up the doubtful readings, and with them all that was seen since: they are of another plate."""
        released, self.doubtful = self.doubtful, []
        if self._last_certain is not None:
            self.place, self.last = self._last_certain
        return released

    def resume(self, later: Passage) -> None:
        """Continue with what was begun as another passage."""
        if later.settled and not self.settled:  # and so may have been announced
            self.passage_id = later.passage_id
        self.evidence.merge(later.evidence)
        if later.parked or self._standing is None or iou(self._standing[0], later.place) < STANDING_IOU:
            self._standing = later._standing
        self.place, self.last, self._last_certain = later.place, later.last, later._last_certain
        self.doubtful = later.doubtful
        self.strangers += later.strangers
        self._read_s, self.coasting, self._unbroken = later._read_s, later.coasting, later._unbroken
        self._returned, self._jumped, self._apart = later._returned, later._jumped, later._apart
        self._whole, self._speed = later._whole, later._speed
        self._settle()

    def covers(self, observation: Observation) -> bool:
        """Whether it is likely to show this plate, or a fragment of it: it lies where this one is, or is expected."""
        reading, text = observation.reading, self.evidence.fused.text
        part = reading.text is not None and text is not None and reading.text in text
        if reading.status == "read" and not part:
            return False
        return any(_lies_in(observation.place, place) for place in self._expected(observation.sighting.timestamp_s))

    @property
    def identified(self) -> bool:
        """Whether a whole text was read so often that it is known which plate this is."""
        fused = self.evidence.fused
        return self.settled or (fused.agreeing >= MIN_FRAMES and len(fused.text or "") >= MIN_LENGTH)

    @property
    def strayed(self) -> bool:
        """Whether its track may follow another plate by now: it was lost once, and nothing sure was read of it."""
        return not (self._unbroken or self.identified)

    def includes(self, other: Passage) -> bool:
        """Whether ``other``, which was seen shortly before and is not seen now, was a fragment of this plate."""
        if not 0.0 < self.last.timestamp_s - other.last.timestamp_s <= FADE_S:
            return False
        if other.settled or other.evidence.fused.status == "read":
            return False
        if self._reads_piece(other):
            return True
        alike = resembles(self.evidence.fused.text, other.evidence.fused.text)
        return self._is_wider_than(other) and alike and _lies_in(other.place, self.place)

    def _is_wider_than(self, other: Passage) -> bool:
        """Whether ``other`` is narrower than this plate and about as high, as a piece of it is."""
        least, most = (share * self.place.height for share in _FRAGMENT_HEIGHTS)
        return other.place.width < _FRAGMENT_WIDTH * self.place.width and least <= other.place.height <= most

    def _reads_piece(self, other: Passage) -> bool:
        """Whether the text of ``other``, near by, is a piece of this plate's text, or all that was read of it are."""
        text, piece = self.evidence.fused.text, other.evidence.fused.text
        if text is None or piece is None or piece == text or piece not in text:
            return False
        is_end = (text.startswith(piece) or text.endswith(piece)) and self._is_wider_than(other)
        least = _END_LENGTH if is_end else _FRAGMENT_LENGTH
        if len(piece) < least and not other.evidence.reads_pieces_of(text, length=_FRAGMENT_LENGTH):
            return False
        width = max(self.place.width, other.place.width)
        return math.dist(self.place.center, other.place.center) <= _FRAGMENT_WIDTHS * width

    def absorb(self, fragment: Passage) -> None:
        """Begin where a fragment of the same plate began; what was read of it says nothing."""
        if fragment.first.frame_index < self.first.frame_index:
            self.first = fragment.first
            if not self.settled:  # else it may have been announced under its number
                self.passage_id = fragment.passage_id

    def same_plate(self, other: Passage, *, soon: bool) -> bool:
        """Whether ``other``, which was begun while this one was not in view, shows the same plate.

        By its text or the pieces that were read of it, or by its place if it came back soon or this one was parked, and
        the texts do not speak against it.
        """
        if self.evidence.agrees_with(other.evidence):
            return True
        if self.identified:
            whole = other.evidence.pieces_make_up(self.evidence.fused.text or "")
            if whole or (soon and self._reads_piece(other)):
                return True
        mine, others = self.evidence.fused, other.evidence.fused
        if mine.status == others.status == "read" or not resembles(mine.text, others.text):
            return False
        return (soon or self.parked) and iou(self.place, other.place) >= STANDING_IOU

    def plate(self, box: Box, *, predicted: bool) -> TrackedPlate:
        """The passage as it is reported, with the part of its box inside the frame."""
        fused = self.evidence.fused
        if self._settled is not None and fused.status != "read":
            fused = self._settled  # later readings that are not sure do not take it back
        best, best_frame_index = self.evidence.best_of(fused.text)
        return TrackedPlate(
            verdict=fused.verdict,
            passage_id=self.passage_id,
            track_id=self.track_id,
            settled=self.settled,
            readings=self.evidence.readings,
            agreeing=fused.agreeing,
            first=self.first,
            last=self.last,
            box=box,
            predicted=predicted,
            best=best,
            best_frame_index=best_frame_index,
        )

    def _is_only_checked(self, reading: PlateReading) -> bool:
        """Whether it was read only to see that no other plate is in its place, and says neither yes nor no."""
        if not (self._jumped and self.settled) or self._returned or self.doubtful:
            return False
        return reading.text != self.evidence.fused.text and not self.evidence.excludes(reading)

    def _in_doubt(self, reading: PlateReading) -> bool:
        """Whether a reading may be of another plate than the earlier ones."""
        if not self.evidence.readings or reading.text == self.evidence.fused.text:
            return False
        if self.doubtful or self.evidence.contradicted_by(reading) or self.evidence.opposed_by(reading):
            return True
        return self.settled and not self._unbroken

    def _replaced(self) -> bool:
        """Whether the doubtful readings show that another plate is in this one's place."""
        readings = [one.reading for one in self.doubtful]
        if sum(map(self.evidence.contradicted_by, readings)) >= MIN_CONFLICTS:
            return True
        if self._unbroken:
            return self.evidence.replaced_in(readings, frames=LONG_RUN)
        text = self.evidence.fused.text or ""
        unlike = [one.text for one in readings if one.text is not None and is_unlike(text, one.text)]
        alike = sum(resembles(one, unlike[0]) for one in unlike)
        return alike >= MIN_FRAMES or self.evidence.replaced_in(readings)

    def _settle(self) -> None:
        fused = self.evidence.fused
        if fused.status == "read" and fused.agreeing >= SETTLED_READINGS:
            self._settled = fused

    def _expected(self, timestamp_s: float) -> list[Box]:
        """Where the plate is, or is expected: its place, and that of all of it where only a piece is seen."""
        if timestamp_s - self.last.timestamp_s > FADE_S or self._whole is None:
            return []
        elapsed_s = timestamp_s - self._whole.sighting.timestamp_s
        return [self.place, self._led_to(timestamp_s)] if elapsed_s <= FADE_S else [self.place]

    def _led_to(self, timestamp_s: float) -> Box:
        """Where the plate is if it moves on as it did when all of it was seen."""
        if self._whole is None:
            return self.place
        elapsed_s = timestamp_s - self._whole.sighting.timestamp_s
        return self._whole.place.moved(self._speed[0] * elapsed_s, self._speed[1] * elapsed_s)


def _aspect(place: Box) -> float:
    return place.width / max(place.height, 1.0)


def _lies_in(fragment: Box, place: Box) -> bool:
    """Whether most of a fragment lies where a plate is expected, about."""
    margin = _MARGIN * place.height
    return shared_area(place.padded(margin, margin), fragment) >= FRAGMENT_SHARE * fragment.area
