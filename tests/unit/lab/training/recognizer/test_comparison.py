from __future__ import annotations

import numpy as np
import pytest

from fakes import PatchRecognizer
from platereader import PlateImage
from platereader.decoding._greedy import GreedyDecoder
from platereader.lab.training.recognizer.comparison import compare, read_right
from platereader.lab.training.recognizer.data import Sample


def rows(right: int, wrong: int) -> list[bool]:
    return [True] * right + [False] * wrong


def test_what_was_lost_and_won_is_counted_plate_by_plate() -> None:
    one = compare("set", [True, True, False, False], [True, False, True, True], margin_points=0.0)
    assert (one.before.count, one.after.count, one.before.n) == (2, 3, 4)
    assert (one.lost, one.won, one.is_worse) == (1, 2, False)
    told = one.to_dict()
    assert told["after"]["value"] == 0.75
    assert told["after"]["low"] == pytest.approx(0.3006, abs=1e-4)  # Wilson, 3 of 4
    assert told["after"]["high"] == pytest.approx(0.9544, abs=1e-4)


def test_without_a_margin_one_plate_fewer_is_worse() -> None:
    assert compare("set", rows(5, 5), rows(4, 6), margin_points=0.0).is_worse
    assert not compare("set", rows(5, 5), rows(5, 5), margin_points=0.0).is_worse


@pytest.mark.parametrize(
    ("lost", "won", "worse"),
    [
        (11, 0, True),  # 11 of 2000 are more than the margin of 10, and chance explains 6.5
        (10, 0, False),  # the margin itself
        (40, 29, False),  # 11 again, but chance explains 16
        (60, 40, True),  # 20, and chance explains 19.6
    ],
)
def test_with_a_margin_chance_is_forgiven_too(lost: int, won: int, worse: bool) -> None:
    same = 2000 - lost - won
    before, after = rows(same + lost, won), [True] * same + [False] * lost + [True] * won
    assert compare("set", before, after, margin_points=0.5).is_worse is worse


def test_no_plates_are_no_worse() -> None:
    assert not compare("set", [], [], margin_points=0.5).is_worse


def test_a_plate_is_right_by_its_whole_text() -> None:
    recognizer = PatchRecognizer()
    plates = [PlateImage(np.full((20, 80, 3), value, np.uint8)) for value in (50, 100, 50)]
    decoder = GreedyDecoder(recognizer.alphabet)
    read = [found[0].text for found in decoder.decode(recognizer.recognize(plates))]
    samples = [Sample(plates[0], read[0]), Sample(plates[1], read[1][:-1]), Sample(plates[2], read[2])]
    assert read_right(recognizer, decoder, samples * 30) == [True, False, True] * 30
