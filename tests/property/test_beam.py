"""Prefix beam search against every text there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ctc_pictures import all_texts, pictures, random_log_probs
from hypothesis import given, settings
from hypothesis import strategies as st

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.decoding._beam import BeamDecoder
from platereader.decoding._greedy import GreedyDecoder
from platereader.plates import (
    DEFAULT_SCHEMES,
    RUSSIA,
    RUSSIAN,
    Alphabet,
    PlateFormat,
    PlateGrammar,
    PlateScheme,
    Schemes,
)
from platereader.plates._defaults import default_grammar
from platereader.results import Candidate

TOY = Alphabet("12A")
EVERYTHING = 400  # five steps of three characters spell 364 texts
LEFT_OUT = 1e-3  # what the search may overlook at steps that are nearly blank
CERTAIN_NATS = 0.01  # how far log probabilities may be off where no search is needed


TOY_SCHEME = PlateScheme(
    "RU",
    tuple(PlateFormat(pattern, pattern, letters="ABEKMHOPCTYX") for pattern in ("l d", "dd l", "l [dd|ndd]")),
    regions=RUSSIA.regions,
)
TOY_SCHEMES = Schemes((TOY_SCHEME,))
GRAMMARS = (None, PlateGrammar.build(TOY_SCHEMES, alphabet=TOY))
DECODERS = [BeamDecoder(TOY, width=EVERYTHING, grammar=grammar) for grammar in GRAMMARS]
RUSSIAN_DECODERS = [BeamDecoder(RUSSIAN, width=w, grammar=g) for w in (1, 2, 8) for g in (None, default_grammar())]


def rank(decoder: BeamDecoder, candidate: Candidate) -> float:
    """What candidates are sorted by, worked out from the toy formats themselves."""
    fit = TOY_SCHEMES.fit(candidate.text)
    if decoder.grammar is None:
        return candidate.log_prob
    if not fit.legal:
        return candidate.log_prob - decoder.no_format_nats
    return candidate.log_prob - (0.0 if fit.region_known else decoder.unknown_region_nats)


@pytest.mark.parametrize("decoder", DECODERS, ids=["free", "grammar"])
@given(log_probs=pictures(5))
@settings(max_examples=60, deadline=None)
def test_an_unlimited_beam_is_brute_force(decoder: BeamDecoder, log_probs: LogProbs) -> None:
    exact = {TOY.decode(labels): p for labels, p in all_texts(log_probs).items() if p > 0}
    nothing = exact.pop("", 0.0)
    candidates = decoder._searched(log_probs[None])[0]
    if not candidates:
        assert max(exact.values(), default=0.0) <= nothing * (1 + 1e-6)
        return
    found = {candidate.text: candidate for candidate in candidates}
    assert len(found) == len(candidates)
    for text, candidate in found.items():
        assert math.exp(candidate.log_prob) == pytest.approx(exact[text], rel=1e-4)
    missing = sum(p for text, p in exact.items() if text not in found)
    assert missing <= LEFT_OUT * (sum(exact.values()) + nothing)
    assert max(exact.values()) == pytest.approx(max(exact[text] for text in found))
    ranks = [rank(decoder, candidate) for candidate in candidates]
    assert ranks == sorted(ranks, reverse=True)


@pytest.mark.parametrize("decoder", RUSSIAN_DECODERS, ids=lambda d: f"{d.width}{'' if d.grammar is None else 'g'}")
@given(log_probs=pictures(14, classes=RUSSIAN.size))
@settings(max_examples=25, deadline=None)
def test_it_is_never_below_greedy(decoder: BeamDecoder, log_probs: LogProbs) -> None:
    (greedy,) = GreedyDecoder(RUSSIAN).decode(log_probs[None])
    candidates = decoder.decode(log_probs[None])[0]
    if not greedy or greedy[0].log_prob == -math.inf:
        return
    if not candidates:
        assert greedy[0].log_prob < ctc.log_prob(log_probs, [])
    elif decoder.grammar is None:
        assert max(candidate.log_prob for candidate in candidates) >= greedy[0].log_prob - CERTAIN_NATS
    else:
        penalty = 0.0 if decoder.grammar.accepts(candidates[0].text) else decoder.no_format_nats
        assert candidates[0].log_prob - penalty >= greedy[0].log_prob - decoder.no_format_nats - CERTAIN_NATS


@pytest.mark.parametrize("decoder", RUSSIAN_DECODERS, ids=lambda d: f"{d.width}{'' if d.grammar is None else 'g'}")
@given(log_probs=pictures(14, classes=RUSSIAN.size))
@settings(max_examples=25, deadline=None)
def test_candidates_are_what_they_say(decoder: BeamDecoder, log_probs: LogProbs) -> None:
    decoded, searched = decoder.decode(log_probs[None])[0], decoder._searched(log_probs[None])[0]
    assert max(len(decoded), len(searched)) <= decoder.width
    for candidate, nats in [*((one, CERTAIN_NATS) for one in decoded), *((one, 1e-9) for one in searched)]:
        fit = DEFAULT_SCHEMES.fit(candidate.text)
        assert candidate.format == (None if decoder.grammar is None else fit.format)
        assert default_grammar().accepts(candidate.text) == fit.legal
        assert -math.inf < candidate.log_prob <= 0
        assert candidate.log_prob == pytest.approx(ctc.log_prob(log_probs, RUSSIAN.encode(candidate.text)), abs=nats)


@given(st.integers(0, 10**6), st.integers(1, 14), st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_a_batch_is_read_as_its_plates_are(seed: int, steps: int, plates: int) -> None:
    kinds = ["whole", "restful", "less", "impossible"]
    batch = np.stack(
        [random_log_probs(seed + i, steps, classes=RUSSIAN.size, kind=kinds[i % 4]) for i in range(plates)]
    )
    for decoder in RUSSIAN_DECODERS:
        together, alone = decoder.decode(batch), [decoder.decode(one[None])[0] for one in batch]
        assert [[c.text for c in candidates] for candidates in together] == [[c.text for c in one] for one in alone]
        for one, other in zip(together, alone, strict=True):
            assert [c.log_prob for c in one] == pytest.approx([c.log_prob for c in other], abs=1e-9)


@given(log_probs=pictures(10, classes=RUSSIAN.size), seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_missing_mass_lowers_every_text_alike(log_probs: LogProbs, seed: int) -> None:
    missing = np.random.default_rng(seed).integers(0, 8, (len(log_probs), 1)) / 4
    decoder = RUSSIAN_DECODERS[-1]
    whole, less = (decoder.decode(one[None])[0] for one in (log_probs, (log_probs - missing).astype(np.float32)))
    assert [candidate.text for candidate in less] == [candidate.text for candidate in whole]
    lower = [candidate.log_prob - missing.sum() for candidate in whole]
    assert [candidate.log_prob for candidate in less] == pytest.approx(lower, abs=1e-4)


@given(log_probs=pictures(5))
@settings(max_examples=40, deadline=None)
def test_formats_are_those_of_the_toy_grammar(log_probs: LogProbs) -> None:
    for candidate in DECODERS[1].decode(log_probs[None])[0]:
        names = [one.name for one in TOY_SCHEME.formats if one.matches(candidate.text)]
        assert candidate.format == (names[0] if names else None)
