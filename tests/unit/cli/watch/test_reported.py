"""Which passages are reported by default, and that the rest is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from fakes import frame_with, patch_pipeline, read_as
from platereader import Box, Sighting, StreamUpdate, TrackedPlate, Verdict
from platereader.cli.watch.events import Passages, Started, is_reported
from platereader.results import Status

GATE = Started("gate.mp4", False, datetime(2026, 11, 28, 8, tzinfo=timezone.utc), None, 10.0, 4, "1")
BOX = Box(20, 30, 100, 50)
SEEN = Sighting(0.0, 0, BOX)
(READING,) = patch_pipeline().read(frame_with({50: BOX}))
UNSURE = read_as("A123BC77", probability=0.6)
PLATE = TrackedPlate(READING.verdict, 1, 1, True, 5, 5, SEEN, SEEN, BOX, False, UNSURE, 0)


def passage(
    text: str | None, status: Status, *, readings: int, agreeing: int, passage_id: int = 1, confidence: float = 0.5
) -> TrackedPlate:
    verdict = Verdict(text, confidence, status)
    return replace(PLATE, verdict=verdict, settled=False, readings=readings, agreeing=agreeing, passage_id=passage_id)


@pytest.mark.parametrize(
    ("plate", "reported"),
    [
        (passage("A123BC77", "read", readings=9, agreeing=1), True),
        (passage("A123BC77", "uncertain", readings=90, agreeing=3), True),
        (passage("A123BC77", "uncertain", readings=90, agreeing=2), False),
        (passage("A123BC77", "uncertain", readings=2, agreeing=2), True),
        (passage("A123BC77", "uncertain", readings=2, agreeing=1), False),
        (passage(None, "unreadable", readings=3, agreeing=3), False),
        (passage("0A", "uncertain", readings=1, agreeing=1), False),  # pieces: shorter than any plate
        (passage("A12", "uncertain", readings=90, agreeing=9), False),
        (passage("A123", "uncertain", readings=90, agreeing=9), True),
        (passage("A123BC77", "uncertain", readings=2, agreeing=2, confidence=0.009), False),  # of next to no confidence
        (passage("A123BC77", "uncertain", readings=3, agreeing=3, confidence=0.009), True),
        (replace(passage("A123BC77", "uncertain", readings=90, agreeing=2), best=READING), True),  # was surely read
    ],
)
def test_read_passages_and_those_that_read_alike_are_reported(plate: TrackedPlate, reported: bool) -> None:
    assert is_reported(plate) == reported


def test_what_is_left_out_is_counted_and_everything_can_be_had() -> None:
    pieces = [passage("7", "uncertain", readings=9, agreeing=1, passage_id=number) for number in (1, 2)]
    update = StreamUpdate(1.0, (), (*pieces, passage("A123BC77", "uncertain", readings=4, agreeing=4, passage_id=3)))
    some, everything = (
        Passages(lambda plate: None, started=GATE, everything=everything) for everything in (False, True)
    )
    assert [event.plate.passage_id for event in some.events_of(update)] == [3]
    assert [event.plate.passage_id for event in everything.events_of(update)] == [1, 2, 3]
    assert (some.finished, some.left_out, everything.finished, everything.left_out) == (1, 2, 3, 0)
    assert some.counts().startswith("1 (0 read, 1 uncertain, 0 unreadable); 2 more")
    assert "--all" not in everything.counts()


def test_a_time_after_the_last_year_is_unknown() -> None:
    late = replace(GATE, first_frame_at=datetime(9998, 12, 31, tzinfo=timezone.utc))
    assert late.iso_at(60.0) == "9998-12-31T00:01:00.000+00:00"
    assert (late.iso_at(4e8), late.iso_at(1e30)) == (None, None)
