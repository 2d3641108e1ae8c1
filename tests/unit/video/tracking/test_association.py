"""The likeliest assignment as a whole, and the shift that tracks agree on."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from platereader.video._tracking import association
from platereader.video._tracking.association import best_pairs, common_shift
from platereader.video._tracking.motion import Motion

STATM = Path("/proc/self/statm")
SIZE, ASPECT = np.log(50.0), 1.5


def assign(
    motion: Motion, measurements: NDArray[np.float64], *, missed_s: float = 0.0
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All tracks were not seen for so long."""
    return association.assign(motion, measurements, missed_s=np.full(len(motion.mean), missed_s))


def standing(*middles: tuple[float, float]) -> NDArray[np.float64]:
    return np.array([(x, y, SIZE, ASPECT) for x, y in middles], dtype=np.float64)


def known(*middles: tuple[float, float]) -> Motion:
    """Tracks that have stood still for a second."""
    motion = Motion.started(standing(*middles))
    for _ in range(25):
        motion.advance(0.04)
        motion.correct(np.arange(len(middles)), standing(*middles))
    motion.advance(0.04)
    return motion


def test_the_whole_counts_and_not_the_nearest_pair() -> None:
    # The first detection is nearest to the second track, which the second detection needs.
    tracks, detections = assign(known((100, 100), (130, 100)), standing((118, 100), (148, 100)))
    assert dict(zip(tracks.tolist(), detections.tolist(), strict=True)) == {0: 0, 1: 1}


def test_a_track_lost_long_ago_does_not_rob_a_certain_one() -> None:
    lost, certain = known((100, 100)), known((106, 100))
    lost.advance(1.0)
    tracks, detections = assign(lost.joined(certain), standing((103, 100)))
    assert (tracks.tolist(), detections.tolist()) == ([1], [0])


def test_another_size_is_another_plate() -> None:
    near = standing((100, 100))
    near[0, 2] += 1.5
    assert assign(known((100, 100)), near)[0].size == 0


def test_a_plate_that_jumps_is_found_in_a_second_pass_and_its_track_allows_for_it() -> None:
    motion = known((100, 100), (400, 300))
    variance = motion.covariance[:, 0, 0].copy()
    tracks, detections = assign(motion, standing((400, 300), (190, 100)))
    assert dict(zip(tracks.tolist(), detections.tolist(), strict=True)) == {0: 1, 1: 0}
    assert (motion.covariance[:, 0, 0] > variance).tolist() == [True, False]
    motion.correct(tracks, standing((400, 300), (190, 100))[detections])
    assert motion.mean[0, 0] == pytest.approx(190, abs=2)


def test_the_second_pass_reaches_no_further_than_a_jump() -> None:
    assert assign(known((100, 100)), standing((600, 100)))[0].size == 0


def test_a_plate_that_was_missed_does_not_jump() -> None:
    assert assign(known((100, 100)), standing((190, 100)))[0].tolist() == [0]
    assert assign(known((100, 100)), standing((190, 100)), missed_s=0.2)[0].size == 0
    assert assign(known((100, 100)), standing((100, 100)), missed_s=0.2)[0].tolist() == [0]


def test_the_longer_a_plate_was_missed_the_better_it_must_fit() -> None:
    motion = known((100, 100))
    motion.advance(0.6)
    assert assign(motion, standing((900, 100)), missed_s=0.04)[0].tolist() == [0]
    assert assign(motion, standing((900, 100)), missed_s=0.6)[0].size == 0
    assert assign(motion, standing((104, 100)), missed_s=0.6)[0].tolist() == [0]


def test_a_pair_is_worth_more_than_a_new_plate_less_ten_for_each_second_that_it_was_missed() -> None:
    motion = known((100, 100))
    variance = motion.covariance[0, 0] + np.array([0.08, 0.08, 0.08, 0.15]) ** 2
    at_place = 19.0 - float(np.log(2 * np.pi * variance).sum())
    for worth, paired in ((0.05, [0]), (-0.05, [])):
        assert assign(motion, standing((100, 100)), missed_s=(at_place - worth) / 10.0)[0].tolist() == paired
    side, spread = 50.0, float(np.sqrt(variance[0]))
    for off, paired in ((-0.01, [0]), (0.01, [])):  # what is worth nothing where it lies
        x = 100 + side * spread * float(np.sqrt(at_place - 0.01) + off)
        assert assign(motion, standing((x, 100)), missed_s=0.001)[0].tolist() == paired


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (3, 3), (3, 5), (5, 3)])
def test_no_other_pairs_are_worth_more(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        worth = np.maximum(rng.normal(4, 8, shape), 0)
        tall = worth if shape[0] <= shape[1] else worth.T
        most = max(sum(tall[range(len(tall)), list(order)]) for order in permutations(range(tall.shape[1]), len(tall)))
        tracks, detections = best_pairs(worth)
        assert len({*tracks.tolist()}) == len({*detections.tolist()}) == len(tracks)
        assert worth[tracks, detections].sum() == pytest.approx(most)
        assert (worth[tracks, detections] > 0).all()


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (2, 2), (4, 4), (3, 5), (5, 3)])
def test_of_equal_pairs_the_earlier_go_together(shape: tuple[int, int]) -> None:
    tracks, detections = best_pairs(np.full(shape, 7.0))
    assert tracks.tolist() == detections.tolist() == list(range(min(shape)))


