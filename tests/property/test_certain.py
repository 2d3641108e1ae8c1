"""What needs no search, against sums over all alignments, and against the search."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from ctc_pictures import all_texts, pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader._ctc.certain import certain_texts
from platereader.decoding._beam import BeamDecoder
from platereader.plates import RUSSIAN
from platereader.plates._defaults import default_grammar
from platereader.results import Candidate
from platereader.trust._policy import OTHER_LINES_NATS

DECODERS = {
    f"{width}{'' if grammar is None else ' with grammar'}": BeamDecoder(RUSSIAN, width=width, grammar=grammar)
    for width in (1, 2, 8)
    for grammar in (None, default_grammar())
}
USUAL = "8 with grammar"
LEGAL = ("A123BC77", "E777KX199", "X009XX09", "1234AB77", "AA12377", "A1234777")


def written(seed: int, doubt: float, *, classes: int = 4, labels: list[int] | None = None, steps: int = 7) -> LogProbs:
    """Posteriors (T, C) that spell labels, of ``steps`` without: the more doubt, 0 to 1, the less clearly.

    Characters are written over one or sometimes two steps with up to two blanks between them, or none. Where one
    stands, there is also something to be said for a blank, for another class and for the next one, sometimes as much
    or more. Some probability is missing at some steps, and some classes are impossible.
    """
    rng = np.random.default_rng(seed)
    if labels is None:
        path = rng.choice(classes, steps, p=[0.5, *[0.5 / (classes - 1)] * (classes - 1)]).tolist()
    else:
        path = [0]
        for label in labels:
            path += [label] * (1 + int(rng.random() < 0.1)) + [0] * int(rng.integers(0 if path[-1] != label else 1, 3))
            path += [0] if rng.random() < 0.9 else []
    rows = np.arange(len(path))
    scores = rng.normal(0, 1.0, (len(path), classes))
    scores[rows, path] += rng.uniform(19.0, 22.0, len(path)) * (1.0 - 0.8 * doubt)
    for other in (np.zeros_like(rows), rng.integers(0, classes, len(path)), np.array([*path[1:], 0])):
        torn = rng.random(len(path)) < 0.3 * doubt
        gap = np.where(torn, rng.normal(0.0, 2.0, len(path)), rng.uniform(7.0, 10.0, len(path)))
        as_it_is = np.equal(path, 0) | np.equal(path, other)
        scores[rows, other] = np.where(as_it_is, scores[rows, other], scores[rows, path] - gap)
    log_probs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    log_probs -= rng.exponential(0.5, (len(path), 1)) * (rng.random((len(path), 1)) < 0.03)
    log_probs[:, 1:][rng.random((len(path), classes - 1)) < 0.05] = -np.inf
    return log_probs.astype(np.float32)


seeds, doubts = st.integers(0, 10**6), st.one_of(st.floats(0, 0.2), st.floats(0, 1))
small = st.one_of(pictures(7), st.builds(written, seeds, doubts))


def next_to(text: tuple[int, ...], changes: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """What changes (L, C) say of a text, of those with other characters in the place of some, and with one missing."""
    odds = changes.copy()
    odds[range(len(text)), text], odds[:, 0] = 1.0, 0.0
    replaced = {
        one: float(odds[range(len(text)), one].prod())
        for one in itertools.product(range(1, changes.shape[1]), repeat=len(text))
    }
    missing = {(*text[:place], *text[place + 1 :]): value for place, value in enumerate(changes[:, 0]) if value}
    return replaced | missing


@given(small)
@settings(max_examples=300)
def test_no_error_is_greater_than_it_says(log_probs: LogProbs) -> None:
    """Of one-line sums over all paths: of the text, of every change, of all others, and of posteriors."""
    (found,) = certain_texts(log_probs[None])
    text = tuple(found.labels)
    if not np.isfinite(log_probs[:, 0]).all() or text == (0,) or found.changes.max() > 1.0 or found.errors > 1e6:
        assert not found.certain
        return
    exact = {one: p / math.exp(found.log_prob) for one, p in all_texts(log_probs).items()}
    error = found.errors + 1e-6 * sum(exact.values())
    known = next_to(text, found.changes)
    assert {one: exact.get(one, 0.0) for one in known} == pytest.approx(known, rel=0.0, abs=error)
    assert max((p for one, p in exact.items() if one not in known), default=0.0) <= found.rest + error
    assert found.posteriors == pytest.approx(
        ctc.character_posteriors(log_probs[None], [text])[0].tolist(), rel=0.0, abs=error
    )


def lead(candidates: tuple[Candidate, ...]) -> float:
    """As trust takes it."""
    others = max((one.log_prob for one in candidates[1:]), default=-math.inf)
    return max(-20.0, min(20.0, candidates[0].log_prob - others))


def spelled(seed: int, doubt: float) -> LogProbs:
    """Posteriors of a whole plate."""
    rng = np.random.default_rng(seed)
    text = str(rng.choice(LEGAL)) if rng.random() < 0.7 else RUSSIAN.decode(rng.integers(1, RUSSIAN.size, 7).tolist())
    log_probs = written(seed, doubt, classes=RUSSIAN.size, labels=RUSSIAN.encode(text))
    rest = np.full((max(0, 44 - len(log_probs)), RUSSIAN.size), -15.0, np.float32)
    rest[:, 0] = -1e-5
    return np.concatenate([log_probs, rest])[:44]


@pytest.mark.parametrize("name", DECODERS)
@given(st.lists(st.tuples(seeds, doubts), min_size=1, max_size=6))
@settings(max_examples=40)
def test_what_needs_no_search_is_what_the_search_finds(name: str, plates: list[tuple[int, float]]) -> None:
    decoder, log_probs = DECODERS[name], np.stack([spelled(seed, doubt) for seed, doubt in plates])
    for row, quick, full in zip(log_probs, decoder.decode(log_probs), decoder._searched(log_probs), strict=True):
        texts, expected = [one.text for one in quick], [one.text for one in full]
        assert texts[:1] == expected[:1]
        assert [text for text in texts if text in expected] == [text for text in expected if text in texts]
        exact = ctc.log_prob_table(row[None], ctc.padded([RUSSIAN.encode(text) for text in texts])[None])[0]
        assert [one.log_prob for one in quick] == pytest.approx(exact.tolist(), abs=0.01)
        formats = {one.text: one.format for one in full}
        assert all(one.format == formats.get(one.text, one.format) for one in quick)
        if quick:  # a narrow beam may lose the second best text; nothing that a wider one finds is above it
            assert lead(quick) <= lead(full) + 0.01


def test_the_lead_is_that_of_the_search() -> None:
    decoder, log_probs = DECODERS[USUAL], np.stack([spelled(seed, seed % 20 / 100) for seed in range(400)])
    found = decoder._certain(log_probs)
    assert len(found) > 60
    for quick, full in zip(found.values(), decoder._searched(log_probs[list(found)]), strict=True):
        assert lead(quick) == pytest.approx(lead(full), abs=0.01)


def test_all_that_a_trust_policy_may_prefer_is_listed() -> None:
    """A text of another number of lines, or of the country that was seen, may be by 5 nats less probable."""
    decoder = DECODERS[USUAL]
    log_probs = np.stack([spelled(seed, seed % 40 / 100) for seed in range(400)])
    found = decoder._certain(log_probs)
    doubted = 0
    for quick, full in zip(found.values(), decoder._searched(log_probs[list(found)]), strict=True):
        least = full[0].log_prob - OTHER_LINES_NATS + 0.02
        likely = [one.text for one in full if one.log_prob > least]
        assert set(likely) <= {one.text for one in quick}
        doubted += len(likely) > 1
    assert doubted > 10


def test_nothing_doubtful_goes_without_a_search() -> None:
    assert not DECODERS[USUAL]._certain(np.stack([spelled(seed, 1.0) for seed in range(100)]))


def test_a_character_that_goes_on_for_long_is_left_to_others() -> None:
    row = np.log([0.05, 0.95, 1e-9, 1e-9]).astype(np.float32)
    last = np.array([0.0, -np.inf, -np.inf, -np.inf], np.float32)
    eight, ten = (np.stack([row] * steps + [last] * (12 - steps)) for steps in (8, 10))
    found = certain_texts(np.stack([eight, ten]))
    assert [one.certain for one in found] == [True, False]
    assert found[0].posteriors[0] == pytest.approx(ctc.character_posteriors(eight[None], [[1]])[0][0], abs=1e-6)
