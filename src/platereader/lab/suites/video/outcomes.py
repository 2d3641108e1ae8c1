"""What became of every true passage and of every track, from the updates of a stream, frame by frame."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from platereader._geometry import Box, iou
from platereader.lab.metrics.rates import best_overlap
from platereader.lab.suites.labelled.outcomes import MIN_FOUND_IOU
from platereader.lab.suites.video.replay import RecordedFrame, Replay
from platereader.lab.suites.video.voting import best_single_frame, character_vote, whole_string_majority
from platereader.lab.synthesis.video.truth import TruePlate
from platereader.results import PlateReading, Status, TrackedPlate


@dataclass(frozen=True, slots=True)
class PassageOutcome:
    """What became of one true passage of a clip.

    Attributes:
        visible: frames with all of the plate in view.
        right: of these, frames whose own reading is right.
        legible: frames in which it is also large and sharp enough.
        tracks: finished tracks on it.
        answer: fused text of the longest of them, with its status and confidence.
        settled_after: legible frames up to the one in which a track on it was settled first; None for never.
        settled_wrong: whether a track on it was ever settled and ``read`` with another text.
        best_frame: what the most confident frame of that track says.
        majority: what the whole-string majority of that track says.
        characters: what the vote on each character of that track says.
    """

    clip: str
    passage: int
    text: str
    visible: int
    right: int
    legible: int
    tracks: int
    answer: str | None
    status: Status | None
    confidence: float
    settled_after: int | None
    settled_wrong: bool
    best_frame: str | None
    majority: str | None
    characters: str | None


@dataclass(frozen=True, slots=True)
class TrackOutcome:
    """What became of one finished track of a clip, and what the plate that it follows most really says.

    ``passage`` is None for no true plate at all; ``plates`` counts the true plates it stood on in at least two frames.
    """

    clip: str
    passage: int | None
    truth: str | None
    text: str | None
    status: Status
    confidence: float
    settled: bool
    plates: int

    @property
    def right(self) -> bool:
        """Whether it says what its plate says."""
        return self.text is not None and self.text == self.truth


class Frame(NamedTuple):
    """One frame: its plates, what is seen of its tracks, and which of them stands on which plate."""

    recorded: RecordedFrame
    tracks: tuple[TrackedPlate, ...]
    passage_of: dict[int, TruePlate]


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """What became of everything in one clip: passages that were in full view at least once, all finished tracks.

    ``frames`` counts all, ``detector_runs`` those in which the detector was run, ``read`` the plates that were read.
    """

    clip: str
    passages: tuple[PassageOutcome, ...]
    tracks: tuple[TrackOutcome, ...]
    frames: int
    detector_runs: int
    read: int

    @property
    def level(self) -> str:
        """Name of the level."""
        return self.clip.split(" ", 1)[0]


def clip_outcome(clip: str, recorded: Sequence[RecordedFrame], replayed: Replay) -> ClipOutcome:
    """Compare a stream's updates on a clip with the truth."""
    frames = seen_frames(recorded, replayed)
    finished = [plate for update in replayed.updates for plate in update.finished]
    owners, counts = _owners(frames)
    tracks = [
        _track(clip, plate, owners.get(plate.passage_id), plates=counts.get(plate.passage_id, 0)) for plate in finished
    ]
    in_view = sorted({plate.passage for frame in recorded for plate in frame.plates if plate.visible})
    passages = [_passage(clip, passage, frames, finished, owners) for passage in in_view]
    return ClipOutcome(clip, tuple(passages), tuple(tracks), len(recorded), replayed.detector_runs, replayed.read)


def seen_frames(recorded: Sequence[RecordedFrame], replayed: Replay) -> list[Frame]:
    """For every frame its tracks that are seen, not predicted, and the plate that each of them stands on."""
    frames: list[Frame] = []
    for frame, update in zip(recorded, replayed.updates, strict=False):  # the last update is of no frame
        seen = tuple(plate for plate in update.active if plate.last_seen_s == frame.timestamp_s)
        pairs = _paired([plate.box for plate in seen], [plate.box for plate in frame.plates])
        frames.append(Frame(frame, seen, {seen[a].passage_id: frame.plates[b] for a, b in pairs}))
    return frames


