from __future__ import annotations

import numpy as np
import pytest

from platereader.lab.metrics.curves import precision_recall, recall_by_width
from platereader.lab.metrics.rates import Matches, Rate, rank


def matches(scores: list[float], right: list[bool], taken: list[bool]) -> Matches:
    return Matches(np.asarray(scores, np.float64), np.asarray(right, np.bool_), np.asarray(taken, np.bool_))


def test_precision_at_each_plate_found() -> None:
    points = precision_recall(rank([matches([0.9, 0.4], [True, False], [True]), matches([0.3], [True], [True, False])]))
    assert [one.score for one in points] == [0.9, 0.3]
    assert [one.precision for one in points] == pytest.approx([1, 2 / 3])
    assert [one.recall for one in points] == pytest.approx([1 / 3, 2 / 3])
    assert precision_recall(rank([matches([0.9], [False], [])])) == ()


def test_recall_in_groups_of_width() -> None:
    widths = [np.asarray([23.9, 24.0]), np.asarray([250.0]), np.zeros(0)]
    at30 = [matches([], [], [True, True]), matches([], [], [True]), matches([], [], [])]
    at50 = [matches([], [], [False, True]), matches([], [], [False]), matches([], [], [])]
    groups = recall_by_width(widths, at30=at30, at50=at50)
    assert [(one.name, one.recall30, one.recall50) for one in groups] == [
        ("< 24 px", Rate(1, 1), Rate(0, 1)),
        ("24-32 px", Rate(1, 1), Rate(1, 1)),
        (">= 200 px", Rate(1, 1), Rate(0, 1)),
    ]
    assert recall_by_width([], at30=[], at50=[]) == ()
