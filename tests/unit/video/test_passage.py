"""What one passage knows of where its plate stood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fakes import frame_with, no_evidence, patch_pipeline, read_as
from platereader import Box, Detection, PlateReading, Sighting
from platereader.results import TrackAssignment
from platereader.video import PlateStream
from platereader.video._passage import PARKED_S, Observation, Passage

PLATE = Box(20, 30, 100, 50)
(READING,) = patch_pipeline().read(frame_with({50: PLATE}))


def sighting(box: Box, time_s: float) -> Sighting:
    return Sighting(time_s, round(10 * time_s), box)


def passage(box: Box, *, start_s: float) -> Passage:
    return Passage.begin(1, 1, evidence=no_evidence(), observations=[Observation(READING, box, sighting(box, start_s))])


def see(one: Passage, box: Box, time_s: float) -> None:
    one.see(box, sighting(box, time_s))


def test_a_plate_that_goes_on_elsewhere_is_not_parked() -> None:
    earlier, later = passage(PLATE, start_s=0.0), passage(PLATE.moved(150, 120), start_s=5.0)
    see(later, later.place, 5.5)
    earlier.resume(later)
    assert not earlier.parked
    see(earlier, later.place, 5.0 + PARKED_S)
    assert earlier.parked


def test_a_parked_plate_stays_where_it_was_seen_last() -> None:
    # It stood 12 px further to the left, where its next box, another 12 px to the right, would be another place.
    earlier, later = passage(PLATE, start_s=0.0), passage(PLATE.moved(12, 0), start_s=5.0)
    see(later, later.place, 5.0 + PARKED_S)
    earlier.resume(later)
    see(earlier, PLATE.moved(24, 0), 6.0 + PARKED_S)
    assert earlier.parked


def adds(one: Passage, text: str, box: Box, time_s: float, *, probability: float = 0.999) -> list[Observation]:
    """See a plate there, and take in what is read of it; what turns out to be of another plate."""
    observation = Observation(read_as(text, probability=probability), box, sighting(box, time_s))
    one.see(box, observation.sighting)
    return one.add(observation)


def sees(one: Passage, text: str, box: Box, time_s: float) -> Passage:
    adds(one, text, box, time_s)
    return one


def begun(text: str, box: Box, time_s: float, *, number: int = 1, frames: int = 1) -> Passage:
    """A passage of so many frames, the last one at that time."""
    one = passage(box, start_s=time_s - 0.1 * (frames - 1))
    one.passage_id, one.evidence = number, no_evidence()
    for frame in reversed(range(frames)):
        sees(one, text, box, time_s - 0.1 * frame)
    return one


def test_a_settled_plate_is_read_at_once_when_something_else_is_read_in_its_place() -> None:
    one = begun("A123BC77", PLATE, 0.2, frames=3)
    assert one.settled
    assert not one.due(0.3, recheck_s=1.0)
    assert one.due(1.3, recheck_s=1.0)
    assert one.surely_last.timestamp_s == 0.2
    assert adds(one, "M555KE199", PLATE, 0.3) == []
    assert one.due(0.4, recheck_s=1.0)
    assert (one.last.timestamp_s, one.surely_last.timestamp_s) == (0.3, 0.2)
    assert [seen.reading.text for seen in adds(one, "M555KE199", PLATE, 0.4)] == ["M555KE199"] * 2
    assert one.last.timestamp_s == 0.2


def test_unsure_readings_of_another_plate_need_not_be_equal_where_the_track_jumped() -> None:
    one, elsewhere = begun("A123BC77", PLATE, 0.2, frames=3), PLATE.moved(150, 0)
    texts = ["M555KE199", "M555KE198", "M555KE190"]
    others = [adds(one, text, elsewhere, 0.1 * step, probability=0.99) for step, text in enumerate(texts, 3)]
    assert [[seen.reading.text for seen in some] for some in others] == [[], [], texts]
    stayed = begun("A123BC77", PLATE, 0.2, frames=3)
    assert not any(adds(stayed, text, PLATE, 0.1 * step, probability=0.99) for step, text in enumerate(texts, 3))


def test_readings_that_stay_in_doubt_for_long_are_of_the_plate() -> None:
    one = begun("A123BC77", PLATE, 0.2, frames=3)
    adds(one, "M555KE199", PLATE, 0.3, probability=0.99)
    for step in range(11):
        assert (len(one.doubtful), one.evidence.readings) == (step + 1, 3)
        adds(one, "", PLATE, 0.4 + 0.1 * step)
    assert (one.doubtful, one.evidence.readings) == ([], 3 + 12)


def test_a_track_that_was_lost_has_strayed_until_its_plate_is_known() -> None:
    once, often = begun("A123BC77", PLATE, 0.0), begun("A123BC77", PLATE, 0.2, frames=3)
    assert [one.strayed for one in (once, often)] == [False, False]
    for one in (once, often):
        see(one, PLATE.moved(150, 0), 0.3)
    assert [one.strayed for one in (once, often)] == [True, False]
    late = begun("A123BC77", PLATE, 0.0)
    see(late, PLATE, 0.5)
    assert late.strayed


def test_what_goes_on_as_another_passage_is_known_by_both() -> None:
    earlier, later = begun("A123BC77", PLATE, 0.1, frames=2), begun("A123BC77", PLATE.moved(90, 0), 1.0, frames=2)
    assert [one.settled for one in (earlier, later)] == [False, False]
    earlier.coast(PLATE.moved(30, 0))
    earlier.resume(later)
    assert earlier.settled
    assert not earlier.due(1.1, recheck_s=1.0)
    assert earlier.due(2.0, recheck_s=1.0)
    assert (earlier.place, earlier.last.timestamp_s) == (PLATE.moved(90, 0), 1.0)


def test_a_plate_is_expected_in_its_place_for_a_second() -> None:
    one = begun("A123BC77", PLATE, 0.0)
    assert one.covers(Observation(read_as(""), PLATE, sighting(PLATE, 1.0)))
    assert not one.covers(Observation(read_as(""), PLATE, sighting(PLATE, 1.1)))


@pytest.mark.parametrize(("elapsed_s", "moved_px", "expected"), [(0.5, 40, True), (5.0, 400, False)])
def test_a_plate_moves_on_as_fast_as_it_did_within_the_last_second(
    elapsed_s: float, moved_px: float, expected: bool
) -> None:
    one, ahead = begun("A123BC77", PLATE, 0.0), PLATE.moved(moved_px + 72, 0)
    see(one, PLATE.moved(moved_px, 0), elapsed_s)
    assert one.covers(Observation(read_as(""), ahead, sighting(ahead, elapsed_s + 0.9))) is expected


def test_a_plate_that_came_back_moves_on_as_it_does_now() -> None:
    one, later = begun("A123BC77", PLATE, 0.1), begun("A123BC77", PLATE.moved(90, 0), 1.0)
    see(later, PLATE.moved(130, 0), 1.5)
    one.resume(later)
    ahead = PLATE.moved(130 + 72, 0)
    assert one.covers(Observation(read_as(""), ahead, sighting(ahead, 2.4)))


def test_a_fragment_that_was_seen_first_tells_when_the_plate_came() -> None:
    plate, fragment = begun("A123BC77", PLATE, 0.5, number=2), begun("77", PLATE, 0.0)
    plate.absorb(fragment)
    assert (plate.passage_id, plate.first.timestamp_s) == (1, 0.0)
    for time_s in (0.0, 0.3):  # at the same time and later
        plate.absorb(begun("77", PLATE.moved(9, 0), time_s, number=3))
        assert (plate.passage_id, plate.first) == (1, sighting(PLATE, 0.0))


@pytest.mark.parametrize(
    ("text", "box", "soon", "same"),
    [
        ("A123", PLATE.moved(60, 0), True, True),  # a piece of the text, near by
        ("A123", PLATE.moved(60, 0), False, False),
        ("A123", PLATE.moved(300, 0), True, False),
        ("", PLATE, True, True),  # in the same place
        ("", PLATE, False, False),
        ("", PLATE.moved(60, 0), True, False),
        ("A124BC77", PLATE, True, False),  # surely another one
        ("A1X4EC7", PLATE, True, False),  # of no format, and too different to be misread
    ],
)
def test_what_comes_up_later_may_be_the_same_plate(text: str, box: Box, soon: bool, same: bool) -> None:
    one, later = begun("A123BC77", PLATE, 0.2, frames=3), begun(text, box, 0.6, number=2)
    assert one.same_plate(later, soon=soon) is same


def test_a_piece_of_a_text_that_is_not_sure_itself_says_nothing() -> None:
    one, later = begun("A123BC77", PLATE, 0.2), begun("A123", PLATE.moved(60, 0), 0.6, number=2)
    assert not one.same_plate(later, soon=True)


def test_a_plate_that_goes_behind_a_post_is_expected_where_all_of_it_would_be() -> None:
    one = begun("A123BC77", PLATE, 0.0)
    for step in range(1, 4):
        sees(one, "A123BC77", PLATE.moved(-4.0 * step, 0), 0.1 * step)
    for step in range(4, 12):  # it goes on to the left; of it is seen what is to the right of x = 20
        place = PLATE.moved(-4.0 * step, 0)
        see(one, Box(20, 30, place.x2, 50), 0.1 * step)
    left = Box(-28, 30, 10, 50)
    assert one.covers(Observation(read_as("A12"), left, sighting(left, 1.2)))
    assert not one.covers(Observation(read_as("M555KE199"), left, sighting(left, 1.2)))
    assert not one.covers(Observation(read_as(""), left.moved(0, 60), sighting(left, 1.2)))


def test_the_same_text_twice_on_one_place_is_one_plate() -> None:
    one, lower = begun("A123BC77", PLATE, 0.0), PLATE.moved(0, 8)
    assert one.covers(Observation(read_as("A123BC77"), lower, sighting(lower, 0.0)))
    apart = PLATE.moved(0, 30)
    assert not one.covers(Observation(read_as("A123BC77"), apart, sighting(apart, 0.0)))


@pytest.mark.parametrize(
    ("text", "box", "included"),
    [
        ("", Box(60, 30, 100, 50), True),  # a part of the place, nothing read
        ("77", Box(60, 30, 100, 50), True),
        ("A123", Box(-60, 28, -20, 48), True),  # near by, a piece of the text
        ("A123", Box(400, 30, 440, 50), False),  # far off
        ("M555", Box(-60, 28, -20, 48), False),
        ("", Box(70, 38, 90, 43), False),  # much lower: another, farther plate
        ("", PLATE, False),  # no fragment: as wide
        ("M555KE199", Box(60, 30, 100, 50), False),
        ("M5X5KE199", Box(60, 30, 100, 50), False),  # of no format, and nothing like it
        ("A123BC99", Box(60, 30, 100, 50), False),  # surely another plate
        ("A1", Box(-60, 28, -20, 48), False),  # too short to say whose piece it is
    ],
)
def test_what_was_seen_shortly_before_may_have_been_a_fragment(text: str, box: Box, included: bool) -> None:
    before, now = begun(text, box, 0.0), begun("A123BC77", PLATE, 0.5, number=2)
    assert now.includes(before) is included
    assert not now.includes(begun(text, box, 0.5))  # seen at the same time
    assert not begun("A123BC77", PLATE, 5.0).includes(before)  # long before


def in_view(*seen: tuple[Box, float]) -> Passage:
    """A passage of which nothing was read."""
    (box, time_s), *later = seen
    first = Observation(read_as(""), box, sighting(box, time_s))
    one = Passage.begin(1, 1, evidence=no_evidence(), observations=[first])
    for box, time_s in later:
        see(one, box, time_s)
    return one


def test_a_plate_that_overlaps_its_first_place_by_three_fifths_for_three_seconds_is_parked() -> None:
    place, far = Box(0, 0, 80, 20), Box(20, 0, 100, 20)  # an IoU of 60 in 100
    assert in_view((place, 0.0), (far, 1.0), (place, 3.0)).parked
    assert not in_view((place, 0.0), (far.moved(0.5, 0), 1.0), (place, 3.0)).parked
    assert not in_view((place, 0.0), (place, 2.9375)).parked


@pytest.mark.parametrize(
    ("box", "time_s", "strayed"),
    [(Box(0, 0, 40, 20), 0.25, False), (Box(0, 0, 39.5, 20), 0.25, True), (Box(0, 0, 80, 20), 0.3125, True)],
)
def test_a_way_is_broken_by_a_third_of_a_second_or_less_than_half_of_an_overlap(
    box: Box, time_s: float, strayed: bool
) -> None:
    assert in_view((Box(0, 0, 80, 20), 0.0), (box, time_s)).strayed is strayed
    seen = in_view((Box(0, 0, 80, 20), 0.0))
    seen.coast(Box(0, 0, 80, 20))
    assert not seen.strayed
    see(seen, Box(0, 0, 80, 20), 0.1)
    assert seen.strayed


# A whole plate of 80 x 20 px moves by 40 and -10 px in half a second; then it is seen, at another time, so wide.
@pytest.mark.parametrize(
    ("width", "time_s", "at_s", "expected"),
    [
        (76.8 * np.exp(-0.1) + 0.1, 1.0, 1.5, ["seen", "+0"]),  # whole: it may turn by a fifth in a second
        (76.8 * np.exp(-0.1) - 0.1, 1.0, 1.5, ["seen", "+80 -20"]),
        (40.0, 1.0, 1.5625, ["seen"]),  # too long after all of it was seen
        (40.0, 1.0, 2.0625, []),  # and after any of it was
        (40.0, 1.5625, 2.5625, ["seen", "+0"]),  # what has passed by then is whole as it is
        (40.0, 1.5, 1.5, ["seen", "+80 -20"]),
    ],
)
def test_where_a_plate_is_expected(width: float, time_s: float, at_s: float, expected: list[str]) -> None:
    one = in_view((Box(0, 20, 80, 40), 0.0), (Box(40, 10, 120, 30), 0.5))
    assert one._expected(1.0) == [Box(40, 10, 120, 30), Box(80, 0, 160, 20)]
    seen = Box(40, 10, 40 + width, 30)
    see(one, seen, time_s)
    speed = (seen.center[0] - 80.0) / (time_s - 0.5)
    ahead = seen.moved(speed * (at_s - time_s), 0) if time_s - 0.5 <= 1.0 else seen
    moved = Box(40, 10, 120, 30).moved(80 * (at_s - 0.5), -20 * (at_s - 0.5))
    places = {"seen": seen, "+0": ahead, "+80 -20": moved}
    assert [box.to_tuple() for box in one._expected(at_s)] == [
        pytest.approx(places[name].to_tuple()) for name in expected
    ]


@pytest.mark.parametrize(
    ("box", "covered"),
    [
        (Box(-3, -3, 83, 23), True),  # 0.15 heights around it
        (Box(70, 0, 91.6, 20), True),  # 13 of 21.6 px within it and that, which are three fifths
        (Box(70, 0, 91.8, 20), False),
        (Box(0, 13, 80, 29.6), True),
        (Box(0, 13, 80, 29.8), False),
    ],
)
def test_most_of_a_fragment_lies_where_its_plate_is_expected(box: Box, covered: bool) -> None:
    one = in_view((Box(0, 0, 80, 20), 0.0))
    assert one.covers(Observation(read_as(""), box, sighting(box, 0.0))) is covered


@pytest.mark.parametrize(
    ("box", "time_s", "included"),
    [
        (Box(20, 30, 87, 50), 0.5, True),  # narrower than 0.85 of it
        (Box(20, 30, 88, 50), 0.5, False),
        (Box(40, 34, 80, 46), 0.5, True),  # 0.6 of its height
        (Box(40, 34, 80, 45.9), 0.5, False),
        (Box(40, 26, 80, 56), 0.5, True),  # 1.5 of it
        (Box(40, 26, 80, 56.1), 0.5, False),
        (Box(40, 30, 80, 50), 1.0, True),  # a second before
        (Box(40, 30, 80, 50), 1.0625, False),
    ],
)
def test_a_fragment_is_narrower_and_as_high_and_was_seen_within_a_second(
    box: Box, time_s: float, included: bool
) -> None:
    assert begun("A123BC77", PLATE, time_s).includes(in_view((box, 0.0))) is included


@pytest.mark.parametrize(("moved_px", "near"), [(160, True), (160.5, False), (-160, True)])
def test_a_piece_of_a_text_is_near_within_two_widths(moved_px: float, near: bool) -> None:
    one, piece = begun("A123BC77", PLATE, 0.5, number=2), begun("A123", PLATE.moved(moved_px, 0), 0.0)
    assert one.includes(piece) is near
    assert not one.includes(begun("A12", PLATE.moved(moved_px, 0), 0.0))


def test_a_plate_is_the_same_in_a_place_that_it_kept_by_three_fifths() -> None:
    place = Box(0, 0, 80, 20)
    for later, same in ((Box(20, 0, 100, 20), True), (Box(20.5, 0, 100.5, 20), False)):
        parked = in_view((place, 0.0), (place, 3.0))
        assert parked.same_plate(in_view((later, 9.0)), soon=False) is same
        assert in_view((place, 0.0)).same_plate(in_view((later, 0.1)), soon=True) is same
        assert not in_view((place, 0.0)).same_plate(in_view((later, 9.0)), soon=False)


def test_what_is_read_now_and_then_is_due_after_so_many_seconds() -> None:
    one = begun("A123BC77", PLATE, 0.25, frames=3)
    assert [one.due(time_s, recheck_s=0.5) for time_s in (0.5, 0.75)] == [False, True]
    one.coast(PLATE)
    assert one.due(0.5, recheck_s=0.5)
    assert not begun("A123BC77", PLATE, 0.25, frames=2).settled


class Script:
    """A tracker that gives scripted ids, frame by frame; what is missing in a frame is not mentioned."""

    def __init__(self, *frames: tuple[int, ...]) -> None:
        self._frames = list(frames)

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        del detections, timestamp_s
        return TrackAssignment(self._frames.pop(0), ended=(), coasting=())


def stream(frames: Sequence[Sequence[tuple[int, str, Box]]]) -> tuple[list[list[int]], list[tuple[int, str | None]]]:
    """Passages seen in each frame, and those that are finished in the end, of tracks with texts and boxes."""
    now: list[dict[Box, PlateReading]] = [{box: read_as(text) for _, text, box in frame} for frame in frames]
    given = iter(now)
    current: dict[Box, PlateReading] = {}

    def detect(pixels: object) -> list[Detection]:
        del pixels
        current.clear()
        current.update(next(given))
        return [Detection(box, 0.9) for box in current]

    one = PlateStream(
        detect,
        lambda _, found: [current[detection.box] for detection in found],
        tracker=Script(*(tuple(number for number, _, _ in frame) for frame in frames)),
        evidence=no_evidence,
    )
    updates = [one.update(np.zeros((120, 640, 3), np.uint8), 0.1 * index) for index in range(len(frames))]
    seen = [[plate.passage_id for plate in update.active if not plate.predicted] for update in updates]
    return seen, [(plate.passage_id, plate.text) for plate in one.finish().finished]


def test_fragments_of_a_plate_that_comes_into_view_are_its_passage() -> None:
    whole = PLATE.moved(60, 0)
    frames = [[(1, "77", Box(20, 30, 40, 50))], [(2, "BC77", Box(20, 30, 60, 50))], [(3, "A123BC77", PLATE)]]
    seen, finished = stream([*frames, [(3, "A123BC77", whole)], [(3, "A123BC77", whole.moved(20, 0))]])
    assert seen[-1] == [1]
    assert finished == [(1, "A123BC77")]


def test_a_track_of_something_else_that_strays_onto_an_expected_plate_gives_it_back() -> None:
    sign, piece = Box(300, 60, 330, 72), Box(20, 30, 55, 50)
    plate = [(1, "A123BC77", PLATE)]
    frames = [[*plate, (2, "", sign)], plate, plate, [(2, "A12", piece)], [(2, "A123BC77", PLATE)]]
    seen, finished = stream(frames)
    assert seen == [[1, 2], [1], [1], [1], [1]]
    assert finished == [(1, "A123BC77"), (2, None)]


@pytest.mark.parametrize(("text", "known"), [("A123B", True), ("A123", False)])
def test_three_agreeing_readings_of_five_characters_tell_which_plate_it_is(text: str, known: bool) -> None:
    one = passage(PLATE, start_s=0.0)
    one.evidence = no_evidence()
    identified: list[bool] = []
    for time_s in (0.1, 0.2, 0.3):
        adds(one, text, PLATE, time_s, probability=0.6)
        identified.append(one.identified)
    assert not one.settled
    assert identified == [False, False, known]
