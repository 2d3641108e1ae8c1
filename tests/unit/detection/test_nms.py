from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platereader._geometry import Box, iou, shared_area
from platereader.detection._nms import Bounds, drop_parts, suppress


def test_best_of_two_overlapping_boxes_stays() -> None:
    assert suppress([(1, 0, 11, 10), (0, 0, 10, 10), (50, 50, 60, 60)], max_iou=0.5) == [0, 2]


def test_a_suppressed_box_suppresses_nobody() -> None:
    assert suppress([(0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10)], max_iou=0.3) == [0, 2]


@pytest.mark.parametrize(("max_iou", "kept"), [(0.33, [0]), (0.34, [0, 1])])
def test_a_third_in_common(max_iou: float, kept: list[int]) -> None:
    assert suppress([(0, 0, 1, 1), (0.5, 0, 1.5, 1)], max_iou=max_iou) == kept


def test_what_is_just_allowed_in_common_stays() -> None:
    boxes: list[Bounds] = [(0, 0, 2, 2), (0, 0, 2, 1), (1, 0, 3, 2)]
    assert suppress(boxes[:2], max_iou=0.5) == [0, 1]
    assert drop_parts(boxes[::2], max_share=0.5) == [0, 1]
    assert drop_parts(boxes[::2], max_share=0.49) == [0]


def test_boxes_that_only_touch_stay() -> None:
    assert suppress([(0, 0, 10, 10), (10, 0, 20, 10), (0, 10, 10, 20)], max_iou=0.0) == [0, 1, 2]


def test_the_order_of_many_boxes_stays() -> None:
    apart = [(20.0 * index, 0.0, 20.0 * index + 10, 10.0) for index in range(500)]
    assert suppress(apart, max_iou=0.5) == list(range(500))


def test_no_boxes() -> None:
    assert suppress([], max_iou=0.5) == []


_CORNER, _SIZE = st.floats(0, 40), st.floats(1, 30)
_BOXES = st.builds(lambda x, y, width, height: (x, y, x + width, y + height), _CORNER, _CORNER, _SIZE, _SIZE)


@given(st.lists(_BOXES, max_size=12), st.floats(0.1, 0.9))
def test_kept_boxes_are_apart_and_every_other_has_a_better_neighbour(boxes: list[Bounds], max_iou: float) -> None:
    kept = suppress(boxes, max_iou=max_iou)
    assert kept == sorted(kept)
    for index, box in enumerate(boxes):
        overlaps = [iou(Box(*box), Box(*boxes[better])) for better in kept if better < index]
        if index in kept:
            assert all(overlap <= max_iou + 1e-6 for overlap in overlaps)
        else:
            assert any(overlap > max_iou - 1e-6 for overlap in overlaps)


@given(st.lists(_BOXES, max_size=12), st.floats(0.1, 0.9))
def test_parts_are_those_of_a_plain_loop(boxes: list[Bounds], max_share: float) -> None:
    plain = [Box(*box) for box in boxes]
    expected = [
        index
        for index, box in enumerate(plain)
        if not any(shared_area(box, better) > max_share * box.area for better in plain[:index])
    ]
    assert drop_parts(boxes, max_share=max_share) == expected
