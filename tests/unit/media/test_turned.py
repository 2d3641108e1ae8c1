"""Plates of pictures that lie on their side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from platereader import Box, Detection, Quad
from platereader._arrays import BgrImage
from platereader._loading import load_detector
from platereader.detection._region import RegionDetector
from platereader.media._images import read_image
from platereader.media._redaction import redact
from platereader.media._turned import TurnedDetector, turned_detector

PLATE = Quad((60, 52), (140, 60), (138, 80), (58, 72))
FRAME = (160, 240, 3)
SIDEWAYS = Path(__file__).resolve().parents[4] / "shared" / "cases" / "sideways" / "X682CM64-sideways.jpg"


@dataclass
class MarkedDetector:
    """Finds the plate of `picture`, but only where it is upright; counts its frames."""

    score: float = 0.9
    calls: int = field(default=0)

    def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
        """One detection per frame that shows it."""
        self.calls += len(frames)
        return [self._found(frame) for frame in frames]

    def _found(self, frame: BgrImage) -> list[Detection]:
        if frame.shape != FRAME or not frame[66, 100].all() or frame[79, 60].any():
            return []
        return [Detection(PLATE.box, self.score, PLATE)]


def picture() -> BgrImage:
    """A white plate, not in the middle."""
    frame = np.zeros(FRAME, np.uint8)
    cv2.fillConvexPoly(frame, PLATE.to_array().astype(np.int32), (255, 255, 255))
    return frame


def turned(turn: int) -> BgrImage:
    """The picture turned clockwise: what finds the plate turns it back counter-clockwise."""
    return np.ascontiguousarray(np.rot90(picture(), -turn))


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_plate_is_found_and_covered_in_every_direction(turn: int, always: bool) -> None:
    frame = turned(turn)
    (found,) = TurnedDetector(MarkedDetector(), always=always).detect([frame])[0]
    ys, xs = np.nonzero(frame[..., 0])
    assert found.box.to_tuple() == pytest.approx((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), abs=2.5)
    assert found.corners is not None
    assert found.corners.box == found.box
    assert found.corners.is_convex
    assert redact(frame, [found]).max() < 10
    noise = np.random.default_rng(0).integers(0, 256, frame.shape, dtype=np.uint8)
    painted = (redact(noise, [found], margin=0.0) != noise).any(axis=-1).sum()
    assert painted < 1.35 * PLATE.area  # along the corners, as for upright plates


def test_what_is_found_in_a_turned_frame_is_turned_back_to_the_pixel() -> None:
    frame = np.zeros((100, 300, 3), np.uint8)
    corners = Quad((10, 21), (52, 20), (50, 40), (11, 41))

    class OnEnd:
        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            return [[Detection(Box(10, 20, 50, 40), 0.5, corners)] if frame.shape[0] == 300 else [] for frame in frames]

    found = TurnedDetector(OnEnd(), always=True).detect([frame])[0]
    assert [one.box.to_tuple() for one in found] == [(260, 10, 280, 50), (20, 50, 40, 90)]
    assert [one.corners and one.corners.points for one in found] == [
        ((279, 10), (280, 52), (260, 50), (259, 11)),
        ((21, 90), (20, 48), (40, 50), (41, 89)),
    ]

    class UpsideDown:
        seen = 0

        def detect(self, frames: Sequence[BgrImage]) -> list[list[Detection]]:
            self.seen += 1
            return [[Detection(Box(10, 20, 50, 40), 0.5)] if self.seen == 4 else [] for _ in frames]

    (one,) = TurnedDetector(UpsideDown()).detect([frame])[0]
    assert one.box.to_tuple() == (250, 60, 290, 80)


def test_a_doubtful_plate_tells_no_direction() -> None:
    assert TurnedDetector(MarkedDetector(score=0.4)).detect([turned(1)]) == [[]]
    assert TurnedDetector(MarkedDetector(score=0.4), always=True).detect([turned(1)]) != [[]]


def test_once_the_direction_is_known_no_other_is_tried() -> None:
    inner = MarkedDetector()
    upright = TurnedDetector(inner)
    empty = np.zeros(FRAME, np.uint8)
    costs: list[int] = []
    for frame in (empty, picture(), empty, turned(1)):
        before = inner.calls
        upright.detect([frame])
        costs.append(inner.calls - before)
    assert costs == [4, 1, 1, 1]
    sideways = TurnedDetector(inner)
    assert sideways.detect([turned(3)])[0]
    before, inner.score = inner.calls, 0.2
    assert sideways.detect([turned(3)])[0]  # a doubtful plate in a known direction
    assert inner.calls - before == 2


def test_a_region_stays_where_it_lies_in_the_frame() -> None:
    frame = turned(1)
    ys, xs = np.nonzero(frame[..., 0])
    place = Box(xs.min(), ys.min(), xs.max(), ys.max())
    height, width = frame.shape[:2]
    around = [(0, 0), (width, 0), (width, height), (0, height)]
    elsewhere = [(0, 0), (width, 0), (width, place.y1 - 20), (0, place.y1 - 20)]
    for region, count in ((around, 1), (elsewhere, 0)):
        detector = turned_detector(RegionDetector(MarkedDetector(), region, margin_px=500), always=False)
        assert len(detector.detect([frame])[0]) == count


def test_a_photograph_on_its_side() -> None:
    if not SIDEWAYS.exists():
        pytest.skip("../shared/cases/sideways is not here")
    photograph = read_image(SIDEWAYS)
    detector = load_detector("plate-detector")
    assert detector.detect([photograph]) == [[]]
    (found,) = turned_detector(detector, always=False).detect([photograph])[0]
    assert found.box.to_tuple() == pytest.approx((454, 405, 500, 610), abs=8)  # by eye
