from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from platereader.detection.nms import suppress
from platereader.geometry import iou_matrix


def _boxes(*rows: tuple[float, float, float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_best_of_two_overlapping_boxes_stays() -> None:
    boxes = _boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60))
    kept = suppress(boxes, np.array([0.5, 0.9, 0.1], np.float32), max_iou=0.5)
    assert kept.tolist() == [1, 2]


def test_a_suppressed_box_suppresses_nobody() -> None:
    boxes = _boxes((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10))
    kept = suppress(boxes, np.array([0.9, 0.8, 0.7], np.float32), max_iou=0.3)
    assert kept.tolist() == [0, 2]


def test_equal_scores_keep_their_order() -> None:
    boxes = _boxes((0, 0, 1, 1), (5, 5, 6, 6), (9, 9, 10, 10))
    assert suppress(boxes, np.ones(3, np.float32), max_iou=0.5).tolist() == [0, 1, 2]


def test_no_boxes() -> None:
    assert suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), max_iou=0.5).tolist() == []


_CORNERS = arrays(np.float32, (12, 2), elements=st.floats(0, 40, width=32))
_SIZES = arrays(np.float32, (12, 2), elements=st.floats(1, 30, width=32))
_SCORES = arrays(np.float32, 12, elements=st.floats(0, 1, width=32))


@given(_CORNERS, _SIZES, _SCORES, st.floats(0.1, 0.9))
def test_kept_boxes_are_apart_and_every_other_has_a_better_neighbour(
    corners: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    sizes: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    max_iou: float,
) -> None:
    boxes = np.concatenate((corners, corners + sizes), 1)
    kept = suppress(boxes, scores, max_iou=max_iou)
    overlaps = iou_matrix(boxes, boxes)
    among = overlaps[np.ix_(kept, kept)] - np.eye(len(kept))
    assert (among <= max_iou + 1e-6).all()
    for lost in set(range(12)) - set(kept.tolist()):
        assert any(overlaps[lost, best] > max_iou and scores[best] >= scores[lost] for best in kept)
