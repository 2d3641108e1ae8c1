"""The dense prefix search against a plain one."""

from __future__ import annotations

import numpy as np
import pytest
from ctc_pictures import random_log_probs
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_prefix_search import plain_search

from platereader.decoding._prefixes import Automaton, Schedule, search
from platereader.plates import RUSSIAN
from platereader.plates._defaults import default_grammar

GRAMMAR = Automaton.build(RUSSIAN.size, default_grammar())
FREE = Automaton.build(4)


@pytest.mark.parametrize(("automaton", "most_steps"), [(FREE, 9), (GRAMMAR, 12)], ids=["free", "grammar"])
@given(
    seed=st.integers(0, 10**6),
    kinds=st.lists(st.sampled_from(["whole", "less", "restful"]), min_size=1, max_size=4),
    width=st.integers(1, 9),
    share=st.floats(0.1, 1.0),
)
@settings(max_examples=40)
def test_every_beam_of_a_batch_keeps_what_a_plain_search_keeps(
    automaton: Automaton, most_steps: int, *, seed: int, kinds: list[str], width: int, share: float
) -> None:
    steps, classes = max(1, round(share * most_steps)), automaton.following.shape[1]
    batch = np.stack([random_log_probs(seed + i, steps, classes=classes, kind=kind) for i, kind in enumerate(kinds)])
    found = search(batch, width=width, automaton=automaton).reshape(len(batch), len(automaton.starts), width, -1)
    schedule = Schedule.of(batch)
    for column, (plate, count) in enumerate(zip(schedule.order.tolist(), schedule.counts.tolist(), strict=True)):
        rows = schedule.probabilities[:count, column]
        after_blanks = (schedule.after_skipped[:count, column] > 0).tolist()
        for beam, start in zip(found[plate].tolist(), automaton.starts.tolist(), strict=True):
            kept = plain_search(rows, after_blanks, width=width, following=automaton.following, start=start)
            expected = {prefix for prefix, state in kept.items() if automaton.accepting[state]}
            texts = [tuple(label for label in text if label) for text in beam]
            assert {text for text in texts if text} == expected - {()}
            assert len([text for text in texts if text]) == len(expected - {()})


@given(seed=st.integers(0, 10**6), steps=st.integers(1, 30), kind=st.sampled_from(["whole", "less", "restful"]))
@settings(max_examples=40)
def test_only_steps_that_are_nearly_blank_are_left_out_and_as_many_as_may_be(seed: int, steps: int, kind: str) -> None:
    log_probs = random_log_probs(seed, steps, kind=kind)
    schedule = Schedule.of(log_probs[None])
    probabilities = np.exp(log_probs.astype(np.float64))
    odds = sorted((row[1:].sum() / row[0], index) for index, row in enumerate(probabilities))
    total, left_out = 0.0, set[int]()
    for quietest, index in odds:
        total += quietest
        if total > 1e-3:
            break
        left_out.add(index)
    kept = [index for index in range(steps) if index not in left_out]
    assert schedule.counts.tolist() == [len(kept)]
    assert schedule.probabilities[:, 0] == pytest.approx(probabilities[kept])
    assert [bool(one) for one in schedule.after_skipped[:, 0]] == [
        index > 0 and index - 1 in left_out for index in kept
    ]


def test_a_step_is_left_out_while_all_that_are_do_not_exceed_a_thousandth() -> None:
    blank, character = [1.0, 0.0], [0.0, 1.0]
    quiet = [1.0, 0.0006]
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([blank, quiet, character, quiet, blank])).astype(np.float32)
    assert Schedule.of(log_probs[None]).counts.tolist() == [3]  # the odds of both quiet steps are above it
    assert Schedule.of(log_probs[None, :4]).counts.tolist() == [3]
    assert Schedule.of(log_probs[None, :3]).counts.tolist() == [1]
