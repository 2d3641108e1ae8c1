"""The motion tracker: identity through motion, gaps, crossings and bad clocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from plate_motion import KINDS, idf1, traffic, whole_share
from platereader._geometry import Box, Quad
from platereader.errors import InvalidArgumentError, TimestampError
from platereader.results import Detection
from platereader.video._tracking.association import Pairs, assign
from platereader.video._tracking.motion import FloatArray, Motion
from platereader.video._tracking.tracker import MotionTracker


def plate(x: float, y: float, *, width: float = 100, height: float = 22) -> Detection:
    return Detection(Box(x, y, x + width, y + height), 0.9)


def test_a_plate_that_moves_by_more_than_its_height_keeps_its_id() -> None:
    tracker = MotionTracker()
    ids = [tracker.update([plate(50 + 8 * i, 20 + 28 * i)], i / 10).track_ids for i in range(20)]
    assert ids == [(1,)] * 20


def test_ids_follow_plates_and_not_the_order_of_detections() -> None:
    tracker = MotionTracker()
    rng = np.random.default_rng(0)
    for frame in range(20):
        plates = [plate(300 * k + 5 * frame, 50 * k + 3 * frame) for k in range(4)]
        order = rng.permutation(4) if frame else np.arange(4)
        assignment = tracker.update([plates[k] for k in order], frame / 25)
        assert assignment.track_ids == tuple(int(k) + 1 for k in order)


def test_crossing_plates_keep_their_ids_by_velocity() -> None:
    tracker = MotionTracker()
    for frame in range(41):
        left_to_right, right_to_left = plate(20 * frame, 100), plate(800 - 20 * frame, 130)
        assignment = tracker.update([left_to_right, right_to_left], frame / 25)
        assert assignment.track_ids == (1, 2)


def test_a_hidden_plate_coasts_along_its_way_and_is_recognised_again() -> None:
    tracker = MotionTracker(max_gap_s=1.0)
    for frame in range(5):
        tracker.update([plate(40 * frame, 100)], frame / 10)
    for frame in range(5, 9):
        assignment = tracker.update([], frame / 10)
        ((track_id, box),) = assignment.coasting
        assert track_id == 1
        assert box.x1 == pytest.approx(40 * frame, abs=0.1)
    assert tracker.update([plate(360, 100)], 0.9).track_ids == (1,)


def test_a_track_ends_once_after_the_gap_and_its_id_is_not_used_again() -> None:
    tracker = MotionTracker(max_gap_s=0.5)
    tracker.update([plate(10, 10)], 0.0)
    ((track_id, box),) = tracker.update([], 0.5).coasting
    assert track_id == 1
    assert box.to_tuple() == pytest.approx((10, 10, 110, 32))
    assert tracker.update([], 0.6).ended == (1,)
    later = tracker.update([plate(10, 10)], 0.7)
    assert (later.track_ids, later.ended) == ((2,), ())


def test_with_two_hits_a_flicker_gets_no_id_and_leaves_no_trace() -> None:
    tracker = MotionTracker(min_hits=2, max_gap_s=0.3)
    assert tracker.update([plate(10, 10)], 0.0).track_ids == (None,)
    assert tracker.update([], 0.1).coasting == ()
    assert tracker.update([plate(900, 500)], 1.0).ended == ()
    assert tracker.update([plate(902, 500)], 1.1).track_ids == (1,)


def test_two_plates_on_one_spot_are_two_tracks() -> None:
    tracker = MotionTracker()
    assert tracker.update([plate(10, 10), plate(10, 10)], 0.0).track_ids == (1, 2)
    assert tracker.update([plate(10, 10), plate(10, 10)], 0.1).track_ids == (1, 2)


def test_far_apart_is_not_the_same_plate() -> None:
    tracker = MotionTracker()
    tracker.update([plate(10, 10)], 0.0)
    assert tracker.update([plate(400, 300)], 0.1).track_ids == (2,)


def test_a_point_like_box_can_be_followed() -> None:
    tracker = MotionTracker()
    seen = [tracker.update([plate(5, 5, width=0, height=0)], frame / 5).track_ids for frame in range(3)]
    assert [len(ids) for ids in seen] == [1, 1, 1]


@pytest.mark.parametrize("timestamp_s", [0.5, 0.4, -1.0, math.nan, math.inf])
def test_time_must_grow(timestamp_s: float) -> None:
    tracker = MotionTracker()
    tracker.update([plate(10, 10)], 0.5)
    with pytest.raises(TimestampError, match="timestamp_s"):
        tracker.update([], timestamp_s)
    assert tracker.update([plate(10, 10)], 0.6).track_ids == (1,)


def test_nearly_equal_times_do_not_throw_the_prediction_away() -> None:
    tracker = MotionTracker()
    tracker.update([plate(10, 10)], 1.0)
    tracker.update([plate(11, 10)], math.nextafter(1.0, 2.0))
    ((_, box),) = tracker.update([], 1.2).coasting
    assert abs(box.x1 - 11) < 1000


@pytest.mark.parametrize("options", [{"min_hits": 0}, *({"max_gap_s": gap_s} for gap_s in (0.0, math.nan, math.inf))])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        MotionTracker(**options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def opposite_lanes(fps: float, rng: np.random.Generator) -> list[list[tuple[int, Detection]]]:
    """Cars on two lanes, each found on a part of its way only: (car, detection) of each frame."""
    cars: list[tuple[int, float, float, float, float]] = []
    for lane in (0, 1):
        start_s = rng.uniform(0, 1)
        while start_s < 12:
            found_from = rng.uniform(0, 0.5)
            cars.append((lane, start_s, rng.uniform(0.25, 0.6), found_from, rng.uniform(found_from + 0.2, 1.1)))
            start_s += rng.uniform(0.9, 3)
    frames: list[list[tuple[int, Detection]]] = []
    for time_s in np.arange(0, 12, 1 / fps):
        seen: list[tuple[int, Detection]] = []
        for car, (lane, start_s, pace, found_from, found_to) in enumerate(cars):
            share = (time_s - start_s) * pace
            if found_from <= share <= min(found_to, 1.0) and rng.random() > 0.12:
                depth = 1 - 0.9 * share if lane == 0 else 0.1 + 0.9 * share
                x, y = (640 - 60 / depth, 200 + 45 / depth) if lane == 0 else (640 + 60 / depth, 200 + 45 / depth)
                width = 14 / depth * rng.normal(1, 0.03)
                seen.append((car, plate(x, y + rng.normal(0, 0.5), width=width, height=width / 4.6)))
        frames.append(seen)
    return frames


def test_a_track_is_not_handed_to_another_car() -> None:
    mixed = tracks = 0
    for fps in (5, 12, 25):
        for seed in range(4):
            tracker = MotionTracker()
            cars_of: dict[int | None, list[int]] = {}
            for number, seen in enumerate(opposite_lanes(fps, np.random.default_rng([6, fps, seed]))):
                assignment = tracker.update([one for _, one in seen], number / fps)
                for (car, _), track_id in zip(seen, assignment.track_ids, strict=True):
                    cars_of.setdefault(track_id, []).append(car)
            tracks += len(cars_of)
            mixed += sum(len({car for car in cars if cars.count(car) > 1}) > 1 for cars in cars_of.values())
    assert tracks > 100
    assert mixed < 0.03 * tracks


def test_a_plate_that_appears_beside_one_that_is_hidden_is_a_new_track() -> None:
    tracker = MotionTracker()
    for frame in range(6):
        tracker.update([plate(20 * frame, 100)], frame / 25)
    assert tracker.update([plate(100, 400)], 6 / 25).track_ids == (2,)


def test_a_blow_to_the_camera_moves_all_tracks() -> None:
    tracker = MotionTracker()
    for frame in range(10):
        tracker.update([plate(300, 100), plate(300, 170), plate(700, 300)], frame / 25)
    # The first plate now stands nearer to where the second one was expected.
    shaken = [plate(310, 145), plate(310, 215), plate(710, 345)]
    assert tracker.update(shaken, 10 / 25).track_ids == (1, 2, 3)


def test_frames_of_another_size_and_long_gaps_break_nothing() -> None:
    tracker = MotionTracker(max_gap_s=1000.0)
    for frame, scale in enumerate([1, 2, 6, 0.01, 40, 40]):
        tracker.update([plate(10 * scale, 10 * scale, width=100 * scale, height=22 * scale)], frame / 25)
    for second in range(1, 900, 9):
        assignment = tracker.update([], float(second))
        assert all(math.isfinite(edge) for _, box in assignment.coasting for edge in box.to_tuple())


def test_memory_does_not_grow() -> None:
    tracker = MotionTracker()
    rng = np.random.default_rng(0)
    for frame in range(100):
        tracker.update([plate(*rng.uniform(0, 2000, 2)) for _ in range(3)], frame / 5)
    assert len(tracker._tracks) == len(tracker._motion.mean) <= 3 * 9


def test_traffic_is_followed() -> None:
    clips = [traffic(kind, fps=fps, rng=np.random.default_rng([7, fps])) for kind in KINDS for fps in (5, 15)]
    assert idf1(MotionTracker, clips) > 0.93
    assert whole_share(MotionTracker, clips) > 0.85


def test_the_same_video_gives_the_same_tracks() -> None:
    video = traffic("shake", fps=10, rng=np.random.default_rng(3))
    runs = [[t.update(s.detections, s.timestamp_s) for s in video] for t in (MotionTracker(), MotionTracker())]
    assert runs[0] == runs[1]


def test_a_track_is_missed_from_the_frame_after_it_was_last_seen_on(monkeypatch: pytest.MonkeyPatch) -> None:
    missed: list[list[float]] = []

    def noted(motion: Motion, measurements: FloatArray, *, missed_s: FloatArray) -> Pairs:
        missed.append(missed_s.tolist())
        return assign(motion, measurements, missed_s=missed_s)

    monkeypatch.setattr("platereader.video._tracking.tracker.assign", noted)
    tracker = MotionTracker(max_gap_s=1.0)
    seen = [[plate(10, 10)], [plate(10, 10), plate(300, 10)], [plate(300, 10)], [], [plate(10, 10), plate(300, 10)]]
    for index, detections in enumerate(seen):
        tracker.update(detections, index / 4)
    assert missed == [[], [0.0], [0.0, 0.0], [0.5, 0.0], [0.75, 0.5]]


def test_edges_of_a_box_grow_with_its_track() -> None:
    tracker = MotionTracker()
    for frame in range(20):
        scale = 1.02**frame
        corners = Quad.from_box(Box(10, 10, 10 + 80 * scale, 10 + 20 * scale))
        box = Box(5, 8, 10 + 80 * scale, 10 + 24 * scale)
        tracker.update([Detection(box, 0.9, corners)], frame / 25)
    ((_, predicted),) = tracker.update([], 20 / 25).coasting
    scale = 1.02**20
    assert predicted.to_tuple() == pytest.approx((5, 8, 10 + 80 * scale, 10 + 24 * scale), abs=0.6)


def test_a_shake_moves_those_tracks_that_were_seen_twice() -> None:
    tracker = MotionTracker()
    places = [(100, 100), (400, 300), (900, 200)]
    for frame in range(10):
        tracker.update([plate(x, y) for x, y in places], frame / 25)
    shaken = tracker.update([plate(x + 90, y - 60) for x, y in places[:2]], 10 / 25)
    assert shaken.track_ids == (1, 2)
    ((_, box),) = shaken.coasting
    assert box.to_tuple() == pytest.approx(plate(990, 140).box.to_tuple(), abs=4)