@pytest.mark.skipif(not STATM.is_file(), reason="resident memory is read from /proc")
def test_what_computes_the_pairs_keeps_no_memory() -> None:
    worth = np.random.default_rng(0).uniform(1, 9, (4, 5))
    pages: list[int] = []  # resident ones: what is not Python's own memory counts as well
    for _ in range(3):
        for _ in range(5000):
            best_pairs(worth)
        pages.append(int(STATM.read_text(encoding="ascii").split()[1]))
    assert pages[2] - pages[0] < 500  # 2 MB, and 10,000 calls


def test_several_tracks_agree_on_a_shake() -> None:
    before = known((100, 100), (400, 300), (900, 200))
    shift = common_shift(before, standing((160, 60), (461, 261), (959, 161)))
    assert shift == pytest.approx((60, -40), abs=3)
    two = common_shift(known((100, 100), (400, 300)), standing((160, 60), (461, 261)))
    assert two == pytest.approx((60, -40), abs=3)


def test_plates_of_other_sizes_agree_on_nothing() -> None:
    other = standing((160, 60), (461, 261))
    other[:, 2] += 2.0
    assert common_shift(known((100, 100), (400, 300)), other) is None


def test_one_track_and_tracks_that_move_apart_are_no_shake() -> None:
    assert common_shift(known((100, 100)), standing((160, 60))) is None
    assert common_shift(known((100, 100), (400, 300)), standing((160, 60), (340, 340))) is None
    assert common_shift(known((100, 100), (400, 300)), standing((101, 100), (400, 299))) is None


def plain_shift(motion: Motion, measurements: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What ``common_shift`` says, pair by pair."""

    def worth(track: int, row: int, shift: NDArray[np.float64]) -> float:
        variance = motion.covariance[track, 0] + np.array([0.08, 0.08, 0.08, 0.15]) ** 2
        side = np.exp(motion.mean[track, 2])
        error = measurements[row] - motion.mean[track] - np.append(shift, (0.0, 0.0))
        error[:2] /= side
        return max(0.0, 19.0 - float((error**2 / variance + np.log(2 * np.pi * variance)).sum()))

    tracks, rows = range(len(motion.mean)), range(len(measurements))
    nothing = np.zeros(2)
    best, most = None, 3.0
    for track, row in ((track, row) for track in tracks for row in rows):
        error = measurements[row] - motion.mean[track]
        variance = motion.covariance[track, 0] + np.array([0.08, 0.08, 0.08, 0.15]) ** 2
        if sum(error[2:] ** 2 / variance[2:]) >= 8.0:
            continue
        shift = error[:2]
        better = [
            max(worth(one, other, shift) for other in rows)
            - sum(shift**2) / 150**2
            - max(worth(one, other, nothing) for other in rows)
            for one in tracks
        ]
        if sum(better) - max(better) > most:
            best, most = shift, sum(better) - max(better)
    return best


def test_a_shift_is_the_one_that_most_tracks_agree_on_whatever_pairs_there_are() -> None:
    rng = np.random.default_rng(0)
    shifts: list[bool] = []
    for _ in range(32):
        middles = [tuple(rng.uniform(0, 400, 2)) for _ in range(rng.integers(1, 4))]
        motion = known(*middles)
        motion.mean[:, 2:] += rng.normal(0, 0.2, (len(middles), 2))
        moved = rng.normal(0, 60, 2) * rng.integers(0, 2)
        seen = standing(*((x + moved[0], y + moved[1]) for x, y in middles), *[(50, 50)] * rng.integers(0, 2))
        seen += rng.normal(0, 1, seen.shape) * (6, 6, 0.3, 0.3)
        found, expected = common_shift(motion, seen), plain_shift(motion, seen)
        assert (found is None) == (expected is None)
        assert found is None or found == pytest.approx(expected)
        shifts.append(found is not None)
    assert 3 < sum(shifts) < 28
