from __future__ import annotations

from pathlib import Path

import pytest

from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics import estimates
from platereader.lab.suites.labelled.run import picture_boxes
from platereader.lab.training.detector import comparison
from platereader.lab.training.detector.comparison import (
    compare_scores,
    corner_errors,
    score_detections,
    score_rows,
    table,
)
from platereader.results import Detection


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of few draws."""
    monkeypatch.setattr(estimates, "_ROUNDS", 20)
    monkeypatch.setattr(comparison, "_ROUNDS", 100)


BOX = Box(10.0, 10.0, 110.0, 40.0)


def pictures(count: int, *, empty: int = 0) -> list[LabelledImage]:
    plate = LabelledPlate(BOX, corners=Quad.from_box(BOX))
    full = [LabelledImage(Path(f"{index}"), 200, 100, (plate,)) for index in range(count)]
    return [*full, *(LabelledImage(Path(f"e{index}"), 200, 100, ()) for index in range(empty))]


def detection(*, off_px: float = 0.0, score: float = 0.9) -> Detection:
    box = Box(BOX.x1 + off_px, BOX.y1, BOX.x2 + off_px, BOX.y2)
    return Detection(box, score, Quad.from_box(box), 1)


def test_figures_of_what_is_found() -> None:
    images = pictures(4, empty=2)
    found = [[detection()], [detection(off_px=10.0)], [detection(score=0.1)], [], [detection(score=0.95)], []]
    figures = score_detections(images, found, min_score=0.3)
    assert (figures.recall.count, figures.recall.n) == (2, 4)
    assert (figures.false_alarms.count, figures.false_alarms.n) == (1, 2)
    assert figures.ap50 is not None
    assert figures.ap50_95 is not None
    assert figures.ap50.n == 4
    assert figures.ap50_95.value < figures.ap50.value < 0.75
    assert figures.corner_error_percent is not None
    assert figures.corner_error_percent.n == 3
    assert figures.corner_error_percent.value == pytest.approx(0.0)
    assert figures.to_dict()["recall"]["n"] == 4
    assert {name for name in figures.to_dict() if name.startswith("corner")} == {"corner_error_percent"}


def test_a_fall_on_the_users_pictures_is_worse_at_once() -> None:
    images = pictures(12)
    good = score_detections(images, [[detection()]] * 12, min_score=0.3)
    bad = score_detections(images, [[detection(off_px=6.0)], *[[detection()]] * 11], min_score=0.3)
    fall = compare_scores("own", good, bad, margin_points=0.0)
    assert fall.change_points is not None
    assert fall.change_points.value < 0
    assert fall.is_worse
    assert not compare_scores("own", bad, good, margin_points=0.0).is_worse
    assert not compare_scores("own", good, good, margin_points=0.0).is_worse
    assert "before, " in fall.describe()
    assert fall.to_dict()["is_worse"] is True
    assert {name for name in fall.to_dict() if name.startswith("change")} == {"change_points"}


def test_elsewhere_a_fall_counts_beyond_margin_and_chance() -> None:
    images = pictures(40)
    good = score_detections(images, [[detection()]] * 40, min_score=0.3)
    one = score_detections(images, [[detection(off_px=20.0)], *[[detection()]] * 39], min_score=0.3)
    many = score_detections(images, [[detection(off_px=20.0)]] * 20 + [[detection()]] * 20, min_score=0.3)
    forgiven, refused = (compare_scores("older", good, after, margin_points=1.0) for after in (one, many))
    assert forgiven.change_points is not None
    assert forgiven.change_points.value < -1.0
    assert forgiven.change_points.high >= 0
    assert not forgiven.is_worse
    assert refused.change_points is not None
    assert refused.change_points.high < 0
    assert refused.is_worse
    small = compare_scores("older", good, many, margin_points=100.0)
    assert not small.is_worse


def test_without_plates_there_is_nothing_to_compare() -> None:
    images = pictures(0, empty=3)
    nothing = score_detections(images, [[detection()], [], []], min_score=0.3)
    same = compare_scores("empty", nothing, nothing, margin_points=0.0)
    assert same.change_points is None
    assert not same.is_worse
    assert same.describe() == "empty show no plate"
    assert [row[1] for row in table(same)] == ["false alarms"]


def test_loose_plates_and_ignored_places_count_neither_way() -> None:
    loose = LabelledPlate(Box(0.0, 60.0, 50.0, 80.0), box_quality="loose")
    image = LabelledImage(
        Path("a"), 200, 100, (pictures(1)[0].plates[0], loose), ignored=(Box(120.0, 0.0, 200.0, 50.0),)
    )
    beside = [Detection(Box(2.0, 61.0, 48.0, 79.0), 0.95), Detection(Box(125.0, 5.0, 190.0, 40.0), 0.97)]
    figures = score_detections([image], [[detection(), *beside]], min_score=0.3)
    assert figures.ap50 is not None
    assert (figures.ap50.value, figures.ap50.n) == (1.0, 1)
    assert len(picture_boxes(image, beside).labelled) == 1


def test_corner_error_is_in_per_cent_of_the_width() -> None:
    (image,) = pictures(1)
    assert corner_errors(image, [detection(off_px=10.0)]) == pytest.approx([10.0])
    assert corner_errors(image, [detection(off_px=90.0)]) == []
    assert corner_errors(image, []) == []


def test_rows_of_what_has_a_value() -> None:
    rows = dict(score_rows(score_detections(pictures(2), [[detection()], []], min_score=0.3)))
    assert rows.keys() == {"AP50", "AP50-95", "found", "corner error", "false alarms"} - {"false alarms"}
    assert "n 2" in rows["AP50"]
