"""How long a stream waits for plates, which of them it shows, and where: both sides of each limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fakes import no_evidence, read_as
from platereader import Box, Detection, InvalidArgumentError, PlateReading, Quad, Sighting
from platereader._arrays import BgrImage
from platereader.results import TrackAssignment
from platereader.video import PlateStream, StreamSettings
from platereader.video._passage import Observation, Passage
from platereader.video._view import View

PLATE = Box(20, 30, 100, 50)
FRAME = np.zeros((240, 320, 3), np.uint8)


class Follows:
    """One track for the first detection of each frame; without any, its place is predicted."""

    def __init__(self) -> None:
        self.frames = 0

    def update(self, detections: Sequence[Detection], timestamp_s: float) -> TrackAssignment:
        self.frames += 1
        coasting = ((1, PLATE),) if not detections and self.frames > 1 else ()
        return TrackAssignment(tuple(range(1, len(detections) + 1)), ended=(), coasting=coasting)


def stream(*boxes: Box | None, settings: StreamSettings | None = None) -> PlateStream:
    """A stream in whose frames plates are found there; None for nothing, as in all later frames."""
    left = list(boxes)

    def detect(frame: BgrImage) -> list[Detection]:
        box = left.pop(0) if left else None
        return [] if box is None else [Detection(box, 0.9)]

    def read(frame: BgrImage, detections: Sequence[Detection]) -> list[PlateReading]:
        return [read_as("A123BC77")] * len(detections)

    return PlateStream(detect, read, tracker=Follows(), evidence=no_evidence, settings=settings)


def shown(one: PlateStream, timestamp_s: float, frame: BgrImage = FRAME) -> list[tuple[Box, bool]]:
    return [(plate.box, plate.predicted) for plate in one.update(frame, timestamp_s).active]


@pytest.mark.parametrize(
    ("stood_s", "at_s", "index", "gone"),
    [
        (0.0, 4.0, 99, False),  # the time that a plate may be out of view
        (0.0, 4.0625, 99, True),
        (0.0, 59.0, 3, False),  # missed in two frames
        (0.0, 59.0, 4, True),
        (0.0, 60.0, 1, False),
        (0.0, 60.0625, 1, True),
        (3.0, 63.0, 99, False),  # a parked one
        (3.0, 63.0625, 99, True),
        (3.0, 63.0625, 1, True),
    ],
)
def test_a_plate_is_gone_after_a_while_unless_hardly_a_frame_missed_it(
    stood_s: float, at_s: float, index: int, gone: bool
) -> None:
    first = Observation(read_as(""), PLATE, Sighting(0.0, 0, PLATE))
    passage = Passage.begin(1, 1, evidence=no_evidence(), observations=[first])
    if stood_s:
        passage.see(PLATE, Sighting(stood_s, 0, PLATE))
    assert stream()._is_gone(passage, at_s, index) is gone


def test_a_predicted_plate_is_shown_for_a_second_and_followed_for_a_minute() -> None:
    one = stream(PLATE)
    assert shown(one, 5.0) == [(PLATE, False)]
    assert [shown(one, time_s) for time_s in (6.0, 6.0625)] == [[(PLATE, True)], []]
    one.update(FRAME, 65.0)
    assert list(one._active) == [1]
    one.update(FRAME, 65.0625)
    assert list(one._active) == []


def test_places_are_inside_the_frame_whatever_its_size() -> None:
    one = stream(Box(-5, 230, 60, 250), None, Box(300, 100, 330, 130))
    assert shown(one, 0.0) == [(Box(0, 230, 60, 240), False)]
    assert shown(one, 0.1, np.zeros((120, 640, 3), np.uint8)) == [(Box(40, 15, 200, 25), True)]
    assert shown(one, 0.2, np.zeros((120, 310, 3), np.uint8)) == [(Box(300, 100, 310, 120), False)]


def test_a_view_stretches_boxes_and_corners_alike() -> None:
    view = View((640, 120), (320, 240))
    corners = Quad((10, 5), (50, 7), (50, 17), (10, 15))
    moved = view.detection_in_first(Detection(corners.box, 0.9, corners))
    assert moved.box == Box(5, 10, 25, 34)
    assert moved.corners is not None
    assert moved.corners.to_array().tolist() == [[5, 10], [25, 14], [25, 34], [5, 30]]
    assert view.box_in_frame(moved.box) == corners.box
    assert view.box_in_frame(Box(400, 0, 500, 10)) is None
    assert view.inside(Box(-9, -9, 700, 130)) == Box(0, 0, 640, 120)
    assert view.inside(Box(650, 125, 700, 130)) == Box(640, 120, 640, 120)
    assert view.inside(Box(-30, -20, -10, -5)) == Box(0, 0, 0, 0)


@pytest.mark.parametrize("name", ["search_s", "recheck_s", "same_passage_s", "parked_s"])
def test_a_setting_is_0_or_more_seconds(name: str) -> None:
    zero: dict[str, Any] = {name: 0.0}
    assert getattr(StreamSettings(**zero), name) == 0.0
    wrongs: list[Any] = [-0.01, float("nan"), "1", *([] if name == "search_s" else [None])]
    for wrong in wrongs:
        with pytest.raises(InvalidArgumentError, match=f"{name} is"):
            StreamSettings(**{name: wrong})
    assert StreamSettings() == StreamSettings(search_s=None, recheck_s=1.0, same_passage_s=4.0, parked_s=60.0)


def test_a_stream_without_frames_ends_at_0_and_takes_no_more() -> None:
    one = stream()
    assert (one.finish().timestamp_s, one.finish().finished) == (0.0, ())
    with pytest.raises(InvalidArgumentError, match="this stream is finished"):
        one.update(FRAME, 1.0)
    ended = stream(PLATE)
    ended.update(FRAME, 7.0)
    last = ended.finish()
    assert (last.timestamp_s, [plate.box for plate in last.finished]) == (7.0, [PLATE])
