"""What one passage knows of where its plate stood."""

from __future__ import annotations

from fakes import frame_with, patch_pipeline
from platereader import Box, Sighting
from platereader.plates import DEFAULT_SCHEMES, RUSSIAN
from platereader.trust import TrustPolicy
from platereader.video._fusion import FusedEvidence
from platereader.video._passage import PARKED_S, Observation, Passage

PLATE = Box(20, 30, 100, 50)
(READING,) = patch_pipeline().read(frame_with({50: PLATE}))


def sighting(box: Box, time_s: float) -> Sighting:
    return Sighting(time_s, round(10 * time_s), box)


def passage(box: Box, *, start_s: float) -> Passage:
    return Passage.begin(
        1,
        1,
        evidence=FusedEvidence(TrustPolicy(), alphabet=RUSSIAN, schemes=DEFAULT_SCHEMES),
        observations=[Observation(READING, box, sighting(box, start_s))],
    )


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
