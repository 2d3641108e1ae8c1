"""One camera's state."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fakes import OneTrack, frame_with, patch_pipeline
from platereader import Box, Detection, InvalidArgumentError, Quad, TimestampError, TrackAssignment
from platereader._arrays import BgrImage
from platereader.pipeline import Pipeline
from platereader.results import PlateReading, StreamUpdate, TrackedPlate
from platereader.video import _stream
from platereader.video._stream import PlateStream, StreamSettings
from platereader.video._view import View

PLATE = Box(20, 30, 100, 50)
EMPTY = np.zeros((240, 320, 3), np.uint8)
BLANK: dict[int, Box] = {}


def test_plate_that_leaves_is_finished_exactly_once() -> None:
    stream = patch_pipeline().stream()
    for step in range(4):
        stream.update(frame_with({50: PLATE}), step / 10)
    gone = [plate for step in range(4, 80) for plate in stream.update(EMPTY, step / 10).finished]
    assert [plate.text for plate in gone] == ["A123BC77"]
    assert stream.finish().finished == ()


def test_best_reading_carries_its_picture_and_frame_index() -> None:
    stream = patch_pipeline().stream()
    for step in range(3):
        update = stream.update(frame_with({50: PLATE.moved(step, 0)}), step / 5)
    (plate,) = update.active
    assert plate.best.text == "A123BC77"
    assert plate.best.evidence.plate.pixels.max() == 50
    assert 0 <= plate.best_frame_index <= 2


def test_times_may_be_fractions() -> None:
    stream = patch_pipeline().stream()
    times: list[Any] = [Fraction(index, 25) for index in range(5)]
    updates = [stream.update(frame_with({50: PLATE}), time) for time in times]
    assert [type(update.timestamp_s) for update in updates] == [float] * 5
    assert stream.finish().finished[0].last.timestamp_s == pytest.approx(4 / 25)


@pytest.mark.parametrize("timestamp_s", [1.0, 0.5, float("nan"), float("inf"), "2.0"])
def test_time_must_grow(timestamp_s: Any) -> None:
    stream = patch_pipeline().stream()
    stream.update(EMPTY, 1.0)
    with pytest.raises(TimestampError, match=f"timestamp_s is {timestamp_s!r}"):
        stream.update(EMPTY, timestamp_s)


def test_finished_stream_takes_no_more_frames() -> None:
    stream = patch_pipeline().stream()
    stream.update(frame_with({50: PLATE}), 0.0)
    assert len(stream.finish().finished) == 1
    with pytest.raises(InvalidArgumentError, match="finished"):
        stream.update(EMPTY, 1.0)


def counted(settings: StreamSettings | None = None) -> tuple[PlateStream, list[int], list[int]]:
    """A stream, and lists that grow with every detection (number found) and every reading (number read)."""
    stream = patch_pipeline().stream(settings)
    detect, read = stream._search._detect, stream._read
    looked, read_plates = list[int](), list[int]()

    def counting_detect(frame: BgrImage) -> list[Detection]:
        found = detect(frame)
        looked.append(len(found))
        return found

    def counting_read(frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        read_plates.append(len(detections))
        return read(frame, detections)

    stream._search._detect, stream._read = counting_detect, counting_read
    return stream, looked, read_plates


def run(
    stream: PlateStream, frames: Sequence[BgrImage], *, start_s: float = 0.0, fps: float = 10.0
) -> list[StreamUpdate]:
    return [stream.update(frame, start_s + index / fps) for index, frame in enumerate(frames)]


def finished_of(updates: Sequence[StreamUpdate]) -> list[TrackedPlate]:
    return [plate for update in updates for plate in update.finished]


def test_settled_plate_is_read_again_only_now_and_then() -> None:
    stream, looked, read_plates = counted(StreamSettings(recheck_s=1.0))
    updates = run(stream, [frame_with({50: PLATE})] * 51)
    assert updates[-1].active[0].settled
    assert len(looked) == 51
    assert sum(read_plates) == 3 + 4  # until it was settled, then one a second, counted from the latest
    assert updates[-1].active[0].last_seen_s == 5.0


@pytest.mark.parametrize(("settings", "blue"), [(StreamSettings(recheck_s=0.0), 50), (StreamSettings(), 200)])
def test_every_frame_is_read_where_nothing_is_settled_or_all_is_rechecked(settings: StreamSettings, blue: int) -> None:
    stream, _, read_plates = counted(settings)
    run(stream, [frame_with({blue: PLATE})] * 20)
    assert sum(read_plates) == 20


def test_plates_of_one_frame_are_read_together() -> None:
    stream, _, read_plates = counted()
    run(stream, [frame_with({50: PLATE, 100: Box(200, 150, 290, 175)})])
    assert read_plates == [2]


@pytest.mark.parametrize(("same_passage_s", "passages"), [(4.0, 1), (2.0, 2)])
def test_plate_that_comes_back_soon_is_on_the_same_passage(same_passage_s: float, passages: int) -> None:
    stream = patch_pipeline().stream(StreamSettings(same_passage_s=same_passage_s))
    updates = run(stream, [frame_with({50: PLATE})] * 5 + [EMPTY] * 30 + [frame_with({50: PLATE.moved(150, 120)})] * 5)
    assert len(finished_of(updates)) == passages - 1
    assert [plate.passage_id for plate in updates[-1].active] == [passages]
    told = finished_of([*updates, stream.finish()])
    assert [(plate.passage_id, plate.text) for plate in told] == [(n + 1, "A123BC77") for n in range(passages)]
    assert (told[0].first_seen_s, told[-1].last_seen_s) == pytest.approx((0.0, 3.9))


@pytest.mark.parametrize("blue", [50, 200])
def test_parked_plate_is_one_passage_though_it_is_hidden_for_long(blue: int) -> None:
    stream = patch_pipeline().stream(StreamSettings(parked_s=60.0))
    parked = [frame_with({blue: PLATE})] * 50
    updates = run(stream, parked + [EMPTY] * 200 + parked + [EMPTY] * 200 + parked)
    assert finished_of(updates) == []
    assert [plate.passage_id for plate in updates[-1].active] == [1]
    assert len(stream.finish().finished) == 1


def test_a_tracker_that_switches_to_another_vehicle_begins_a_new_passage() -> None:
    stream = Pipeline(replace(patch_pipeline().parts, tracker=OneTrack)).stream(StreamSettings(recheck_s=0.5))
    updates = run(stream, [frame_with({50: PLATE})] * 20 + [frame_with({100: PLATE})] * 20)
    assert [plate.text for plate in updates[-1].active] == ["M555KE199"]
    gone = finished_of([*updates, stream.finish()])
    assert [(plate.text, plate.status) for plate in gone] == [("A123BC77", "read"), ("M555KE199", "read")]
    assert gone[0].last_seen_s <= gone[1].first_seen_s


def test_one_reading_of_another_plate_changes_nothing() -> None:
    stream = Pipeline(replace(patch_pipeline().parts, tracker=OneTrack)).stream(StreamSettings(recheck_s=0.0))
    one, other = frame_with({50: PLATE}), frame_with({100: PLATE})
    run(stream, [one] * 10 + [other] + [one] * 10)
    assert [plate.text for plate in stream.finish().finished] == ["A123BC77"]


def test_plate_is_read_as_soon_as_it_comes_back() -> None:
    stream, _, read_plates = counted(StreamSettings(recheck_s=100.0))
    run(stream, [frame_with({50: PLATE})] * 5 + [EMPTY] * 3)
    before = sum(read_plates)
    run(stream, [frame_with({50: PLATE})] * 2, start_s=0.8)
    assert sum(read_plates) == before + 1


class ScriptedTracker:
    """A tracker that gives scripted ids, frame by frame; what is missing in a frame coasts where it was."""

    def __init__(self, *frames: tuple[int, ...]) -> None:
        self._frames = list(frames)
        self._places: dict[int, Box] = {}

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        ids = self._frames.pop(0)
        coasting = tuple(item for item in self._places.items() if item[0] not in ids)
        self._places.update(zip(ids, (detection.box for detection in detections), strict=True))
        return TrackAssignment(ids, ended=(), coasting=coasting)


@pytest.mark.parametrize(
    ("instead", "passages"),
    [
        ({200: Box(25, 30, 60, 50)}, [(1, "A123BC77")]),  # a piece of the plate, which is hidden
        ({100: Box(25, 30, 60, 50)}, [(1, "A123BC77"), (2, "M555KE199")]),
        ({200: Box(220, 130, 300, 150)}, [(1, "A123BC77"), (2, None)]),
    ],
)
def test_what_is_seen_instead_of_a_plate_is_another_passage_if_it_reads_or_lies_elsewhere(
    instead: dict[int, Box], passages: list[tuple[int, str | None]]
) -> None:
    scripted = ScriptedTracker((1,), (1,), (1,), (2,), (1,), (1,))
    stream = Pipeline(replace(patch_pipeline().parts, tracker=lambda: scripted)).stream()
    plate = frame_with({50: PLATE})
    updates = run(stream, [plate, plate, plate, frame_with(instead), plate, plate])
    assert [(one.passage_id, one.text) for one in updates[3].active] == passages
    assert [one.passage_id for one in updates[-1].active if not one.predicted] == [1]
    assert [(one.passage_id, one.text) for one in stream.finish().finished] == passages


def test_a_plate_comes_back_to_its_passage_from_a_track_that_switched() -> None:
    # Track 1 switches to something else; the plate itself is then seen under a new track.
    scripted = ScriptedTracker((1,), (1,), (1,), (), (1,), (2, 1), (2, 1))
    stream = Pipeline(replace(patch_pipeline().parts, tracker=lambda: scripted)).stream(StreamSettings(recheck_s=0.0))
    plate, something = {50: PLATE}, {200: Box(220, 130, 300, 150)}
    both = {**plate, **something}
    frames = [frame_with(one) for one in (plate, plate, plate, BLANK, something, both, both)]
    updates = run(stream, frames)
    assert [(one.passage_id, one.text) for one in updates[-1].active if one.text] == [(1, "A123BC77")]
    assert [one.text for one in stream.finish().finished].count("A123BC77") == 1


def test_stream_goes_on_after_a_reading_that_failed() -> None:
    stream, _, _ = counted()
    read = stream._read
    run(stream, [frame_with({50: PLATE})] * 2)

    def broken(frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        raise RuntimeError("out of memory")

    stream._read = broken
    with pytest.raises(RuntimeError, match="out of memory"):
        stream.update(frame_with({50: PLATE, 100: Box(200, 150, 290, 175)}), 0.2)
    stream._read = read
    run(stream, [frame_with({50: PLATE, 100: Box(200, 150, 290, 175)})] * 3, start_s=0.3)
    assert [plate.text for plate in stream.finish().finished] == ["A123BC77", "M555KE199"]


def test_a_stream_ends_at_the_time_of_its_last_frame() -> None:
    stream = patch_pipeline().stream()
    run(stream, [EMPTY] * 3, start_s=-9.0)
    assert stream.finish().timestamp_s == pytest.approx(-8.8)
    assert patch_pipeline().stream().finish().timestamp_s == 0.0


@dataclass
class NewTrackEachTime:
    """Gives the one detection of a frame a new id, and says that the track before has ended, or never does."""

    ends: bool = True
    last: int = 0

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        self.last += 1
        return TrackAssignment((self.last,), ended=(self.last - 1,) if self.ends else ())


def test_a_tracker_that_never_ends_tracks_cannot_make_a_stream_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stream, "MAX_UNDETECTED", 30)
    parts = replace(patch_pipeline().parts, tracker=lambda: NewTrackEachTime(ends=False))
    stream = Pipeline(parts).stream(StreamSettings(same_passage_s=0.0))
    frames = [frame_with({200: PLATE.moved(100 * (step % 3), 25 * (step // 3 % 8))}) for step in range(30 + 50)]
    updates = run(stream, frames)
    assert len(stream._active) == 30 + 1
    assert max(len(update.active) for update in updates) < 20  # what was not seen for a second is not shown
    assert [plate.passage_id for plate in finished_of(updates)] == list(range(1, 50))


def test_a_track_that_was_not_seen_for_long_has_ended_whatever_its_tracker_says() -> None:
    stream = Pipeline(replace(patch_pipeline().parts, tracker=OneTrack)).stream()
    updates = run(stream, [frame_with({50: PLATE})] * 3 + [EMPTY] * 62, fps=1.0)
    assert [len(update.active) for update in updates[:5]] == [1, 1, 1, 1, 0]
    assert [len(update.finished) for update in updates[-3:]] == [0, 1, 0]
    assert [plate.text for plate in finished_of(updates)] == ["A123BC77"]
    assert [plate.passage_id for plate in run(stream, [frame_with({50: PLATE})], start_s=70.0)[0].active] == [2]


def test_a_track_that_has_ended_and_is_overdue_ends_once() -> None:
    stream = patch_pipeline().stream()
    stream.update(frame_with({50: PLATE}), 0.0)
    assert [plate.text for plate in stream.update(EMPTY, 1e6).finished] == ["A123BC77"]


def test_lost_passages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stream, "MAX_LOST", 30)
    parts = replace(patch_pipeline().parts, tracker=NewTrackEachTime)
    stream = Pipeline(parts).stream(StreamSettings(same_passage_s=1e6))
    frames = [frame_with({200: PLATE.moved(7 * (step % 30), 5 * (step % 37))}) for step in range(30 + 50)]
    gone = finished_of(run(stream, frames))
    assert [plate.passage_id for plate in gone] == list(range(1, 50))
    assert len(stream.finish().finished) == 30 + 1


def test_a_box_is_the_same_part_of_frames_of_every_size() -> None:
    view = View((200, 120), first_size=(100, 60))
    corners = Quad((2, 4), (40, 4), (40, 20), (2, 20))
    moved = view.detection_in_first(Detection(Box(2, 4, 40, 20), 0.5, corners, 2))
    assert moved == Detection(Box(1, 2, 20, 10), 0.5, Quad((1, 2), (20, 2), (20, 10), (1, 10)), 2)
    assert view.box_in_frame(Box(-5, 2, 20, 10)) == Box(0, 4, 40, 20)
    assert view.box_in_frame(Box(-5, 2, -1, 10)) is None
    assert view.inside(Box(-5, -3, 220, 130)) == Box(0, 0, 200, 120)
    assert view.inside(Box(-30, 5, -10, 15)) == Box(0, 5, 0, 15)  # beside the frame


@pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan"), "2"])
@pytest.mark.parametrize("name", ["search_s", "recheck_s", "same_passage_s", "parked_s"])
def test_settings_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name} is {value!r}"):
        StreamSettings(**{name: value})


def test_settings_are_by_default_what_they_are_said_to_be() -> None:
    assert StreamSettings() == StreamSettings(search_s=None, recheck_s=1.0, same_passage_s=4.0, parked_s=60.0)


def test_what_are_no_settings_is_refused() -> None:
    wrong: Any = {}
    with pytest.raises(InvalidArgumentError, match="settings is the dict"):
        patch_pipeline().stream(wrong)