def _paired(found: Sequence[Box], true: Sequence[Box]) -> list[tuple[int, int]]:
    """Pairs of indices, the largest overlaps first, each index once."""
    overlaps = sorted(((iou(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(true)), reverse=True)
    pairs: list[tuple[int, int]] = []
    for overlap, i, j in overlaps:
        if overlap >= MIN_FOUND_IOU and all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def _owners(frames: Sequence[Frame]) -> tuple[dict[int, TruePlate], dict[int, int]]:
    """For every track the plate that it stood on most often, and how many it stood on in at least two frames."""
    votes: defaultdict[int, Counter[int]] = defaultdict(Counter)
    plates: dict[int, TruePlate] = {}
    for frame in frames:
        for passage_id, plate in frame.passage_of.items():
            votes[passage_id][plate.passage] += 1
            plates[plate.passage] = plate
    owners = {passage_id: plates[counts.most_common(1)[0][0]] for passage_id, counts in votes.items()}
    return owners, {passage_id: sum(count > 1 for count in counts.values()) for passage_id, counts in votes.items()}


def _track(clip: str, plate: TrackedPlate, owner: TruePlate | None, *, plates: int) -> TrackOutcome:
    passage, truth = (None, None) if owner is None else (owner.passage, owner.text)
    return TrackOutcome(clip, passage, truth, plate.text, plate.status, plate.confidence, plate.settled, plates)


def _passage(
    clip: str, passage: int, frames: Sequence[Frame], finished: Sequence[TrackedPlate], owners: dict[int, TruePlate]
) -> PassageOutcome:
    here = [(frame, plate) for frame in frames for plate in frame.recorded.plates if plate.passage == passage]
    visible = [(frame, plate) for frame, plate in here if plate.visible]
    text = here[0][1].text
    ids = {passage_id for passage_id, owner in owners.items() if owner.passage == passage}
    own = [one for one in finished if one.passage_id in ids]
    lengths = Counter(one.passage_id for frame in frames for one in frame.tracks)
    main = max(own, key=lambda one: lengths[one.passage_id], default=None)
    # Tracks that were joined to an earlier one never finish under their own number.
    ids -= {one.passage_id for one in own if one is not main}
    places = [(frame, one.box) for frame in frames for one in frame.tracks if one.passage_id in ids]
    readings = [] if main is None else _readings(places)
    settled = [[one for one in _tracks_on(frame, passage) if one.settled] for frame, _ in here]
    first_settled = next((index for index, tracks in enumerate(settled) if tracks), None)
    return PassageOutcome(
        clip=clip,
        passage=passage,
        text=text,
        visible=len(visible),
        right=sum(one.text == text for one in _readings([(frame, plate.box) for frame, plate in visible])),
        legible=sum(plate.legible for _, plate in here),
        tracks=len(own),
        answer=None if main is None else main.text,
        status=None if main is None else main.status,
        confidence=0.0 if main is None else main.confidence,
        settled_after=None if first_settled is None else sum(one.legible for _, one in here[: first_settled + 1]),
        settled_wrong=any(one.status == "read" and one.text != text for tracks in settled for one in tracks),
        best_frame=best_single_frame(readings),
        majority=whole_string_majority(readings),
        characters=character_vote(readings),
    )


def _tracks_on(frame: Frame, passage: int) -> list[TrackedPlate]:
    on_it = {passage_id for passage_id, plate in frame.passage_of.items() if plate.passage == passage}
    return [one for one in frame.tracks if one.passage_id in on_it]


def _readings(places: Sequence[tuple[Frame, Box]]) -> list[PlateReading]:
    """Of each frame and box the frame's own reading that overlaps the box most, where there is one from IoU 0.3 on."""
    readings: list[PlateReading] = []
    for frame, box in places:
        found = [(one, one.detection.box) for one in frame.recorded.readings if one.detection]
        best, overlap = best_overlap(box, [place for _, place in found])
        if overlap >= MIN_FOUND_IOU:
            readings.append(found[best][0])
    return readings
