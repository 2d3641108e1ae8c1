from __future__ import annotations

from pathlib import Path

import pytest

from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.training.detector.validation import detection_figures
from platereader.results import Detection

_BOX = Box(100, 100, 200, 120)
_PLATE = LabelledPlate(_BOX, Quad.from_box(_BOX))


def _picture(*plates: LabelledPlate) -> LabelledImage:
    return LabelledImage(Path("a.jpg"), 640, 480, plates)


def _find(box: Box, score: float) -> Detection:
    return Detection(box, score, Quad.from_box(box), 1)


def test_exact_finds() -> None:
    figures = detection_figures([_picture(_PLATE)] * 3, [[_find(_BOX, 0.9)]] * 3)
    assert (figures.plates, figures.ap50, figures.ap50_95, figures.recall) == (3, 1.0, 1.0, 1.0)
    assert (figures.corner_error, figures.extra) == (0.0, 0.0)


def test_shifted_find_counts_up_to_its_overlap() -> None:
    figures = detection_figures([_picture(_PLATE)], [[_find(_BOX.moved(10, 0), 0.9)]])
    assert figures.ap50 == 1.0
    assert figures.ap50_95 == pytest.approx(0.7)
    assert figures.corner_error == pytest.approx(10.0)  # per cent of the width


def test_better_scored_false_find_halves_the_precision() -> None:
    figures = detection_figures([_picture(_PLATE)], [[_find(Box(0, 0, 50, 20), 0.9), _find(_BOX, 0.5)]])
    assert figures.ap50 == pytest.approx(0.5)
    assert figures.extra == 1.0


def test_second_find_of_a_plate_is_false() -> None:
    figures = detection_figures([_picture(_PLATE)], [[_find(_BOX, 0.9), _find(_BOX, 0.8)], []][:1])
    assert figures.ap50 == 1.0
    assert figures.recall == 1.0


def test_missed_plate_and_low_score() -> None:
    figures = detection_figures([_picture(_PLATE), _picture(_PLATE)], [[_find(_BOX, 0.1)], []])
    assert figures.ap50 == pytest.approx(51 / 101)  # 51 of the 101 recall points of COCO
    assert figures.recall == 0.0


def test_loose_plates_count_neither_way() -> None:
    loose = LabelledPlate(Box(0, 0, 50, 20), box_quality="loose")
    figures = detection_figures([_picture(_PLATE, loose)], [[_find(_BOX, 0.9), _find(Box(5, 5, 45, 18), 0.95)]])
    assert (figures.plates, figures.ap50, figures.extra) == (1, 1.0, 0.0)


def test_nothing_labelled_and_nothing_found() -> None:
    figures = detection_figures([_picture()], [[]])
    assert (figures.plates, figures.ap50, figures.recall) == (0, None, None)


def test_nothing_to_look_at_has_no_figures() -> None:
    figures = detection_figures([], [])
    assert (figures.plates, figures.ap50, figures.ap50_95, figures.extra) == (0, None, None, None)


def test_finds_on_empty_scenes_are_false_alarms_at_the_score_of_use() -> None:
    empty = [[_find(_BOX, 0.9), _find(_BOX.moved(200, 0), 0.4)], [_find(_BOX, 0.2)], [], []]
    figures = detection_figures([_picture(_PLATE)], [[_find(_BOX, 0.9)]], on_empty=empty)
    assert figures.false_alarms == 0.5
    assert figures.extra == 0.0
