"""Boxes and quads."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from platereader import Box, InvalidGeometryError, Quad
from platereader._geometry import hull, iou, iou_matrix

TILTED = Quad((10, 12), (110, 8), (112, 30), (11, 36))


def test_box_measures() -> None:
    box = Box(10, 20, 50, 30)
    assert (box.width, box.height, box.area, box.center) == (40, 10, 400, (30, 25))


def test_the_hull_of_two_boxes_is_the_least_box_around_both() -> None:
    assert (
        hull(Box(10, 20, 50, 30), Box(0, 25, 60, 28))
        == hull(Box(0, 25, 60, 28), Box(10, 20, 50, 30))
        == Box(0, 20, 60, 30)
    )


@pytest.mark.parametrize("values", [(5, 0, 1, 1), (0, 5, 1, 1), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)])
def test_impossible_box_is_refused(values: tuple[float, float, float, float]) -> None:
    with pytest.raises(InvalidGeometryError):
        Box(*values)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.int16, np.uint16, np.int64, Fraction])
def test_numbers_of_a_box_and_of_corners_are_those_of_python(kind: Callable[[int], float]) -> None:
    """A network in half precision gives float16, of which an area and the limits of a frame are infinite."""
    x1, y1, x2, y2 = map(kind, (100, 150, 900, 450))
    box, quad = Box(x1, y1, x2, y2), Quad((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    assert (box, quad) == (Box(100, 150, 900, 450), Quad.from_box(Box(100, 150, 900, 450)))
    assert (box.area, box.center, box.moved(-200, 0).x1, quad.area) == (240_000, (500, 300), -100, 240_000)
    numbers = (*box.to_tuple(), box.x1, box.area, *(value for point in quad.points for value in point))
    assert {type(number) for number in numbers} == {float}


@pytest.mark.parametrize("corner", [(1, 2, 3), (1,), (1, "2"), (1, float("nan")), 7, None])
def test_what_is_no_corner_is_refused(corner: tuple[float, float]) -> None:
    with pytest.raises(InvalidGeometryError, match=r"^top_right is"):
        Quad((0, 0), corner, (9, 9), (0, 9))


def test_clipped_keeps_the_part_inside() -> None:
    assert Box(-5, -5, 20, 10).clipped(15, 8) == Box(0, 0, 15, 8)
    assert Box(20, 20, 30, 30).clipped(15, 15) is None


def test_padded_and_moved() -> None:
    assert Box(10, 10, 20, 20).padded(2, 1) == Box(8, 9, 22, 21)
    assert Box(10, 10, 20, 20).moved(-10, 5) == Box(0, 15, 10, 25)


def test_quad_round_trip_and_measures() -> None:
    assert Quad.from_points(TILTED.to_array()) == TILTED
    assert TILTED.box == Box(10, 8, 112, 36)
    assert TILTED.width == pytest.approx(100.6, abs=0.1)
    assert TILTED.height == pytest.approx(23.0, abs=0.1)
    assert TILTED.area > 0
    assert TILTED.is_convex


def test_crossed_or_mirrored_quads_are_not_convex() -> None:
    a, b, c, d = TILTED.points
    assert not Quad(a, c, b, d).is_convex
    assert not Quad(b, a, d, c).is_convex


@pytest.mark.parametrize("points", [[(0, 0)] * 3, [(0, 0), (1, 0), (1, float("nan")), (0, 1)]])
def test_bad_quads_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(InvalidGeometryError):
        Quad.from_points(points)


def test_iou_by_hand() -> None:
    assert iou(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
    assert iou(Box(3, 3, 3, 3), Box(3, 3, 3, 3)) == 0


def test_iou_matrix_agrees_with_iou() -> None:
    rng = np.random.default_rng(0)
    corners = np.sort(rng.uniform(0, 50, (12, 2, 2)), axis=1).reshape(12, 4)
    matrix = iou_matrix(corners[:5], corners[5:])
    expected = [[iou(Box(*a), Box(*b)) for b in corners[5:]] for a in corners[:5]]
    np.testing.assert_allclose(matrix, expected)
