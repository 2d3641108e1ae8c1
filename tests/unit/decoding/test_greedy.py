from __future__ import annotations

import numpy as np
import pytest

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.decoding._greedy import GreedyDecoder
from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIAN


def spelling(text: str, *, sure: float = 0.97) -> LogProbs:
    """Posteriors (1, T, C) that spell a text with blanks between."""
    path = [step for label in RUSSIAN.encode(text) for step in (0, label)] + [0]
    probabilities = np.full((len(path), RUSSIAN.size), (1 - sure) / (RUSSIAN.size - 1))
    probabilities[np.arange(len(path)), path] = sure
    return np.asarray(np.log(probabilities), np.float32)[None]


def test_the_probability_is_the_whole_texts_and_not_the_paths() -> None:
    log_probs = spelling("A123BC77", sure=0.9)
    (candidate,) = GreedyDecoder(RUSSIAN).decode(log_probs)[0]
    assert candidate.text == "A123BC77"
    assert candidate.format is None
    assert candidate.log_prob == pytest.approx(ctc.log_prob(log_probs[0], RUSSIAN.encode("A123BC77")))
    assert candidate.log_prob > float(log_probs[0].max(axis=1).sum())


def test_every_plate_of_a_batch_gets_its_own_text() -> None:
    log_probs = np.concatenate([spelling("A123BC77"), spelling("X999XX99"), spelling("4111AA77")])
    decoded = GreedyDecoder(RUSSIAN).decode(log_probs)
    assert [candidates[0].text for candidates in decoded] == ["A123BC77", "X999XX99", "4111AA77"]


def test_posteriors_of_another_alphabet_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        GreedyDecoder(RUSSIAN).decode(np.zeros((1, 10, 23), np.float32))
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        GreedyDecoder(RUSSIAN).decode(np.zeros((10, 24), np.float32))
