"""Where a stream that refines expects plates between two searches, to the pixel."""

from __future__ import annotations

import pytest

from platereader import Box, Detection
from platereader.results import TrackAssignment
from platereader.video._search import ExpectedPlaces, is_one_missing


def test_a_place_moves_as_the_newest_move_and_the_older_ones_say_in_equal_parts() -> None:
    places = ExpectedPlaces(search_s=0.2)

    def update(box: Box | None, timestamp_s: float, *, track_id: int | None = 1, searched: bool = True) -> None:
        ids, boxes = ((track_id,), [box]) if box is not None else ((), [])
        places.update(TrackAssignment(ids, ended=()), boxes, timestamp_s, searched=searched)

    def expected(timestamp_s: float) -> list[tuple[float, ...]]:
        return [(*one.box.to_tuple(), one.seen) for one in places.at(timestamp_s)]

    assert expected(0.0) == []
    update(Box(0, 0, 20, 10), 1.0)
    assert expected(2.0) == [(0, 0, 20, 10, True)]
    update(Box(10, -5, 30, 5), 1.5)  # 20 and -10 px a second
    assert expected(2.0) == [(20, -10, 40, 0, True)]
    update(Box(40, -5, 60, 5), 2.0)  # 60 and 0; with what was before 40 and -5
    assert expected(2.5) == [(60, -7.5, 80, 2.5, True)]
    update(None, 2.5)
    assert expected(3.0) == [(80, -10, 100, 0, False)]
    assert expected(3.0625) == []  # a second after it was seen
    update(Box(0, 0, 20, 10), 3.0, track_id=None)
    assert expected(3.0) == [(80, -10, 100, 0, False), (0, 0, 20, 10, True)]
    for eighths in range(1, 9):  # seen, and never found by a search
        update(Box(0, 0, 20, 10), 3.0 + eighths / 8, track_id=2, searched=False)
    assert [expected(4.0), expected(4.0625)] == [[(0, 0, 20, 10, True)], []]


def test_two_frames_at_nearly_one_time_show_no_speed() -> None:
    places = ExpectedPlaces(search_s=3.0)
    for x, timestamp_s in ((0, 1.0), (1, 1.0001)):
        box = Box(x, 0, x + 20, 10)
        places.update(TrackAssignment((1,), ended=()), [box], timestamp_s, searched=x == 0)
    (one,) = places.at(1.2501)
    assert one.box.x1 == pytest.approx(1 + 0.25 / 0.005)
    places.update(TrackAssignment((), ended=()), [], 2.0, searched=False)
    places.update(TrackAssignment((1,), ended=()), [Box(0, 0, 20, 10)], 2.0001, searched=False)
    assert len(places.at(3.0)) == 1  # a search is due after 3 s only
    places.update(TrackAssignment((), ended=(1,)), [], 2.1, searched=False)
    assert places.at(2.1) == []


@pytest.mark.parametrize(("width", "missing"), [(40, False), (39, True)])
def test_a_plate_is_there_from_an_overlap_of_two_fifths_on(width: int, missing: bool) -> None:
    assert is_one_missing([Box(0, 0, 100, 20)], [Detection(Box(0, 0, width, 20), 0.9)]) is missing


def test_each_detection_is_one_of_the_expected_plates() -> None:
    left, right = Box(0, 0, 100, 20), Box(10, 0, 110, 20)
    one, two = Detection(Box(5, 0, 105, 20), 0.9), Detection(Box(12, 0, 112, 20), 0.9)
    assert is_one_missing([left, right], [one])
    assert not is_one_missing([left, right], [two, one])
    assert not is_one_missing([], [one])
    assert is_one_missing([left], [])
