from __future__ import annotations

import time
import timeit
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from platereader._arrays import LogProbs
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder
from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIA, RUSSIAN, Alphabet, PlateGrammar
from platereader.plates._defaults import default_grammar

GRAMMAR = default_grammar()


def posteriors(*options: dict[str, float]) -> LogProbs:
    """Posteriors (1, T, C): for each character its options, then a blank; what is left goes to all classes evenly."""
    rows: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for option in options:
        row = np.full(RUSSIAN.size, (1 - sum(option.values())) / RUSSIAN.size)
        for char, probability in option.items():
            row[RUSSIAN.encode(char)[0] if char else 0] += probability
        blank = np.full(RUSSIAN.size, 0.01 / RUSSIAN.size)
        blank[0] += 0.99
        rows += [row, blank]
    return np.log(np.array(rows)).astype(np.float32)[None]


def plain(text: str) -> list[dict[str, float]]:
    return [{char: 0.98} for char in text]


def test_the_grammar_settles_a_smeared_character() -> None:
    log_probs = posteriors(*plain("A12"), {"B": 0.6, "8": 0.35}, *plain("BC77"))
    assert BeamDecoder(RUSSIAN).decode(log_probs)[0][0].text == "A12BBC77"
    best, *others = BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0]
    assert (best.text, best.format) == ("A128BC77", "standard")
    assert "A12BBC77" in [candidate.text for candidate in others]


def test_the_grammar_reaches_texts_that_the_plain_beam_drops() -> None:
    # Four smeared places: the legal text is far from the eight best.
    smeared = {"8": 0.3, "B": 0.25, "3": 0.15, "E": 0.1, "6": 0.1}
    log_probs = posteriors(smeared, smeared, smeared, smeared, smeared, smeared, *plain("77"))
    assert BeamDecoder(RUSSIAN).decode(log_probs)[0][0].format is None
    assert BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0][0].format is not None


def test_the_grammar_does_not_force_a_legal_text_on_a_foreign_plate() -> None:
    log_probs = posteriors(*plain("3787CP7"))
    best = BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0][0]
    assert (best.text, best.format) == ("3787CP7", None)


def test_an_unknown_region_is_held_back_but_not_forbidden() -> None:
    decoder = BeamDecoder(RUSSIAN, grammar=GRAMMAR)
    unsure = posteriors(*plain("A123BC"), {"4": 0.6, "1": 0.3}, *plain("99"))  # 499 is no region
    assert decoder.decode(unsure)[0][0].text == "A123BC199"
    assert decoder.decode(posteriors(*plain("A123BC499")))[0][0].text == "A123BC499"


@pytest.mark.parametrize(
    ("before", "legal", "other", "after", "nats"), [("A12", "8", "B", "BC77", 5.0), ("A123BC", "1", "4", "99", 1.0)]
)
def test_by_default_no_format_costs_five_nats_and_an_unknown_region_one(
    before: str, legal: str, other: str, after: str, nats: float
) -> None:
    for behind, expected in ((nats - 0.4, legal), (nats + 0.4, other)):
        share = float(0.99999 / (1 + np.exp(-behind)))
        log_probs = posteriors(*plain(before), {other: share, legal: 0.99999 - share}, *plain(after))
        assert BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0][0].text == before + expected + after


def test_where_nothing_is_legible_or_possible_there_is_no_candidate() -> None:
    blank, long = np.full((1, 20, RUSSIAN.size), np.log(0.05 / 23)), np.full((2, 500, RUSSIAN.size), -40.0)
    blank[..., 0], long[..., 0] = np.log(0.95), 0.0
    for log_probs in (blank, long, np.full((1, 9, RUSSIAN.size), -np.inf)):
        candidates = BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs.astype(np.float32))
        assert candidates == [()] * len(log_probs)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_character_may_come_again_after_steps_that_are_not_searched(steps: int) -> None:
    certain = np.full((steps, RUSSIAN.size), -50.0, np.float32)
    certain[:, 0] = 0.0
    unsure = posteriors({"7": 0.6, "1": 0.38})[0, :1]
    log_probs = np.concatenate([unsure, certain, unsure])[None]
    candidates = BeamDecoder(RUSSIAN, width=4).decode(log_probs)[0]
    assert [candidate.text for candidate in candidates] == ["77", "17", "71", "11"]


def test_equals_are_in_the_order_of_their_texts() -> None:
    log_probs = posteriors({"A": 0.4, "B": 0.4}, {"1": 0.4, "2": 0.4})
    once, again = (BeamDecoder(RUSSIAN, width=4).decode(np.concatenate([log_probs] * 3))[i] for i in (0, 2))
    assert [candidate.text for candidate in once] == ["A1", "A2", "B1", "B2"]
    assert once == again


def test_the_inputs_stay_as_they_are() -> None:
    log_probs = posteriors(*plain("A123BC77"))
    log_probs.flags.writeable = False
    assert BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0][0].text == "A123BC77"


def test_it_takes_milliseconds() -> None:
    """Ten times what it is made for, 2 ms a plate and 0.3 ms in a batch: a busy machine must not fail this."""
    log_probs = np.concatenate([posteriors(*[{c: 0.9} for c in "A123BC77" * 3])[:, :44]] * 32)
    decoder = BeamDecoder(RUSSIAN, grammar=GRAMMAR)
    for plates, most_s in ((log_probs[:1], 0.02), (log_probs, 0.1)):
        decode = partial(decoder.decode, plates)
        assert min(timeit.repeat(decode, timer=time.process_time, number=1, repeat=5)) < most_s


def test_rounding_makes_no_text_more_than_certain() -> None:
    rounded = np.full((1, 5, RUSSIAN.size), -50.0, np.float32)
    rounded[0, [0, 1, 2, 3, 4], [0, *RUSSIAN.encode("A"), 0, *RUSSIAN.encode("7"), 0]] = 1e-5
    for decoder in (BeamDecoder(RUSSIAN), GreedyDecoder(RUSSIAN)):
        best = decoder.decode(rounded)[0][0]
        assert (best.text, best.log_prob) == ("A7", 0.0)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="width"):
        BeamDecoder(RUSSIAN, width=0)
    with pytest.raises(InvalidArgumentError, match="no_format_nats"):
        BeamDecoder(RUSSIAN, no_format_nats=-1.0)
    with pytest.raises(InvalidArgumentError, match="grammar"):
        BeamDecoder(Alphabet("0123"), grammar=GRAMMAR)
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        BeamDecoder(RUSSIAN).decode(np.zeros((1, 10, 5), np.float32))


def test_the_given_grammar_decides_which_texts_go_first() -> None:
    standard = PlateGrammar.build([replace(RUSSIA, formats=(RUSSIA.format("standard"),))], alphabet=RUSSIAN)
    log_probs = posteriors(*plain("A"), {"1": 0.48, "A": 0.50}, *plain("23BC77"))
    assert BeamDecoder(RUSSIAN, grammar=GRAMMAR).decode(log_probs)[0][0].text == "AA23BC77"
    best, *others = BeamDecoder(RUSSIAN, grammar=standard).decode(log_probs)[0]
    assert best.text == "A123BC77"
    assert "AA23BC77" in [candidate.text for candidate in others]


def test_decoders_of_the_same_parts_are_equal() -> None:
    assert BeamDecoder(RUSSIAN, grammar=GRAMMAR) == BeamDecoder(RUSSIAN, grammar=GRAMMAR)
    assert BeamDecoder(RUSSIAN, grammar=GRAMMAR) != BeamDecoder(RUSSIAN)
