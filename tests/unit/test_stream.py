"""One camera's state."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, ContractError, Detection, InvalidArgumentError, TimestampError, TrackAssignment
from platereader.stream import MAX_EVIDENCE

PLATE = Box(20, 30, 100, 50)
EMPTY = np.zeros((240, 320, 3), np.uint8)


def test_two_streams_of_one_pipeline_do_not_share_ids_or_state() -> None:
    pipeline = patch_pipeline()
    first, second = pipeline.stream(), pipeline.stream()
    for step in range(3):
        a = first.update(frame_with({50: PLATE}), step / 5)
        b = second.update(frame_with({100: PLATE}), step / 5)
    assert [plate.text for plate in a.active] == ["A123BC77"]
    assert [plate.text for plate in b.active] == ["M555KE199"]
    assert a.active[0].track_id == b.active[0].track_id


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


def test_parked_plate_keeps_bounded_memory() -> None:
    stream = patch_pipeline().stream()
    for step in range(3 * MAX_EVIDENCE):
        update = stream.update(frame_with({50: PLATE}), step / 10)
    (plate,) = update.active
    assert plate.readings >= 3 * MAX_EVIDENCE - 2
    assert all(len(track.kept) <= MAX_EVIDENCE for track in stream._tracks.values())  # pyright: ignore[reportPrivateUsage]


def test_frames_may_change_size() -> None:
    stream = patch_pipeline().stream()
    stream.update(frame_with({50: PLATE}), 0.0)
    update = stream.update(frame_with({50: PLATE}, width=400, height=300), 0.1)
    assert update.active[0].text == "A123BC77"


@pytest.mark.parametrize("timestamp_s", [1.0, 0.5, float("nan"), float("inf")])
def test_time_must_grow(timestamp_s: float) -> None:
    stream = patch_pipeline().stream()
    stream.update(EMPTY, 1.0)
    with pytest.raises(TimestampError):
        stream.update(EMPTY, timestamp_s)


def test_illegible_plate_is_followed_without_a_text() -> None:
    stream = patch_pipeline().stream()
    for step in range(3):
        update = stream.update(frame_with({200: PLATE}), step / 5)
    (plate,) = update.active
    assert (plate.text, plate.status, plate.reason) == (None, "unreadable", "not_a_plate")


def test_finished_stream_takes_no_more_frames() -> None:
    stream = patch_pipeline().stream()
    stream.update(frame_with({50: PLATE}), 0.0)
    assert len(stream.finish().finished) == 1
    with pytest.raises(InvalidArgumentError, match="finished"):
        stream.update(EMPTY, 1.0)


class OneIdForAll:
    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        return TrackAssignment((7,) * len(detections))


def test_tracker_that_gives_one_id_twice_is_named() -> None:
    stream = replace(patch_pipeline(), tracker=OneIdForAll).stream()
    with pytest.raises(ContractError, match="OneIdForAll"):
        stream.update(frame_with({50: PLATE, 100: Box(200, 150, 290, 175)}), 0.0)
