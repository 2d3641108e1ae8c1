from __future__ import annotations

import numpy as np
import pytest

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._prefixes import Automaton, search
from platereader.plates import RUSSIAN, Alphabet
from platereader.plates._defaults import default_grammar

ABC = Alphabet("ABC")
RUSSIAN_AUTOMATON = Automaton.build(RUSSIAN.size, default_grammar())


def rows(*options: dict[str, float]) -> LogProbs:
    """Posteriors (T, C) with these probabilities and no others; "" is the blank."""
    table = np.zeros((len(options), ABC.size))
    for row, option in zip(table, options, strict=True):
        for char, probability in option.items():
            row[ABC.encode(char)[0] if char else 0] = probability
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(table), np.float32)


def test_a_repeated_label_needs_a_blank_between() -> None:
    # Two steps without a blank: AA and BB are impossible and must not take the places of A and B.
    log_probs = rows({"A": 0.6, "B": 0.39}, {"A": 0.6, "B": 0.39})
    candidates = BeamDecoder(ABC, width=4).decode(log_probs[None])[0]
    assert [candidate.text for candidate in candidates] == ["A", "AB", "BA", "B"]


@pytest.mark.parametrize("share", [0.4, 0.01])
def test_a_character_that_is_less_probable_than_a_blank_is_considered(share: float) -> None:
    log_probs = rows({"A": 0.99, "": 0.01}, {"": 1.0}, {"B": share, "": 1 - share})
    found = {one.text: one.log_prob for one in BeamDecoder(ABC, width=4).decode(log_probs[None])[0]}
    assert next(iter(found)) == "A"
    assert found["AB"] == pytest.approx(np.log(0.99 * share), abs=0.01)


def test_the_text_of_the_best_path_is_never_lost() -> None:
    # A beam of one follows "A" through the second step, where it may stay in two ways, and ends with half of 0.6.
    log_probs = rows({"A": 1.0}, {"B": 0.4, "A": 0.3, "": 0.3}, {"A": 1.0})
    (best,) = BeamDecoder(ABC, width=1).decode(log_probs[None])[0]
    assert best.text == "ABA"
    assert best.log_prob == pytest.approx(ctc.log_prob(log_probs, ABC.encode("ABA")))


def test_a_beam_does_not_fade_away_however_improbable_all_of_it_is() -> None:
    log_probs = np.full((16, RUSSIAN.size), -69.0, np.float32)
    log_probs[:, RUSSIAN.encode("D")] = 0.0  # no text of a plate begins with it
    log_probs[np.arange(0, 16, 2), RUSSIAN.encode("A123BC77")] = -60.0
    found = search(log_probs[None], width=8, automaton=RUSSIAN_AUTOMATON)[0, 8:]
    assert "A123BC77" in map(RUSSIAN.decode, found.tolist())
