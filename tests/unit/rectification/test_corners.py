"""Rectification by learned corners, and when they are rejected."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from warped_plates import flat_plate, street, tilted

from platereader import Box, Detection, InvalidArgumentError, PlateImage, Quad
from platereader._arrays import BgrImage
from platereader.rectification._corners import CornerRectifier, is_plausible
from platereader.rectification._layout import rectify_box, rectify_quad

GOOD = tilted((320, 240), width=240, aspect=520 / 112, angle_deg=7)
FRAME = street(flat_plate(), GOOD, rng=np.random.default_rng(0))


def shuffled(quad: Quad, *order: int) -> Quad:
    return Quad.from_points([quad.points[index] for index in order])


IMPLAUSIBLE = {
    "mirrored": shuffled(GOOD, 1, 0, 3, 2),
    "upside down": shuffled(GOOD, 2, 3, 0, 1),
    "crossed": shuffled(GOOD, 0, 2, 1, 3),
    "not convex": Quad((200, 200), (440, 240), (260, 240), (200, 280)),
    "a point": Quad((320, 240), (320, 240), (320, 240), (320, 240)),
    "a line": Quad((200, 240), (440, 240), (440, 240.5), (200, 240.5)),
    "elsewhere": Quad.from_box(Box(10, 10, 250, 60)),
    "one long edge": Quad((200, 200), (440, 225), (440, 240), (200, 280)),
    "on end": tilted((320, 240), width=100, aspect=1.0, angle_deg=80),
}


def test_good_corners_are_used() -> None:
    (plate,) = CornerRectifier().rectify(FRAME, [Detection(GOOD.box, 0.9, GOOD)])
    assert np.array_equal(plate.pixels, rectify_quad(FRAME, GOOD, 1).pixels)


@pytest.mark.parametrize("name", IMPLAUSIBLE)
def test_implausible_corners_are_rejected_for_the_padded_box(name: str) -> None:
    box = Box(200, 200, 440, 280)
    assert not is_plausible(IMPLAUSIBLE[name], box)
    (plate,) = CornerRectifier().rectify(FRAME, [Detection(box, 0.9, IMPLAUSIBLE[name])])
    assert np.array_equal(plate.pixels, rectify_box(FRAME, box).pixels)


@pytest.mark.parametrize("angle_deg", [-35, -10, 0, 20, 45])
@pytest.mark.parametrize("aspect", [1.3, 1.7, 3.0, 4.6, 7.0])
def test_ordinary_plates_are_plausible(angle_deg: float, aspect: float) -> None:
    quad = tilted((300, 200), width=90, aspect=aspect, angle_deg=angle_deg, turn=0.2)
    assert is_plausible(quad, quad.box)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_plate_may_be_tilted_by_60_degrees_and_no_more(sign: int) -> None:
    within, beyond = (
        tilted((300, 200), width=120, aspect=4.6, angle_deg=sign * angle_deg) for angle_deg in (59.5, 60.5)
    )
    assert is_plausible(within, within.box)
    assert not is_plausible(beyond, beyond.box)


@pytest.mark.parametrize(
    ("quad", "plausible"),
    [
        (Quad((0, 0), (200, 18), (200, 42), (0, 60)), True),  # 60 and 24 px high at its ends
        (Quad((0, 0), (200, 18), (200, 41), (0, 60)), False),
        (Quad((0, 18), (200, 0), (200, 60), (0, 42)), True),
        (Quad((0, 18), (200, 0), (200, 60), (0, 41)), False),
        (Quad((0, 0), (60, 0), (42, 50), (18, 50)), True),  # 60 and 24 px wide
        (Quad((0, 0), (60, 0), (41, 50), (18, 50)), False),
        (Quad((18, 0), (42, 0), (60, 50), (0, 50)), True),
        (Quad((18, 0), (41, 0), (60, 50), (0, 50)), False),
        (Quad.from_box(Box(0, 0, 14, 20)), True),
        (Quad.from_box(Box(0, 0, 13.9, 20)), False),
        (Quad.from_box(Box(0, 0, 200, 20)), True),
        (Quad.from_box(Box(0, 0, 201, 20)), False),
        (Quad.from_box(Box(0, 0, 20, 3)), True),
        (Quad.from_box(Box(0, 0, 20, 2.9)), False),
    ],
)
def test_edges_and_aspect_may_be_those_of_a_plate_seen_from_the_side(quad: Quad, plausible: bool) -> None:
    assert is_plausible(quad, quad.box) is plausible


def test_how_far_corners_may_be_from_the_box_can_be_said() -> None:
    detection = Detection(GOOD.box.moved(0.4 * GOOD.box.width, 0), 0.9, GOOD)  # an IoU of 3 in 7
    (strict,) = CornerRectifier(fallback=_Marker()).rectify(FRAME, [detection])
    (loose,) = CornerRectifier(min_box_iou=0.4, fallback=_Marker()).rectify(FRAME, [detection])
    assert strict.pixels.shape == (1, 1, 3)
    assert np.array_equal(loose.pixels, rectify_quad(FRAME, GOOD, 1).pixels)


def test_half_of_the_box_and_of_the_corners_must_be_common() -> None:
    quad = Quad.from_box(Box(0, 0, 100, 20))
    assert [is_plausible(quad, Box(0, 0, width, 20)) for width in (50, 200)] == [True, True]
    assert [is_plausible(quad, Box(0, 0, width, 20)) for width in (49, 201)] == [False, False]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"margin": float("nan")}, "margin is nan"),
        ({"margin": -1.0}, r"margin is -1\.0"),
        ({"margin": "0.06"}, r"margin is '0\.06'"),
        ({"min_box_iou": 50}, "min_box_iou is 50"),
        ({"fallback": None}, "fallback is the NoneType None, expected is a rectifier"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        CornerRectifier(**settings)


def test_lines_come_from_the_detection_else_from_the_aspect() -> None:
    square = tilted((320, 240), width=150, aspect=290 / 170, angle_deg=5)
    steep = tilted((320, 240), width=150, aspect=3.0, angle_deg=5)
    detections = [
        Detection(square.box, 0.9, square),
        Detection(steep.box, 0.9, steep),
        Detection(square.box, 0.9, square, lines=1),
        Detection(steep.box, 0.9, steep, lines=2),
    ]
    assert [plate.lines for plate in CornerRectifier().rectify(FRAME, detections)] == [2, 1, 1, 2]
    without_corners = [Detection(steep.box, 0.9, lines=2), Detection(square.box, 0.9, lines=1)]
    assert [plate.lines for plate in CornerRectifier().rectify(FRAME, without_corners)] == [2, 1]


class _Marker:
    """A fallback that says it was asked."""

    def rectify(self, frame: BgrImage, detections: Sequence[Detection]) -> list[PlateImage]:
        return [PlateImage(np.full((1, 1, 3), 77, np.uint8)) for _ in detections]


def test_the_fallback_is_asked_only_where_corners_do_not_serve() -> None:
    detections = [
        Detection(GOOD.box, 0.9, GOOD),
        Detection(GOOD.box, 0.9),
        Detection(GOOD.box, 0.9, IMPLAUSIBLE["a line"]),
    ]
    plates = CornerRectifier(fallback=_Marker()).rectify(FRAME, detections)
    assert [plate.pixels.shape == (1, 1, 3) for plate in plates] == [False, True, True]
