from __future__ import annotations

import numpy as np
import pytest

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.errors import InvalidArgumentError


def spelling(path: list[int], *, classes: int = 4, sure: float = 0.97) -> LogProbs:
    """Posteriors that put ``sure`` on one path."""
    probabilities = np.full((len(path), classes), (1 - sure) / (classes - 1))
    probabilities[np.arange(len(path)), path] = sure
    return np.asarray(np.log(probabilities), np.float32)


def test_collapse_merges_repeats_before_it_drops_blanks() -> None:
    assert ctc.collapse([0, 1, 1, 0, 1, 2, 2, 0]) == [1, 1, 2]
    assert ctc.collapse(np.array([0, 0])) == []


def test_a_clear_text_has_nearly_all_probability() -> None:
    log_probs = spelling([0, 1, 1, 0, 1, 0, 2, 0])
    assert np.exp(ctc.log_prob(log_probs, [1, 1, 2])) > 0.8
    assert ctc.log_prob(log_probs, [1, 1, 2]) > ctc.log_prob(log_probs, [1, 2]) + 3


def test_a_text_longer_than_the_steps_is_impossible() -> None:
    log_probs = spelling([1, 2, 1])
    assert ctc.log_prob(log_probs, [1, 1, 2]) == -np.inf  # a repeat needs a blank between: four steps
    assert ctc.log_prob(log_probs, [1, 2, 1]) > -1
    assert ctc.character_posteriors(log_probs, [1, 1, 2]).tolist() == [0, 0, 0]


def test_very_unlikely_texts_keep_a_finite_log_prob() -> None:
    log_probs = np.full((40, 24), -200.0, np.float32)
    log_probs[:, 0] = 0.0
    assert ctc.log_prob(log_probs, [5] * 9) == pytest.approx(-200 * 9, rel=0.05)


def test_the_ambiguous_character_is_the_unsure_one() -> None:
    log_probs = spelling([1, 0, 2, 0, 3, 0])
    log_probs[2] = np.log([0.02, 0.02, 0.5, 0.46])
    first, second, third = ctc.character_posteriors(log_probs, [1, 2, 3])
    assert second == pytest.approx(0.5, abs=0.05)
    assert min(first, third) > 0.9


def test_a_made_up_character_is_unsure_because_the_text_may_lack_it() -> None:
    log_probs = spelling([1, 0, 2, 0, 0, 0])
    log_probs[4] = np.log([0.5, 0.01, 0.01, 0.48])
    assert ctc.character_posteriors(log_probs, [1, 2, 3])[2] == pytest.approx(0.49, abs=0.04)


def test_no_labels_and_no_texts() -> None:
    log_probs = spelling([0, 0, 0])
    assert np.exp(ctc.log_prob(log_probs, [])) == pytest.approx(0.97**3, rel=1e-4)
    assert ctc.character_posteriors(log_probs, []).shape == (0,)
    assert ctc.log_prob_pairs(log_probs[None], []).shape == (0,)


def test_sums_below_what_floats_hold_are_done_in_logarithms() -> None:
    log_probs = spelling([0, 1, 0, 2, 0, 0] * 10)
    texts = [[1, 2] * 10, [3] * 20, [3] * 40, [1, 2]]
    lower = log_probs - 12.0  # P is 1e-313 and less
    expected = ctc.log_prob_pairs(log_probs[None], texts) - 12.0 * len(log_probs)
    assert ctc.log_prob_pairs(lower[None], texts) == pytest.approx(expected, abs=1e-2)
    assert expected[0] > -730 > expected[1] > expected[2] == -np.inf


def test_many_texts_of_many_pictures() -> None:
    plates = np.stack([spelling([1, 0, 2, 0]), spelling([0, 3, 3, 0])])
    table = ctc.log_prob_table(plates, np.array([[[1, 2], [3, 0], [0, 0]], [[1, 2], [3, 0], [0, 0]]]))
    for rows, scores in zip(plates, table, strict=True):
        assert scores == pytest.approx([ctc.log_prob(rows, text) for text in ([1, 2], [3], [])])


@pytest.mark.parametrize("labels", [[0], [4], [-1]])
def test_classes_that_are_not_there_are_refused(labels: list[int]) -> None:
    with pytest.raises(InvalidArgumentError, match="labels"):
        ctc.log_prob(spelling([0, 1]), labels)


def test_wrong_shapes_are_refused() -> None:
    log_probs = spelling([0, 1])
    with pytest.raises(InvalidArgumentError, match="T, C"):
        ctc.log_prob(log_probs[None], [1])
    with pytest.raises(InvalidArgumentError, match="log_probs"):
        ctc.log_prob_pairs(np.stack([log_probs] * 2), [[1], [1], [1]])


def test_blanks_may_be_next_to_impossible() -> None:
    """Sums are in units of the blank, which then no longer is one."""
    log_probs = np.full((9, 4), -120.0, np.float32)
    log_probs[np.arange(9), [1, 2, 3] * 3] = -0.01
    log_probs[4, :] = [-120.0, -1.0, -0.6, -120.0]
    text = [1, 2, 3] * 3
    assert ctc.log_prob(log_probs, text) == pytest.approx(-0.01 * 8 - 0.6)
    sure = ctc.character_posteriors(log_probs, text)
    expected = np.exp(-0.6) / (np.exp(-0.6) + np.exp(-1.0))
    assert sure == pytest.approx([1.0] * 4 + [expected] + [1.0] * 4, abs=1e-6)
