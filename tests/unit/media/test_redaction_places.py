"""Where a plate is covered that was not seen, to the pixel, and in which colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fakes import OneTrack, Says
from platereader import Box, Detection, Quad
from platereader.errors import InvalidArgumentError
from platereader.media._covering import RedactionMethod, expanded
from platereader.media._redaction import _Follower, _is_at_side, _Track, credible, redact, redact_stream
from platereader.results import TrackAssignment

SIZE = (320, 240)


def plate(x: float, *, score: float = 0.9, width: float = 40) -> Detection:
    return Detection(Box(x, 100, x + width, 110), score)


def places(seen: dict[float, Detection], time_s: float) -> list[tuple[float, float, float, float]]:
    """The boxes that are covered besides what is seen, of a track that is extended by half a second."""
    track = _Track()
    for seen_s, detection in seen.items():
        track.add(seen_s, detection)
    return [one.box.to_tuple() for one in track.places(time_s, SIZE, extend_s=0.5)]


def around(x: float, grow_px: float) -> Any:
    return pytest.approx((x - grow_px, 100 - grow_px, x + 40 + grow_px, 110 + grow_px))


# Two heights a second around it, so 2 px after a tenth of one, and 5 px at most: 50 x 20 px are 2.5 times 40 x 10 px.
@pytest.mark.parametrize(("time_s", "grow_px"), [(1.1, 2.0), (1.2, 4.0), (1.3, 5.0), (1.5, 5.0), (1.9, 2.0)])
def test_between_two_sightings_a_plate_is_on_a_straight_line_and_around_it(time_s: float, grow_px: float) -> None:
    seen = {1.0: plate(100), 2.0: plate(200)}
    assert places(seen, time_s) == [around(100 + 100 * (time_s - 1.0), grow_px)]
    assert places(seen, 1.0) == places(seen, 2.0) == []


def test_a_gap_between_doubted_sightings_is_filled_if_it_is_short_or_a_sure_one_is_near() -> None:
    def gap(length_s: float, *others_s: float) -> bool:
        seen = {1.0: plate(100, score=0.49), 1.0 + length_s: plate(100, score=0.49)}
        seen |= {other_s: plate(100, score=0.5) for other_s in others_s}
        return bool(places(dict(sorted(seen.items())), 1.125))

    assert [gap(0.5), gap(0.625)] == [True, False]
    assert [gap(0.625, other_s) for other_s in (0.5, 0.4375, 2.125, 2.1875)] == [True, False, True, False]


def test_beyond_its_sightings_a_plate_stays_or_goes_on_as_fast_as_in_the_last_quarter_of_a_second() -> None:
    seen = {1.0: plate(40), 1.25: plate(100), 1.375: plate(105), 1.5: plate(130)}
    assert places(seen, 1.6) == [around(130, 2.0), around(142, 2.0)]
    assert places(seen, 2.0) == [around(130, 5.0), around(190, 5.0)]
    assert places(seen, 2.0625) == []
    assert places(seen, 0.9) == [around(40, 2.0), around(16, 2.0)]
    assert places({**seen, 1.0: plate(40), 1.25: plate(100)}, 0.5) == [around(40, 5.0), around(-80, 5.0)]
    assert places(seen, 0.4375) == []
    assert places({1.0: plate(100)}, 1.1) == [around(100, 2.0)]
    assert places({1.0: plate(100), 1.3: plate(130)}, 1.4) == [around(130, 2.0)]  # too long ago to tell its speed
    assert places({1.0: plate(100, score=0.49)}, 1.1) == []
    assert places({1.0: plate(100), 1.5: plate(100, score=0.4)}, 1.6) == [around(100, 2.0)]
    assert places({1.0: plate(100), 1.5625: plate(100, score=0.4)}, 1.6) == []


def test_a_moving_plate_at_a_side_has_left() -> None:
    assert places({1.0: plate(248), 1.125: plate(278)}, 1.225) == [around(302, 2.0)]
    assert places({1.0: plate(247), 1.125: plate(277)}, 1.225) == [around(277, 2.0), around(301, 2.0)]
    assert places({1.125: plate(278)}, 1.225) == [around(278, 2.0)]
    sides = [(Box(2, 100, 42, 110), (0.1, 0)), (Box(100, 2, 140, 12), (0, 0.1))]
    sides += [(Box(278, 100, 318, 110), (-0.1, 0)), (Box(100, 228, 140, 238), (0, -0.1))]
    for box, away in sides:
        assert _is_at_side(Detection(box, 0.9), SIZE)
        assert not _is_at_side(Detection(box.moved(*away), 0.9), SIZE)


def test_where_a_plate_was_wider_twice_within_half_a_second_all_of_it_is_covered() -> None:
    def hidden(*widths_at: tuple[float, float]) -> list[tuple[float, float, float, float]]:
        seen = {time_s: plate(100, width=width) for time_s, width in widths_at}
        return places(dict(sorted({**seen, 2.0: plate(100)}.items())), 2.0)

    whole = [pytest.approx((100, 100, 150, 110))]
    assert hidden((1.5, 50), (2.5, 50)) == hidden((1.5, 50), (1.75, 50)) == whole
    assert hidden((1.5, 50), (1.75, 50), (2.5, 60)) == [
        pytest.approx((100, 100, 155, 110))
    ]  # by the first and the last
    assert hidden((1.75, 46.1), (2.25, 46.1)) == [pytest.approx((100, 100, 146.1, 110))]
    for narrow in ([(1.5, 46), (2.5, 46)], [(1.5, 50)], [(1.4375, 50), (2.5, 50)], [(1.5, 50), (2.5625, 50)]):
        assert hidden(*narrow) == []
    assert places({1.5: plate(100, score=0.4, width=50), 2.0: plate(100), 2.5: plate(100, width=50)}, 2.0) == []


def test_corners_are_interpolated_and_grow_along_their_own_axes() -> None:
    def tilted(x: float, score: float) -> Detection:
        corners = Quad((x, 100), (x + 40, 130), (x + 34, 138), (x - 6, 108))  # 50 x 10 px
        return Detection(corners.box, score, corners)

    track = _Track([1.0, 2.0], [tilted(100, 0.9), tilted(200, 0.8)])
    (one,) = track.places(1.1, SIZE, extend_s=0.5)
    assert one.score == 0.8
    assert one.corners is not None
    right, down = np.array([1.6, 1.2]), np.array([-1.2, 1.6])  # 2 px each
    out = np.stack([-right - down, right - down, right + down, down - right])
    expected = np.array([(110, 100), (150, 130), (144, 138), (104, 108)]) + out
    assert one.corners.to_array() == pytest.approx(expected, abs=1e-4)
    assert expanded(Quad.from_box(Box(0, 0, 40, 10)), 3, 5).points == ((-3, -5), (43, -5), (43, 15), (-3, 15))
    (mixed,) = _Track([1.0, 2.0], [tilted(100, 0.9), plate(200)]).places(1.1, SIZE, extend_s=0.5)
    assert mixed.corners is None


@pytest.mark.parametrize(("before_s", "left_s"), [(-1, [0, 1, 2, 3]), (2, [1, 2, 3]), (2.5, [2, 3]), (9, [3])])
def test_what_says_nothing_of_a_time_is_forgotten(before_s: float, left_s: list[float]) -> None:
    track = _Track([0.0, 1.0, 2.0, 3.0], [plate(x) for x in range(4)])
    track.forget(before_s)
    assert (track.times, [one.box.x1 for one in track.seen]) == (left_s, left_s)


def test_a_track_is_remembered_as_long_as_it_may_be_seen_again() -> None:
    frame = np.zeros((240, 320, 3), np.uint8)
    follower = _Follower(Says([[plate(100)]]), Says(TrackAssignment((1,), ended=())), extend_s=0.5)
    for index in range(9):
        follower.find(frame, index / 8)
    for time_s, kept in ((0.5, 9), (1.0, 6), (1.125, 6), (4.5, 6), (4.5625, 0)):
        follower.places(time_s, frame)
        assert sum(len(track.times) for track in follower._tracks.values()) == kept


def test_a_place_is_doubted_by_its_shorter_side_in_mean_sides_of_the_frame() -> None:
    frame = np.zeros((100, 400, 3), np.uint8)  # 7 % of 200 px are 14 px
    boxes = [Box(0, 0, 100, 14), Box(0, 0, 14, 90), Box(0, 0, 100, 14.5), Box(0, 0, 14.5, 90)]
    assert [one.box for one in credible([Detection(box, 0.49) for box in boxes], frame)] == boxes[:2]
    assert len(credible([Detection(box, 0.5) for box in boxes], frame)) == 4


@pytest.mark.parametrize("name", ["look_ahead_s", "extend_s", "margin"])
def test_numbers_from_0_to_10_are_allowed(name: str) -> None:
    def run(value: float) -> list[object]:
        options: dict[str, Any] = {"detector": Says([[]]), "tracker": OneTrack(), name: value}
        return [*redact_stream([], **options)]

    frame = np.zeros((24, 32, 3), np.uint8)
    assert run(0) == run(10) == []
    assert redact(frame, [], margin=0).shape == redact(frame, [], margin=10).shape == frame.shape
    for value in (-0.01, 10.01):
        with pytest.raises(InvalidArgumentError, match=f"{name} is"):
            run(value)
        with pytest.raises(InvalidArgumentError, match="margin is"):
            redact(frame, [], margin=value)


METHODS: tuple[RedactionMethod, ...] = ("blur", "pixelate", "fill")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (10, 130, 250)])
def test_a_place_takes_the_colour_around_it(method: RedactionMethod, colour: tuple[int, int, int]) -> None:
    frame = np.full((240, 320, 3), colour, np.uint8)
    frame[100:121, 100:181] = np.random.default_rng(0).integers(0, 256, (21, 81, 3))
    found = [Detection(Box(100, 100, 180, 120), 0.9)]
    assert (redact(frame, found, method=method, margin=0.0) == colour).all()


@pytest.mark.parametrize(
    ("box", "left", "top", "right", "bottom", "ring"),
    [((100, 100, 180, 120), 98, 98, 182, 122, 13), ((100, 100, 120, 180), 98, 98, 122, 182, 13),
     ((150, 150, 151, 151), 148, 148, 153, 153, 4), ((0, 0, 60, 30), 0, 0, 62, 32, 17)],
)  # fmt: skip
def test_colours_come_from_around_a_place_by_half_its_shorter_side(
    box: tuple[float, float, float, float], left: int, top: int, right: int, bottom: int, ring: int
) -> None:
    rows, columns = np.mgrid[:240, :320]
    window = (slice(max(0, top - ring), bottom + ring + 1), slice(max(0, left - ring), right + ring + 1))
    plane = np.full((240, 320), 255, np.uint8)
    plane[window] = ((rows * 7 + columns * 3) // 8 % 200)[window]
    place = (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
    ringed = np.zeros_like(place)
    ringed[window] = True
    mean = round(float(plane[ringed & ~place].mean()))
    frame = np.repeat(plane[..., None], 3, axis=2)
    expected = np.where(place, mean, plane)
    assert (redact(frame, [Detection(Box(*box), 0.9)], method="fill", margin=0.0) == expected[..., None]).all()


def test_squares_are_a_third_of_the_shorter_side_and_two_places_have_their_own_colours() -> None:
    rows, columns = np.mgrid[:240, :320]
    frame = np.repeat(np.clip(columns + rows // 2 - 60, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    found = [Detection(Box(100, 100, 180, 120), 0.9), Detection(Box(220, 20, 240, 25), 0.9)]
    squares = redact(frame, found, method="pixelate", margin=0.0)[..., 0]
    assert [len(np.unique(squares[110, 98:183])), len(np.unique(squares[98:123, 140]))] == [12, 5]
    steep = np.repeat((rows + 10 * columns).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    corner = redact(steep, [Detection(Box(0, 0, 1, 1), 0.9)], method="pixelate", margin=0.0)[..., 0]
    assert len(np.unique(corner[1, :4])) == 3  # however small they get
    filled = redact(frame, found, method="fill", margin=0.0)[..., 0]
    assert abs(int(filled[110, 140]) - int(frame[110, 140, 0])) <= 1
    assert abs(int(filled[22, 230]) - int(frame[22, 230, 0])) <= 1
    blurred = redact(frame, found, method="blur", margin=0.0)[..., 0].astype(int)
    assert np.abs(blurred - frame[..., 0])[98:123, 98:183].max() < 25
    assert (np.diff(blurred[110, 98:183]) >= 0).all()


@pytest.mark.parametrize("turns", range(4))
def test_a_plate_on_end_or_upside_down_is_covered_within_its_corners(turns: int) -> None:
    points = np.array([(-40, -22), (40, -2), (40, 18), (-40, -2)]) @ np.linalg.matrix_power([[0, 1], [-1, 0]], turns)
    corners = Quad.from_points(points + 120.0)
    noise = np.random.default_rng(0).integers(0, 256, (240, 240, 3), np.uint8)
    changed = (redact(noise, [Detection(corners.box, 0.9, corners)], margin=0.0) != noise).any(axis=2)
    assert changed.sum() < 0.75 * corners.box.area  # not all of the box
