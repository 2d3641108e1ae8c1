from __future__ import annotations

import numpy as np
import pytest

from platereader import _ctc as ctc
from platereader.decoding._greedy import GreedyDecoder
from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIAN
from platereader.testing import spelled


def test_the_probability_is_the_whole_texts_and_not_the_paths() -> None:
    log_probs = spelled("A123BC77", RUSSIAN, probability=0.9)[None]
    (candidate,) = GreedyDecoder(RUSSIAN).decode(log_probs)[0]
    assert candidate.text == "A123BC77"
    assert candidate.format is None
    assert candidate.log_prob == pytest.approx(ctc.log_prob(log_probs[0], RUSSIAN.encode("A123BC77")))
    assert candidate.log_prob > float(log_probs[0].max(axis=1).sum())


def test_every_plate_of_a_batch_gets_its_own_text() -> None:
    texts = ["A123BC77", "X999XX99", "4111AA77"]
    decoded = GreedyDecoder(RUSSIAN).decode(np.stack([spelled(text, RUSSIAN) for text in texts]))
    assert [candidates[0].text for candidates in decoded] == texts


def test_of_no_plates_there_are_no_texts() -> None:
    assert GreedyDecoder(RUSSIAN).decode(np.zeros((0, 10, RUSSIAN.size), np.float32)) == []


def test_a_class_that_goes_on_is_one_character_until_a_blank_comes() -> None:
    log_probs = np.repeat(spelled("A123BC77", RUSSIAN), 3, axis=0)[None]
    assert GreedyDecoder(RUSSIAN).decode(log_probs)[0][0].text == "A123BC77"


def test_posteriors_of_another_alphabet_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        GreedyDecoder(RUSSIAN).decode(np.zeros((1, 10, 23), np.float32))
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        GreedyDecoder(RUSSIAN).decode(np.zeros((10, 24), np.float32))
