"""Whether each vehicle is one passage, in the clips of each of the kinds of faults that there once were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from platereader._geometry import Box, shared_area
from platereader.lab.suites.video.outcomes import ClipOutcome, Frame, clip_outcome, seen_frames
from platereader.lab.suites.video.real_videos import boxes_outside
from platereader.lab.suites.video.replay import RecordedFrame, Replay
from platereader.lab.synthesis.video.clip import VideoFrame
from platereader.lab.synthesis.video.identity_kinds import KIND_CLIPS, kind_frames
from platereader.lab.synthesis.video.material import Material
from platereader.pipeline import Pipeline
from platereader.results import StreamUpdate

_PIECE_SHARE = 0.5
"""Share of a box within a plate from which it is on a piece of it."""


@dataclass(frozen=True, slots=True)
class KindOutcome:
    """What became of the passages of all clips of one kind, whose plates are known by their places.

    Attributes:
        passages: that there are in truth.
        events: finished tracks on plates or on pieces of them, whatever they say.
        right: passages whose longest track ends with their text.
        read: likewise, counting only those of status ``read``.
        wrong: tracks that end as ``read`` with a text that is not that of their plate, or on no plate.
        mixed: tracks that stood on two plates, in at least two frames each.
        lost: passages on which no track is.
        doubled: tracks on a passage beyond its first, and those on pieces of plates.
        elsewhere: tracks on nothing of a plate: signs, grilles and what is far off in the photographs.
        outside: boxes that were not wholly in the frame.
    """

    kind: str
    clips: int
    passages: int
    events: int
    right: int
    read: int
    wrong: int
    mixed: int
    lost: int
    doubled: int
    elsewhere: int
    outside: int


def watch_kind(pipeline: Pipeline, kind: str, material: Material, *, crf: int | None = None) -> KindOutcome:
    """Follow the plates through the clips of a kind, each frame as a live stream sees it."""
    clips = [kind_frames(kind, number, material, crf=crf) for number in range(KIND_CLIPS)]
    watched = [watch_clip(pipeline, frames, name=kind) for frames in clips]
    passages = [one for clip in watched for one in clip.outcome.passages]
    tracks = [one for clip in watched for one in clip.outcome.tracks]
    pieces = sum(clip.pieces for clip in watched)
    elsewhere = sum(one.passage is None for one in tracks) - pieces
    right = [one for one in passages if one.answer == one.text]
    return KindOutcome(
        kind=kind,
        clips=len(clips),
        passages=len(passages),
        events=len(tracks) - elsewhere,
        right=len(right),
        read=sum(one.status == "read" for one in right),
        wrong=sum(one.status == "read" and not one.right for one in tracks),
        mixed=sum(one.plates > 1 for one in tracks),
        lost=sum(one.tracks == 0 for one in passages),
        doubled=sum(max(one.tracks - 1, 0) for one in passages) + pieces,
        elsewhere=elsewhere,
        outside=sum(clip.outside for clip in watched),
    )


class WatchedClip(NamedTuple):
    """What a stream made of a clip: tracks on pieces of plates alone, and boxes that were not wholly in the frame."""

    outcome: ClipOutcome
    pieces: int
    outside: int


def watch_clip(pipeline: Pipeline, frames: Iterable[VideoFrame], *, name: str) -> WatchedClip:
    """Show a live stream the frames of a clip."""
    stream = pipeline.stream()
    seen: list[RecordedFrame] = []
    updates: list[StreamUpdate] = []
    outside = 0
    for frame in frames:
        size = (frame.pixels.shape[1], frame.pixels.shape[0])
        updates.append(stream.update(frame.pixels, frame.timestamp_s))
        seen.append(RecordedFrame(frame.timestamp_s, (), size, frame.plates))
        outside += boxes_outside(updates[-1], size=size)
    updates.append(stream.finish())
    replayed = Replay(tuple(by_last_number(updates)), 0, 0)
    return WatchedClip(clip_outcome(name, seen, replayed), _on_pieces(seen_frames(seen, replayed)), outside)


def _on_pieces(frames: Sequence[Frame]) -> int:
    """How many tracks never stood on a plate, but in most of their frames on a piece of one."""
    whole = {number for frame in frames for number in frame.passage_of}
    found = [(one.passage_id, _is_piece(one.box, frame)) for frame in frames for one in frame.tracks]
    return sum(
        2 * sum(is_piece for number, is_piece in found if number == piece) > sum(number == piece for number, _ in found)
        for piece in {number for number, _ in found} - whole
    )


def _is_piece(box: Box, frame: Frame) -> bool:
    return any(shared_area(box, plate.box) >= _PIECE_SHARE * box.area for plate in frame.recorded.plates)


def by_last_number(updates: Sequence[StreamUpdate]) -> list[StreamUpdate]:
    """The updates with each passage under the number with which it finishes, also before it was joined to another."""
    later = dict(pair for update in updates for pair in update.joined)

    def last(number: int) -> int:
        return last(later[number]) if number in later else number

    return [
        replace(update, active=tuple(replace(one, passage_id=last(one.passage_id)) for one in update.active))
        for update in updates
    ]
