"""One plate's passage through the view of one camera: where it was, and what was read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from platereader._geometry import Box, iou, shared_area
from platereader.results import Detection, PlateReading, TrackedPlate
from platereader.video._fusion import FusedEvidence

SETTLED_READINGS = 3
"""Readings that must each have a confident text as their own best one before it counts as settled."""

MIN_CONFLICTS = 2
"""Confident readings of another plate in a row that show that the tracker switched to another vehicle."""

STANDING_IOU = 0.6
"""Overlap with where it stood before of a plate that stands still."""

FRAGMENT_SHARE = 0.6
"""Share of a fragment of a plate that lies inside the place where the plate is expected."""

PARKED_S = 3.0
"""Seconds after which a plate that stands still counts as parked."""


class Observation(NamedTuple):
    """One reading, where it was made and when."""

    reading: PlateReading
    detection: Detection
    frame_index: int
    timestamp_s: float


@dataclass(slots=True, eq=False)
class Passage:
    """What is known of one plate from its first detection to its last.

    Attributes:
        passage_id: unique within its stream, from 1.
        track_id: the latest number that the tracker gave the plate.
        evidence: all that was read of it.
        box: last known or predicted box, pixels.
        first_seen_s: timestamp of the first detection, seconds.
        last_seen_s: timestamp of the last detection, seconds.
        conflicts: the latest readings, if they are of another plate.
        coasting: whether its place is only predicted.
        doubtful: whether the latest reading has another text: the tracker may have switched to something else.
    """

    passage_id: int
    track_id: int
    evidence: FusedEvidence
    box: Box
    first_seen_s: float
    last_seen_s: float
    conflicts: list[Observation] = field(default_factory=list[Observation])
    coasting: bool = False
    doubtful: bool = False
    _read_s: float = 0.0
    _standing: tuple[Box, float] | None = None

    @classmethod
    def begin(
        cls, passage_id: int, track_id: int, *, evidence: FusedEvidence, observations: list[Observation]
    ) -> Passage:
        """A passage that begins with these observations, at least one."""
        first = observations[0]
        passage = cls(passage_id, track_id, evidence, first.detection.box, first.timestamp_s, first.timestamp_s)
        for observation in observations:
            passage.see(observation.detection.box, observation.timestamp_s)
            passage.add(observation)
        return passage

    @property
    def settled(self) -> bool:
        """Whether more frames are not expected to change the text."""
        fused = self.evidence.fused
        return fused.status == "read" and fused.agreeing >= SETTLED_READINGS

    @property
    def parked(self) -> bool:
        """Whether the plate stood still when it was last seen."""
        return self._standing is not None and self.last_seen_s - self._standing[1] >= PARKED_S

    def due(self, timestamp_s: float, *, recheck_s: float) -> bool:
        """Whether to read the plate in this frame: always before it is settled, then now and then and on its return."""
        return not self.settled or self.coasting or bool(self.conflicts) or timestamp_s - self._read_s >= recheck_s

    def see(self, box: Box, timestamp_s: float) -> None:
        """Take in a detection."""
        self.box, self.last_seen_s, self.coasting = box, timestamp_s, False
        if self._standing is None or iou(self._standing[0], box) < STANDING_IOU:
            self._standing = (box, timestamp_s)

    def coast(self, box: Box) -> None:
        """Take in a predicted box, of a frame without a detection."""
        self.box, self.coasting = box, True

    def add(self, observation: Observation) -> bool:
        """Take in a reading.

        Returns:
            Whether it is taken; False for one of another plate, which stays among the ``conflicts``.
        """
        self._read_s = observation.timestamp_s
        self.doubtful = self.evidence.readings > 0 and observation.reading.text != self.evidence.fused.text
        if self.evidence.contradicted_by(observation.reading):
            self.conflicts.append(observation)
            return False
        for one in (*self.conflicts, observation):
            self.evidence.add(one.reading, one.frame_index)
        self.conflicts.clear()
        return True

    def resume(self, later: Passage) -> None:
        """Continue with what was begun as another passage."""
        self.evidence.merge(later.evidence)
        self.box, self.last_seen_s, self.conflicts = later.box, later.last_seen_s, later.conflicts
        if later.parked or self._standing is None or iou(self._standing[0], later.box) < STANDING_IOU:
            self._standing = later._standing
        self._read_s, self.coasting, self.doubtful = later._read_s, later.coasting, later.doubtful

    def covers(self, observation: Observation) -> bool:
        """Whether it is likely to show a fragment of this plate: it lies where this one is expected."""
        box = observation.detection.box
        return observation.reading.status != "read" and shared_area(self.box, box) >= FRAGMENT_SHARE * box.area

    def same_plate(self, other: Passage) -> bool:
        """Whether ``other``, which is in view while this one is not, shows the same plate.

        By its text, whatever the track of ``other`` followed before. Or by its place, where this one was parked and one
        of the two has no text.
        """
        if self.evidence.agrees_with(other.evidence):
            return True
        same_place = self.parked and other.first_seen_s >= self.last_seen_s and iou(self.box, other.box) >= STANDING_IOU
        return same_place and None in {self.evidence.fused.text, other.evidence.fused.text}

    def plate(self) -> TrackedPlate:
        """The passage as it is reported."""
        fused = self.evidence.fused
        best, best_frame_index = self.evidence.best
        return TrackedPlate(
            verdict=fused.verdict,
            passage_id=self.passage_id,
            track_id=self.track_id,
            settled=self.settled,
            readings=self.evidence.readings,
            first_seen_s=self.first_seen_s,
            last_seen_s=self.last_seen_s,
            box=self.box,
            best=best,
            best_frame_index=best_frame_index,
        )
