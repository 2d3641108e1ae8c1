"""The measures against values worked out by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from platereader import Box, Quad
from platereader.lab.metrics.rates import (
    PictureBoxes,
    Rate,
    alignment,
    average_precision,
    best_overlap,
    character_error_rate,
    corner_error,
    edit_distance,
    match,
    rank,
    recall,
)


def rows(*boxes: tuple[float, float, float, float]) -> NDArray[np.float64]:
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def picture(
    found: NDArray[np.float64],
    scores: list[float],
    labelled: NDArray[np.float64],
    ignored: NDArray[np.float64] | None = None,
) -> PictureBoxes:
    return PictureBoxes(found, np.asarray(scores, np.float64), labelled, rows() if ignored is None else ignored)


A, B, FAR = (0, 0, 100, 20), (200, 0, 300, 20), (500, 500, 600, 520)
SHIFTED = (10, 0, 110, 20)  # IoU 90 / 110 = 0.818 with A


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "", 0), ("ABC", "", 3), ("", "ABC", 3), ("A123BC77", "A128BC7", 2), ("AB", "BA", 2)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance
    pairs = alignment(a, b)
    assert ("".join(x for x, _ in pairs), "".join(y for _, y in pairs)) == (a, b)


def test_cer_counts_over_all_labels() -> None:
    assert character_error_rate([("ABCD", "ABCD"), ("ABCDEF", "")]) == pytest.approx(0.6)
    assert character_error_rate([]) is None


def test_wilson_interval_of_the_textbook() -> None:
    assert Rate(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Rate(0, 20).interval[0] == 0
    assert Rate(20, 20).interval[1] == 1
    assert Rate(0, 0).interval == (0, 1)
    assert Rate(0, 0).value is None
    assert Rate(3, 4).to_dict()["value"] == 0.75


def test_corner_error_is_in_per_cent_of_the_labelled_width() -> None:
    label = Quad((0, 0), (200, 0), (200, 40), (0, 40))
    moved = Quad((3, 4), (200, 0), (200, 40), (0, 40))
    assert corner_error(moved, label) == pytest.approx(100 * 5 / 4 / 200)


def test_match_gives_each_label_to_the_best_scored_box() -> None:
    result = match(picture(rows(SHIFTED, A, FAR), [0.9, 0.8, 0.95], rows(A, B)), min_iou=0.5)
    assert result.scores.tolist() == [0.95, 0.9, 0.8]
    assert result.right.tolist() == [False, True, False]
    assert result.labelled == 2
    assert recall([result]) == Rate(1, 2)


def test_match_depends_on_the_threshold() -> None:
    boxes = picture(rows(SHIFTED), [0.9], rows(A))
    assert match(boxes, min_iou=0.8).right.tolist() == [True]
    assert match(boxes, min_iou=0.85).right.tolist() == [False]


def test_finds_on_ignored_regions_are_neither_right_nor_wrong() -> None:
    inside = (520, 502, 560, 512)
    result = match(picture(rows(A, inside, FAR, B), [0.9, 0.8, 0.7, 0.6], rows(A), rows(FAR)), min_iou=0.5)
    assert result.scores.tolist() == [0.9, 0.6]
    assert result.right.tolist() == [True, False]


def test_match_of_empty_sides() -> None:
    assert match(picture(rows(), [], rows(A)), min_iou=0.5).right.size == 0
    assert match(picture(rows(A), [0.5], rows()), min_iou=0.5).right.tolist() == [False]


def test_average_precision_by_hand() -> None:
    hit = match(picture(rows(A), [0.9], rows(A)), min_iou=0.5)
    late = match(picture(rows(FAR, B), [0.8, 0.7], rows(B)), min_iou=0.5)
    missed = match(picture(rows(), [], rows(A, B)), min_iou=0.5)
    assert average_precision(rank([hit])) == 1
    assert average_precision(rank([missed])) == 0
    # Precision 1 up to recall 1/2, then 2/3: 51 points at 1 and 50 at 2/3.
    assert average_precision(rank([hit, late])) == pytest.approx((51 + 50 * 2 / 3) / 101)
    # Half of the labels are never reached: 26 points at 1, then 25 at 2/3, then 50 at 0.
    assert average_precision(rank([hit, late, missed])) == pytest.approx((26 + 25 * 2 / 3) / 101)
    assert average_precision(rank([match(picture(rows(A), [0.9], rows()), min_iou=0.5)])) is None


def test_weights_count_a_picture_as_often_as_it_is_drawn() -> None:
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(12):
        labelled = rows(*[(x, 0, x + 50, 20) for x in range(0, 400, 100)])
        found = labelled + rng.normal(0, 12, (4, 1))
        pictures.append(match(picture(found, rng.random(4).tolist(), labelled), min_iou=0.5))
    weights = rng.integers(0, 3, 12)
    drawn = [one for one, weight in zip(pictures, weights, strict=True) for _ in range(weight)]
    weighted = average_precision(rank(pictures), weights=weights)
    assert weighted is not None
    assert math.isclose(weighted, average_precision(rank(drawn)) or 0)


def test_the_box_that_overlaps_most_is_found_among_others() -> None:
    best, overlap = best_overlap(Box(*A), [Box(*FAR), Box(*SHIFTED), Box(*B)])
    assert best == 1
    assert overlap == pytest.approx(90 / 110)
    assert best_overlap(Box(*A), [Box(*A), Box(*A)]) == (0, 1.0)
    assert best_overlap(Box(*A), [Box(*FAR)]) == (0, 0.0)
    assert best_overlap(Box(*A), []) == (-1, 0.0)
